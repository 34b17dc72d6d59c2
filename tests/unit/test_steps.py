"""What Airflow clears after each request that sets states, played through without a server."""

from __future__ import annotations

import pytest

from airflow_mcp.airflow.changes.consequences import cleared_after
from airflow_mcp.airflow.changes.integrity import brought_up_to_date
from airflow_mcp.airflow.changes.steps import SET_TASK, Step
from airflow_mcp.airflow.task_instances import TaskInstance


def instance(task_id: str, state: str, dag_run_id: str = "r1", dag_id: str = "etl") -> TaskInstance:
    return TaskInstance(dag_id, dag_run_id, task_id, -1, state)


def step(*sets: TaskInstance, dag_run_id: str | None = "r1") -> Step:
    return Step(sets[0].task_id, dag_run_id, SET_TASK, {}, {}, sets)


A, B, OTHER_A = instance("a", "success"), instance("b", "failed"), instance("a", "failed", "r1", "other")
LATER_B = instance("b", "failed", "r2")


@pytest.mark.parametrize(
    ("steps", "reach", "new_state", "cleared"),
    [
        pytest.param([step(A)], {"a": [A, B]}, "skipped", [B], id="failed below"),
        pytest.param([step(A)], {"a": [A, LATER_B]}, "skipped", [], id="failed in a run that is not touched"),
        pytest.param([step(A, dag_run_id=None)], {"a": [LATER_B]}, "skipped", [LATER_B], id="runs taken along"),
        pytest.param([step(A, B)], {"a": [A, B]}, "failed", [B], id="set to failed in the same call"),
        pytest.param([step(A), step(B)], {"a": [A, B], "b": [B]}, "failed", [], id="cleared, and then set"),
        pytest.param([step(A), step(B)], {"a": [], "b": [A]}, "failed", [A], id="set, and then cleared as a setup"),
        pytest.param([step(A)], {"a": [OTHER_A]}, "success", [], id="of the same name in another DAG"),
    ],
)
def test_what_is_cleared_in_the_end(
    steps: list[Step], reach: dict[str, list[TaskInstance]], new_state: str, cleared: list[TaskInstance]
) -> None:
    assert cleared_after(steps, reach, "etl", new_state).instances == cleared


def test_a_run_goes_on_once_something_of_it_was_cleared_even_if_that_is_set_again() -> None:
    assert cleared_after([step(A), step(B)], {"a": [A, B], "b": [B]}, "etl", "success").run_ids("etl") == {"r1"}
    assert cleared_after([step(A)], {"a": [OTHER_A]}, "etl", "success").run_ids("etl") == set()


def test_a_run_that_fits_its_dag_is_not_brought_up_to_date() -> None:
    assert brought_up_to_date({"a", "b"}, (), [A, B]) == []


def test_what_airflow_2_moves_in_a_run_whose_dag_has_changed() -> None:
    there = [A, instance("gone", "failed"), instance("long_gone", "removed"), instance("again", "removed")]
    assert brought_up_to_date({"a", "again", "new"}, (), there) == [
        "gone: set to removed unless the run is running, for the DAG has no such task now",
        "again: restored, for the DAG has the task again",
        "new: added, for the task is new in the DAG",
    ]
