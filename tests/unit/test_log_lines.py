"""The logs of both Airflows come out the same, in whatever pieces they arrive."""

from __future__ import annotations

import json

import pytest

from airflow_mcp.airflow.log_lines import MOST_OF_A_LINE, LogLines
from airflow_mcp.excerpt import LONGEST_LINE, Tail

TEXT = """\
worker-1
*** Found local files:
***   * /opt/airflow/logs/attempt=1.log
[2026-11-22T13:46:02.408+0000] {sales_etl.py:56} INFO - checking order 17
[2026-11-22T13:46:03.408+0000] {taskinstance.py:3315} ERROR - Task failed with exception
Traceback (most recent call last):
  File "/opt/airflow/dags/sales_etl.py", line 57, in validate
TypeError: '>' not supported
[2026-11-22T13:46:03.508+0000] {local_task_job_runner.py:266} WARNING - Task exited
"""
EVENTS = [
    {"event": "::group::Log message source details", "sources": ["/opt/airflow/logs/attempt=1.log"]},
    {
        "timestamp": "2026-11-22T13:46:02.408000Z",
        "level": "info",
        "event": "checking order 17",
        "logger": "task.stdout",
    },
    {
        "timestamp": "2026-11-22T13:46:03.408000Z",
        "level": "error",
        "event": "Task failed with exception",
        "error_detail": [
            {
                "exc_type": "TypeError",
                "exc_value": "'>' not supported",
                "frames": [{"filename": "/opt/airflow/dags/sales_etl.py", "lineno": 57, "name": "validate"}],
            }
        ],
    },
    {"timestamp": "2026-11-22T13:46:03.508000Z", "level": "warning", "event": "Task exited"},
]
NDJSON = "".join(json.dumps(event) + "\n" for event in EVENTS)
SAME = [
    "13:46:02 checking order 17",
    "13:46:03 ERROR Task failed with exception",
    "Traceback (most recent call last):",
    '  File "/opt/airflow/dags/sales_etl.py", line 57, in validate',
    "TypeError: '>' not supported",
    "13:46:03 WARNING Task exited",
]


def read(log: str | bytes, *, events: bool, piece: int = 1 << 20) -> list[str]:
    lines = LogLines(Tail(1 << 20), events=events)
    raw = log.encode() if isinstance(log, str) else log
    for start in range(0, len(raw), piece):
        lines.feed(raw[start : start + piece])
    lines.end()
    kept = lines.excerpt.kept()
    assert [line.number for line in kept] == list(range(1, lines.total + 1))
    return [line.text for line in kept]


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_text_and_events_come_out_the_same(piece: int) -> None:
    assert read(TEXT, events=False, piece=piece)[3:] == SAME
    assert read(NDJSON, events=True, piece=piece)[1:] == SAME


def test_a_chain_of_exceptions_is_told_cause_first() -> None:
    details = [{"exc_type": "RuntimeError", "exc_value": "b"}, {"exc_type": "KeyError", "exc_value": "'a'"}]
    log = json.dumps({"event": "failed", "level": "error", "error_detail": details})
    assert read(log, events=True) == [
        "ERROR failed",
        "KeyError: 'a'",
        "The above exception led to this one:",
        "RuntimeError: b",
    ]


def test_a_message_of_many_lines() -> None:
    assert read(json.dumps({"event": "a\nb", "level": "info"}), events=True) == ["a", "b"]


@pytest.mark.parametrize("log", ["no JSON", "[1]", '"x"', '{"a":' * 5000])
def test_what_is_no_event_is_shown_as_it_is(log: str) -> None:
    [line] = read(log, events=True)
    assert line.startswith(log[:1000])


@pytest.mark.parametrize("event", ['{"event": null}', '{"event": 1, "level": 2, "timestamp": 3, "error_detail": "x"}'])
def test_odd_events_do_not_break_it(event: str) -> None:
    assert len(read(event, events=True)) == 1


def test_a_long_line_is_cut_and_says_so() -> None:
    [line] = read("x" * 2000, events=False)
    assert line == "x" * LONGEST_LINE + "… (2000 characters)"
    [line] = read("x" * (MOST_OF_A_LINE + 10), events=False, piece=1000)
    assert line.endswith("… (10 more bytes)")


def test_control_characters_are_gone() -> None:
    assert read("\x1b[31mred\x1b[0m \u202eevil\x00", events=False) == ["red evil"]


def test_half_a_character_is_gone() -> None:
    assert read(r'{"event": "a\ud800b"}', events=True) == ["ab"]


def test_bytes_that_are_no_text() -> None:
    assert read(b"\xff\xfe broken", events=False) == ["\ufffd\ufffd broken"]
