"""Ids that are none, in every tool and argument, on both real servers: an error, and nothing read or changed by it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from airflow_mcp.tools import dags
from airflow_mcp.tools.spec import tools_of
from tests.oracle import Oracle
from tests.session import Session, text_of

pytestmark = pytest.mark.anyio

BAIT = "value of a variable of Airflow's"
BAD = {
    "another endpoint": "../variables",
    "encoded": "..%2fvariables",
    "encoded twice": "..%252fvariables",
    "dots in front": "../../variables/bait",
    "dot": ".",
    "dots": "..",
    "encoded dots": "%2e%2e",
    "empty": "",
    "blank": "  ",
    "long": "x" * 300,
    "line break": "history\nsales_etl",
    "trailing line break": "history\n",
    "nul": "history\x00",
    "slash": "history/details",
    "backslash": "..\\variables",
    "query": "history?b=c",
    "fragment": "history#b",
    "matrix": "history;b=c",
    "Cyrillic": "нет_такого",
    "wildcard": "~",
    "percent": "%",
    "star": "*",
}
RUN: dict[str, Any] = {"dag_id": "history", "dag_run_id": "", "confirm": True}
FAILED: dict[str, Any] = {**RUN, "task_id": "first", "new_state": "failed", "include_downstream": True}
CLEAR: dict[str, Any] = {**RUN, "only_failed": False}
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("get_dag", "dag_id", {}),
    ("get_dag_details", "dag_id", {}),
    ("get_dag_source", "dag_id", {}),
    ("get_dag_source", "file_token", {}),
    ("get_tasks", "dag_id", {}),
    ("get_task", "dag_id", {"task_id": "first"}),
    ("get_task", "task_id", {"dag_id": "history"}),
    ("patch_dag", "dag_id", {"is_paused": False, "confirm": True}),
    ("clear_task_instances", "dag_id", CLEAR),
    ("clear_task_instances", "dag_run_id", CLEAR),
    ("clear_task_instances", "task_ids", CLEAR),
    ("set_task_instances_state", "dag_id", FAILED),
    ("set_task_instances_state", "dag_run_id", FAILED),
    ("set_task_instances_state", "task_id", FAILED),
]


@pytest.fixture(scope="module")
def run_ids() -> dict[str, str]:
    """Filled by run_id."""
    return {}


@pytest.fixture
def run_id(oracle: Oracle, run_ids: dict[str, str]) -> str:
    """A run whose task instances only a test could move; and a variable that no tool may show."""
    version = oracle.server.release.name
    if version not in run_ids:
        oracle.pause("history", True)
        run_ids[version] = oracle.trigger("history", "2026-01-15T05:00:00+00:00")
        oracle.call("POST", "variables", json={"key": "bait", "value": BAIT})
    return run_ids[version]


def state(oracle: Oracle, run_id: str) -> Any:
    """All that a call with a bad id could have changed."""
    paused = {row["dag_id"]: row["is_paused"] for row in oracle.call("GET", "dags")["dags"]}
    return paused, oracle.states("history", run_id), oracle.run("history", run_id)["state"]


def filled(arguments: dict[str, Any], run_id: str) -> dict[str, Any]:
    return {**arguments, "dag_run_id": run_id} if "dag_run_id" in arguments else arguments


def test_every_tool_that_takes_an_id_is_here() -> None:
    ids = {"dag_id", "task_id", "task_ids", "dag_run_id", "file_token"}
    taken = {(spec.name, name) for spec in tools_of(dags) for name in spec.arguments.model_fields if name in ids}
    assert taken == {(tool, name) for tool, name, _ in CASES}


@pytest.mark.parametrize(("tool", "name", "arguments"), CASES, ids=[f"{tool}-{name}" for tool, name, _ in CASES])
async def test_a_bad_id_is_an_error_and_nothing_else(
    session: Session, oracle: Oracle, run_id: str, tool: str, name: str, arguments: dict[str, Any]
) -> None:
    before = state(oracle, run_id)
    problems = {}
    for kind, bad in BAD.items():
        value = [bad] if name == "task_ids" else bad
        result = await session.call(tool, {**filled(arguments, run_id), name: value})
        text = text_of(result)
        refused = result.is_error and result.structured_content is None
        if not (refused and tells(text, name, bad)) or "bug" in text or BAIT in text or len(text) > 1000:
            problems[kind] = text
    assert problems == {}
    assert state(oracle, run_id) == before


def tells(text: str, name: str, bad: str) -> bool:
    """Whether a message names the argument, or what is missing: by its id, or at least as Airflow 2 says it."""
    if re.search(rf"\b{name}\b", text) or repr(bad) in text:
        return True
    plain = " ".join(bad.split())
    kind = {"dag_id": "DAG", "file_token": "Dag source"}.get(name, name)
    return (bool(plain) and plain in text) or f"Not found: {kind} not found." in text


UNKNOWN: list[tuple[str, dict[str, Any], str]] = [
    ("patch_dag", {"dag_id": "histor", "is_paused": False}, "not found"),
    ("clear_task_instances", {"dag_id": "histor"}, "not found"),
    ("clear_task_instances", {"dag_run_id": "manual__no_such_run"}, "manual__no_such_run"),
    ("clear_task_instances", {"dag_run_id": "manual__no_such_run", "task_ids": ["first"]}, "manual__no_such_run"),
    ("clear_task_instances", {"task_ids": ["firs"]}, "DAG history has no task 'firs'. Did you mean first"),
    ("clear_task_instances", {"task_ids": ["first", "firs"]}, "DAG history has no task 'firs'."),
    ("clear_task_instances", {"task_ids": ["part[3]"]}, "no task instance part[3] in the runs"),
    ("clear_task_instances", {"task_ids": ["part[0]", "part[3]"]}, "no task instance part[3] in the runs"),
    ("clear_task_instances", {"task_ids": ["part[-1]"]}, "part[-1]"),
    ("clear_task_instances", {"task_ids": ["first[0]"]}, "no task instance first[0] in the runs"),
    ("set_task_instances_state", {"dag_id": "histor"}, "not found"),
    ("set_task_instances_state", {"dag_run_id": "manual__no_such_run"}, "manual__no_such_run"),
    ("set_task_instances_state", {"task_id": "firs"}, "DAG history has no task 'firs'. Did you mean first"),
    ("set_task_instances_state", {"task_id": "part[1]"}, "part[1]"),
    ("set_task_instances_state", {"task_id": "part", "map_index": 3}, "its map indexes are 0 to 2"),
    ("set_task_instances_state", {"task_id": "first", "map_index": 0}, "the task has no map indexes there"),
    ("set_task_instances_state", {"task_id": "part", "map_index": -1}, "map_index: "),
]


@pytest.mark.parametrize(("tool", "wrong", "told"), UNKNOWN)
async def test_what_is_not_there_is_named_and_nothing_changes(
    session: Session, oracle: Oracle, run_id: str, tool: str, wrong: dict[str, Any], told: str
) -> None:
    start = {"patch_dag": {"confirm": True}, "clear_task_instances": CLEAR, "set_task_instances_state": FAILED}[tool]
    before = state(oracle, run_id)
    message = await session.error(tool, **{**filled(start, run_id), **wrong})
    assert told in message
    assert "bug" not in message
    assert state(oracle, run_id) == before


async def test_an_id_with_every_letter_that_a_url_would_misread_goes_through(session: Session) -> None:
    answer = await session.ok("get_task", dag_id="отчёт.v1", task_id="группа.задача")
    assert answer["task_id"] == "группа.задача"
