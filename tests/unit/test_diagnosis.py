"""What a diagnosis judges by: which task failed first, what was raised, and whether running again can help."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest

from airflow_mcp.airflow.task_instance_lists import InstanceRow
from airflow_mcp.diagnosis.before import RUNS_BEFORE, tasks_compared, told_of_before
from airflow_mcp.diagnosis.code import around, in_file
from airflow_mcp.diagnosis.first_failed import failed_tasks
from airflow_mcp.diagnosis.retry import run_again
from airflow_mcp.models.runs import DagRun
from airflow_mcp.text.raised import Frame, RaisedReader
from tests.fakes import URL, OfRelease, Replay
from tests.replay import replayed

GRAPH = {"a": ["b", "clean"], "b": ["c"], "c": [], "clean": [], "other": []}


def row(task_id: str, state: str, map_index: int = -1) -> InstanceRow:
    return InstanceRow(dag_id="d", dag_run_id="r", task_id=task_id, map_index=map_index, state=state)


def raised(log: str) -> list[str]:
    reader = RaisedReader()
    for number, line in enumerate(log.strip("\n").split("\n"), 1):
        reader.add(number, line)
    return [each.error for each in reader.chain]


def test_a_task_behind_one_that_failed_is_no_cause() -> None:
    rows = [row("clean", "failed"), row("c", "upstream_failed"), row("b", "upstream_failed"), row("a", "failed")]
    found = failed_tasks([*rows, row("other", "failed")], GRAPH, ended=True)
    assert [*found.first] == ["a", "other"]
    assert (found.after, found.blocked) == (["clean"], ["b", "c"])


def test_without_a_graph_each_that_failed_is_one() -> None:
    assert [*failed_tasks([row("c", "failed"), row("a", "failed")], {}, ended=True).first] == ["c", "a"]


@pytest.mark.parametrize(("ended", "first"), [(True, []), (False, ["a"])])
def test_a_try_that_failed_counts_while_the_run_goes_on(ended: bool, first: list[str]) -> None:
    assert [*failed_tasks([row("a", "up_for_retry"), row("b", "success")], GRAPH, ended=ended).first] == first


TRACEBACK = """Traceback (most recent call last):
  File "/opt/dags/a.py", line {line}, in work
{error}"""
ENDED = "06:00:00 ERROR taskinstance.py:1 Task failed with exception"


@pytest.mark.parametrize(
    ("log", "errors"),
    [
        ("06:00:00 all is well", []),
        (TRACEBACK.format(line=3, error="ValueError: no row"), ["ValueError: no row"]),
        (
            "\n".join(
                [
                    TRACEBACK.format(line=3, error="KeyError: 'x'"),
                    "The above exception was the direct cause of the following exception:",
                    TRACEBACK.format(line=9, error="RuntimeError: load failed\nof today"),
                ]
            ),
            ["KeyError: 'x'", "RuntimeError: load failed"],
        ),
        (
            "\n".join(
                [
                    TRACEBACK.format(line=3, error="OSError: a try that was caught"),
                    "06:00:00 went on",
                    ENDED,
                    TRACEBACK.format(line=9, error="ValueError: what ended it"),
                    "06:00:01 INFO calling on_failure_callback",
                    TRACEBACK.format(line=20, error="ConnectionError: of the callback"),
                ]
            ),
            ["ValueError: what ended it"],
        ),
        # Of an error that is very long, Airflow's line cannot be read whole, and its frames not at all.
        (f"{ENDED}\nRuntimeError: bad payload\n06:00:01 a.py:1 ::group::Post Execute", ["RuntimeError: bad payload"]),
        (f"{ENDED}\n06:00:01 a.py:1 ::group::Post Execute", []),
        (
            f"{ENDED}\n"
            "  + Exception Group Traceback (most recent call last):\n"
            '  |   File "/opt/dags/a.py", line 3, in work\n'
            "  | ExceptionGroup: two shards (2 sub-exceptions)\n"
            "  +-+---------------- 1 ----------------\n"
            "    | Traceback (most recent call last):\n"
            '    |   File "/opt/dags/a.py", line 9, in shard\n'
            "    | ValueError: shard 1 is empty\n"
            "    +---------------- 2 ----------------\n"
            "    | OSError: shard 2 is away\n"
            "    +------------------------------------",
            ["ValueError: shard 1 is empty", "ExceptionGroup: two shards (2 sub-exceptions)"],
        ),
        *[
            (f"{TRACEBACK.format(line=3, error='OSError: it was caught')}\n06:00:09 {killed}", [])
            for killed in (
                "a.py:1 Task exited with return code -9. For more information, see",
                "WARNING Process terminated by signal signal=-9",
            )
        ],
        # A template of another task in the file, which Airflow read before it ran this one.
        (
            "06:00:00 a.py:1 ::group::Pre Execute\n06:00:01 ERROR templater.py:1 Failed to resolve template field\n"
            f"{TRACEBACK.format(line=3, error='TemplateNotFound: a.sh')}\n"
            "06:00:02 a.py:1 ::endgroup::\n06:00:03 ERROR a.py:1 Task exited exit_code=1",
            [],
        ),
    ],
)
def test_what_a_task_failed_with(log: str, errors: list[str]) -> None:
    assert raised(log) == errors


def test_frames_that_a_log_leaves_out_are_no_code() -> None:
    log = f"""{ENDED}
Traceback (most recent call last):
  File "/opt/dags/a.py", line 3, in deeper
  [Skipped frames: 912]
  File "/opt/dags/a.py", line 3, in deeper
    return deeper(n + 1)
RecursionError: maximum recursion depth exceeded"""
    reader = RaisedReader()
    for number, line in enumerate(log.split("\n"), 1):
        reader.add(number, line)
    assert [frame.code for frame in reader.chain[0].frames] == ["", "return deeper(n + 1)"]


@pytest.mark.parametrize(
    ("error", "as_before", "told"),
    [
        ("ModuleNotFoundError: No module named 'pandas'", False, "fails again until the module pandas is installed"),
        (
            "AirflowNotFoundException: The conn_id `dwh` isn't defined",
            True,
            "until the connection dwh is there",
        ),
        ("KeyError: 'Variable bucket does not exist'", False, "fails again until the variable bucket is there"),
        ("sqlite3.OperationalError: no such table: orders", False, "fails again until the table orders is there"),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: '/in/a.csv'",
            False,
            "until the file /in/a.csv is there",
        ),
        ("PermissionError: second: the source refused", False, "fails again until access is granted"),
        ("AirflowTaskTimeout: Timeout, PID: 7", False, "may help: such an error can pass by itself."),
        ("requests.exceptions.ConnectionError: Connection refused", False, "may help"),
        ("requests.exceptions.ConnectionError: Connection refused", True, "is not likely to help"),
        ("Task exited with return code -9", False, "may fail again: it was killed"),
        ("KeyError: 'amount'", False, "helps only if the data or the code have changed since."),
        (None, False, "may help: no error is logged."),
    ],
)
def test_whether_running_again_can_help(error: str | None, as_before: bool, told: str) -> None:
    assert told in run_again(error, as_before=as_before)


def runs(number: int) -> list[DagRun]:
    return [DagRun(dag_run_id=f"r{place}", state="success") for place in range(number)]


@pytest.mark.parametrize(
    ("before", "failed", "same_error", "told"),
    [
        (runs(0), [], None, "No run before it has ended."),
        (runs(3), [], None, "It did not fail in the run before (r0)."),
        (runs(3), ["r2"], None, "It did not fail in the run before (r0); it failed in 1 of the 3 before."),
        (runs(3), ["r0"], True, "It failed in the run before too, since r0, the last time with the same error."),
        (
            runs(3),
            ["r0", "r1"],
            False,
            "It failed in the 2 runs before too, since r1, the last time with another",
        ),
        (
            runs(RUNS_BEFORE),
            [f"r{place}" for place in range(RUNS_BEFORE)],
            None,
            "It failed in the at least 10 runs before too, since r9.",
        ),
    ],
)
def test_how_it_did_before(before: Sequence[DagRun], failed: list[str], same_error: bool | None, told: str) -> None:
    said = told_of_before(before, dict.fromkeys(failed), same_error=same_error)
    assert said is not None
    assert said.startswith(told)


SOURCE = ["import x", "def work(row):", "    return row['amount']", "", "work({})"]


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("ab", "The tasks are those of run r0; Airflow 2 tells of no other change of the code."),
        ("a", "The DAG has changed since run r0: tasks new: b."),
        ("bcdefg", "The DAG has changed since run r0: tasks new: a; gone: c, d, e and 2 more."),
    ],
)
def test_other_tasks_than_in_the_last_good_run(then: str, told: str) -> None:
    now = [row("a", "failed"), row("b", "success", 0), row("b", "success", 1)]
    assert tasks_compared([row(each, "success") for each in then], now, "run r0") == told


def test_the_lines_of_the_dags_file_with_those_around() -> None:
    frames = [Frame("/lib/x.py", 2, "f", ""), Frame("/worker/dags/a.py", 3, "work", "return row['amount']")]
    own = in_file(frames, "/opt/dags/a.py")
    assert own == frames[1:]
    assert around(own, SOURCE) == "2|def work(row):\n3|    return row['amount']"
    assert in_file(frames, "/opt/other/a.py") == in_file(frames, None) == []


def test_a_file_that_has_changed_since_is_told() -> None:
    told = around([Frame("/opt/dags/a.py", 3, "work", "return row['total']")], SOURCE)
    assert told.endswith("# The file has changed since: line 3 was then `return row['total']`.")
    assert "was then `old`" in around([Frame("/opt/dags/a.py", 90, "work", "old")], SOURCE)


@pytest.mark.anyio
@pytest.mark.parametrize("version", ["2.11", "3.3"])
async def test_a_part_that_cannot_be_seen_is_named_and_the_rest_comes(version: str) -> None:
    def closed(request: httpx.Request) -> httpx.Response | None:
        ends = ("/tasks", "/clearTaskInstances")
        closed = request.url.path.endswith(ends) or "/dagSources/" in request.url.path
        return httpx.Response(403, json={"detail": "Forbidden"}) if closed else None

    replay = Replay(version, closed)
    run = {"dag_id": "load_files", "dag_run_id": replay.runs["load_files"]}
    async with replayed(replay) as session:
        told = await session.ok("diagnose_dag_run", **run)
    [cause] = told["causes"]
    assert cause["error"] == "ValueError: south.csv: line 118 has 4 columns, expected 6"
    assert {line.partition(":")[0] for line in told["not_seen"]} == {"the graph", "the source", "the next step"}
    assert [line for line in told["not_seen"] if "403" not in line] == []
    assert "next" not in told


@pytest.mark.anyio
@pytest.mark.parametrize("version", ["2.11", "3.3"])
async def test_of_a_dag_whose_file_is_gone_a_failed_run_is_told_with_that(version: str) -> None:
    left = {"dag_id": "load_files", "is_active": False, "is_stale": True, "fileloc": "/dags/load_files.py"}

    def gone(request: httpx.Request) -> httpx.Response | None:
        path = request.url.path
        if path.endswith("/dags/load_files" if version < "3" else "/dags/load_files/details"):
            return httpx.Response(200, json=left)
        if version < "3" and path.endswith(("/details", "/tasks", "/clearTaskInstances")):
            kind = "https://airflow.apache.org/docs/x/NotFound"
            return httpx.Response(404, json={"title": "DAG not found", "status": 404, "type": kind})
        return None

    replay = Replay(version, gone)
    async with replayed(replay) as session:
        told = await session.ok("diagnose_dag_run", dag_id="load_files", dag_run_id=replay.runs["load_files"])
    assert told["summary"].endswith(
        "load_file failed first. No file defines load_files any more; it was in /dags/load_files.py."
    )
    [cause] = told["causes"]
    assert cause["error"] == "ValueError: south.csv: line 118 has 4 columns, expected 6"
    assert cause["run_again"] == "cannot: no file defines the DAG."
    assert "as it is now" not in cause["evidence"]
    assert ("as it was last read" in cause["evidence"]) == (version == "3.3")
    assert told["next"].startswith("Put the DAG back into the DAGs folder; ")
    assert "clear_task_instances(" in told["next"]
    assert "not_seen" not in told


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("settings", "call"),
    [
        ({}, 'preview_clear_task_instances(dag_id="load_files", dag_run_id="manual__load_files").'),
        ({"read_only": True}, 'preview_clear_task_instances(dag_id="load_files", dag_run_id="manual__load_files").'),
        (
            {"preview_tools": False},
            'clear_task_instances(dag_id="load_files", dag_run_id="manual__load_files", confirm=false).',
        ),
    ],
)
async def test_the_next_step_is_a_tool_that_is_offered(settings: dict[str, bool], call: str) -> None:
    async with replayed(Replay("3.3"), **settings) as session:
        told = await session.ok("diagnose_dag_run", dag_id="load_files", dag_run_id="manual__load_files")
        assert call.partition("(")[0] in {tool.name for tool in (await session.client.list_tools()).tools}
    assert told["next"].startswith(f"Once the cause is mended: {call}")


@pytest.mark.anyio
async def test_without_its_task_instances_there_is_no_diagnosis() -> None:
    def broken(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(403) if request.url.path.endswith("/list") else None

    replay = Replay("3.3", broken)
    async with replayed(replay) as session:
        message = await session.error("diagnose_dag_run", dag_id="load_files", dag_run_id=replay.runs["load_files"])
    assert "403" in message


class TimedOut(OfRelease):
    """An Airflow with a run that failed after a minute, none of whose tasks has failed."""

    async def rest(self, request: httpx.Request) -> httpx.Response:
        ids = {"dag_id": "etl", "dag_run_id": "r"}
        run = {**ids, "state": "failed", "start_date": "2026-02-01T00:00:00Z", "end_date": "2026-02-01T00:01:01Z"}
        rows = [
            ("load", "success", 3, "2026-02-01T00:00:30Z"),
            ("early", "skipped", 0, "2026-02-01T00:00:10Z"),  # by a branch
            ("wait", "skipped", 1, None),
            ("save", "skipped", 0, "2026-02-01T00:01:01Z"),
            ("once", "success", 1, "2026-02-01T00:00:30Z"),
        ]
        told = [
            {**ids, "task_id": task_id, "map_index": -1, "state": state, "try_number": number, "end_date": end}
            for task_id, state, number, end in rows
        ]
        known = {**run, "dag_runs": [], "tasks": [], "task_instances": told, "total_entries": len(told)}
        return httpx.Response(200, json={**known, "dag_run_timeout": "PT60S", "access_token": "t"})


@pytest.mark.anyio
async def test_a_run_that_failed_without_a_failed_task_tells_what_was_not_done_and_what_was_tried_again() -> None:
    for version in ("2.11.2", "3.3.2"):
        async with replayed(TimedOut(version)) as session:
            told = await session.ok("diagnose_dag_run", dag_id="etl", dag_run_id="r")
        assert told["summary"].endswith(
            "no task of it has failed. The run reached its limit (dagrun_timeout is 60 s); not done by then: save, "
            "wait. In a later try than the first succeeded: load (3)."
        )


class Failed(OfRelease):
    """An Airflow in which so many tasks of one DAG failed, two in each of two runs, each with a log."""

    def __init__(self, version: str, tasks: int, more: int = 0) -> None:
        super().__init__(version)
        self.tasks, self.more = tasks, more

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/taskInstances/list"):
            rows = [
                {
                    "dag_id": "etl",
                    "dag_run_id": f"r{day}",
                    "task_id": f"t{number}",
                    "map_index": -1,
                    "state": "failed",
                    "try_number": 1,
                    "start_date": f"2026-02-0{day}T00:00:00Z",
                }
                for day in (1, 2)
                for number in range(self.tasks)
            ]
            return httpx.Response(200, json={"task_instances": rows, "total_entries": len(rows) + self.more})
        if path.endswith("/dagRuns/list"):
            run = {"dag_id": "etl", "dag_run_id": "r3", "state": "success", "start_date": None}
            return httpx.Response(200, json={"dag_runs": [run], "total_entries": 1})
        if "/logs/" in path:
            error = "OSError: disk full" if path.rsplit("/", 3)[1] == "t0" else "KeyError: 'x'"
            return httpx.Response(200, text=f"06:00:00 ERROR a.py:1 Task failed with exception\n{trace(error)}\n")
        return httpx.Response(200, json={"access_token": "t"})


def trace(error: str) -> str:
    return TRACEBACK.format(line=1, error=error)


@pytest.mark.anyio
async def test_failures_are_told_by_error_the_latest_first() -> None:
    async with replayed(Failed("2.11.2", 3)) as session:
        told = await session.ok("find_failures", since="2026-01-01T00:00:00Z")
    assert told["summary"] == "6 task instances failed, in 1 DAG; the last run of 0 of these has failed."
    assert told["failures"] == [
        {
            "dag_id": "etl",
            "tasks": tasks,
            "error": error,
            "runs": 2,
            "task_instances": number,
            "first": "2026-02-01T00:00Z",
            "last": "2026-02-02T00:00Z",
            "last_run_id": "r2",
            "now": "success",
            "url": f"{URL}/dags/etl/grid?dag_run_id=r2&task_id={tasks[0]}",
        }
        for tasks, error, number in ((["t0"], "OSError: disk full", 2), (["t1", "t2"], "KeyError: 'x'", 4))
    ]


@pytest.mark.anyio
async def test_of_very_many_failures_some_logs_are_read_and_the_rest_is_counted() -> None:
    fake = Failed("2.11.2", 60, more=7)
    async with replayed(fake) as session:
        told = await session.ok("find_failures")
    assert len([path for path in fake.paths() if "/logs/" in path]) == 20
    assert told["not_seen"] == [
        "The logs of 40 more tasks were not read.",
        "12 more groups are not listed: give dag_id, or a later since.",
        "7 more failed task instances were not looked at: give dag_id, or a later since.",
    ]
    assert len(told["failures"]) == 30
    assert told["summary"].startswith("127 task instances failed, of which 120 were looked at, in 1 DAG;")
