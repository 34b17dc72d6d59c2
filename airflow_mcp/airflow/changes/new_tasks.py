"""Runs that are cleared and whose DAG has other tasks by now."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.integrity import brought_up_to_date
from airflow_mcp.airflow.runs import GET
from airflow_mcp.airflow.task_instances import MOST_COMPARED, TaskInstance, of_runs
from airflow_mcp.errors import ForbiddenError
from airflow_mcp.models.changes import ClearTaskInstances
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.tasks import Task


async def runs_on_new_tasks(
    api: Api,
    args: ClearTaskInstances,
    tasks: Sequence[Task],
    affected: Sequence[TaskInstance],
    everything: Sequence[TaskInstance] | None,
) -> list[str]:
    """In a sentence, which tasks Airflow takes out of the runs and puts into them when they start again.

    `everything` has all that the runs hold, where that is known; else it is looked at where a task is gone.
    Route: POST /dags/~/dagRuns/~/taskInstances/list, GET /dags/{dag_id}/dagRuns/{dag_run_id}.
    """
    known = {task.task_id for task in tasks}
    if not known or not args.reset_dag_runs:
        return []
    if everything is None:
        if all(each.task_id in known for each in affected):
            return []
        everything = await of_runs(api, args.dag_id, {each.dag_run_id for each in affected}, most=MOST_COMPARED)
    moved = brought_up_to_date(known, {task.task_id for task in tasks if task.is_mapped}, everything)
    if not moved or await _keeps_its_version(api, args):
        return []
    return [f"The DAG has changed since, and Airflow fits its runs to it as they start: {'; '.join(moved)}."]


async def _keeps_its_version(api: Api, args: ClearTaskInstances) -> bool:
    """Whether a run is seen to stay with the DAG as it was, as Airflow 3 does with a bundle that has versions."""
    if api.release < (3, 0) or args.run_on_latest_version or args.dag_run_id is None or "/" in args.dag_run_id:
        return False
    try:
        run = await api.read(GET, DagRun, dag_id=args.dag_id, dag_run_id=args.dag_run_id)
    except ForbiddenError:
        return False
    return run.bundle_version is not None
