"""get_health: what is judged of which facts, how much is asked and told, and what is said of what cannot be seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.dag_lists import Failing
from airflow_mcp.airflow.health import Component
from airflow_mcp.airflow.import_errors import ImportErrors
from airflow_mcp.airflow.pools import Pool
from airflow_mcp.airflow.task_instance_lists import WaitingRow
from airflow_mcp.diagnosis.problems import State, problems
from airflow_mcp.models.dags import Dag
from airflow_mcp.models.runs import DagRun
from scripts.generate import tokens
from tests.fakes import LOGIN, Fault, OfRelease
from tests.replay import replayed
from tests.session import text_of

pytestmark = pytest.mark.anyio
every_version = pytest.mark.parametrize("version", ["2.11.2", "3.3.2"])

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def component(name: str, *, healthy: bool | None = True, seconds: int = 4) -> dict[str, Component]:
    beat = None if name == "metadatabase" else ago(seconds=seconds)
    return {name: Component(name=name, healthy=healthy, heartbeat=beat)}


WELL = {name: each for part in ("metadatabase", "scheduler", "triggerer") for name, each in component(part).items()}


def row(task_id: str, **more: Any) -> WaitingRow:
    return WaitingRow.model_validate({"dag_id": "etl", "dag_run_id": "r1", "task_id": task_id, "map_index": -1, **more})


def pool(slots: int, taken: int = 0) -> dict[str, Pool | None]:
    return {"big": Pool(name="big", slots=slots, open_slots=max(slots - taken, -1), occupied_slots=taken)}


def failed_file(name: str, error: str = "ImportError: no") -> dict[str, Any]:
    return {"filename": name, "timestamp": NOW, "stack_trace": error}


def errors(*names: str, total: int | None = None) -> ImportErrors:
    told = {"import_errors": [failed_file(name) for name in names], "total_entries": total or len(names)}
    return ImportErrors.model_validate(told)


def run(**started: float) -> DagRun:
    return DagRun(dag_id="etl", dag_run_id="r1", state="running", start_date=ago(**started))


def waiting(number: int = 1, **more: Any) -> tuple[Sequence[WaitingRow], int]:
    return [row("load", pool="big", **more) for _ in range(number)], number


HEARTBEAT = "its last heartbeat is 10 min old"
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "all is well": ({"components": WELL, "failing": Failing([], 0, True), "import_errors": errors()}, []),
    "the scheduler": (
        {"components": WELL | component("scheduler", healthy=False, seconds=600)},
        [
            (
                "the scheduler does not run",
                f"The scheduler does not run, {HEARTBEAT}: no run and no task starts until it does.",
            )
        ],
    ),
    "the triggerer": (
        {"components": WELL | component("triggerer", healthy=False, seconds=600)},
        [
            (
                "the triggerer does not run",
                f"The triggerer does not run, {HEARTBEAT}: deferred tasks wait until it does.",
            )
        ],
    ),
    "the DAG processor": (
        {"components": WELL | component("dag_processor", healthy=False, seconds=600)},
        [
            (
                "the dag_processor does not run",
                f"The dag_processor does not run, {HEARTBEAT}: changes of DAG files are not taken up until it does.",
            )
        ],
    ),
    "no DAG processor of its own": ({"components": WELL | component("dag_processor", healthy=None)}, []),
    "the database": (
        {"components": WELL | component("metadatabase", healthy=False)},
        [
            (
                "the metadatabase is unhealthy",
                "Airflow's database does not answer: nothing works until it does.",
            )
        ],
    ),
    "one file": (
        {"import_errors": errors("dags/a.py")},
        [("1 file does not import", "dags/a.py does not import: ImportError: no.")],
    ),
    "many files": (
        {"import_errors": errors("dags/a.py", "b.py", "c.py", total=12)},
        [
            (
                "12 files do not import",
                "dags/a.py does not import: ImportError: no. Nor do b.py, c.py and 9 more.",
            )
        ],
    ),
    "one failing DAG": (
        {"failing": Failing([Dag(dag_id="etl", is_paused=True)], 1, True)},
        [("the last run of 1 DAG failed", "1 DAG failed in its last run: etl (paused).")],
    ),
    "failing DAGs": (
        {"failing": Failing([Dag(dag_id="a"), Dag(dag_id="b"), Dag(dag_id="c")], 9, True)},
        [("the last run of 9 DAGs failed", "9 DAGs failed in their last run: a, b, c and 6 more.")],
    ),
    "a short queue": ({"queued": waiting(9, queued_when=ago(seconds=50))}, []),
    "an old queue": (
        {
            "queued": (
                [row("new", queued_when=ago(minutes=1)), row("old", queued_when=ago(minutes=40), map_index=7)],
                99,
            )
        },
        [
            (
                "99 task instances are queued for up to 40 min",
                "99 task instances are queued, the oldest of the first 2 for 40 min: old[7] of etl r1.",
            )
        ],
    ),
    "a full pool": (
        {"scheduled": waiting(3), "pools": pool(5, 5)},
        [
            (
                "pool big has no room for 3 task instances",
                "Task instances wait for pool big (5 of 5 slots taken; 3 wait, of etl).",
            )
        ],
    ),
    "a pool without slots": (
        {"scheduled": waiting(), "pools": pool(0)},
        [
            (
                "pool big has no room for 1 task instance",
                "Task instances wait for pool big (0 slots; 1 waits, of etl).",
            )
        ],
    ),
    "a pool that is too small": (
        {"scheduled": waiting(pool_slots=3), "pools": pool(2)},
        [
            (
                "pool big has no room for 1 task instance",
                "Task instances wait for pool big (2 slots, and one needs 3; 1 waits, of etl).",
            )
        ],
    ),
    "no such pool": (
        {"scheduled": waiting(), "pools": {"big": None}},
        [
            (
                "pool big has no room for 1 task instance",
                "Task instances wait for pool big (there is none of this name; 1 waits, of etl).",
            )
        ],
    ),
    "pools that could not be looked at": ({"scheduled": waiting(scheduled_when=ago(hours=1))}, []),
    "a pool without a limit": ({"scheduled": waiting(), "pools": pool(-1)}, []),
    "scheduled just now": ({"scheduled": waiting(scheduled_when=ago(seconds=5)), "pools": pool(5)}, []),
    "scheduled for long": (
        {"scheduled": waiting(2, scheduled_when=ago(minutes=30)), "pools": pool(5)},
        [
            (
                "2 task instances are scheduled for up to 30 min",
                "2 task instances are scheduled for up to 30 min though the pool has room: a limit or the executor "
                "holds load of etl r1.",
            )
        ],
    ),
    "as long as usual": ({"longest": [(run(hours=2), 5000.0)]}, []),
    "a little longer than usual": ({"longest": [(run(seconds=60), 5.0)]}, []),
    "no usual": ({"longest": [(run(hours=90), None)]}, []),
    "far longer than usual": (
        {"longest": [(run(hours=2, minutes=10), 720.0), (run(hours=2), 60.0)]},
        [
            (
                "2 runs take far longer than usual",
                "2 runs take far longer than usual: etl r1 and 1 more (longest_running).",
            )
        ],
    ),
}


@pytest.mark.parametrize(("seen", "expected"), CASES.values(), ids=CASES)
def test_what_is_wrong(seen: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(each.short, each.told.fact) for each in problems(State(now=NOW, **seen))] == expected


def test_the_worst_is_first() -> None:
    found = problems(
        State(
            now=NOW,
            components=WELL | component("scheduler", healthy=False, seconds=600),
            import_errors=errors("a.py"),
            failing=Failing([Dag(dag_id="a")], 1, True),
            queued=waiting(queued_when=ago(hours=1)),
            scheduled=waiting(),
            pools=pool(0),
            longest=[(run(hours=2), 60.0)],
        )
    )
    words = ["scheduler_down", "queue_slow", "pools", "failing_dags", "import_errors", "long_runs"]
    assert [each.told.reason for each in found] == words


# -- what is asked of Airflow


class Troubled(OfRelease):
    """An Airflow with 5,000 task instances that wait, all that can be wrong, and long names; `refuses` parts of it."""

    def __init__(self, version: str, fault: Fault | None = None, refuses: str = "") -> None:
        super().__init__(version, fault)
        self.refuses = refuses

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.partition("/api/v")[2].partition("/")[2]
        if request.url.path == LOGIN:
            return httpx.Response(201, json={"access_token": "token"})
        if self.refuses and self.refuses in path:
            return httpx.Response(403, json={"detail": "no", "title": "no"})
        return httpx.Response(200, json=self.told(path, request))

    def told(self, path: str, request: httpx.Request) -> Any:
        body, query = json.loads(request.content or "{}"), request.url.params
        if path.endswith("health"):
            unhealthy = {"status": "unhealthy"}
            names = ("scheduler", "triggerer", "dag_processor")
            parts = {name: {**unhealthy, f"latest_{name}_heartbeat": "2026-01-01T00:00:00Z"} for name in names}
            return {"metadatabase": unhealthy, **parts}
        if path == "importErrors":
            trace = f"RuntimeError: {'is long ' * 500}"
            rows = [failed_file(f"loads/of_the_shop_number_{number}.py", trace) for number in range(20)]
            rows = [{**each, "timestamp": "2026-01-01T00:00:00Z"} for each in rows]
            return {"import_errors": rows[: int(query["limit"])], "total_entries": 300}
        if path == "dags":
            return {"dags": [{"dag_id": self.dag(number)} for number in range(3)], "total_entries": 300}
        if path.startswith("pools"):
            pools = [
                {"name": self.pool(number), "slots": 5, "open_slots": 0, "occupied_slots": 5} for number in range(9)
            ]
            return {"pools": pools, "total_entries": 9} if path == "pools" else pools[int(path[-1])]
        if path.endswith("taskInstances/list"):
            rows = [self.instance(number, body["state"][0]) for number in range(min(body["page_limit"], 1000))]
            return {"task_instances": rows, "total_entries": 5000}
        assert "dagRuns" in path, path
        state = query.get("state", "failed")
        end = {"end_date": "2026-01-01T00:00:10Z"} if state != "running" else {}
        runs = [{**self.run(number), "state": state, **end} for number in range(25)]
        return {"dag_runs": runs, "total_entries": 4000}

    def dag(self, number: int) -> str:
        return f"load_the_orders_of_the_shop_number_{number}_into_the_warehouse"

    def pool(self, number: int) -> str:
        return f"pool_of_the_warehouse_of_the_shop_{number}"

    def run(self, number: int) -> dict[str, Any]:
        run_id = f"scheduled__2026-01-0{number % 9 + 1}T00:00:00+00:00"
        return {"dag_id": self.dag(number), "dag_run_id": run_id, "start_date": "2026-01-01T00:00:00Z"}

    def instance(self, number: int, state: str) -> dict[str, Any]:
        since = {f"{each}_when": "2026-01-01T00:00:00Z" for each in ("queued", "scheduled")}
        ids = {**self.run(number), "task_id": f"load_orders_{number}", "map_index": -1}
        return {**ids, "start_date": None, "state": state, "pool": self.pool(number % 9), **since}


def well(request: httpx.Request) -> httpx.Response | None:
    """Of an Airflow whose components are well, the answer that says so."""
    is_health = request.url.path.endswith("/health")
    return httpx.Response(200, json={"scheduler": {"status": "healthy"}}) if is_health else None


@every_version
@pytest.mark.parametrize("health", [None, well], ids=["nothing runs", "all runs"])
async def test_it_is_bounded(version: str, health: Fault | None) -> None:
    airflow = Troubled(version, health)
    async with replayed(airflow) as session:
        result = await session.call("get_health", {})
    assert not result.is_error, text_of(result)
    data: Any = result.structured_content
    sent = [path for path in airflow.paths() if not path.endswith(("/version", "/auth/token"))]
    assert len(sent) <= 11, sent
    assert tokens(json.dumps(data, ensure_ascii=False, separators=(",", ":"))) <= 600
    down = "The metadatabase is unhealthy; the scheduler does not run; "
    assert data["summary"].startswith("5000 task instances are queued for up to " if health else down)
    assert "the last run of " in data["summary"]
    assert (data["queued"], data["scheduled"], data["running_runs"]) == (5000, 5000, 4000)


PARTS = {
    "health": "Airflow's health",
    "importErrors": "import errors",
    "taskInstances/list": "queued task instances",
    "pools": "pools",
}


@every_version
@pytest.mark.parametrize(("refuses", "part"), PARTS.items())
async def test_a_part_that_may_not_be_seen_is_named_and_the_rest_comes(version: str, refuses: str, part: str) -> None:
    async with replayed(Troubled(version, refuses=refuses)) as session:
        answer = await session.ok("get_health")
    assert [line for line in answer["not_seen"] if line.startswith(part)], answer["not_seen"]
    assert "(403)" in str(answer["not_seen"])
    assert f"the last run of {25 if version < '3' else 300} DAGs failed" in answer["summary"]


@every_version
async def test_where_little_can_be_seen_it_is_not_told_as_well(version: str) -> None:
    async def refused(request: httpx.Request) -> httpx.Response | None:
        looks = "/api/v" in request.url.path and not request.url.path.endswith("/version")
        return well(request) or (httpx.Response(403, json={"detail": "no", "title": "no"}) if looks else None)

    async with replayed(Troubled(version, refused)) as session:
        answer = await session.ok("get_health")
    assert answer["summary"] == "Nothing that could be looked at is wrong: scheduler is healthy."
    assert (answer["problems"], len(answer["not_seen"])) == ([], 6)
    assert "queued" not in answer


async def test_airflow_2_lists_no_pools_while_one_is_without_a_limit() -> None:
    """It then tells of each other pool by itself."""

    class Unlimited(Troubled):
        async def rest(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith(("/pools", f"/{self.pool(0)}")):
                return httpx.Response(500, json={"title": "inf is not of type 'integer'"})
            return await super().rest(request)

    async with replayed(Unlimited("2.11.2", well)) as session:
        answer = await session.ok("get_health")
    [pools] = [each["fact"] for each in answer["problems"] if each["reason"] == "pools"]
    assert f"{Troubled('2').pool(1)} (5 of 5 slots taken; 111 wait, of {Troubled('2').dag(1)} and 110 more)" in pools
    assert Troubled("2").pool(0) not in pools
    rest = [Troubled("2").pool(number) for number in (3, 4, 5)]
    assert f"pools {', '.join(rest)} and 3 more" in answer["not_seen"]


@every_version
async def test_where_nothing_can_be_seen_the_error_is_told(version: str) -> None:
    def refused(request: httpx.Request) -> httpx.Response | None:
        looks = "/api/v" in request.url.path and not request.url.path.endswith("/version")
        return httpx.Response(403, json={"detail": "no", "title": "no"}) if looks else None

    async with replayed(Troubled(version, refused)) as session:
        assert "This user may not do that (403)" in await session.error("get_health")
