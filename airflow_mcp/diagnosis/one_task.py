"""What holds one task for other tasks' sake."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_mcp.airflow.task_instance_lists import WaitingRow
from airflow_mcp.diagnosis.run_timeout import told_of_timeout
from airflow_mcp.diagnosis.waiting import Waiting, all_told, given, told
from airflow_mcp.diagnosis.words import named
from airflow_mcp.models.dag_state import Reason

SKIP = ("branch", "short_circuit", "shortcircuit", "latestonly")
"""Words of operators that skip tasks downstream, in lower case."""


def of_one_task(waiting: Waiting, task_id: str, rows: Sequence[WaitingRow]) -> list[Reason]:
    """What holds a task for other tasks' sake: those upstream that failed, or have not ended. `rows` are its own."""
    state = rows[0].state if rows else None
    upstream = waiting.all_upstream(task_id)
    task = waiting.tasks.get(task_id)
    rule = f" (trigger_rule {task.trigger_rule})" if task and task.trigger_rule else ""
    if state == "upstream_failed":
        failed = [row for row in waiting.failed if row.task_id in upstream and row.state == "failed"]
        who = f"{all_told(failed)} failed" if failed else "a task upstream of it failed"
        return [
            Reason(
                reason="upstream_failed",
                fact=f"Task {task_id} did not run because {who}{rule}.",
                remedy=f"{f'get_task_log with {given(failed[0])} tells why. ' if failed else ''}When it is mended, "
                f"clear_task_instances with dag_run_id={waiting.run.dag_run_id} runs both again.",
            )
        ]
    if state == "skipped":
        skipped = [row for row in waiting.failed if row.task_id in waiting.upstream(task_id) and row.state == "skipped"]
        who = f"{all_told(skipped)} before it was skipped" if skipped else _skipped_by(waiting, task_id)
        return [
            Reason(
                reason="skipped",
                fact=f"Task {task_id} was skipped: {who}{rule}.",
                remedy="clear_task_instances with only_failed=false runs it again; a branch would skip it again.",
            )
        ]
    if state is None:
        return _of_upstream(waiting, task_id, rule)
    return []


def _skipped_by(waiting: Waiting, task_id: str) -> str:
    """Which task before it skips others, by the name of its operator; else what may have.

    A short circuit further up would have skipped the tasks between as well.
    """
    if timeout := told_of_timeout(waiting.run, waiting.dag_run_timeout):
        return f"{timeout}, and Airflow skips what has not ended then"
    for each in waiting.upstream(task_id):
        operator = waiting.tasks[each].operator or ""
        if any(word in operator.lower() for word in SKIP):
            return f"{each} ({operator}) skips what it does not choose"
    return "the task itself, or Airflow, skipped it"


def _of_upstream(waiting: Waiting, task_id: str, rule: str) -> list[Reason]:
    direct = [row for row in waiting.rows if row.task_id in waiting.upstream(task_id)]
    if not direct:
        return []
    states = named([f"{told(row)} ({row.state or 'no_status'})" for row in direct])
    return [
        Reason(
            reason="upstream_not_done",
            fact=f"Task {task_id} waits for {states}{rule}.",
            remedy="See what holds that: it is told next, if anything does.",
        )
    ]
