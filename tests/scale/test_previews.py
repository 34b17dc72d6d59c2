"""Previews of changes to DAGs with thousands of runs: right, bounded, and refused where there is too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from tests.scale.population import BUSIEST, BUSY, FAILED, RUNS, STEADY, TASKS, SomeDag, SomeRun, states_of
from tests.scale.site import Site
from tests.session import Session

pytestmark = pytest.mark.anyio


def span(runs: list[SomeRun]) -> dict[str, str]:
    return {"start_date": runs[0].logical_date.isoformat(), "end_date": runs[-1].logical_date.isoformat()}


def failed_in(runs: Iterable[SomeRun]) -> Counter[str]:
    return Counter(state for state in states_of(runs) if state in FAILED)


def listed(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (run["dag_run_id"], each["task_id"], each["state"]) for run in answer["runs"] for each in run["task_instances"]
    ]


@pytest.mark.parametrize("number", [BUSIEST, BUSY, STEADY])
async def test_what_failed_in_all_runs_of_a_dag(session: Session, number: int) -> None:
    dag = SomeDag(number)
    answer = await session.ok("clear_task_instances", dag_id=dag.dag_id, confirm=False, **span(dag.runs))
    expected = failed_in(dag.runs)
    failed_runs = [run for run in dag.runs if run.state == "failed"]
    assert answer["total"] == expected.total()
    assert f"({expected['upstream_failed']} upstream_failed, {expected['failed']} failed" in answer["summary"]
    assert f" in {len(failed_runs)} runs of {dag.dag_id}" in answer["summary"]
    assert set(listed(answer)) <= {
        (run.run_id, task, state) for run in failed_runs for task, state in run.states.items() if state in FAILED
    }
    assert len(listed(answer)) == len(set(listed(answer))) == min(200, expected.total())
    assert ("; the first 200 are listed)" in answer["summary"]) is (expected.total() > 200)
    rest = len(dag.runs) * len(TASKS) - expected.total()
    assert answer["left_out"] == [f"up to {rest} more task instances in these runs, and only_failed is on"]


async def test_what_failed_in_a_week_is_told_one_by_one(session: Session) -> None:
    runs = SomeDag(BUSIEST).runs[4000:4100]
    answer = await session.ok("clear_task_instances", dag_id=runs[0].dag.dag_id, confirm=False, **span(runs))
    assert sorted(listed(answer)) == sorted(
        (run.run_id, task, state) for run in runs for task, state in run.states.items() if state in FAILED
    )
    assert answer["total"] == len(listed(answer))
    assert any(line.startswith("extract in ") for line in answer["left_out"])


async def test_one_task_and_what_comes_after_it(session: Session) -> None:
    dag = SomeDag(BUSY)
    answer = await session.ok(
        "clear_task_instances",
        dag_id=dag.dag_id,
        task_ids=["check"],
        include_downstream=True,
        confirm=False,
        **span(dag.runs),
    )
    after = TASKS[TASKS.index("check") :]
    states = [(task, state) for run in dag.runs for task, state in run.states.items() if task in after]
    expected = [each for each in states if each[1] in FAILED]
    assert answer["total"] == len(expected)
    [line] = answer["left_out"]
    assert line == f"up to {len(states) - len(expected)} more task instances in these runs, and only_failed is on"


async def test_without_a_filter_too_many_are_refused_with_their_number(session: Session) -> None:
    dag = SomeDag(BUSIEST)
    number = RUNS[BUSIEST] * len(TASKS)
    words = f"{number} task instances are too many to look at"
    arguments = {"dag_id": dag.dag_id, "confirm": True}
    assert words in await session.error("clear_task_instances", only_failed=False, **span(dag.runs), **arguments)
    middle = {**arguments, "dag_run_id": dag.runs[4000].run_id, "include_past": True, "include_future": True}
    assert words in await session.error("clear_task_instances", only_failed=False, **middle)
    assert " are too many to look at" in await session.error(
        "set_task_instances_state", task_id="extract", new_state="success", include_downstream=True, **middle
    )


async def test_one_run_of_many_is_cleared_and_no_other(session: Session, site: Site) -> None:
    dag = SomeDag(STEADY)
    run, other = [run for run in dag.runs if run.state == "failed"][:2]
    broken = {task for task, state in run.states.items() if state in FAILED}
    preview, done = await session.confirmed("clear_task_instances", dag_id=dag.dag_id, dag_run_id=run.run_id)
    assert {task for _, task, _ in listed(preview)} == broken
    assert done["total"] == len(broken)
    states = site.oracle.states(dag.dag_id, run.run_id)
    assert states == {task: None if task in broken else "success" for task in TASKS}
    assert site.oracle.states(dag.dag_id, other.run_id) == other.states


async def test_one_run_of_many_has_its_state_set_and_no_other(session: Session, site: Site) -> None:
    dag = SomeDag(BUSY)
    run, other = [run for run in dag.runs if run.state == "failed"][10:12]
    [task] = [task for task, state in run.states.items() if state == "failed"]
    arguments = {"dag_id": dag.dag_id, "dag_run_id": run.run_id, "task_id": task, "new_state": "success"}
    preview, _ = await session.confirmed("set_task_instances_state", **arguments)
    assert (run.run_id, task, "failed") in listed(preview)
    assert site.oracle.states(dag.dag_id, run.run_id)[task] == "success"
    assert site.oracle.states(dag.dag_id, other.run_id) == other.states


async def test_a_run_without_a_date_is_told_among_thousands(session: Session, site: Site) -> None:
    dag = SomeDag(BUSIEST)
    run_id = site.oracle.trigger(dag.dag_id)
    site.oracle.call("PATCH", f"dags/{dag.dag_id}/dagRuns/{run_id}", json={"state": "failed"})
    start = {"start_date": dag.runs[0].logical_date.isoformat()}
    answer = await session.ok("clear_task_instances", dag_id=dag.dag_id, confirm=False, **start)
    assert f"run {run_id}: no logical date, so clear it by dag_run_id" in answer["left_out"]
