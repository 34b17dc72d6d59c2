"""What Airflow 2 does to runs whose DAG has changed since, whenever it sets a state in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from airflow_mcp.airflow.changes.report import shortened
from airflow_mcp.airflow.task_instances import TaskInstance

REMOVED = "removed"


def brought_up_to_date(
    task_ids: Collection[str], mapped: Collection[str], instances: Iterable[TaskInstance]
) -> list[str]:
    """In words what moves besides what is set, given the tasks of the DAG and all task instances of the runs."""
    runs: dict[str, list[TaskInstance]] = {}
    for each in instances:
        runs.setdefault(each.dag_run_id, []).append(each)
    gone = {each.task_id for all_ in runs.values() for each in all_ if each.task_id not in task_ids and _exists(each)}
    back = {
        each.task_id
        for all_ in runs.values()
        for each in all_
        if each.task_id in task_ids and each.task_id not in mapped and not _exists(each)
    }
    new = {task_id for all_ in runs.values() for task_id in set(task_ids) - {each.task_id for each in all_}}
    return [
        *_line(sorted(gone), "set to removed unless the run is running, for the DAG has no such task now"),
        *_line(sorted(back), "restored, for the DAG has the task again"),
        *_line(sorted(new), "added, for the task is new in the DAG"),
    ]


def _exists(each: TaskInstance) -> bool:
    return each.state != REMOVED


def _line(task_ids: Sequence[str], what: str) -> list[str]:
    return [f"{shortened(task_ids)}: {what}"] if task_ids else []
