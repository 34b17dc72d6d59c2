"""get_task_log against an Airflow that has the log of a test's choosing: what is asked for, and what is told."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from anyio import from_thread

from airflow_mcp.airflow import logs
from airflow_mcp.errors import NotFoundError
from airflow_mcp.text.evidence import Evidence
from airflow_mcp.text.kept import KeptLine
from airflow_mcp.text.log_lines import NO_LOG
from airflow_mcp.tools.present import as_data, as_text
from scripts.generate import tokens
from tests.fakes import ONE, WithLog, read_log
from tests.replay import replayed
from tests.session import unfenced

pytestmark = pytest.mark.anyio

GROUP = " INFO - ::group::Log message source details\n"
GROUP_END = " INFO - ::endgroup::\n"
LINE = "[2026-11-29T14:38:16.251+0000] {load.py:78} INFO - "


def text(*lines: str, sources: str = "*** Found local files:\n***   * /logs/attempt=1.log\n") -> str:
    return f"worker-1\n{GROUP}{sources}{GROUP_END}" + "".join(f"{LINE}{line}\n" for line in lines)


def events(*lines: str, sources: tuple[str, ...] = ("/logs/attempt=1.log",)) -> str:
    begin = [{"timestamp": None, "event": each} for each in ("::group::Log message source details", *sources)]
    rows = [
        {"timestamp": "2026-11-29T14:38:16Z", "event": line, "level": "info", "filename": "load.py", "lineno": 78}
        for line in lines
    ]
    return "".join(json.dumps(row) + "\n" for row in [*begin, {"event": "::endgroup::"}, *rows])


def log(version: str, *lines: str) -> str:
    return text(*lines) if version < "3" else events(*lines)


both = pytest.mark.parametrize("version", ["2.11.2", "3.3.2"])


@both
async def test_the_latest_try_takes_two_calls(version: str) -> None:
    airflow = WithLog(version, log(version, "one", "two"), try_number=3)
    answer = await read_log(airflow)
    assert airflow.sent == ["", "/logs/3?full_content=true"]
    assert (answer.state, answer.try_number, answer.try_state, answer.total_lines) == ("failed", 3, None, 2)
    assert (answer.date, answer.note, answer.next_line) == ("2026-11-29", "No error was found.", None)
    assert answer.log == "1|14:38:16 load.py:78 one\n2|14:38:16 load.py:78 two"


@pytest.mark.parametrize(
    ("version", "page", "index"),
    [("2.11.2", "/grid?dag_run_id=r&task_id=load", "&map_index=7"), ("3.3.2", "/runs/r/tasks/load", "/mapped/7")],
)
async def test_the_page_of_the_task_instance(version: str, page: str, index: str) -> None:
    page = f"http://airflow.test/dags/etl{page}"
    assert (await read_log(WithLog(version, log(version, "one")))).url == page
    assert (await read_log(WithLog(version, log(version, "one")), map_index=7)).url == page + index
    assert (await read_log(WithLog(version, state="skipped", try_number=0))).url == page


@both
async def test_a_map_index(version: str) -> None:
    airflow = WithLog(version, log(version, "one"))
    assert (await read_log(airflow, map_index=7)).total_lines == 1
    assert airflow.sent == ["/7", "/logs/1?full_content=true&map_index=7"]
    plain = WithLog(version, log(version, "one"))
    await read_log(plain)
    assert plain.sent[0] == ""


@both
async def test_an_earlier_try_tells_its_own_state(version: str) -> None:
    airflow = WithLog(version, log(version, "one"), "success", {1: "failed", 2: "success"}, 2)
    answer = await read_log(airflow, try_number=1)
    assert (answer.state, answer.try_number, answer.try_state) == ("success", 1, "failed")
    assert airflow.sent[1:] == ["/tries", "/logs/1?full_content=true"]
    mapped = WithLog(version, log(version, "one"), "success", {1: "failed", 2: "success"}, 2)
    await read_log(mapped, try_number=1, map_index=4)
    assert mapped.sent[1] == "/4/tries"


@both
async def test_a_try_that_there_is_not_names_those_that_there_are(version: str) -> None:
    airflow = WithLog(version, tries={1: "failed", 3: "failed"}, try_number=3)
    for number in (0, 2, 9):
        with pytest.raises(NotFoundError, match=f"task load has no try {number}; there are 1, 3"):
            await read_log(airflow, try_number=number)
    with pytest.raises(NotFoundError, match=r"task load\[5\] has no try 2; there are 1, 3"):
        await read_log(airflow, try_number=2, map_index=5)
    with pytest.raises(NotFoundError, match="has no try 2; there is none"):
        await read_log(WithLog(version, tries={0: None}, state=None, try_number=0), try_number=2)


async def test_an_airflow_that_lists_no_tries_has_all_up_to_the_latest() -> None:
    airflow = WithLog("2.7.3", text("one"), try_number=2, missing=("/tries",))
    answer = await read_log(airflow, try_number=1)
    assert (answer.try_number, answer.try_state, answer.total_lines) == (1, None, 1)
    with pytest.raises(NotFoundError, match="has no try 5; there are 1, 2"):
        await read_log(airflow, try_number=5)


@both
async def test_a_mapped_task_names_its_map_indexes(version: str) -> None:
    states = dict.fromkeys(range(30), "success") | dict.fromkeys(range(3, 12), "failed")
    airflow = WithLog(version, tries=states, missing=("/load", "/load/99"))
    for index in (None, 99):
        with pytest.raises(NotFoundError, match=r"mapped, with map indexes 0-29 in this run; failed: 3-11"):
            await read_log(airflow, map_index=index)
    with pytest.raises(NotFoundError, match="task load is not mapped in this run"):
        await read_log(WithLog(version, tries={-1: "failed"}, missing=("/load/0",)), map_index=0)
    for index in (None, 0):
        with pytest.raises(NotFoundError, match="Run r of etl has no task instance of task_id 'load'"):
            await read_log(WithLog(version, tries={}, missing=("/load", "/load/0")), map_index=index)


@both
@pytest.mark.parametrize(
    ("state", "number", "note"),
    [
        (None, 0, "It has not started: its state is no_status."),
        ("scheduled", 0, "It has not started: its state is scheduled."),
        ("queued", 1, "Try 1 has not started: its state is queued."),
        ("queued", 3, "Try 3 has not started: its state is queued. try_number=2 shows the try before."),
        ("upstream_failed", 0, "It did not run: a task before it failed. The cause is in the log of that task."),
        ("skipped", 0, "It was skipped, so it has no log."),
        ("removed", 0, "It did not run: the task is no longer in the DAG."),
    ],
)
async def test_what_has_not_started_has_no_log(version: str, state: str | None, number: int, note: str) -> None:
    airflow = WithLog(version, state=state, try_number=number)
    answer = await read_log(airflow)
    assert (answer.note, answer.total_lines, answer.log) == (note, 0, None)
    assert airflow.sent == [""]


async def test_before_2_10_a_try_counts_when_it_starts() -> None:
    answer = await read_log(WithLog("2.9.3", text("one"), state="queued"))
    assert answer.total_lines == 1


GONE = "Log file not found on worker 'w'. This attempt may have run on a different worker."
REFUSED = "Could not read served logs: HTTPConnectionPool(host='w', port=8793): Max retries exceeded"
NO_FILE = "Could not read served logs: Client error '404 NOT FOUND'"
NO_HOST = "Could not read served logs: Invalid URL 'http://:8793/log/x': No host supplied"
NEVER_BEGAN = "No worker is recorded for this try: it never began. The scheduler, the executor or a person ended it."


@both
@pytest.mark.parametrize(
    ("state", "said", "note"),
    [
        ("failed", [GONE], f"The log is gone. Airflow says: {GONE}"),
        ("failed", [f"{NO_FILE} for url 'http://w'"], f"The log is gone. Airflow says: {NO_FILE} for url 'http://w'"),
        ("success", [REFUSED], f"The log could not be read. Airflow says: {REFUSED}"),
        ("failed", [NO_HOST], NEVER_BEGAN),
        ("failed", ["Could not read served logs: Hostname not available for worker."], NEVER_BEGAN),
        ("upstream_failed", [NO_HOST], logs.NOT_RUN["upstream_failed"]),
        ("skipped", [], logs.NOT_RUN["skipped"]),
        ("success", [], "The log is empty."),
        ("success", ["Found local files:", "/logs/attempt=1.log"], "The log is empty."),
        ("success", ["http://worker:8793/log/x"], "The log is empty."),
        ("running", [], "Nothing is logged yet. It is still running: from_line=1 reads on later."),
    ],
)
async def test_what_is_no_log_is_told_as_such(version: str, state: str, said: list[str], note: str) -> None:
    raw = text(sources="".join(f"*** {each}\n" for each in said)) if version < "3" else events(sources=tuple(said))
    answer = await read_log(WithLog(version, raw, state))
    assert (answer.note, answer.total_lines, answer.log) == (note, 0, None)


async def test_the_sentences_of_airflow_3_for_no_log_are_none() -> None:
    for sentence in NO_LOG:
        told = json.dumps({"timestamp": "2026-11-29T14:38:16Z", "event": sentence})
        answer = await read_log(WithLog("3.3.2", f"{events()}{told}\n"))
        assert (answer.total_lines, answer.log) == (0, None)
        assert answer.note == f"The log could not be read. Airflow says: {sentence}"
        printed = json.loads(told) | {"logger": "task.stdout"}
        assert (await read_log(WithLog("3.3.2", events() + json.dumps(printed)))).log == f"1|14:38:16 {sentence}"


@both
async def test_a_log_that_airflow_does_not_find_is_told_with_the_tries(version: str) -> None:
    airflow = WithLog(version, tries={1: "failed", 3: "failed"}, try_number=2, missing=("/logs/2",))
    with pytest.raises(NotFoundError, match="task load has no try 2; there are 1, 3"):
        await read_log(airflow)
    with pytest.raises(NotFoundError, match="TaskInstance not found"):
        await read_log(WithLog(version, missing=("/logs/1",)))


@both
async def test_what_still_runs_is_read_on(version: str) -> None:
    airflow = WithLog(version, log(version, "one", "two"), "running")
    answer = await read_log(airflow)
    assert answer.next_line == 3
    assert answer.note == "No error was found. It is still running: from_line=3 reads on later."
    again = await read_log(airflow, from_line=3)
    assert (again.log, again.next_line) == (None, 3)
    on = await read_log(WithLog(version, log(version, "one", "two", "three"), "running"), from_line=3)
    assert on.log == "3|14:38:16 load.py:78 three"
    long = await read_log(
        WithLog(version, log(version, *["x" * 90] * 5, *map(str, range(999))), "running"), mode="head"
    )
    assert long.next_line
    assert long.next_line < 1000


@both
async def test_the_numbers_are_the_same_in_every_mode(version: str) -> None:
    lines = [f"row {number}" if number != 700 else "refused: Row 700" for number in range(1, 1001)]
    whole = {number: f"{number}|14:38:16 load.py:78 {line}" for number, line in enumerate(lines, 1)}
    seen = set()
    ways: list[dict[str, Any]] = [{"mode": "tail"}, {"mode": "head"}, {"grep": ["REFUSED"]}, {"from_line": 690}, {}]
    ways += [{"mode": "errors", **each} for each in ways[2:]]
    for arguments in ways:
        answer = await read_log(WithLog(version, log(version, *lines)), **arguments)
        assert answer.total_lines == 1000
        rows = str(answer.log).split("\n")
        assert all(row == whole[int(row.partition("|")[0])] for row in rows)
        seen.add(len(rows))
        assert (whole[700] in rows) is (arguments.get("mode") not in ("tail", "head"))
    assert len(seen) > 1


@both
async def test_errors_is_the_default_and_changes_neither_grep_nor_from_line(version: str) -> None:
    raw = log(version, *(f"row {number}" for number in range(1, 500)), "ValueError: no rows", "row 501")
    for arguments in ({}, {"grep": ["row"]}, {"from_line": 7}, {"grep": ["row"], "from_line": 7}):
        assert await read_log(WithLog(version, raw), **arguments) == await read_log(
            WithLog(version, raw), **arguments, mode="errors"
        )
    shown = await read_log(WithLog(version, raw))
    assert "500|14:38:16 load.py:78 ValueError: no rows" in str(shown.log).split("\n")
    last = await read_log(WithLog(version, raw), grep=["row"])
    assert str(last.log).endswith("501|14:38:16 load.py:78 row 501")
    assert str((await read_log(WithLog(version, raw), from_line=7)).log).startswith("7|14:38:16 load.py:78 row 7\n")


FAILS = [
    "Traceback (most recent call last):",
    '  File "/dags/sales.py", line 90, in publish',
    "ValueError: one is missing",
]


@both
@pytest.mark.parametrize("most", [1000, 6000, 40_000])
async def test_a_cause_in_the_middle_of_a_long_log_is_kept(version: str, most: int) -> None:
    work = [f"order {number} is loaded" for number in range(1, 60_001)]
    work[30_000] = "order 30001 was rejected: customer 812 is unknown"
    airflow = WithLog(version, log(version, *work, *FAILS))
    answer = await read_log(airflow, max_characters=most)
    rows = str(answer.log).split("\n")
    begin = "14:38:16 load.py:78 "
    assert f"30001|{begin}{work[30_000]}" in rows
    assert f"60003|{begin}{FAILS[2]}" in rows
    assert f"60002|{begin}{FAILS[1]}" in rows
    assert answer.note == f"{len(rows)} of 60003 lines; grep or from_line shows others."
    assert tokens(as_text(as_data(answer))) <= most // 4 + 200
    there = await read_log(airflow, from_line=60_001, max_characters=1000)
    assert str(there.log).split("\n") == rows[-3:]


@both
async def test_other_calls_go_on_while_errors_are_chosen(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    others: list[int] = []

    def slow(self: Evidence) -> list[KeptLine]:
        from_thread.run_sync(others.append, 1)  # waits until the event loop has done it
        return []

    monkeypatch.setattr(Evidence, "lines", slow)
    assert (await read_log(WithLog(version, log(version, "one")))).total_lines == 1
    assert others == [1]


async def test_what_does_not_go_together_is_refused() -> None:
    airflow = WithLog("3.3.2", events("one"))
    async with replayed(airflow, username=None, password=None, token="t") as session:
        assert "from_line: reads on" in await session.error("get_task_log", **ONE, mode="tail", from_line=3)
        assert "an empty text is in every line" in await session.error("get_task_log", **ONE, grep=["a", ""])
        for wrong in ({"max_characters": 40_001}, {"max_characters": 10}, {"grep": ["x"] * 21}):
            assert next(iter(wrong)) in await session.error("get_task_log", **ONE, **wrong)
        assert airflow.sent == []
        answer = await session.ok("get_task_log", **ONE, grep='["ONE"]', mode="head")
        assert unfenced(answer["log"]) == "1|14:38:16 load.py:78 one"


HOSTILE = {
    "letters": "\U00012000" * 60_000,
    "hidden": "\u200b" * 60_000,
    "halves": "\\ud800" * 10_000,
    "fences": "</untrusted>" * 5000,
    "quotes": '\\"' * 30_000,
    "rare": "".join(map(chr, range(0x3400, 0x9FFF))),
    "blanks": " \t" * 30_000 + "x",
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("most", [1000, 6000, 40_000])
async def test_no_log_breaks_the_budget(kind: str, most: int) -> None:
    line = f'{{"timestamp": "2026-11-29T14:38:16Z", "event": "{HOSTILE[kind]}"}}\n'
    ways: list[dict[str, Any]] = [{}, {"mode": "tail"}, {"mode": "head"}, {"grep": ["a", "x", " ", "\U00012000", "u+"]}]
    for arguments in ways:
        answer = await read_log(WithLog("3.3.2", line * 4), **arguments, max_characters=most)
        assert answer.total_lines == 4
        # Each mark that is made harmless takes 7 characters more than it had.
        written = as_text(as_data(answer))
        assert tokens(written) <= most + 300, arguments


BIG = """
import anyio, httpx, json, resource, sys
from tests.fakes import WithLog, read_log

kind, version = sys.argv[1:]
size = 100 * 2**20

class Big(httpx.AsyncByteStream):
    async def __aiter__(self):
        if kind == "lines":
            row = {"timestamp": "2026-11-29T14:38:16Z", "event": "x" * 900, "level": "info"}
            stamped = "[2026-11-29T14:38:16.251+0000] {load.py:78} INFO - " + "x" * 900
            line = json.dumps(row) if version > "3" else stamped
            for number in range(size // 64000):
                yield (line + "\\n").encode() * (64000 // len(line))
        else:
            yield b'worker-1\\n' if version < "3" else b""
            yield b'{"timestamp": "2026-11-29T14:38:16Z", "event": "'
            for number in range(80):
                yield b"x" * 65536
            yield b'"}\\n'

others = 0
async def tick():
    global others
    while True:
        await anyio.sleep(0)
        others += 1

async def main():
    await read_log(WithLog(version, "x"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        answer = await read_log(WithLog(version, Big))
        group.cancel_scope.cancel()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([after - before, others, answer.total_lines, len(answer.log)]))

anyio.run(main)
"""


@both
@pytest.mark.parametrize("kind", ["lines", "line"])
def test_a_log_of_100_mb_costs_little(kind: str, version: str) -> None:
    done = subprocess.run([sys.executable, "-c", BIG, kind, version], capture_output=True, timeout=50, check=False)
    assert not done.returncode, done.stderr.decode()
    kilobytes, others, lines, characters = json.loads(done.stdout)
    assert kilobytes <= 64 * 1024
    assert others > 50  # what else there is to do goes on
    assert lines > 90_000 if kind == "lines" else lines == 1
    assert characters <= 6000
