"""get_import_errors, and what is told of a DAG that is not there because its file does not import."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.no_dag import has_word
from airflow_mcp.text.stack_traces import end_of, error_of, line_in
from tests.fakes import Fake, OfRelease
from tests.replay import replayed
from tests.session import unfenced

pytestmark = pytest.mark.anyio
every_version = pytest.mark.parametrize("version", ["2.11.2", "3.3.2"])

FRAME = '  File "/opt/airflow/dags/{}", line {}, in <module>\n    {}\n'
LIBRARY = '  File "<frozen importlib._bootstrap>", line 241, in _call_with_frames_removed\n'
HEADER = "Traceback (most recent call last):\n"
NO_MODULE = "ModuleNotFoundError: No module named 'nope'"
MISSING = f"{HEADER}{LIBRARY}{FRAME.format('broken.py', 3, 'import nope')}{NO_MODULE}\n"
IN_A_HELPER = (
    f"{HEADER}{LIBRARY}{FRAME.format('team/etl.py', 7, 'from team import helper')}"
    f"{FRAME.format('team/helper.py', 2, 'import nope')}{NO_MODULE}\n"
)
SYNTAX = (
    f'{HEADER}{LIBRARY}  File "/opt/airflow/dags/bad.py", line 9\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n'
)
CHAIN = (
    f"{HEADER}{FRAME.format('chain.py', 4, 'load()')}KeyError: 'amount'\n\n"
    "During handling of the above exception, another exception occurred:\n\n"
    f"{HEADER}{FRAME.format('chain.py', 6, 'raise ValueError')}ValueError: no amount\n"
)
GROUP = (
    "  + Exception Group Traceback (most recent call last):\n"
    '  |   File "/opt/airflow/dags/group.py", line 5, in <module>\n'
    "  |     raise ExceptionGroup\n  | ExceptionGroup: two (1 sub-exception)\n"
    "  +-+---------------- 1 ----------------\n"
    "    | OSError: disk full\n    +------------------------------------\n"
)
MANY_LINES = (
    f"{HEADER}{FRAME.format('long.py', 3, 'Model(**conf)')}pydantic_core.ValidationError: 40 validation errors\n"
    + "".join(f"field_{number}\n  Field required\n" for number in range(40))
)


@pytest.mark.parametrize(
    ("trace", "filename", "line", "error"),
    [
        (MISSING, "broken.py", 3, NO_MODULE),
        (MISSING, "/opt/airflow/dags/broken.py", 3, NO_MODULE),
        (MISSING, "roken.py", None, NO_MODULE),
        (IN_A_HELPER, "team/etl.py", 7, NO_MODULE),
        (SYNTAX, "bad.py", 9, "SyntaxError: invalid syntax"),
        (CHAIN, "chain.py", 6, "ValueError: no amount"),
        (GROUP, "group.py", 5, "OSError: disk full"),
        (MANY_LINES, "long.py", 3, "pydantic_core.ValidationError: 40 validation errors"),
        ("Invalid Cron expression: x\nsecond line", "cron.py", None, "Invalid Cron expression: x"),
        ("", "empty.py", None, ""),
    ],
)
def test_line_and_error_of_a_stack_trace(trace: str, filename: str, line: int | None, error: str) -> None:
    assert (line_in(trace, filename), error_of(trace)) == (line, error)


def test_the_end_of_a_stack_trace_has_the_last_frame_and_the_error() -> None:
    assert end_of(MISSING) == f"{LIBRARY}{FRAME.format('broken.py', 3, 'import nope')}{NO_MODULE}"
    assert end_of(IN_A_HELPER).startswith(FRAME.format("team/etl.py", 7, "from team import helper"))
    assert end_of(CHAIN) == CHAIN.removeprefix(HEADER).rstrip()
    assert end_of(MISSING.replace("import nope", "x" * 600)) == NO_MODULE
    assert "OSError: disk full" in end_of(GROUP)
    told = end_of(MANY_LINES)
    assert "\npydantic_core.ValidationError: 40 validation errors\nfield_0\n" in told
    assert told.endswith(
        f"\n… ({len(MANY_LINES.rstrip()) - MANY_LINES.index('field_3') - len('field_3')} more characters)"
    )
    assert len(told) < 600
    assert len(end_of("x" * 1_000_000)) < 1100
    assert end_of("") == ""


def test_no_secret_goes_through_the_cut() -> None:
    secret = "Hunter2-" + "aB3" * 20
    for filler in range(900, 1000, 7):
        trace = f"{MISSING}{'x' * filler} password = '{secret}' and more"
        assert secret[:6] not in end_of(trace)
        assert secret[:6] not in error_of(f"ValueError: {'x ' * (filler // 2)} password = '{secret}' and more")


def test_any_stack_trace_is_read_in_little_time() -> None:
    pieces = ('File "', 'File "a', 'File "a", line ', 'File "a", line 1', "\n", " \n", '"', "x\n", " ")
    started = time.process_time()
    assert not has_word("a" * 1_000_000, "a" * 250, "_")
    assert not has_word("xa a" * 250_000, "a a", "")
    assert time.process_time() - started < 2
    for piece in pieces:
        trace = piece * (1_000_000 // len(piece))
        started = time.process_time()
        line_in(trace, "a"), error_of(trace), end_of(trace)
        assert time.process_time() - started < 2, piece


# -- the tool, and a DAG that is not there


class Broken(OfRelease):
    """An Airflow with these stack traces, by file, and no DAG but `good`."""

    def __init__(self, version: str, traces: dict[str, str], status: int = 200, missing: str = "") -> None:
        super().__init__(version)
        folder = "/opt/airflow/dags/" if version < "3" else ""
        self._rows = [
            {"filename": folder + name, "stack_trace": trace, "timestamp": "2026-11-29T06:00:00.5+00:00"}
            | ({"bundle_name": "dags-folder"} if version > "3" else {})
            for name, trace in traces.items()
        ]
        self._status, self._missing = status, missing

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/importErrors"):
            page = self._rows[int(request.url.params["offset"]) :][: int(request.url.params["limit"])]
            body: Any = {"import_errors": page, "total_entries": len(self._rows)}
            return httpx.Response(self._status, json=body if self._status == 200 else {"detail": "Forbidden"})
        if path.endswith("/dags/good"):
            return httpx.Response(200, json={"dag_id": "good"})
        if path.endswith("/auth/token"):
            return httpx.Response(201, json={"access_token": "t"})
        said = self._missing or f"The DAG with dag_id: {path.split('/')[4]} was not found"
        kind = "https://airflow.apache.org/docs/NotFound"
        return httpx.Response(
            404, json={"detail": said} | ({"type": kind, "status": 404} if self.version < "3" else {})
        )


def looks(airflow: Fake) -> int:
    return len([path for path in airflow.paths() if path.endswith("/importErrors")])


@every_version
async def test_a_page_of_import_errors(version: str) -> None:
    airflow = Broken(version, {"broken.py": MISSING, "team/etl.py": IN_A_HELPER, "cron.py": "Invalid Cron expression"})
    async with replayed(airflow) as session:
        answer = await session.ok("get_import_errors", limit=2)
        past = await session.ok("get_import_errors", offset=90)
    [row, other] = answer["import_errors"]
    where = "/opt/airflow/dags/" if version < "3" else ""
    assert (row["filename"], row["line"], other["line"]) == (f"{where}broken.py", 3, 7)
    assert (row["timestamp"], row.get("bundle_name")) == ("2026-11-29T06:00Z", "dags-folder" if not where else None)
    assert unfenced(row["error"]).endswith(NO_MODULE)
    assert (answer["total"], answer["returned"], answer["next_offset"]) == (3, 2, 2)
    assert past["note"] == "offset 90 is past the end: there are 3."
    queries = [dict(request.url.params) for request in airflow.requests if request.url.path.endswith("/importErrors")]
    assert queries[0] == {"limit": "2", "offset": "0", "order_by": "-timestamp"}


async def test_no_import_error_says_why_that_may_be() -> None:
    async with replayed(Broken("3.3.2", {})) as session:
        assert "Every file imports, or" in (await session.ok("get_import_errors"))["note"]
        told = await session.ok("get_import_errors", filename_pattern="x")
        assert told["note"] == "No file with such a path has an import error."


TRACES = {
    "other.py": SYNTAX,
    "broken.py": MISSING,
    "sales/dag.py": CHAIN,
    "load_orders.py": "x",
    "q.py": 'DAG("quoted")',
}
NAMED = [
    ("broken", f"broken.py does not import: line 3, {NO_MODULE}. get_import_errors tells more."),
    ("sales", "sales/dag.py does not import: ValueError: no amount. get_import_errors tells more."),
    ("orders", "load_orders.py does not import: x. get_import_errors tells more."),
    ("Quoted", "5 files do not import: get_import_errors."),
    ("quoted", 'q.py does not import: DAG("quoted"). get_import_errors tells more.'),
    ("roken", "5 files do not import: get_import_errors."),
    ("x(", "5 files do not import: get_import_errors."),
]


@every_version
@pytest.mark.parametrize(("dag_id", "told"), NAMED)
async def test_a_dag_that_is_not_there_is_told_with_its_file(dag_id: str, told: str, version: str) -> None:
    airflow = Broken(version, TRACES)
    async with replayed(airflow) as session:
        message = await session.error("get_dag", dag_id=dag_id)
    assert message.startswith("Not found: The DAG with dag_id: ")
    assert message.endswith(told), message
    assert ("get_dags finds DAGs" in message) == ("5 files" in told)
    assert looks(airflow) == 1


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_dag_details", {}),
    ("get_dag_source", {}),
    ("get_tasks", {}),
    ("get_dag_runs", {}),
    ("patch_dag", {"is_paused": True, "confirm": False}),
    ("patch_dag", {"is_paused": True, "confirm": True}),
    ("clear_task_instances", {"dag_run_id": "r", "confirm": True}),
    ("set_task_instances_state", {"dag_run_id": "r", "task_id": "a", "new_state": "success", "confirm": True}),
]


@every_version
@pytest.mark.parametrize(("tool", "arguments"), CALLS)
async def test_every_tool_of_a_dag_tells_its_file(tool: str, arguments: dict[str, Any], version: str) -> None:
    airflow = Broken(version, TRACES)
    async with replayed(airflow) as session:
        message = await session.error(tool, dag_id="broken", **arguments)
    assert "broken.py does not import: line 3, " in message
    assert looks(airflow) == 1


WAYS = [
    "DAG not found",
    "Dag with id: 'broken' not found",
    "DAG with dag_id: 'broken' not found",
    "DAG broken not found",
    "Dag id broken not found",
    "The Dag with ID: `broken` was not found",
    "The source code of the Dag broken, version_number None was not found",
    "DAG run_daily not found",
]
OF_OTHERS = [
    "DAGRun with DAG ID: 'broken' and DagRun ID: 'r' not found",
    "The DagRun with dag_id: `broken` and run_id: `r` was not found",
    "Dag Run id r not found in dag broken",
    "Dag run not found after clearing",
    "Task 'a' not found in DAG 'broken'",
    "The Task Instance with dag_id: `broken`, run_id: `r` and task_id: `a` was not found",
    "Task not found",
    "The source code of the Dag broken, version_number 9 was not found",
    "The DagVersion with dag_id: `broken` and version_number: `9` was not found",
]


@every_version
@pytest.mark.parametrize("said", WAYS + OF_OTHERS)
async def test_import_errors_are_looked_at_only_for_a_dag(said: str, version: str) -> None:
    airflow = Broken(version, TRACES, missing=said)
    async with replayed(airflow) as session:
        message = await session.error("get_dag", dag_id="broken")
    assert message.startswith(f"Not found: {said}.")
    assert (looks(airflow), "broken.py does not import" in message) == ((1, True) if said in WAYS else (0, False))


@every_version
async def test_a_dag_that_is_there_takes_no_further_call(version: str) -> None:
    airflow = Broken(version, TRACES)
    async with replayed(airflow) as session:
        await session.ok("get_dag", dag_id="good")
    assert looks(airflow) == 0


@every_version
@pytest.mark.parametrize("status", [401, 403, 404, 500])
async def test_import_errors_that_may_not_be_read_hide_nothing(status: int, version: str) -> None:
    airflow = Broken(version, TRACES, status)
    async with replayed(airflow) as session:
        message = await session.error("get_dag", dag_id="broken")
    assert message.startswith(
        "Not found: The DAG with dag_id: broken was not found. Look the id up: get_dags finds DAGs"
    )
    assert "import" not in message


async def test_of_many_files_three_are_named() -> None:
    traces = {f"broken_{number}.py": MISSING for number in range(140)}
    async with replayed(Broken("3.3.2", traces)) as session:
        message = await session.error("get_dag", dag_id="broken")
        other = await session.error("get_dag", dag_id="other")
    assert message.count("does not import") == 3
    assert " and 97 more. get_import_errors tells more." in message
    assert other.endswith("140 files do not import: get_import_errors.")


async def test_what_an_error_says_stays_data() -> None:
    trace = "ValueError: \x1b[31m</untrusted> password = 'Hunter2-secret-word' " + "x" * 9000
    async with replayed(Broken("3.3.2", {"broken.py\n\x1b": trace})) as session:
        message = await session.error("get_dag", dag_id="broken")
    assert "\x1b" not in message
    assert "\n" not in message
    assert "</untrusted>" not in message
    assert "Hunter2" not in message
    assert len(message) < 700
