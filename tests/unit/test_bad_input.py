"""What a model may get wrong, and what may be wrong with Airflow: each an error that names it, and nothing changes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import anyio
import httpx
import pytest

from airflow_mcp.demo.releases import RELEASES
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.examples import agreeable, examples
from tests.fakes import Fault, Replay
from tests.releases import LAST
from tests.replay import replayed
from tests.session import text_of

pytestmark = pytest.mark.anyio

every_version = pytest.mark.parametrize("version", LAST)

RUN = {"dag_id": "load_files", "dag_run_id": "r1"}
SET = {"dag_id": "history", "task_id": "first", "new_state": "success", "confirm": True}
CLEAR = {**RUN, "confirm": True}
PAUSE = {"dag_id": "mapped_group", "is_paused": False, "confirm": True}
SINCE = {"dag_id": "load_files", "start_date": "2026-01-02T00:00:00Z", "confirm": True}
BOOLEAN = ["confirm: ", "valid boolean"]
LIST = "valid list"
ZONE = "must be a date with a time zone"
NO_TASKS = ["task_ids: is an empty list; leave it out where all are meant"]
ONE_RUN = ["dag_run_id, logical_date: give exactly one"]
ONE_SCOPE = ["dag_run_id, start_date: give exactly one, a run or the first date of a range"]


def without(arguments: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in names}


def changing(replay: Replay) -> list[str]:
    """The requests that would change something."""
    return [
        f"{request.method} {request.url.path}"
        for request in replay.sent("POST", "PATCH", "PUT", "DELETE")
        if not request.url.path.endswith(("/dry_run", "/list")) and b'"dry_run":true' not in request.content
    ]


# -- arguments that are refused before anything is sent

REFUSED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "slash": ("get_dag", {"dag_id": "team/etl"}, ["dag_id: ", 'must not contain "/"']),
    "dots": ("get_tasks", {"dag_id": ".."}, ["dag_id: ", "must not be . or .."]),
    "empty": ("get_dag_details", {"dag_id": ""}, ["dag_id: ", "empty"]),
    "300 characters": ("patch_dag", {**PAUSE, "dag_id": "x" * 300}, ["dag_id: ", "300 characters", "250"]),
    "newline": ("clear_task_instances", {**CLEAR, "dag_id": "etl\nx"}, ["dag_id: ", "line break"]),
    "no dag_id": ("get_dag", {}, ["dag_id: is required"]),
    "null dag_id": ("get_dag", {"dag_id": None}, ["dag_id: ", "valid string"]),
    "number for dag_id": ("get_tasks", {"dag_id": 7}, ["dag_id: ", "valid string"]),
    "limit 0": ("get_dags", {"limit": 0}, ["limit: ", "greater than or equal to 1"]),
    "limit -1": ("get_tasks", {"dag_id": "diamond", "limit": -1}, ["limit: ", "greater than or equal to 1"]),
    "limit 10000": ("get_dags", {"limit": 10000}, ["limit: ", "less than or equal to 100"]),
    "limit ten": ("get_dags", {"limit": "ten"}, ["limit: ", "valid integer"]),
    "offset -1": ("get_dags", {"offset": -1}, ["offset: ", "greater than or equal to 0"]),
    "unknown argument": ("get_dags", {"limt": 5}, ["limt: no such argument. Did you mean limit?"]),
    "dry_run": (
        "clear_task_instances",
        {**CLEAR, "dry_run": True},
        ["dry_run: no such argument.", "It takes dag_id, "],
    ),
    "two unknown": ("patch_dag", {**PAUSE, "paused": 1, "x": 2}, ["paused: no such", "x: no such", "is_paused"]),
    "patch without confirm": ("patch_dag", without(PAUSE, "confirm"), ["confirm: is required", "false: preview"]),
    "clear without confirm": (
        "clear_task_instances",
        RUN,
        ["confirm: is required", "true only after the person's yes"],
    ),
    "set without confirm": ("set_task_instances_state", without(SET, "confirm"), ["confirm: is required"]),
    "confirm yes": ("clear_task_instances", {**RUN, "confirm": "yes"}, BOOLEAN),
    "confirm true as text": ("patch_dag", {**PAUSE, "confirm": "true"}, BOOLEAN),
    "confirm 1": ("patch_dag", {**PAUSE, "confirm": 1}, BOOLEAN),
    "confirm null": ("set_task_instances_state", {**SET, "dag_run_id": "r1", "confirm": None}, BOOLEAN),
    "is_paused maybe": ("patch_dag", {**PAUSE, "is_paused": "maybe"}, ["is_paused: ", "valid boolean"]),
    "no is_paused": ("patch_dag", without(PAUSE, "is_paused"), ["is_paused: is required"]),
    "another field": ("patch_dag", {**PAUSE, "update_mask": ["tags"]}, ["update_mask: ", "only is_paused"]),
    "run and date": (
        "set_task_instances_state",
        {**SET, "dag_run_id": "r1", "logical_date": "2026-01-01T00:00:00Z"},
        ONE_RUN,
    ),
    "neither run nor date": ("set_task_instances_state", SET, ONE_RUN),
    "run and range": ("clear_task_instances", {**SINCE, "dag_run_id": "r1"}, ONE_SCOPE),
    "neither run nor range": ("clear_task_instances", without(SINCE, "start_date"), ONE_SCOPE),
    "end without start": (
        "clear_task_instances",
        {**CLEAR, "end_date": "2026-01-01T00:00:00Z"},
        ["end_date: goes with start_date"],
    ),
    "end before start": (
        "clear_task_instances",
        {**SINCE, "end_date": "2026-01-01T00:00:00Z"},
        ["end_date: is before start_date"],
    ),
    "start without a zone": (
        "clear_task_instances",
        {**SINCE, "start_date": "2026-01-01T00:00:00"},
        ["start_date: must be a date with a time zone, such as 2026-01-31T06:00:00Z", "get_dag_details"],
    ),
    "end without a zone": ("clear_task_instances", {**SINCE, "end_date": "2026-01-03"}, ["end_date: ", ZONE]),
    "start as a number": ("clear_task_instances", {**SINCE, "start_date": 20260101}, ["start_date: ", ZONE]),
    "start as digits": ("clear_task_instances", {**SINCE, "start_date": "20260101"}, ["start_date: ", ZONE]),
    "logical date without a zone": (
        "set_task_instances_state",
        {**SET, "logical_date": "2026-01-01T00:00:00"},
        ["logical_date: ", ZONE],
    ),
    "no date": ("clear_task_instances", {**SINCE, "start_date": "yesterday"}, ["start_date: ", ZONE]),
    "null as text for a date": ("clear_task_instances", {**SINCE, "start_date": "null"}, ["start_date: ", ZONE]),
    "null as text for task_ids": ("clear_task_instances", {**CLEAR, "task_ids": "null"}, ["task_ids: ", LIST]),
    "null as text for tags": ("get_dags", {"tags": "null"}, ["tags: ", LIST]),
    "null as text for paused": ("get_dags", {"paused": "null"}, ["paused: ", "valid boolean"]),
    "null as text for map_index": (
        "set_task_instances_state",
        {**SET, "dag_run_id": "r1", "map_index": "null"},
        ["map_index: ", "valid integer"],
    ),
    "broken JSON for tags": ("get_dags", {"tags": '["etl"'}, ["tags: ", LIST]),
    "number for plan": ("patch_dag", {**PAUSE, "plan": 7}, ["plan: ", "valid string"]),
    "no task_ids": ("clear_task_instances", {**CLEAR, "task_ids": []}, NO_TASKS),
    "no task_ids as text": ("clear_task_instances", {**CLEAR, "task_ids": "[]"}, NO_TASKS),
    "empty text for task_ids": ("clear_task_instances", {**CLEAR, "task_ids": ""}, NO_TASKS),
    "numbers for task_ids": ("clear_task_instances", {**CLEAR, "task_ids": [1]}, ["task_ids.0: ", "valid string"]),
    "one task with its index": ("clear_task_instances", {**CLEAR, "task_ids": [["load_file", 1]]}, ["task_ids.0: "]),
    "failed and running": (
        "clear_task_instances",
        {**CLEAR, "only_failed": True, "only_running": True},
        ["only_running: set only_failed to false"],
    ),
    "long note": ("clear_task_instances", {**CLEAR, "note": "x" * 1001}, ["note: ", "1000"]),
    "state running": (
        "set_task_instances_state",
        {**SET, "dag_run_id": "r1", "new_state": "running"},
        ["new_state: ", "'success', 'failed' or 'skipped'"],
    ),
    "map index -2": (
        "set_task_instances_state",
        {**SET, "dag_run_id": "r1", "map_index": -2},
        ["map_index: ", "greater than or equal to 0"],
    ),
    "no source": ("get_dag_source", {}, ["dag_id, file_token: give exactly one"]),
    "two sources": ("get_dag_source", {"dag_id": "a", "file_token": "b"}, ["dag_id, file_token: give exactly one"]),
    "line 0": ("get_dag_source", {"dag_id": "a", "start_line": 0}, ["start_line: ", "greater than or equal to 1"]),
    "last line first": ("get_dag_source", {"dag_id": "a", "start_line": 9, "end_line": 8}, ["end_line: is before"]),
    "version 0": ("get_dag_source", {"dag_id": "a", "version_number": 0}, ["version_number: ", "equal to 1"]),
}


@pytest.mark.parametrize(("tool", "arguments", "parts"), REFUSED.values(), ids=REFUSED)
async def test_refused_before_anything_is_sent(tool: str, arguments: dict[str, Any], parts: list[str]) -> None:
    replay = Replay("3.3")
    async with replayed(replay) as session:
        message = await session.error(tool, **arguments)
    assert [part for part in parts if part not in message] == [], message
    assert "x" * 100 not in message
    assert replay.sent("GET", "POST", "PATCH") == []


TOO_MUCH: dict[str, Any] = {
    "a long text": "x" * 100_000,
    "a list of a long text": ["x" * 100_000],
    "many texts": ["\u0436" * 4000] * 700,
    "a list of lists": [[["x" * 100_000]]],
    "a list as text": "[" + '"x",' * 10_000 + '"x"]',
    "a deep list": json.loads("[" * 200 + "]" * 200),
    "an object": {"x" * 100_000: "x" * 100_000},
    "a number": 10**4000,
    "a number as text": "9" * 4000,
    "a fraction": 1e308,
}
ARGUMENTS = [(spec.name, name) for spec in ALL_TOOLS for name in spec.arguments.model_fields]


def willing(version: str) -> Any:
    """A session with an Airflow that does as it is told."""
    answer = agreeable(
        {"dag_id": "history", "dag_run_id": "a run", "task_id": "first", "file_token": "t"}, f"{version}.2"
    )
    api_version = "v1" if version.startswith("2") else "v2"
    return replayed(httpx.MockTransport(lambda _: httpx.Response(200, json=answer)), api_version=api_version)


@every_version
@pytest.mark.parametrize(("tool", "argument"), ARGUMENTS)
async def test_too_much_of_any_argument_is_refused_by_name_or_taken(version: str, tool: str, argument: str) -> None:
    async with willing(version) as session:
        for kind, value in TOO_MUCH.items():
            result = await session.call(tool, {**examples()[tool], argument: value})
            text = text_of(result)
            assert "failed inside this server" not in text, (kind, text[:300])
            assert not result.is_error or (argument in text and len(text) < 5000), (kind, text[:300])


@pytest.mark.parametrize(("argument", "version"), [("tags", "2.11"), ("tags", "3.3"), ("owners", "3.3")])
async def test_filters_that_no_request_can_hold_are_refused_by_name(argument: str, version: str) -> None:
    async with willing(version) as session:
        message = await session.error("get_dags", **{argument: ["x" * 4000] * 100}, order_by="dag_id")
    assert message.startswith(f"{argument}: is, with the other filters, too long for one request")


# -- arguments that only Airflow can judge


def unknown(version: str) -> Fault:
    """What the real servers say to ids that they do not have; the recording answers the rest."""

    def no(title: str, detail: str | None, other: str) -> httpx.Response:
        if version > "3":
            return httpx.Response(404, json={"detail": other})
        kind = "https://airflow.apache.org/docs/apache-airflow/2.11.2/stable-rest-api-ref.html#section/Errors/NotFound"
        problem = {"detail": detail, "status": 404, "title": title, "type": kind}
        return httpx.Response(404, json=problem, headers={"content-type": "application/problem+json"})

    async def fault(request: httpx.Request) -> httpx.Response | None:
        path = unquote(request.url.raw_path.decode().partition("?")[0])
        dag = re.fullmatch(r"/api/v\d/(dags|dagSources)/(no_such_\w+|нет_\w+)(/\w+)?", path)
        if dag:
            name, below = dag[2], dag[3] or ""
            if dag[1] == "dagSources":
                return no("Dag source not found", None, f"The source code of the Dag {name}, version_number None was")
            by_title = {"/tasks": "DAG not found", "/clearTaskInstances": f"Dag id {name} not found"}
            detail = None if below in by_title else f"The DAG with dag_id: {name} was not found"
            return no(by_title.get(below, "DAG not found"), detail, f"The Dag with ID: `{name}` was not found")
        run = re.search(r"/dags/(\w+)/dagRuns/(no_such_run)$", path)
        if run:
            said = f"DAGRun with DAG ID: '{run[1]}' and DagRun ID: '{run[2]}' not found"
            return no("Not Found", said, f"The DagRun with dag_id: `{run[1]}` and run_id: `{run[2]}` was not found")
        body = json.loads(request.content) if request.content else {}
        if body.get("dag_run_id") == "no_such_run":
            said = f"Dag Run id no_such_run not found in dag {path.split('/')[4]}"
            return no(said, None, said)
        if path.endswith("/dagRuns"):
            return httpx.Response(200, json={"dag_runs": [], "total_entries": 0})
        if body.get("task_ids") == ["lod_file"] and path.endswith("/list"):
            return httpx.Response(200, json={"task_instances": [], "total_entries": 0})
        return None

    return fault


NO_RUN = {"dag_run_id": "no_such_run", "confirm": True}
LOAD = {"dag_id": "load_files", "dag_run_id": "{load_files}", "confirm": True}
HISTORY = {**SET, "dag_run_id": "{history}"}
LEFT_OUT = {"start_date": "", "end_date": None, "only_running": None, "note": "", "plan": None}
LOOK_UP = ["Not found: ", "get_dags finds DAGs", "get_tasks lists"]
UNKNOWN: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "DAG": ("get_dag", {"dag_id": "no_such_dag"}, [*LOOK_UP, "no_such_dag"]),
    "Cyrillic DAG": ("get_dag", {"dag_id": "нет_такого"}, [*LOOK_UP, "нет_такого"]),
    "DAG of details": ("get_dag_details", {"dag_id": "no_such_dag"}, [*LOOK_UP, "no_such_dag"]),
    "DAG of source": ("get_dag_source", {"dag_id": "no_such_dag"}, [*LOOK_UP, "no_such_dag"]),
    "DAG of tasks": ("get_tasks", {"dag_id": "no_such_dag"}, [*LOOK_UP, "no"]),
    "DAG of a task": ("get_task", {"dag_id": "no_such_dag", "task_id": "a"}, LOOK_UP),
    "DAG to pause": ("patch_dag", {**PAUSE, "dag_id": "no_such_dag"}, [*LOOK_UP, "no_such_dag"]),
    "DAG to clear": ("clear_task_instances", {**CLEAR, "dag_id": "no_such_dag"}, [*LOOK_UP, "no_such_dag"]),
    "Cyrillic DAG to clear": ("clear_task_instances", {**CLEAR, "dag_id": "нет_такого"}, [*LOOK_UP, "нет_такого"]),
    "DAG to set": ("set_task_instances_state", {**SET, "dag_id": "no_such_dag", "dag_run_id": "r1"}, LOOK_UP),
    "task": ("get_task", {"dag_id": "load_files", "task_id": "load_fil"}, ["no task 'load_fil'", "mean load_file"]),
    "Cyrillic task": (
        "get_task",
        {"dag_id": "load_files", "task_id": "задача"},
        ["no task 'задача'", "get_tasks lists"],
    ),
    "task to clear": ("clear_task_instances", {**LOAD, "task_ids": ["lod_file"]}, ["no task 'lod_file'", "load_file"]),
    "task to set": (
        "set_task_instances_state",
        {**HISTORY, "task_id": "frist"},
        ["history has no task 'frist'", "first"],
    ),
    "run to clear": (
        "clear_task_instances",
        {"dag_id": "load_files", **NO_RUN},
        ["no_such_run not found", "load_files"],
    ),
    "run to set": ("set_task_instances_state", {**SET, **NO_RUN}, ["no_such_run", "not found", "history"]),
    "run with neighbours": ("set_task_instances_state", {**SET, **NO_RUN, "include_past": True}, ["no_such_run"]),
    "logical date": (
        "set_task_instances_state",
        {**SET, "logical_date": "2031-01-01T00:00:00Z"},
        ["no run with logical_date 2031-01-01", "Give its dag_run_id"],
    ),
    "map index to clear": (
        "clear_task_instances",
        {**LOAD, "task_ids": ["load_file[9]"]},
        ["no task instance load_file[9]", "its map indexes are 0 to 3"],
    ),
    "map index to set": (
        "set_task_instances_state",
        {**HISTORY, "task_id": "part", "map_index": 99},
        ["no task instance part[99]", "its map indexes are 0 to "],
    ),
    "map index of a task that has none": (
        "set_task_instances_state",
        {**HISTORY, "map_index": 1},
        ["no task instance first[1]", "no map indexes there; leave the index out"],
    ),
    "field": (
        "get_dags",
        {"fields": ["colour"]},
        ["fields: 'colour' is not one of: dag_id, dag_display_name, is_paused"],
    ),
    "order of DAGs": ("get_dags", {"order_by": "colour"}, ["order_by: is none of dag_id, "]),
    "order of tasks": ("get_tasks", {"dag_id": "diamond", "order_by": "colour"}, ["order_by: is none of task_id, "]),
    "line": ("get_dag_source", {"dag_id": "load_files", "start_line": 9000}, ["start_line: is 9000; the file has "]),
    "null as text for plan": (
        "patch_dag",
        {**PAUSE, "plan": "null"},
        ["plan: is not known to this server", "Preview it again"],
    ),
}


@every_version
@pytest.mark.parametrize(("tool", "arguments", "parts"), UNKNOWN.values(), ids=UNKNOWN)
async def test_what_airflow_does_not_have(tool: str, arguments: dict[str, Any], parts: list[str], version: str) -> None:
    replay = Replay(version)
    replay.fault = unknown(version)
    filled = {
        name: value.format(**replay.runs) if isinstance(value, str) else value for name, value in arguments.items()
    }
    async with replayed(replay) as session:
        message = await session.error(tool, **filled)
    assert [part for part in parts if part not in message] == [], message
    assert "bug" not in message
    assert changing(replay) == []


@every_version
@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        ({"include_subdags": True}, "Airflow 2"),
        ({"include_parentdag": False}, "Airflow 2"),
        ({"run_on_latest_version": True}, "Airflow 3.1"),
        ({"prevent_running_task": True}, "Airflow 3.2"),
        ({"note": "why"}, "Airflow 3.3"),
    ],
    ids=str,
)
async def test_an_option_of_the_other_version_is_refused_by_name(
    arguments: dict[str, Any], needs: str, version: str
) -> None:
    replay = Replay(version)
    async with replayed(replay) as session:
        if needs.removeprefix("Airflow ")[0] != version[0]:
            message = await session.error("clear_task_instances", **CLEAR, **arguments)
            assert message == f"{next(iter(arguments))} needs {needs}. This is Airflow {RELEASES[version].version}."
    assert replay.sent("GET", "POST", "PATCH") == []


@every_version
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_dags", {"tags": '["shapes", "etl"]', "dag_id_pattern": "s", "paused": True, "only_active": False}),
        ("get_dags", {"limit": 2, "offset": 1, "order_by": "-dag_id", "fields": '["fileloc"]'}),
        ("clear_task_instances", {**LOAD, "task_ids": '["load_file[2]", "list_files"]', "confirm": False}),
        ("patch_dag", {**PAUSE, "update_mask": '["is_paused"]', "confirm": False}),
        ("patch_dag", {**PAUSE, "confirm": False, "plan": "null"}),
        ("get_dags", {"limit": 2, "offset": 1, "order_by": "-dag_id", "fields": "fileloc", "tags": "", "owners": []}),
        ("clear_task_instances", {**LOAD, "task_ids": ["load_file[2]", "list_files"], "confirm": False, **LEFT_OUT}),
        ("patch_dag", {**PAUSE, "update_mask": "is_paused", "confirm": False, "plan": ""}),
    ],
    ids=[
        "tags",
        "fields",
        "task_ids",
        "update_mask",
        "plan of a preview",
        "a field as text, no tags, no owners",
        "no dates",
        "a list of one, no plan",
    ],
)
async def test_arguments_as_clients_send_them_work(tool: str, arguments: dict[str, Any], version: str) -> None:
    replay = Replay(version)
    filled = {name: value.format(**replay.runs) if "{" in str(value) else value for name, value in arguments.items()}
    async with replayed(replay) as session:
        answer = await session.ok(tool, **filled)
    assert answer.get("total", 1) > 0
    assert changing(replay) == []


# -- an Airflow that is not well

REDIRECT = httpx.Response(302, headers={"location": "/login/?next=%2Fapi"})
HTML = httpx.Response(200, html="<html>Sign in</html>")
HALF = httpx.Response(200, headers={"content-type": "application/json"}, content=b'{"dag_id": "sal')
BAD_GATEWAY = httpx.Response(502, html="<html>Bad Gateway</html>")
TROUBLE: dict[str, tuple[httpx.Response | Exception | float, list[str]]] = {
    "down": (httpx.ConnectError("Connection refused"), ["Cannot reach Airflow at http://airflow.test", "Is Airflow's"]),
    "slow": (5.0, ["http://airflow.test did not answer within 0.1 s", "AIRFLOW_MCP_TIMEOUT"]),
    "HTML": (HTML, ["answered text/html instead of JSON", "AIRFLOW_MCP_URL"]),
    "half": (HALF, ["not whole JSON", "cut off", "Try again"]),
    "redirect to login": (REDIRECT, ["redirects to http://airflow.test/login/", "sign-in"]),
    "502": (BAD_GATEWAY, ["a proxy in front of it", "(502)", "Try again"]),
}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_dag", {"dag_id": "sales_etl"}),
    ("get_dags", {}),
    ("get_tasks", {"dag_id": "diamond"}),
    ("patch_dag", PAUSE),
    ("clear_task_instances", CLEAR),
    ("set_task_instances_state", {**SET, "dag_run_id": "r1"}),
]


async def play(what: httpx.Response | Exception | float) -> httpx.Response:
    if isinstance(what, Exception):
        raise what
    if isinstance(what, float):
        await anyio.sleep(what)
        return HTML
    return httpx.Response(what.status_code, headers=what.headers, content=what.content)


@every_version
@pytest.mark.parametrize("from_the_start", [True, False], ids=["from the start", "later"])
@pytest.mark.parametrize(("what", "parts"), TROUBLE.values(), ids=TROUBLE)
async def test_an_airflow_in_trouble_is_told_by_every_tool(
    what: httpx.Response | Exception | float, parts: list[str], from_the_start: bool, version: str
) -> None:
    replay = Replay(version)

    async def trouble(request: httpx.Request) -> httpx.Response | None:
        return await play(what)

    async with replayed(replay, timeout=0.1) as session:
        if not from_the_start:
            await session.ok("get_dag", dag_id="sales_etl")
        replay.fault = trouble
        for tool, arguments in CALLS:
            message = await session.error(tool, **arguments)
            assert [part for part in parts if part not in message] == [], (tool, message)
            assert "s3cret-pw" not in message
    assert changing(replay) == []


@every_version
@pytest.mark.parametrize("what", ["slow", "HTML", "half", "502"])
async def test_a_change_that_meets_trouble_may_have_happened_and_is_sent_once(what: str, version: str) -> None:
    replay = Replay(version)

    async def trouble(request: httpx.Request) -> httpx.Response | None:
        return await play(TROUBLE[what][0]) if request.method == "PATCH" else None

    replay.fault = trouble
    async with replayed(replay, timeout=0.1) as session:
        message = await session.error("patch_dag", **PAUSE)
    for part in ("may or may not have happened", "not sent again", "confirm=false"):
        assert part in message
    assert len(changing(replay)) == 1


@every_version
async def test_a_change_that_cannot_be_sent_has_not_happened(version: str) -> None:
    replay = Replay(version)

    async def down(request: httpx.Request) -> httpx.Response | None:
        return await play(TROUBLE["down"][0]) if request.method == "PATCH" else None

    replay.fault = down
    async with replayed(replay) as session:
        message = await session.error("patch_dag", **PAUSE)
    assert "Nothing was changed." in message
    assert len(changing(replay)) == 1


@every_version
async def test_a_wrong_password(version: str) -> None:
    replay = Replay(version)

    async def wrong(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/version"):
            return None
        if version > "3":
            assert request.url.path == "/auth/token"
            return httpx.Response(401, json={"detail": "Invalid credentials"})
        problem = {"detail": None, "status": 401, "title": "Unauthorized", "type": "about:blank"}
        return httpx.Response(401, json=problem)

    replay.fault = wrong
    async with replayed(replay) as session:
        for tool, arguments in CALLS:
            message = await session.error(tool, **arguments)
            assert "401" in message
            assert "Check AIRFLOW_MCP_USERNAME and AIRFLOW_MCP_PASSWORD" in message
            assert "s3cret-pw" not in message
    assert changing(replay) == []


@pytest.mark.parametrize(
    "refusal",
    [httpx.Response(401, json={"detail": "Token Expired"}), httpx.Response(403, json={"detail": "Invalid JWT token"})],
    ids=["expired", "another key"],
)
async def test_a_token_that_ends_between_two_calls_is_renewed(refusal: httpx.Response) -> None:
    replay = Replay("3.3")
    ended = False

    async def ending(request: httpx.Request) -> httpx.Response | None:
        nonlocal ended
        if request.url.path == "/auth/token":
            ended = False
        return await play(refusal) if ended and not request.url.path.endswith("/version") else None

    replay.fault = ending
    async with replayed(replay) as session:
        await session.ok("get_dag", dag_id="sales_etl")
        ended = True
        assert (await session.ok("get_dag", dag_id="sales_etl"))["dag_id"] == "sales_etl"
        ended = True
        assert (await session.ok("patch_dag", **PAUSE))["done"] is True
    logins = [request for request in replay.requests if request.url.path == "/auth/token"]
    assert (len(logins), len(changing(replay))) == (3, 1)
