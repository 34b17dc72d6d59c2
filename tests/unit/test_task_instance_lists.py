"""Lists of task instances: what is asked of Airflow, what is summed up, and how one run is put together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.mapped import ranges
from tests.fakes import Replay
from tests.replay import replayed

pytestmark = pytest.mark.anyio

RUN = {"dag_id": "a", "dag_run_id": "r1"}
SINCE = "2041-01-01T00:00:00Z"


def instance(task_id: str, state: str | None = "success", map_index: int = -1, start: str | None = None) -> Any:
    return {**RUN, "task_id": task_id, "map_index": map_index, "state": state, "start_date": start}


class Instances:
    """An Airflow with these task instances in its one run, of which it gives as many as are asked for."""

    def __init__(self, rows: list[Any], total: int | None = None, run: dict[str, Any] | None = None) -> None:
        self.rows = rows
        self.total = len(rows) if total is None else total
        self.run = {"dag_run_id": "r1", "state": "failed", "logical_date": None, **(run or {})}

    async def __call__(self, request: httpx.Request) -> httpx.Response | None:
        path = request.url.path
        if path.endswith("/taskInstances/list"):
            body = json.loads(request.content)
            rows = self.rows[body["page_offset"] :][: body["page_limit"]]
            return httpx.Response(200, json={"task_instances": rows, "total_entries": self.total})
        if path.endswith("/taskInstances"):
            return httpx.Response(200, json={"task_instances": self.rows, "total_entries": self.total})
        if path.endswith("/dagRuns/r1"):
            return httpx.Response(200, json=self.run)
        if path.endswith("/dagRuns"):
            return httpx.Response(200, json={"dag_runs": self._runs(request), "total_entries": 1})
        if path.endswith("/tasks"):
            return httpx.Response(200, json={"tasks": []})
        if path.endswith("/dags/a"):
            return httpx.Response(200, json={"dag_id": "a", "owners": ["x"], "is_paused": False, "max_active_runs": 1})
        return None

    def _runs(self, request: httpx.Request) -> list[dict[str, Any]]:
        if request.url.params.get("state") != "success":
            return [{**self.run, "dag_run_id": "another"}]
        minutes = (1, 2, 3, 9)
        return [
            {
                "dag_run_id": f"r{minute}",
                "state": "success",
                "start_date": "2026-11-28T06:00:00Z",
                "end_date": f"2026-11-28T06:{minute:02}:00Z",
            }
            for minute in minutes
        ]


@pytest.mark.parametrize(
    ("indexes", "text"),
    [
        ([], ""),
        ([7], "7"),
        ([0, 1], "0-1"),
        ([11, 10, 0, 1, 2, 3, 4, 5, 6, 8], "0-6, 8, 10-11"),
        ([2, 4, 6], "2, 4, 6"),
        (range(0, 100, 2), f"{', '.join(str(each) for each in range(0, 80, 2))}, and 10 more"),
    ],
)
def test_map_indexes_in_few_words(indexes: Iterable[int], text: str) -> None:
    assert ranges(indexes) == text


@pytest.mark.parametrize("version", ["2.11", "3.3"])
async def test_a_mapped_task_of_many_is_one_row_where_it_began(version: str) -> None:
    many = [
        instance("load", "failed" if index in (3, 4, 900) else "success", index, f"2026-11-28T06:01:{index % 60:02}Z")
        for index in range(1500)
    ]
    rows = [instance("last", None), *many, instance("first", start="2026-11-28T06:00:00Z")]
    replay = Replay(version, Instances(rows))
    async with replayed(replay) as session:
        answer = await session.ok("get_task_instances", **RUN)
    assert len(replay.sent("POST")) == 2
    assert [row["task_id"] for row in answer["task_instances"]] == ["first", "load", "last"]
    load = answer["task_instances"][1]
    assert (load["states"], load["failed_map_indexes"]) == ({"failed": 3, "success": 1497}, "3-4, 900")
    assert "state" not in load
    assert answer["task_instances"][2]["state"] == "no_status"
    assert answer["total"] == 3


async def test_a_run_of_too_many_is_refused_with_their_number() -> None:
    async with replayed(Replay("3.3", Instances([instance("x")], 10_001))) as session:
        assert "10001 task instances are too many" in await session.error("get_task_instances", **RUN)


@pytest.mark.parametrize("version", ["2.11", "3.3"])
async def test_what_is_asked_across_runs(version: str) -> None:
    replay = Replay(version, Instances([instance("x", "failed")], 300))
    async with replayed(replay) as session:
        answer = await session.ok(
            "get_task_instances", dag_id="a", task_id="x", state=["failed", "no_status"], pool="p", limit=1
        )
    [request] = replay.sent("POST")
    body = json.loads(request.content)
    assert body.pop("order_by", None) == (None if version == "2.11" else "-start_date")
    assert body == {
        "dag_ids": ["a"],
        "task_ids": ["x"],
        "state": ["failed", "none" if version == "2.11" else None],
        "pool": ["p"],
        "page_limit": 1,
        "page_offset": 0,
    }
    assert (answer["total"], answer["next_offset"]) == (300, 1)
    assert answer.get("note") == (
        "Airflow 2 gives them in no order of time: since and until narrow it." if version == "2.11" else None
    )


async def test_what_has_not_started_is_in_no_window() -> None:
    """Airflow 3 finds it in each: it would start in 2041."""
    replay = Replay("3.3", Instances([]))
    async with replayed(replay) as session:
        await session.ok("get_task_instances", since=SINCE)
        none = await session.ok("get_task_instances", since=SINCE, state=["queued"])
    [request] = replay.sent("POST")
    states = json.loads(request.content)["state"]
    assert {"queued", "scheduled", None}.isdisjoint(states)
    assert {"running", "failed", "success", "upstream_failed"} <= set(states)
    assert none["note"] == "No task instance in this state has started yet."


async def test_an_operator_across_runs_is_a_filter_of_the_servers() -> None:
    replay = Replay("3.3", Instances([instance("x")], 1))
    async with replayed(replay) as session:
        await session.ok("get_task_instances", operator="BashOperator", task_id="x", state=["failed"])
    [request] = replay.sent("GET")
    assert request.url.path == "/api/v2/dags/~/dagRuns/~/taskInstances"
    assert dict(request.url.params) == {
        **{"operator": "BashOperator", "task_id": "x", "state": "failed"},
        **{"limit": "25", "offset": "0", "order_by": "-start_date"},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dag_run_id": "r1"}, "dag_run_id: goes with dag_id"),
        ({**RUN, "map_index": 3}, "map_index: goes with dag_run_id and task_id"),
        ({"state": ["broken"]}, "state.0: is not one of success, running, failed, upstream_failed"),
        ({"since": SINCE, "until": "2026-01-01T00:00:00Z"}, "until: is before since"),
    ],
)
async def test_bad_input_is_refused_by_name(arguments: dict[str, Any], message: str) -> None:
    replay = Replay("3.3", Instances([]))
    async with replayed(replay) as session:
        assert message in await session.error("get_task_instances", **arguments)
    assert replay.sent("GET", "POST") == []


@pytest.mark.parametrize("version", ["2.11", "3.3"])
async def test_a_run_with_the_usual_duration_and_its_task_instances_by_state(version: str) -> None:
    rows = [instance("a"), instance("b", "failed"), instance("c", None)]
    async with replayed(Replay(version, Instances(rows))) as session:
        answer = await session.ok("get_dag_run", **RUN)
    assert answer["usual_duration_seconds"] == 150
    assert answer["task_states"] == {"success": 1, "failed": 1, "no_status": 1}


async def test_a_run_that_waits_for_another() -> None:
    async with replayed(Replay("3.3", Instances([], run={"state": "queued"}))) as session:
        answer = await session.ok("get_dag_run", **RUN)
    assert answer["waits_for"] == (
        "max_active_runs of a is 1: runs that are queued wait until a running one ends (another)."
    )


@pytest.mark.parametrize("more", [{}, {"dag_run_id": "r1"}])
@pytest.mark.parametrize(
    ("status", "dag", "told"),
    [
        (404, {"detail": None, "status": 404, "title": "DAG not found", "type": "Errors/NotFound"}, "Not found: DAG"),
        (200, {"dag_id": "a", "owners": ["x"]}, "failed (500)"),
    ],
)
async def test_a_list_that_fails_says_so_if_the_dag_is_there(
    more: dict[str, str], status: int, dag: dict[str, Any], told: str
) -> None:
    """Airflow 2.7 fails at a DAG that is not there."""

    async def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/taskInstances/list"):
            return httpx.Response(500, json={"title": "Internal Server Error"})
        if request.url.path.endswith("/dags/a"):
            return httpx.Response(status, json=dag)
        return None

    async with replayed(Replay("2.11", answer)) as session:
        assert told in await session.error("get_task_instances", dag_id="a", **more)
