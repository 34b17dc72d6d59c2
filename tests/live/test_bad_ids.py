"""Ids that are none, in every tool and argument, on both real servers: an error, and nothing read or changed by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from mcp.types import CallToolResult

from tests.examples import ID_ARGUMENTS, IDS, examples, with_id
from tests.oracle import Oracle
from tests.session import Session, text_of

pytestmark = pytest.mark.anyio

BAIT = "value of a variable of Airflow's"
# What could be an id, and reaches Airflow; what cannot be one is refused before: tests/unit/test_http.py.
BAD = {
    "encoded": "..%2fvariables",
    "encoded twice": "..%252fvariables",
    "encoded dots": "%2e%2e",
    "query": "history?b=c",
    "fragment": "history#b",
    "matrix": "history;b=c",
    "Cyrillic": "нет_такого",
    "wildcard": "~",
    "percent": "%",
    "star": "*",
}


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


def trials() -> Iterator[tuple[str, str, str]]:
    """Tool, argument, and kind of a bad id: each kind in each argument, and two of them at least in each tool's."""
    for name in IDS:
        tools = [tool for tool, argument in ID_ARGUMENTS if argument == name]
        kinds = cycle(BAD)
        for tool in tools:
            yield from ((tool, name, kind) for kind in islice(kinds, max(2, -(-len(BAD) // len(tools)))))


async def test_a_bad_id_is_an_error_and_nothing_else(session: Session, oracle: Oracle, run_id: str) -> None:
    before = state(oracle, run_id)
    problems = {}
    for tool, name, kind in trials():
        bad = BAD[kind]
        result = await session.call(tool, with_id(examples(dag_run_id=run_id)[tool], name, bad))
        text = text_of(result)
        refused = result.is_error and result.structured_content is None
        # The event log keeps what no longer is: there is no telling that a thing never was.
        told = tells(text, name, bad) if refused else tool == "get_event_logs" and only_of(result, name, bad)
        if not told or "bug" in text or BAIT in text or len(text) > 1000:
            problems[tool, name, kind] = text
    assert problems == {}
    assert state(oracle, run_id) == before


def only_of(result: CallToolResult, name: str, bad: str) -> bool:
    """Whether a list is of this id alone."""
    rows = (result.structured_content or {}).get("event_logs", [{}])
    return all(row.get(name) == bad for row in rows)


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
    ("clear_task_instances", {"dag_run_id": "manual__no_such_run", "task_ids": None}, "manual__no_such_run"),
    ("clear_task_instances", {"dag_run_id": "manual__no_such_run"}, "manual__no_such_run"),
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
    ("set_task_instances_state", {"task_id": "part", "map_index": -2}, "map_index: "),
]


async def test_what_is_not_there_is_named_and_nothing_changes(session: Session, oracle: Oracle, run_id: str) -> None:
    before = state(oracle, run_id)
    for tool, wrong, told in UNKNOWN:
        message = await session.error(tool, **{**examples(dag_run_id=run_id)[tool], **wrong})
        assert told in message, (tool, wrong)
        assert "bug" not in message, (tool, wrong)
    assert state(oracle, run_id) == before


async def test_an_id_with_every_letter_that_a_url_would_misread_goes_through(session: Session) -> None:
    answer = await session.ok("get_task", dag_id="отчёт.v1", task_id="группа.задача")
    assert answer["task_id"] == "группа.задача"
