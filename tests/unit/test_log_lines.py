"""Both Airflows' logs as lines of one form."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from airflow_mcp.text.log_lines import EventLog, LogLines, TextLog

GROUP = [" INFO - ::group::Log message source details", " INFO - ::endgroup::"]
STAMP = "[2026-11-29T14:38:16.251+0000]"


def read(log: LogLines, *raw: str) -> list[str]:
    return [line for each in raw for line in log.read(each)]


def of_text(*raw: str) -> list[str]:
    return read(TextLog(), "worker-1", *raw)


def of_events(*events: dict[str, Any]) -> list[str]:
    return read(EventLog(), *map(json.dumps, events))


def event(text: Any, moment: str | None = "2026-11-29T14:38:16.251000Z", **more: Any) -> dict[str, Any]:
    return {"timestamp": moment, "event": text, "level": "info", "logger": "etl", **more}


PLACE: dict[str, Any] = {"filename": "load.py", "lineno": 78}
CONTEXT: dict[str, Any] = {
    "dag_id": "etl",
    "task_id": "load",
    "run_id": "r",
    "try_number": 1,
    "map_index": -1,
    "ti_id": "01a2",
}


@pytest.mark.parametrize(
    ("text", "event", "lines"),
    [
        ("{load.py:78} INFO - read", event("read", **PLACE), ["14:38:16 load.py:78 read"]),
        (
            "{load.py:78} WARNING - slow",
            event("slow", level="warning", **PLACE, **CONTEXT),
            ["14:38:16 WARNING load.py:78 slow"],
        ),
        ("{logging_mixin.py:190} INFO - printed", event("printed", logger="task.stdout"), ["14:38:16 printed"]),
        (
            "{logging_mixin.py:190} WARNING - to stderr",
            event("to stderr", logger="task.stderr", level="error"),
            ["14:38:16 stderr to stderr"],
        ),
        (
            "{logging_mixin.py:190} WARNING - to stderr of a 3.0",
            event("to stderr of a 3.0", logger="task", chan="stderr", level="error"),
            ["14:38:16 stderr to stderr of a 3.0"],
        ),
        (
            "{load.py:78} ERROR - one\n\n  two\n \nthree",
            event("one\n\n  two\n \nthree", level="error", **PLACE),
            ["14:38:16 ERROR load.py:78 one", "  two", "three"],
        ),
        (
            "{load.py:78} INFO - \x1b[1;31mred\x1b[0m \x07\u202e",
            event("\x1b[1;31mred\x1b[0m \x07\u202e", **PLACE),
            ["14:38:16 load.py:78 red ␇<U+202E>"],
        ),
        ("{load.py:78} INFO - ['a', 1]", event("['a', 1]", **PLACE), ["14:38:16 load.py:78 ['a', 1]"]),
        (
            '{logging_mixin.py:190} INFO - {"level": "error"}',
            event('{"level": "error"}', logger="task.stdout"),
            ['14:38:16 {"level": "error"}'],
        ),
        (
            "{logging_mixin.py:190} INFO - ::group::Details",
            event("::group::Details", logger="task.stdout"),
            ["14:38:16 ::group::Details"],
        ),
    ],
)
def test_both_come_out_alike(text: str, event: dict[str, Any], lines: list[str]) -> None:
    assert of_text(*GROUP, *f"{STAMP} {text}".split("\n")) == lines
    assert of_events(event) == lines


@pytest.mark.parametrize(
    ("first", "second", "times"),
    [
        ("2026-11-29T23:59:59.1+0000", "2026-11-30T00:00:01.2+0000", ["23:59:59", "2026-11-30 00:00:01"]),
        ("2026-11-29T23:30:00.123+0200", "2026-11-29T23:31:00.123+0200", ["21:30:00", "21:31:00"]),
        ("2026-11-30T01:30:00,123+02:00", "2026-11-30T02:30:00,123+02:00", ["23:30:00", "2026-11-30 00:30:00"]),
        ("2026-11-29T10:00:00", "2026-11-29 10:00:01.999999Z", ["10:00:00", "10:00:01"]),
    ],
)
def test_times_are_in_utc_and_another_day_is_told(first: str, second: str, times: list[str]) -> None:
    text = TextLog()
    lines = read(text, "worker-1", *(f"[{moment}] {{a.py:1}} INFO - x" for moment in (first, second)))
    assert lines == [f"{time} a.py:1 x" for time in times]
    assert text.date == "2026-11-29"
    events = EventLog()
    given = [json.dumps(event("x", moment, filename="a.py", lineno=1)) for moment in (first, second)]
    assert read(events, *given) == lines
    assert events.date == text.date


def test_what_is_in_no_known_form_stays_as_it_is() -> None:
    odd = [
        f"{STAMP} WARNING of my own",
        "[2026-11-29T14:38:16.251+0000 {a.py:1} INFO - x",
        "2026-11-29 14:38:16 INFO plain",
        "*** a line of stars",
    ]
    assert of_text(f"{STAMP} {{a.py:1}} INFO - x", *odd)[1:] == odd
    assert read(EventLog(), *odd) == odd
    assert read(EventLog(), "", " ", "[1, 2]", '"text"', "7") == ["[1, 2]", '"text"', "7"]


@pytest.mark.parametrize(
    "moment", ["", "yesterday", "9999-99-99T99:99:99+9999", "0001-01-01T00:00:00+2359", "9999-12-31T23:00:00-0300", 7]
)
def test_an_odd_moment_loses_no_line(moment: Any) -> None:
    assert of_events(event("kept", moment))[0].endswith("kept")
    assert of_text(f"[{moment}] {{a.py:1}} INFO - kept")[0].endswith("kept")


def test_what_the_code_gave_besides_is_told() -> None:
    more: dict[str, Any] = {"row": 7, "why": "no amount", "parts": ["a", 1], "none": None, "chan": "stdout"}
    assert of_events(event("refused", **PLACE, **CONTEXT, **more)) == [
        '14:38:16 load.py:78 refused row=7 why=no amount parts=["a", 1]'
    ]
    assert of_events({"event": None, "row": 7}, {"event": ["a", {"b": 1}]}, {}) == ["row=7", '["a", {"b": 1}]']


def test_an_exception_is_a_traceback() -> None:
    frames = [{"filename": "/dags/etl.py", "lineno": 5, "name": "load"}]
    detail = [
        {"exc_type": "ValueError", "exc_value": "no amount\n\nin row 7", "frames": frames, "is_cause": False},
        {"exc_type": "KeyError", "exc_value": "'amount'", "frames": frames, "is_cause": True},
    ]
    assert of_events(event("Task failed with exception", level="error", error_detail=detail, **PLACE)) == [
        "14:38:16 ERROR load.py:78 Task failed with exception",
        "Traceback (most recent call last):",
        '  File "/dags/etl.py", line 5, in load',
        "KeyError: 'amount'",
        "The above exception was the direct cause of the following exception:",
        "Traceback (most recent call last):",
        '  File "/dags/etl.py", line 5, in load',
        "ValueError: no amount",
        "in row 7",
    ]


def test_where_the_log_was_found_is_no_line_of_it() -> None:
    text = TextLog()
    found = ["*** Found local files:", "***   * /logs/attempt=1.log", "and more of it"]
    said = f"{STAMP} {{a.py:1}} INFO - ::group::Log message source details"
    assert read(text, "worker-1", GROUP[0], *found, GROUP[1], said) == [
        "14:38:16 a.py:1 ::group::Log message source details"
    ]
    assert text.sources == ["Found local files:", "/logs/attempt=1.log", "and more of it"]
    early = TextLog()  # Airflow 2.7 has no group
    more = "For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/404"
    assert len(read(early, "worker-1", *found[:2], more, said)) == 1
    assert early.sources == text.sources[:2]


@pytest.mark.parametrize("listed", [True, False])
def test_where_the_events_were_found_is_no_line_of_them(listed: bool) -> None:
    start = {"timestamp": None, "event": "::group::Log message source details"}
    sources = [start | {"sources": ["/logs/attempt=1.log"]}] if listed else [start, {"event": "/logs/attempt=1.log"}]
    events = EventLog()
    mine = [event("::group::Log message source details"), event("x"), event("::endgroup::")]
    lines = read(events, *map(json.dumps, [*sources, {"event": "::endgroup::"}, *mine]))
    assert lines == [f"14:38:16 {each['event']}" for each in mine]
    assert events.sources == ["/logs/attempt=1.log"]


def failing(error: str, *, again: str | None = None, place: str = "standard_task_runner.py:124") -> list[str]:
    """What Airflow 2 writes of a task that fails: its exception, and what ended its process."""
    traceback = ["Traceback (most recent call last):", '  File "/dags/etl.py", line 5, in load', "    raise it"]
    return of_text(
        f"{STAMP} {{taskinstance.py:3337}} ERROR - Task failed with exception",
        *traceback,
        *error.split("\n"),
        f"{STAMP} {{taskinstance.py:349}} INFO - ::group::Post task execution logs",
        *f"{STAMP} {{{place}}} ERROR - Failed to execute job 6 for task load ({again or error}; 99)".split("\n"),
        *traceback,
        *(again or error).split("\n"),
        f"{STAMP} {{local_task_job_runner.py:266}} INFO - Task exited with return code 1",
    )


@pytest.mark.parametrize(
    "error", ["no amount", "load failed\nof 2026-01-01", "(a; b) of (c)", "  | two rules", "x" * 9999]
)
def test_a_failure_that_airflow_2_writes_twice_is_shown_once(error: str) -> None:
    lines = failing(error)
    assert lines.count("Traceback (most recent call last):") == 1
    assert "Failed to execute job 6 for task load (" in lines[-3]
    assert lines[-2:] == [
        "(the traceback above, once more)",
        "14:38:16 local_task_job_runner.py:266 Task exited with return code 1",
    ]


def test_another_failure_after_the_first_is_shown() -> None:
    for lines in (failing("no amount", again="no disk"), failing("no amount", place="etl.py:124")):
        assert lines.count("Traceback (most recent call last):") == 2
        assert "(the traceback above, once more)" not in lines


@pytest.mark.parametrize("escape", ["", "\\", "\\u", "\\u00", "\\ud83d", '\\"', "\\\\"])
def test_of_an_event_that_is_cut_what_came_is_shown(escape: str) -> None:
    detail = [{"exc_type": "ValueError", "exc_value": "no amount", "frames": [{"filename": "a.py", "lineno": 1}]}]
    whole = json.dumps(event("failed", level="error", **PLACE, error_detail=detail))
    place = whole.index("no amount")
    cut = f"{whole[: place + 4]}{escape}… (5000000 bytes)"
    first, *_, last = read(EventLog(), cut)
    assert first == "14:38:16 ERROR load.py:78 failed"
    assert last.startswith("ValueError: no a")
    assert last.endswith("… (5000000 bytes)")
    for end in range(whole.index("failed") + len("failed"), len(whole)):
        assert "failed" in read(EventLog(), whole[:end])[0]


@pytest.mark.parametrize(
    "line",
    [
        "[" * 60_000,
        '{"a":' * 12_000,
        '{"event": "' + '\\"' * 30_000,
        '{"event": "' + "\\" * 60_001,
        f"{STAMP} " + "{" * 60_000,
        f"{STAMP} {{a.py:1}} INFO - " + " - " * 20_000,
        "\x1b[" * 30_000,
        "9" * 60_000,
    ],
    ids=["lists", "objects", "quotes", "backslashes", "braces", "dashes", "colours", "digits"],
)
@pytest.mark.parametrize("kind", [TextLog, EventLog])
def test_no_line_takes_long(line: str, kind: type[LogLines]) -> None:
    started = time.process_time()
    lines = read(kind(), "worker-1", line)
    assert time.process_time() - started < 0.5
    assert lines
