"""explain_dag_state: what is judged of which facts, and what is told where a part of them cannot be seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.health import Component
from airflow_mcp.airflow.one_task_instance import Dependency
from airflow_mcp.airflow.pools import Pool
from airflow_mcp.airflow.task_instance_lists import WaitingRow
from airflow_mcp.airflow.tasks import TaskRow
from airflow_mcp.diagnosis import reasons
from airflow_mcp.diagnosis.assets import of_assets
from airflow_mcp.diagnosis.one_task import of_one_task
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.diagnosis.waiting import Occupied, Waiting
from airflow_mcp.diagnosis.waiting_tasks import of_tasks
from airflow_mcp.diagnosis.words import lasting
from airflow_mcp.errors import VersionChangedError
from airflow_mcp.models.dag_state import Reason
from airflow_mcp.models.dags import Dag, DagDetails
from airflow_mcp.models.runs import DagRun
from scripts.generate import tokens
from tests.fakes import LOGIN, OfRelease
from tests.replay import replayed
from tests.session import text_of

pytestmark = pytest.mark.anyio
every_version = pytest.mark.parametrize("version", ["2.11.2", "3.3.2"])

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def told(found: Sequence[Reason]) -> list[tuple[str, str]]:
    return [(each.reason, each.fact) for each in found]


# -- DAGs and runs


def dag(**more: Any) -> Dag:
    return Dag.model_validate({"dag_id": "etl", "is_paused": False, "schedule_interval": "0 6 * * *", **more})


def details(**more: Any) -> DagDetails:
    return DagDetails.model_validate({"dag_id": "etl", **more})


@pytest.mark.parametrize(
    ("known", "more", "expected"),
    [
        ({"next_dagrun_run_after": NOW + timedelta(hours=1)}, {}, []),
        ({"next_dagrun_run_after": ago(seconds=20)}, {}, []),  # it is just being made
        (
            {"next_dagrun_run_after": ago(hours=3)},
            {},
            [("overdue", "A run was due 2026-11-29T09:00Z, 3 h ago, and was not made.")],
        ),
        (
            {"schedule_interval": None},
            {},
            [("no_schedule", "DAG etl has no schedule: it runs only when it is triggered.")],
        ),
        (
            {},
            {"end_date": ago(days=1)},
            [("end_date_past", "Its end_date 2026-11-28T12:00Z is past: no more runs are made.")],
        ),
        (
            {"schedule_interval": {"value": "Dataset"}},
            {},
            [
                (
                    "waits_for_assets",
                    "DAG etl runs on events of datasets or assets, which Airflow does not name here.",
                )
            ],
        ),
        ({"schedule_interval": "@once"}, {}, [("no_further_run", "Its schedule (@once) gives no further run.")]),
    ],
)
def test_a_schedule(known: dict[str, Any], more: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert told(reasons.of_schedule(dag(**known), details(**more), NOW)) == expected


def test_a_file_that_is_broken_or_gone() -> None:
    assert reasons.of_file(dag(is_active=True), None) == []
    [gone] = reasons.of_file(dag(is_active=False, fileloc="/dags/etl.py", last_parsed_time=ago(hours=1)), None)
    assert (gone.reason, gone.fact) == (
        "file_gone",
        "No file defines etl any more; it was in /dags/etl.py, last read 2026-11-29T11:00Z.",
    )
    broken = dag(is_active=False, has_import_errors=True, fileloc="/dags/etl.py")
    assert told(reasons.of_file(broken, "etl.py does not import: line 3.")) == [
        ("import_error", "etl.py does not import: line 3.")
    ]
    assert told(reasons.of_file(broken, None)) == [("import_error", "/dags/etl.py does not import.")]


def test_a_pause_says_what_waits_and_that_airflow_itself_may_have_paused_it() -> None:
    assert reasons.of_pause(dag(), None, 3) == []
    [three] = reasons.of_pause(dag(is_paused=True), details(max_consecutive_failed_dag_runs=2), 3)
    assert three.fact == (
        "DAG etl is paused; 3 queued runs of it wait. Airflow itself pauses it after 2 failed runs in a row."
    )
    assert three.remedy.endswith("Who paused it: get_event_logs with event=pause.")
    [none] = reasons.of_pause(dag(is_paused=True), details(max_consecutive_failed_dag_runs=0), 0)
    assert none.fact == "DAG etl is paused."


def run(number: int = 1, state: str = "running", **more: Any) -> DagRun:
    return DagRun.model_validate({"dag_id": "etl", "dag_run_id": f"r{number}", "state": state, **more})


@pytest.mark.parametrize(
    ("most", "running", "expected"),
    [
        (None, 9, []),
        (2, 1, []),
        (1, 1, ["max_active_runs of etl is 1, and run r1 is running."]),
        (5, 5, ["max_active_runs of etl is 5, and 5 runs are running: r1, r2, r3 and 2 more."]),
    ],
)
def test_the_limit_of_runs(most: int | None, running: int, expected: list[str]) -> None:
    found = reasons.of_run_limit(dag(max_active_runs=most), [run(number + 1) for number in range(running)])
    assert [each.fact for each in found] == expected
    assert all("explain_dag_state with dag_run_id=r1" in each.remedy for each in found)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, []),
        ({"queued_at": ago(seconds=30)}, []),
        ({"queued_at": ago(minutes=9)}, ["scheduler_slow"]),
        ({"run_after": NOW + timedelta(hours=1), "queued_at": ago(minutes=9)}, ["not_due"]),
        ({"run_type": "backfill", "queued_at": ago(minutes=9)}, ["backfill_limit"]),
    ],
)
def test_a_queued_run_that_no_limit_holds(more: dict[str, Any], expected: list[str]) -> None:
    found = reasons.of_queued_run(run(state="queued", **more), NOW, backfills_apart=True)
    assert [each.reason for each in found] == expected


def test_a_scheduler_without_a_heartbeat() -> None:
    beating = Component(name="scheduler", healthy=True, heartbeat=ago(seconds=4))
    assert reasons.of_scheduler({"scheduler": beating}, NOW) == []
    assert reasons.of_scheduler(None, NOW) == []
    stopped = Component(name="scheduler", healthy=False, heartbeat=ago(minutes=7))
    assert told(reasons.of_scheduler({"scheduler": stopped}, NOW)) == [
        (
            "scheduler_down",
            "The scheduler does not run, its last heartbeat is 7 min old: no run and no task starts until it does.",
        )
    ]


@pytest.mark.parametrize(
    ("age", "words"),
    [
        ({"seconds": 5}, "5 s"),
        ({"seconds": -5}, "0 s"),
        ({"minutes": 2}, "2 min"),
        ({"hours": 5}, "5 h"),
        ({"days": 3}, "3 days"),
    ],
)
def test_how_long(age: dict[str, float], words: str) -> None:
    assert lasting(ago(**age), NOW) == words
    assert lasting(None, NOW) == "an unknown time"


def asset(number: int) -> dict[str, Any]:
    return {"asset": {"id": number, "name": f"a{number}", "uri": f"s3://{number}", "group": "asset"}}


WAITS = "DAG etl waits for assets without an event since its last run"


@pytest.mark.parametrize(
    ("expression", "got", "expected"),
    [
        ({"all": [asset(1), asset(2)]}, {1}, f"{WAITS}: a2; those with one: a1."),
        ({"all": [asset(1), asset(2)]}, set(), f"{WAITS}: a1, a2."),
        ({"all": [asset(1), asset(2)]}, {1, 2}, None),
        ({"all": ["s3://1", "s3://2"]}, {"s3://2"}, f"{WAITS}: s3://1; those with one: s3://2."),
        ({"any": [asset(1), asset(2)]}, set(), f"{WAITS.replace('for ', 'for one of ')}: a1, a2."),
        ({"any": [asset(1), asset(2)]}, {2}, None),
        ({"all": [asset(1), {"any": [asset(2), asset(3)]}]}, {1, 3}, None),
        (
            {"all": [asset(1), {"any": [asset(2), asset(3)]}]},
            {1},
            f"{WAITS}: a2, a3; those with one: a1.",
        ),
        ({"all": [{"alias": "daily"}]}, set(), f"{WAITS}: alias daily."),
        ({"all": [{"asset_ref": {"name": "later"}}]}, set(), f"{WAITS}: asset_ref later."),
        (asset(1), set(), f"{WAITS}: a1."),
        ({"all": [asset(1)]}, None, "DAG etl runs on events of a1."),
        ({"all": {"x": 1}, "asset": 7}, {1}, None),
        ({"any": [7, None, [asset(1)]]}, {1}, f"{WAITS.replace('for ', 'for one of ')}: none that Airflow names."),
    ],
)
def test_assets(expression: dict[str, Any], got: set[int | str] | None, expected: str | None) -> None:
    found = of_assets("etl", expression, got, lost=False)
    assert [each.fact for each in found] == ([expected] if expected else [])
    paused = of_assets("etl", expression, got, lost=True)
    assert all(each.fact.endswith(". Events that come while it is paused do not count.") for each in paused)


def test_an_expression_of_any_depth_is_judged() -> None:
    deep: Any = asset(1)
    for _ in range(5000):
        deep = {"all": [deep]}
    assert of_assets("etl", deep, {1}, lost=False) != []


# -- task instances


def row(task_id: str, state: str | None = None, **more: Any) -> WaitingRow:
    ids = {"dag_id": "etl", "dag_run_id": "r1", "task_id": task_id, "map_index": -1}
    return WaitingRow.model_validate({**ids, "state": state, **more})


def graph(**downstream: str) -> dict[str, TaskRow]:
    """The tasks of a DAG: `load="save"` for save downstream of load."""
    upstream = {each: [name for name in downstream if downstream[name] == each] for each in downstream}
    return {
        name: TaskRow(
            task_id=name,
            downstream_task_ids=[after] if after else [],
            upstream_task_ids=upstream[name],
            trigger_rule="all_success",
            retry_delay_seconds=300,
        )
        for name, after in downstream.items()
    }


CHAIN = graph(load="check", check="save", save="")


def waiting(*rows: WaitingRow, **more: Any) -> Waiting:
    given = {"dag": dag(max_active_tasks=16), "run": run(start_date=ago(minutes=1)), "now": NOW, "total": len(rows)}
    return Waiting(**{**given, **more}, rows=rows)


def pool(slots: int, taken: int = 0, *by: WaitingRow) -> dict[str, Occupied]:
    return {"db": Occupied(Pool(name="db", slots=slots, open_slots=slots - taken, occupied_slots=taken), by)}


IN_POOL: dict[str, Any] = {"pool": "db", "pool_slots": 2}
SCHEDULED = row("load", "scheduled", **IN_POOL)
BUSY = [row("copy", "running", pool_slots=1, map_index=number) for number in range(3)]


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ({"db": Occupied(None)}, ("pool_missing", "Task load wants pool db, and there is none of this name.")),
        (pool(0), ("pool_without_slots", "Task load waits for pool db, which has 0 slots.")),
        (pool(1), ("pool_too_small", "Task load needs 2 slots of pool db, which has 1 in all.")),
        (
            pool(4, 4, *BUSY, row("dump", "queued", pool_slots=1)),
            (
                "pool_full",
                "Task load waits for pool db: 4 of its 4 slots are taken: copy of etl (3), dump of etl (1).",
            ),
        ),
        (
            pool(4, 3, *BUSY),
            (
                "pool_full",
                "Task load waits for pool db: 3 of its 4 slots are taken, and 2 are needed: copy of etl (3).",
            ),
        ),
        (pool(4, 2), None),
        (pool(-1), None),
        ({"db": Occupied(Pool(name="db", slots=-1, open_slots=-1, occupied_slots=900))}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("state", ["scheduled", None])
def test_a_pool(pools: dict[str, Occupied], expected: tuple[str, str] | None, state: str | None) -> None:
    found = of_tasks(waiting(row("load", state, **IN_POOL), pools=pools))
    assert told(found) == ([expected] if expected else [])


def test_a_pool_is_of_no_matter_to_what_waits_for_others() -> None:
    found = of_tasks(
        waiting(
            row("load", "running"),
            row("save", **IN_POOL),
            tasks=graph(load="save", save=""),
            pools={"db": Occupied(None)},
        )
    )
    assert found == []


def test_the_limit_of_tasks() -> None:
    at_limit = waiting(SCHEDULED, row("copy", "running"), dag=dag(max_active_tasks=1), active=1)
    assert told(of_tasks(at_limit)) == [
        ("max_active_tasks", "Task load waits: max_active_tasks is 1, and 1 is running or queued: copy.")
    ]
    assert of_tasks(waiting(SCHEDULED, dag=dag(max_active_tasks=2), active=1)) == []
    slots = Dependency(name="Task Instance Slots Available", reason="The maximum number of running tasks (1) …")
    also_said = of_tasks(replace(at_limit, dependencies={"load": [slots]}))
    assert [each.reason for each in also_said] == ["max_active_tasks"]


PAST = [Dependency(name="Previous Dagrun State", reason="depends_on_past is true for this task, but 1 …")]


def test_the_run_before() -> None:
    before = run(0, "failed")
    found = of_tasks(
        waiting(row("load"), dependencies={"load": PAST}, run_before=before, before=[row("load", "upstream_failed")])
    )
    assert told(found) == [
        (
            "depends_on_past",
            "Task load waits for itself (depends_on_past): it is upstream_failed in the run before, r0 (failed).",
        )
    ]
    assert "clear_task_instances with dag_run_id=r0, task_ids=[load]" in found[0].remedy
    tasks = {"load": TaskRow(task_id="load", downstream_task_ids=[], wait_for_downstream=True)}
    [unseen] = of_tasks(waiting(row("load"), dependencies={"load": PAST}, tasks=tasks))
    assert unseen.fact == "Task load waits for itself (wait_for_downstream): it has not succeeded in the run before."


@pytest.mark.parametrize(
    ("run_state", "state", "remedy"),
    [
        ("failed", "failed", "Run it again there: clear_task_instances with dag_run_id=r0, task_ids=[save]; or"),
        ("running", "running", "Wait until it ends there; explain_dag_state with dag_run_id=r0, task_id=save"),
    ],
)
def test_what_came_after_it_in_the_run_before(run_state: str, state: str, remedy: str) -> None:
    tasks = {"load": TaskRow(task_id="load", downstream_task_ids=["save"], wait_for_downstream=True)}
    more = {"run_before": run(0, run_state), "before": [row("save", state)]}
    [found] = of_tasks(waiting(row("load"), dependencies={"load": PAST}, tasks=tasks, **more))
    assert found.fact == (
        f"Task load waits for itself (wait_for_downstream): save is {state} in the run before, r0 ({run_state})."
    )
    assert found.remedy.startswith(remedy)


def test_a_limit_of_a_task_holds_each_of_its_task_instances() -> None:
    said = {"load": [Dependency(name="Task Concurrency", reason="The max task concurrency has been reached.")]}
    rows = [row("load", "scheduled", map_index=number, scheduled_when=ago(hours=1), **IN_POOL) for number in range(3)]
    assert told(of_tasks(waiting(*rows, dependencies=said, pools=pool(9)))) == [
        (
            "task_concurrency",
            "Task 3 of load waits: as many task instances of it run as may (The max task concurrency has been "
            "reached).",
        )
    ]


@pytest.mark.parametrize(
    ("dags", "expected"),
    [
        ({"orders": dag(is_paused=True)}, "(ExternalTaskSensor of DAG orders, which is paused), for 4 h."),
        ({"orders": dag()}, "(ExternalTaskSensor of DAG orders), for 4 h."),
        ({"orders": None}, "(ExternalTaskSensor of DAG orders, which Airflow does not know), for 4 h."),
        ({}, "(ExternalTaskSensor of DAG orders), for 4 h."),  # it could not be looked at
    ],
)
def test_a_sensor_that_waits_for_another_dag(dags: dict[str, Dag | None], expected: str) -> None:
    fields = {"external_dag_id": "orders", "external_task_id": None}
    sensor = row("wait", "running", operator="ExternalTaskSensor", start_date=ago(hours=4), rendered_fields=fields)
    [found] = of_tasks(waiting(sensor, external_dags=dags))
    assert found.fact == f"Task wait looks for something that is not there yet {expected}"
    assert ("explain_dag_state with dag_id=orders" in found.remedy) == (dags.get("orders", 1) is not None)


SKIPPED = [row("load", "skipped")]


@pytest.mark.parametrize(
    ("operator", "more", "expected"),
    [
        ("ShortCircuitOperator", {}, "choose (ShortCircuitOperator) skips what it does not choose"),
        ("_BranchPythonDecoratedOperator", {}, "choose (_BranchPythonDecoratedOperator) skips what it does not choose"),
        ("PythonOperator", {}, "the task itself, or Airflow, skipped it"),
        (
            "ShortCircuitOperator",
            {
                "run": run(state="failed", start_date=ago(hours=2), end_date=ago(hours=1)),
                "dag_run_timeout": 3600.0,
            },
            "the run reached its limit (dagrun_timeout is 3600 s), and Airflow skips what has not ended then",
        ),
    ],
)
def test_who_skipped_a_task(operator: str, more: dict[str, Any], expected: str) -> None:
    tasks = graph(choose="load", load="")
    tasks["choose"] = tasks["choose"].model_copy(update={"operator": operator})
    [found] = of_one_task(waiting(tasks=tasks, failed=SKIPPED, **more), "load", SKIPPED)
    assert found.fact == f"Task load was skipped: {expected} (trigger_rule all_success)."


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            ("Task Concurrency", "The limit is reached."),
            (
                "task_concurrency",
                "Task load waits: as many task instances of it run as may (The limit is reached).",
            ),
        ),
        (
            (
                "Trigger Rule",
                "Task's trigger rule 'one_failed' requires one upstream task failure. upstream_states=_Up()",
            ),
            ("trigger_rule", "Task load: Task's trigger rule 'one_failed' requires one upstream task failure."),
        ),
        (
            ("Logical Date", "Logical date 2030-01-01 is in the future (the current date is 2026-11-29)."),
            ("date", "Task load: Logical date 2030-01-01 is in the future (the current date is 2026-11-29)."),
        ),
        (("Something New", None), ("scheduler_says", "Task load: Something New: Something New.")),
        (("Dag Not Paused", "Task's DAG is paused."), None),
        (("Dagrun Running", "not running"), None),
    ],
)
def test_what_the_scheduler_says(said: tuple[str, str | None], expected: tuple[str, str] | None) -> None:
    dependency = Dependency(name=said[0], reason=said[1])
    found = of_tasks(waiting(row("load"), dependencies={"load": [dependency]}))
    assert told(found) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        (
            row("load", "up_for_retry", try_number=2, max_tries=3, end_date=ago(minutes=1)),
            ("up_for_retry", "Task load failed in try 2 of 4; the next try comes after 2026-11-29T12:04Z."),
        ),
        (
            row("load", "running", operator="S3KeySensor", start_date=ago(hours=4)),
            ("sensor", "Task load looks for something that is not there yet (S3KeySensor), for 4 h."),
        ),
        (
            row("load", "up_for_reschedule", operator="_PythonDecoratedOperator", start_date=ago(minutes=4)),
            ("sensor", "Task load looks for something that is not there yet (_PythonDecoratedOperator), for 4 min."),
        ),
        (
            row("load", "deferred", trigger={"classpath": "a.b.JobTrigger", "created_date": ago(hours=3)}),
            ("deferred", "Task load is deferred: it waits for JobTrigger in the triggerer, for 3 h."),
        ),
        (row("load", "awaiting_input"), ("awaiting_input", "Task load waits for a person's answer.")),
        (
            row("load", "queued", queued_when=ago(minutes=40), queue="gpu", executor="CeleryExecutor"),
            ("executor_slow", "Task load is queued for 40 min, and CeleryExecutor has not started it."),
        ),
        (row("load", "queued", queued_when=ago(seconds=40)), None),
        (
            row("load", "queued", queued_when=ago(seconds=90)),
            (
                "executor_slow",
                "Task load is queued for 90 s, and the executor has not started it; 32 run, of all DAGs.",
            ),
        ),
        (row("load", "running", start_date=ago(hours=4), operator="PythonOperator"), None),
        (row("load"), None),
    ],
)
def test_a_task_instance(instance: WaitingRow, expected: tuple[str, str] | None) -> None:
    running = 32 if expected and "of all DAGs" in expected[1] else None
    assert told(of_tasks(waiting(instance, tasks=graph(load=""), running=running))) == ([expected] if expected else [])


def test_a_triggerer_that_does_not_run_comes_before_what_waits_in_it() -> None:
    stopped = Component(name="triggerer", healthy=False, heartbeat=ago(hours=1))
    found = of_tasks(waiting(row("load", "deferred", start_date=ago(hours=1)), triggerer=stopped))
    assert [each.reason for each in found] == ["triggerer_down", "deferred"]
    assert of_tasks(waiting(row("load", "running"), triggerer=stopped)) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"pools": pool(9)}, ["parallelism"]),
        ({"pools": pool(9), "dag": dag(max_active_tasks=1), "active": 1}, ["max_active_tasks"]),
        ({"pools": pool(0)}, ["pool_without_slots"]),
        ({}, []),  # the pool could not be looked at
    ],
)
def test_what_is_scheduled_and_nothing_seems_to_hold(more: dict[str, Any], expected: list[str]) -> None:
    instance = row("load", "scheduled", **IN_POOL, scheduled_when=ago(minutes=3))
    assert [each.reason for each in of_tasks(waiting(instance, **more))] == expected


@pytest.mark.parametrize(
    ("task_id", "began", "expected"),
    [
        ("load", ago(minutes=3), ["parallelism"]),
        ("load", ago(seconds=20), []),
        ("check", ago(minutes=3), []),  # it was scheduled when load had ended, whenever that was
    ],
)
def test_airflow_2_does_not_tell_since_when_a_task_is_scheduled(
    task_id: str, began: datetime, expected: list[str]
) -> None:
    there = waiting(row(task_id, "scheduled", **IN_POOL), pools=pool(9), tasks=CHAIN, run=run(start_date=began))
    assert [each.reason for each in of_tasks(there)] == expected


def test_a_run_whose_tasks_have_all_ended() -> None:
    assert [each.reason for each in of_tasks(waiting())] == ["all_done"]
    assert of_tasks(waiting(total=None)) == []  # they could not be looked at


def test_what_could_run_and_is_not_scheduled() -> None:
    stuck = waiting(row("load"), row("save"), tasks=graph(load="save", save=""), run=run(start_date=ago(minutes=20)))
    assert told(of_tasks(stuck)) == [
        ("scheduler_slow", "Task load is ready to run, and the scheduler has not scheduled that.")
    ]


def test_one_task_for_others_sake() -> None:
    failed = [row("load", "failed"), row("check", "upstream_failed"), row("save", "upstream_failed")]
    [reason] = of_one_task(waiting(failed=failed, tasks=CHAIN), "save", [failed[2]])
    assert (reason.reason, reason.fact) == (
        "upstream_failed",
        "Task save did not run because load failed (trigger_rule all_success).",
    )
    assert reason.remedy == (
        "get_task_log with task_id=load tells why. When it is mended, clear_task_instances with dag_run_id=r1 runs "
        "both again."
    )
    [unknown] = of_one_task(waiting(), "save", [failed[2]])
    assert unknown.fact == "Task save did not run because a task upstream of it failed."
    skipped = [row("check", "skipped"), row("save", "skipped")]
    [reason] = of_one_task(waiting(failed=skipped, tasks=CHAIN), "save", [skipped[1]])
    assert reason.fact == "Task save was skipped: check before it was skipped (trigger_rule all_success)."
    rows = [row("check", "running"), row("save")]
    [reason] = of_one_task(waiting(*rows, tasks=CHAIN), "save", [rows[1]])
    assert reason.fact == "Task save waits for check (running) (trigger_rule all_success)."
    assert of_one_task(waiting(*rows, tasks=CHAIN), "check", [rows[0]]) == []


# -- what is asked of Airflow


class Stuck(OfRelease):
    """An Airflow with a run of wide, whose 3,000 tasks wait for pools of long names; `refuses` parts of it."""

    def __init__(self, version: str, refuses: str = "", status: int = 403) -> None:
        super().__init__(version)
        self.refuses, self.status = refuses, status

    async def rest(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == LOGIN:
            return httpx.Response(201, json={"access_token": "token"})
        path = request.url.path.partition("/api/v")[2].partition("/")[2]
        if self.refuses and self.refuses in path:
            return httpx.Response(self.status, json={"detail": "no", "title": "no"})
        return httpx.Response(200, json=self.told(path, json.loads(request.content or "{}")))

    def told(self, path: str, body: dict[str, Any]) -> Any:
        ids = {"dag_id": "wide", "dag_run_id": "r1"}
        if path == "dags/wide":
            return {**ids, "is_paused": True, "is_active": True, "max_active_runs": 1, "max_active_tasks": 3}
        if path.endswith("/details"):
            return {**ids, "owners": ["ana"]}
        if path.endswith("/dagRuns"):
            runs = [{**ids, "dag_run_id": f"r{number}", "state": "running"} for number in range(40)]
            return {"dag_runs": runs, "total_entries": 40}
        if path.endswith("/r1"):
            return {**ids, "state": "running", "start_date": "2026-01-01T00:00:00Z"}
        if path.endswith("/tasks"):
            return {"tasks": [{"task_id": self.task(number), "downstream_task_ids": []} for number in range(3000)]}
        if path.endswith("/list"):
            state = "scheduled" if "scheduled" in body.get("state", ["scheduled"]) else "running"
            rows = [self.instance(number, state) for number in range(min(body["page_limit"], 1000))]
            return {"task_instances": rows, "total_entries": 3000}
        if path.endswith("/dependencies"):
            words = f"Task's trigger rule {'is long ' * 200} upstream_states={{}}"
            return {"dependencies": [{"name": "Trigger Rule", "reason": words}]}
        if path.startswith("pools/"):
            return {"name": path.removeprefix("pools/"), "slots": 5, "open_slots": 0, "occupied_slots": 5}
        assert path.endswith("health"), path
        return {"scheduler": {"status": "unhealthy", "latest_scheduler_heartbeat": "2026-01-01T00:00:00Z"}}

    def task(self, number: int) -> str:
        return f"load_the_orders_of_the_shop_number_{number}_into_the_warehouse"

    def instance(self, number: int, state: str) -> dict[str, Any]:
        ids = {"dag_id": "wide", "dag_run_id": "r1", "task_id": self.task(number), "map_index": -1}
        return {**ids, "state": state, "pool": f"pool_of_the_warehouse_of_the_shop_{number % 9}", "pool_slots": 1}


@every_version
@pytest.mark.parametrize("named", [{}, {"dag_run_id": "r1"}, {"dag_run_id": "r1", "task_id": "load"}])
async def test_it_is_bounded(version: str, named: dict[str, str]) -> None:
    airflow = Stuck(version)
    if "task_id" in named:
        named = {**named, "task_id": airflow.task(7)}
    async with replayed(airflow) as session:
        result = await session.call("explain_dag_state", {"dag_id": "wide", **named})
    assert not result.is_error, text_of(result)
    data: Any = result.structured_content
    assert [each["reason"] for each in data["reasons"]][:2] == ["scheduler_down", "paused"]
    assert len(data["reasons"]) == 4
    assert "max_active_tasks" in [*(each["reason"] for each in data["reasons"]), *data["also"].split(", ")]
    sent = [path for path in airflow.paths() if not path.endswith(("/version", "/auth/token"))]
    assert len(sent) <= 19, sent
    assert tokens(json.dumps(data, ensure_ascii=False, separators=(",", ":"))) <= 600


@every_version
@pytest.mark.parametrize(
    ("refuses", "what"),
    [
        ("health", "Airflow's health"),
        ("wide/tasks", "the DAG's tasks"),
        ("taskInstances/list", "unfinished task instances"),
        ("dependencies", "what load_the_orders"),
        ("wide/dagRuns", "running runs"),
        ("details", "the DAG's details"),
        ("pools/", "pool pool_of"),
    ],
)
async def test_a_part_that_may_not_be_seen_is_named_and_the_rest_comes(version: str, refuses: str, what: str) -> None:
    async with replayed(Stuck(version, refuses)) as session:
        answer = await session.ok("explain_dag_state", dag_id="wide")
    assert "paused" in [each["reason"] for each in answer["reasons"]]
    assert [line for line in answer["not_seen"] if line.startswith(what)], answer["not_seen"]
    assert "(403)" in str(answer["not_seen"])


@every_version
async def test_what_could_not_be_looked_at_is_not_told_as_free(version: str) -> None:
    class Unseen(Stuck):
        def told(self, path: str, body: dict[str, Any]) -> Any:
            known = super().told(path, body)
            if path == "dags/wide":
                return {**known, "is_paused": False}
            return {"scheduler": {"status": "healthy"}} if path.endswith("health") else known

    async with replayed(Unseen(version, "taskInstances/list")) as session:
        answer = await session.ok("explain_dag_state", dag_id="wide", dag_run_id="r1")
    assert answer["summary"] == "Its task instances could not be looked at; nothing else that is known holds it."
    assert answer["reasons"] == []
    assert len(answer["not_seen"]) == 2


@every_version
async def test_another_map_index_does_not_hold_the_one_that_is_asked_about(version: str) -> None:
    class Mapped(Stuck):
        def told(self, path: str, body: dict[str, Any]) -> Any:
            if path.endswith("health"):
                return {"scheduler": {"status": "healthy"}}
            if path.endswith("/list"):
                rows = [{**self.instance(0, state), "map_index": number} for number, state in enumerate(states)]
                rows = [each for each in rows if each["state"] in body.get("state", states)]
                return {"task_instances": rows, "total_entries": len(rows)}
            known = super().told(path, body)
            return {**known, "is_paused": False} if path == "dags/wide" else known

    states = ["up_for_retry", "deferred"]
    airflow = Mapped(version)
    named = {"dag_id": "wide", "dag_run_id": "r1", "task_id": airflow.task(0)}
    async with replayed(airflow) as session:
        for more, expected in (({}, {"up_for_retry", "deferred"}), ({"map_index": 1}, {"deferred"})):
            found = {each["reason"] for each in (await session.ok("explain_dag_state", **named, **more))["reasons"]}
            assert found & {"up_for_retry", "deferred"} == expected


async def test_airflow_2_fails_at_a_pool_without_a_limit() -> None:
    async with replayed(Stuck("2.11.2", "pools/", 500)) as session:
        answer = await session.ok("explain_dag_state", dag_id="wide")
    found = [each["reason"] for each in answer["reasons"]]
    assert found == ["scheduler_down", "paused", "max_active_runs", "max_active_tasks"]
    assert answer["also"] == "trigger_rule"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task_id": "load"}, "task_id: goes with dag_run_id"),
        ({"dag_run_id": "r1", "map_index": 0}, "map_index: goes with task_id"),
    ],
)
async def test_what_goes_together(arguments: dict[str, Any], message: str) -> None:
    async with replayed(Stuck("3.3.2")) as session:
        assert message in await session.error("explain_dag_state", dag_id="wide", **arguments)


BROKEN = {"filename": "etl.py", "timestamp": "2026-11-29T11:00:00Z", "stack_trace": "ImportError: no"}


@every_version
@pytest.mark.parametrize(
    ("errors", "status", "expected"),
    [
        ([BROKEN], 200, ("import_error", "etl.py does not import: ImportError: no.")),
        ([], 200, ("file_gone", "No file defines etl any more; it was in /dags/etl.py.")),  # Airflow 3 keeps the mark
        ([], 403, ("import_error", "/dags/etl.py does not import.")),
    ],
)
async def test_a_file_that_is_marked_as_broken(
    version: str, errors: list[Any], status: int, expected: tuple[str, str]
) -> None:
    async def marked(request: httpx.Request) -> httpx.Response | None:
        path = request.url.path
        if path.endswith("/importErrors"):
            return httpx.Response(status, json={"import_errors": errors, "total_entries": len(errors)})
        known = {"dag_id": "etl", "is_active": False, "has_import_errors": True, "fileloc": "/dags/etl.py"}
        return httpx.Response(200, json=known) if path.endswith("/dags/etl") else None

    airflow = Stuck(version)
    airflow.fault = marked
    async with replayed(airflow) as session:
        answer = await session.ok("explain_dag_state", dag_id="etl")
    assert [(each["reason"], each["fact"]) for each in answer["reasons"]] == [expected]
    assert ("not_seen" in answer) is (status == 403)


async def test_of_another_airflow_than_at_first_no_part_is_told_but_the_call_is_made_again() -> None:
    async def changed() -> None:
        raise VersionChangedError("Airflow is now 3.3.2.", "Call again.")

    parts = Parts()
    with pytest.raises(VersionChangedError):
        await parts.look({"pools": changed})
    assert parts.not_seen == []
