"""What previews warn of in cases that real servers are seldom in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from airflow_mcp.airflow import http
from airflow_mcp.airflow.changes.side_effects import IN_GENERAL
from tests.fakes import OfRelease
from tests.replay import replayed

pytestmark = pytest.mark.anyio

RUN = "r1"
DAG: Mapping[str, Any] = {"dag_id": "etl", "is_paused": False, "max_active_runs": 1, "owners": ["ana"]}
PAST_DUE, FUTURE = "2026-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
CLEAR = {"dag_id": "etl", "dag_run_id": RUN, "confirm": False}
SET = {**CLEAR, "task_id": "a", "new_state": "success"}
LIMIT = "max_active_runs of etl is 1: runs that are queued wait until a running one ends ("


class Etl(OfRelease):
    """An Airflow with a DAG of one failed task, in one failed run unless told otherwise."""

    def __init__(self, version: str, dag: Mapping[str, Any] | None = None, **answers: Any) -> None:
        super().__init__(version)
        self.dag = {**DAG, **(dag or {})}
        self.answers = answers
        """What other paths answer, by how they end: JSON, or a status."""
        self.instances = [
            {"dag_id": "etl", "dag_run_id": RUN, "task_id": "a", "map_index": -1, "state": "failed"},
        ]

    async def rest(self, request: httpx.Request) -> httpx.Response:
        end = request.url.path.rsplit("/", 1)[1]
        if end in self.answers:
            answer = self.answers[end]
            return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, json=answer)
        if end in ("etl", "details"):
            return httpx.Response(200, json=self.dag)
        if end in ("token", RUN):
            return httpx.Response(
                200, json={"access_token": "t", "dag_run_id": RUN, "state": "failed", "logical_date": PAST_DUE}
            )
        if end == "tasks":
            return httpx.Response(200, json={"tasks": [{"task_id": "a", "downstream_task_ids": []}]})
        if end in ("clearTaskInstances", "list", "dry_run"):
            return httpx.Response(200, json={"task_instances": self._in_body(request), "total_entries": 1})
        if end == "dagRuns":
            return httpx.Response(200, json={"dag_runs": [], "total_entries": 0})
        return httpx.Response(404, json={"detail": end})

    def _in_body(self, request: httpx.Request) -> list[dict[str, Any]]:
        return self.instances if json.loads(request.content).get("page_limit") != 1 else []


def runs(*rows: tuple[str, str]) -> dict[str, Any]:
    return {
        "dag_runs": [{"dag_run_id": run_id, "state": "running", "run_type": kind} for run_id, kind in rows],
        "total_entries": len(rows),
    }


async def warnings(airflow: Etl, tool: str, arguments: Mapping[str, Any]) -> list[str]:
    async with replayed(airflow, username=None, password=None, token="t") as session:
        found: list[str] = (await session.ok(tool, **arguments)).get("warnings", [])
        return found


@pytest.mark.parametrize(
    ("version", "running", "told"),
    [
        ("3.3.2", runs(), False),
        ("3.3.2", runs(("other", "manual")), True),
        ("3.3.2", runs(("other", "backfill")), False),
        ("2.11.2", runs(("other", "backfill")), True),
        ("3.3.2", runs((RUN, "manual")), False),
    ],
)
async def test_a_full_limit_holds_a_run_that_does_not_run_yet(version: str, running: Any, told: bool) -> None:
    found = await warnings(Etl(version, dagRuns=running), "clear_task_instances", CLEAR)
    assert found == ([f"{LIMIT}other)."] if told else [])


async def test_without_a_limit_nobody_looks_at_runs() -> None:
    airflow = Etl("3.3.2", {"max_active_runs": None})
    assert await warnings(airflow, "clear_task_instances", CLEAR) == []
    assert not any(path.endswith("/dagRuns") for path in airflow.paths())


@pytest.mark.parametrize(
    ("dag", "told"),
    [
        ({"is_stale": True}, ["No file has etl any more: nothing of it runs until one has it again."]),
        (
            {"is_stale": True, "has_import_errors": True, "is_paused": True},
            [
                "etl is paused: its runs wait until patch_dag unpauses it.",
                "The file of etl does not import: nothing of it runs until it does (get_import_errors).",
            ],
        ),
    ],
)
async def test_what_holds_a_dag(dag: Mapping[str, Any], told: list[str]) -> None:
    assert await warnings(Etl("3.3.2", dag), "clear_task_instances", CLEAR) == told


async def test_what_may_not_be_seen_is_said_and_the_preview_stands() -> None:
    [line] = await warnings(Etl("3.3.2", dagRuns=403), "clear_task_instances", CLEAR)
    assert line.startswith("This user may not see what may hold the runs of etl: ")
    [line] = await warnings(
        Etl("3.3.2", {"is_paused": True}, dagRuns=403),
        "patch_dag",
        {"dag_id": "etl", "is_paused": False, "confirm": False},
    )
    assert line == "Whether runs of it wait this user may not see."
    [line] = await warnings(Etl("3.3.2", r1=403), "set_task_instances_state", SET)
    assert line == IN_GENERAL


@pytest.mark.parametrize(
    ("dag", "answers", "told"),
    [
        ({}, {}, []),
        (
            {"next_dagrun_run_after": FUTURE, "timetable_summary": "@daily"},
            {},
            ["The next run is due 2999-01-01T00:00Z (schedule @daily)."],
        ),
        (
            {"next_dagrun_run_after": PAST_DUE, "catchup": True, "max_active_runs": 3},
            {},
            [
                "Runs start at once: catchup is on, so each interval since 2026-01-01T00:00Z gets one, "
                "3 at a time (max_active_runs)."
            ],
        ),
        (
            {"next_dagrun_run_after": PAST_DUE},
            {"details": 500},
            ["A run starts at once, due 2026-01-01T00:00Z; whether more follow (catchup) Airflow did not tell."],
        ),
        ({}, {"dagRuns": runs(("x", "manual"), ("y", "manual"))}, ["2 runs of it, queued or running, go on."]),
        ({"is_stale": True}, {}, ["No file has etl any more: nothing of it runs until one has it again."]),
    ],
)
async def test_what_starts_when_a_dag_is_unpaused(dag: Mapping[str, Any], answers: Any, told: list[str]) -> None:
    airflow = Etl("3.3.2", {"is_paused": True, **dag}, **answers)
    assert await warnings(airflow, "patch_dag", {"dag_id": "etl", "is_paused": False, "confirm": False}) == told
    assert await warnings(airflow, "patch_dag", {"dag_id": "etl", "is_paused": True, "confirm": False}) == []


async def test_of_many_runs_that_are_set_none_is_looked_at() -> None:
    airflow = Etl("3.3.2")
    airflow.instances = [{**airflow.instances[0], "dag_run_id": f"r{number}"} for number in range(1, 8)]
    found = await warnings(airflow, "set_task_instances_state", {**SET, "include_future": True})
    assert found == ["A run that has ended keeps its state, unless something in it is cleared."]


async def test_a_clear_needs_no_list_of_tasks_unless_relatives_go_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WAITS", ())
    broken = Etl("2.11.2", tasks=500)
    async with replayed(broken) as session:
        assert (await session.ok("clear_task_instances", **CLEAR, task_ids=["a"]))["total"] == 1
        await session.error("clear_task_instances", **CLEAR, task_ids=["a"], include_upstream=True)


@pytest.mark.parametrize(
    ("version", "run", "told"),
    [
        ("2.11.2", {}, True),
        ("3.3.2", {"bundle_version": None}, True),
        ("3.3.2", {"bundle_version": "abc"}, False),
    ],
)
async def test_a_run_that_starts_again_has_the_tasks_that_its_dag_has_now(version: str, run: Any, told: bool) -> None:
    tasks = {"tasks": [{"task_id": "new_name", "downstream_task_ids": []}]}
    airflow = Etl(version, tasks=tasks, **{RUN: {"dag_run_id": RUN, "state": "failed", **run}})
    line = (
        "The DAG has changed since, and Airflow fits its runs to it as they start: a: set to removed unless the run is "
        "running, for the DAG has no such task now; new_name: added, for the task is new in the DAG."
    )
    assert await warnings(airflow, "clear_task_instances", CLEAR) == ([line] if told else [])


async def test_a_task_that_is_gone_from_its_dag_is_named_where_airflow_clears_it() -> None:
    tasks = {"tasks": [{"task_id": "new_name", "downstream_task_ids": []}]}
    named = {**CLEAR, "task_ids": ["a"]}
    async with replayed(Etl("3.3.2", tasks=tasks)) as session:
        assert (await session.ok("clear_task_instances", **named))["total"] == 1
    async with replayed(Etl("2.11.2", tasks=tasks)) as session:
        message = await session.error("clear_task_instances", **named)
    assert message == (
        "DAG etl has no task 'a' any more, and Airflow 2.11.2 clears no task that is gone. "
        "Leave task_ids out to clear the whole run."
    )
