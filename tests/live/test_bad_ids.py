"""Ids that are none, in every tool and argument, on both real servers: an error, and nothing read or changed by it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from airflow_mcp.tools.spec import ToolSpec
from tests.oracle import Oracle
from tests.samples import id_arguments, with_id
from tests.session import Session, connect, text_of

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
CHANGE: dict[str, Any] = {"dag_id": "history", "dag_run_id": "", "confirm": True}
CLEAR: dict[str, Any] = {**CHANGE, "only_failed": False}
FAILED: dict[str, Any] = {**CHANGE, "task_id": "first", "new_state": "failed", "include_downstream": True}
NEW = {("trigger_dag_run", "dag_run_id")}
"""Ids of what is yet to be: whatever can be one may be one."""
ONLY_3 = ("backfills needs Airflow 3", "hitl needs Airflow 3")
"""What Airflow 2 answers, whatever the id."""


@pytest.fixture(scope="module")
def run_ids(oracles: dict[str, Oracle]) -> dict[str, str]:
    """By version, a run whose task instances only a test could move; and a variable that no tool may show."""
    runs = {}
    for version, oracle in oracles.items():
        oracle.pause("history", True)
        runs[version] = oracle.trigger("history", "2026-01-15T05:00:00+00:00")
        oracle.call("POST", "variables", json={"key": "bait", "value": BAIT})
    return runs


@pytest.fixture
def run_id(oracle: Oracle, run_ids: dict[str, str]) -> str:
    return run_ids[oracle.server.release.name]


def state(oracle: Oracle, run_id: str) -> Any:
    """All that a call with a bad id could have changed."""
    paused = {row["dag_id"]: row["is_paused"] for row in oracle.call("GET", "dags")["dags"]}
    return paused, oracle.states("history", run_id), oracle.run("history", run_id)["state"]


def filled(arguments: dict[str, Any], run_id: str) -> dict[str, Any]:
    return {**arguments, "dag_run_id": run_id} if "dag_run_id" in arguments else arguments


@pytest.mark.parametrize(
    ("spec", "name"),
    [(spec, name) for spec, name in id_arguments() if (spec.name, name) not in NEW],
    ids=lambda part: getattr(part, "name", part),
)
async def test_a_bad_id_is_an_error_and_nothing_else(oracle: Oracle, run_id: str, spec: ToolSpec, name: str) -> None:
    before = state(oracle, run_id)
    problems = {}
    run = {"dag_run_id": run_id} if "dag_run_id" in spec.arguments.model_fields and name != "dag_run_id" else {}
    async with connect(oracle, toolsets="all") as session:
        for kind, bad in BAD.items():
            result = await session.call(spec.name, with_id(spec, name, bad, **run))
            text = text_of(result)
            refused = result.is_error and result.structured_content is None
            told = tells(text, name, bad) or (oracle.major == 2 and text.startswith(ONLY_3))
            if not (refused and told) or "bug" in text or BAIT in text or len(text) > 1000:
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
    ("set_task_instances_state", {"dag_id": "histor"}, "there is no DAG histor"),
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
