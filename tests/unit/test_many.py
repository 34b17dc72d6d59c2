"""Previews where there is too much to look at one by one: what is asked of Airflow, and what is said."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.fakes import OfRelease, Replay
from tests.replay import replayed

pytestmark = pytest.mark.anyio

SINCE = "2026-01-01T00:00:00Z"
ETL: dict[str, Any] = {"dag_id": "etl", "confirm": False}
GRAPH = {"a": ["b"], "b": ["c"], "c": []}
RUN = "r1"


class Many:
    """An Airflow with `total` task instances of the DAG etl, of which `failed` have failed, and these runs."""

    def __init__(
        self, total: int, failed: int = 3, runs: list[dict[str, Any]] | None = None, *, undated_first: bool = False
    ) -> None:
        self.total, self.failed = total, failed
        self.undated_first = undated_first
        self.runs = runs or []
        self.counted: list[dict[str, Any]] = []
        self.listed: list[dict[str, Any]] = []
        self.pages = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response | None:
        path = request.url.path
        if path.endswith("/taskInstances/list"):
            self.counted.append(json.loads(request.content))
            return httpx.Response(200, json={"task_instances": [], "total_entries": self.total})
        if path.endswith("/clearTaskInstances"):
            body = json.loads(request.content)
            self.listed.append(body)
            return httpx.Response(200, json={"task_instances": self._instances(body), "total_entries": 0})
        if path.endswith("/tasks"):
            tasks = [{"task_id": task, "downstream_task_ids": under} for task, under in GRAPH.items()]
            return httpx.Response(200, json={"tasks": tasks, "total_entries": len(tasks)})
        if path.endswith("/dagRuns"):
            return self._page(request.url.params)
        if path.endswith(f"/dagRuns/{RUN}"):
            return httpx.Response(200, json={"dag_run_id": RUN, "logical_date": SINCE})
        return httpx.Response(200, json={"dag_id": "etl"}) if path.endswith("/dags/etl") else None

    def _instances(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        failed = body["only_failed"]
        number = self.failed if failed else self.total
        state = "failed" if failed else "success"
        return [
            {"dag_id": "etl", "dag_run_id": f"r{each}", "task_id": "a", "map_index": -1, "state": state}
            for each in range(number)
        ]

    def of_the_range(self) -> list[dict[str, Any]]:
        """What was listed, but for the setups of what has failed in one of the runs."""
        return [body for body in self.listed if "start_date" in body]

    def _page(self, params: httpx.QueryParams) -> httpx.Response:
        self.pages += 1
        runs = self.runs
        if params["order_by"] == "logical_date":  # PostgreSQL has those without one last, SQLite first
            runs = sorted(runs, key=lambda run: (run["logical_date"] is None) is not self.undated_first)
        offset = int(params["offset"])
        return httpx.Response(
            200, json={"dag_runs": runs[offset : offset + int(params["limit"])], "total_entries": len(runs)}
        )


def runs(dated: int, undated: int) -> list[dict[str, Any]]:
    return [
        *({"dag_run_id": f"dated_{each}", "logical_date": SINCE} for each in range(dated)),
        *({"dag_run_id": f"undated_{each}", "logical_date": None} for each in range(undated)),
    ]


async def preview(airflow: Many, **arguments: Any) -> Any:
    async with replayed(Replay("3.3", airflow)) as session:
        return await session.ok("clear_task_instances", **{**ETL, "start_date": SINCE, **arguments})


async def refusal(airflow: Many, tool: str = "clear_task_instances", **arguments: Any) -> str:
    async with replayed(Replay("3.3", airflow)) as session:
        return await session.error(tool, **{**ETL, **arguments})


async def test_few_are_told_one_by_one() -> None:
    airflow = Many(1000)
    answer = await preview(airflow)
    assert answer["total"] == 3
    assert answer["left_out"] == ["a in 1000 runs: success, and only_failed is on"]
    assert [body["only_failed"] for body in airflow.of_the_range()] == [False, True]


async def test_of_many_only_what_the_filter_leaves_is_listed_and_the_rest_counted() -> None:
    airflow = Many(1001)
    answer = await preview(airflow)
    assert answer["total"] == 3
    assert answer["left_out"] == ["up to 998 more task instances in these runs, and only_failed is on"]
    assert [body["only_failed"] for body in airflow.of_the_range()] == [True]


async def test_of_many_that_all_have_failed_none_is_left_out() -> None:
    answer = await preview(Many(2000, failed=2000))
    assert (answer["total"], answer.get("left_out")) == (2000, None)


@pytest.mark.parametrize(
    ("arguments", "counted"),
    [
        ({"start_date": SINCE}, {"logical_date_gte": "2026-01-01T00:00:00+00:00"}),
        (
            {"start_date": SINCE, "end_date": "2026-02-01T00:00:00Z", "task_ids": ["b"]},
            {
                "task_ids": ["b"],
                "logical_date_gte": "2026-01-01T00:00:00+00:00",
                "logical_date_lte": "2026-02-01T00:00:00+00:00",
            },
        ),
        (
            {"dag_run_id": RUN, "include_past": True, "task_ids": ["b"], "include_upstream": True},
            {"task_ids": ["a", "b"], "logical_date_lte": SINCE},
        ),
        (
            {"dag_run_id": RUN, "include_future": True, "task_ids": ["b"], "include_downstream": True},
            {"task_ids": ["b", "c"], "logical_date_gte": SINCE},
        ),
        ({"dag_run_id": RUN, "include_future": True, "include_past": True}, {}),
    ],
)
async def test_what_is_in_reach_is_counted(arguments: dict[str, Any], counted: dict[str, Any]) -> None:
    airflow = Many(5000)
    async with replayed(Replay("3.3", airflow)) as session:
        await session.ok("clear_task_instances", **ETL, **arguments)
    [body] = airflow.counted
    assert {name: value for name, value in body.items() if name != "page_limit"} == {"dag_ids": ["etl"], **counted}


async def test_one_run_is_listed_without_counting() -> None:
    airflow = Many(3)
    async with replayed(Replay("3.3", airflow)) as session:
        await session.ok("clear_task_instances", **ETL, dag_run_id=RUN)
    assert airflow.counted == []


async def test_too_many_without_a_filter_are_refused_with_their_number_and_not_listed() -> None:
    airflow = Many(10_001)
    message = await refusal(airflow, start_date=SINCE, only_failed=False)
    assert message == "10001 task instances are too many to look at: name a run, a shorter time, or fewer tasks."
    assert airflow.listed == []
    every = {"task_id": "a", "new_state": "failed", "dag_run_id": RUN, "include_past": True}
    assert await refusal(airflow, "set_task_instances_state", **every) == message
    assert airflow.listed == []


# -- runs without a logical date


@pytest.mark.parametrize("undated_first", [False, True])
@pytest.mark.parametrize("dated", [70, 120, 1500])
async def test_runs_without_a_date_are_found_behind_those_that_have_one(dated: int, undated_first: bool) -> None:
    airflow = Many(3, runs=runs(dated, 30), undated_first=undated_first)
    left_out = (await preview(airflow))["left_out"]
    lines = [line for line in left_out if "logical date" in line]
    assert len(lines) == 21
    assert {line.partition(":")[0] for line in lines[:-1]} < {f"run undated_{each}" for each in range(30)}
    assert lines[-1] == "and 10 more runs without a logical date"
    assert airflow.pages <= 4


async def test_very_many_runs_without_a_date_are_not_all_counted() -> None:
    airflow = Many(3, runs=runs(10, 5000))
    assert (await preview(airflow))["left_out"][-1] == "and at least 980 more runs without a logical date"
    assert airflow.pages <= 13


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, True),
        ({"end_date": "2026-02-01T00:00:00Z", "include_past": True}, True),
        ({"include_future": True}, True),
        ({"include_past": True}, False),
        ({"end_date": "2026-02-01T00:00:00Z", "include_past": True, "include_future": True}, False),
    ],
)
async def test_runs_without_a_date_are_left_out_only_where_a_date_bounds_the_runs(
    arguments: dict[str, Any], told: bool
) -> None:
    left_out = (await preview(Many(3, runs=runs(2, 1)), **arguments)).get("left_out", [])
    assert ("run undated_0: no logical date, so clear it by dag_run_id" in left_out) is told


async def test_no_run_without_a_date_is_no_line() -> None:
    airflow = Many(3, runs=runs(500, 0))
    left_out = (await preview(airflow))["left_out"]
    assert [line for line in left_out if "logical date" in line] == []


# -- DAGs with more tasks than a request of Airflow 2 can name


class Wide(OfRelease):
    """An Airflow 2 on SQLite whose DAG has `tasks` tasks in each of `runs` runs: it fails when a list is long."""

    def __init__(self, tasks: int, runs: int = 1) -> None:
        super().__init__("2.11.2")
        self.keys = [(f"r{run}", f"t{task:04}") for run in range(runs) for task in range(tasks)]
        self.longest = 0

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/clearTaskInstances"):
            rows = [{"dag_id": "etl", "dag_run_id": run, "task_id": task} for run, task in self.keys]
            return httpx.Response(200, json={"task_instances": rows})
        if path.endswith("/list"):
            body = json.loads(request.content)
            self.longest = max(self.longest, *(len(ids) for ids in body.values() if isinstance(ids, list)))
            if self.longest >= 1000:
                return httpx.Response(500, json={"detail": "Expression tree is too large (maximum depth 1000)"})
            of_runs, of_tasks = (set(body.get(name, ())) for name in ("dag_run_ids", "task_ids"))
            found = [
                {"dag_id": "etl", "dag_run_id": run, "task_id": task, "map_index": -1, "state": "failed"}
                for run, task in self.keys
                if run in (of_runs or {run}) and task in (of_tasks or {task})
            ]
            start = body.get("page_offset", 0)
            page = found[start : start + body["page_limit"]]
            return httpx.Response(200, json={"task_instances": page, "total_entries": len(found)})
        if path.endswith("/tasks"):
            return httpx.Response(200, json={"tasks": []})
        return httpx.Response(200, json={"dag_id": "etl", "is_paused": True})


@pytest.mark.parametrize(("tasks", "runs"), [(1500, 1), (5000, 1), (5, 250), (250, 12)])
async def test_a_wide_dag_is_looked_at_in_portions(tasks: int, runs: int) -> None:
    airflow = Wide(tasks, runs)
    async with replayed(airflow) as session:
        scope = {"dag_run_id": RUN} if runs == 1 else {"start_date": SINCE}
        answer = await session.ok("clear_task_instances", **{**ETL, **scope, "only_failed": runs > 1})
    assert answer["total"] == tasks * runs
    assert airflow.longest <= 100


async def test_a_dag_that_is_too_wide_is_refused_before_it_is_listed() -> None:
    airflow = Wide(10_001)
    async with replayed(airflow) as session:
        message = await session.error("clear_task_instances", **ETL, dag_run_id=RUN, only_failed=False)
    assert message == "10001 task instances are too many to look at: name a run, a shorter time, or fewer tasks."
    assert not airflow.longest
