"""In sentences, what a change of task instances does to running processes, and what it leaves of their runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.report import shortened
from airflow_mcp.airflow.runs import state_of
from airflow_mcp.airflow.task_instances import FAILED, TaskInstance, count_in_run
from airflow_mcp.errors import ForbiddenError
from airflow_mcp.models.changes import SetTaskInstancesState

IN_GENERAL = "A run that has ended keeps its state, unless something in it is cleared."
"""What holds of every run, where it is not looked at which one."""


def stops_running(instances: Iterable[TaskInstance], then: str) -> list[str]:
    """That Airflow stops those of these that are running, and what comes then."""
    running = sorted({each.label for each in instances if each.state == "running"})
    if not running:
        return []
    verb = "are" if len(running) > 1 else "is"
    return [f"{shortened(running)} {verb} running: Airflow stops the process at its next heartbeat, {then}."]


async def runs_that_stay(
    api: Api, args: SetTaskInstancesState, to_set: Sequence[TaskInstance], going_on: Collection[str]
) -> list[str]:
    """That runs keep an end that is not that of their task instances: Airflow judges anew only those that go on.

    Route: where one run alone is asked for, GET /dags/{dag_id}/dagRuns/{dag_run_id}, and
    POST /dags/~/dagRuns/~/taskInstances/list for what has failed in it.
    """
    run_ids = {each.dag_run_id for each in to_set}.difference(going_on)
    if not run_ids:
        return []
    if args.include_past or args.include_future or "/" in "".join(run_ids):  # which no path carries
        return [IN_GENERAL]
    [run_id] = run_ids
    try:
        state = await state_of(api, args.dag_id, run_id)
    except ForbiddenError:
        return [IN_GENERAL]
    if state == "success" and args.new_state == "failed":
        return [_stays(run_id, state, "though a task of it has failed then")]
    if state == "failed" and args.new_state != "failed":
        failed = await count_in_run(api, args.dag_id, run_id, sorted(FAILED))
        if failed == sum(each.state in FAILED for each in to_set):
            return [_stays(run_id, state, "though none of its tasks has failed then")]
    return []


def _stays(run_id: str, state: str, though: str) -> str:
    return (
        f"Run {run_id} stays {state}, {though}: mark the run itself in Airflow's UI, or clear a task that may run "
        "again (clear_task_instances with task_ids and only_failed=false)."
    )
