"""Task instances that are to run again without their setup, whose teardown has run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.report import shortened
from airflow_mcp.airflow.changes.target import TEARDOWN_RULE
from airflow_mcp.airflow.task_instances import NEIGHBOURS, RELATIVES, TaskInstance, would_clear
from airflow_mcp.models.tasks import Task

MOST_TASKS = 100
"""Tasks of a run for which setups are looked for, those first that have failed themselves."""
MOST_RUNS = 5
MOST_NAMED = 10
DATES = ("start_date", "end_date")


async def torn_down(
    api: Api, dag_id: str, body: Mapping[str, Any], affected: Sequence[TaskInstance], tasks: Sequence[Task]
) -> list[str]:
    """In sentences, what of these goes without its setup because a clear of failed ones leaves that out.

    Airflow takes setups and teardowns along with the tasks that are named, so it is asked for these, a run at a time.
    Route: POST /dags/{dag_id}/clearTaskInstances with dry_run, where the DAG has teardowns.
    """
    found: dict[tuple[str, ...], tuple[list[TaskInstance], int]] = {}
    teardowns = {task.task_id for task in tasks if task.trigger_rule == TEARDOWN_RULE}
    if not teardowns:
        return []
    for run_id in sorted({each.dag_run_id for each in affected})[:MOST_RUNS]:
        of_run = [each for each in affected if each.dag_run_id == run_id]
        succeeded = await _succeeded_besides(api, dag_id, run_id, body, of_run)
        if teardowns.intersection(succeeded):
            instances, number = found.get(tuple(succeeded), ([], 0))
            found[tuple(succeeded)] = (instances or of_run, number + 1)
    return [_sentence(api, succeeded, instances, runs) for succeeded, (instances, runs) in found.items()]


async def _succeeded_besides(
    api: Api, dag_id: str, run_id: str, body: Mapping[str, Any], of_run: Sequence[TaskInstance]
) -> list[str]:
    """The setups and teardowns of these that have succeeded, and so are not cleared with them."""
    failed_first = sorted(of_run, key=lambda each: each.state != "failed")
    named = list(dict.fromkeys(each.task_id for each in failed_first))[:MOST_TASKS]
    known = {each.task_id for each in of_run}
    rest = {name: value for name, value in body.items() if name not in DATES}
    alone = dict.fromkeys((*RELATIVES, *NEIGHBOURS, "only_failed"), False)
    taken = await would_clear(api, dag_id, {**rest, **alone, "dag_run_id": run_id, "task_ids": named})
    return sorted({each.task_id for each in taken if each.state == "success" and each.task_id not in known})


def _sentence(api: Api, succeeded: Sequence[str], instances: Sequence[TaskInstance], runs: int) -> str:
    indexed = api.release >= (3, 1)
    labels = list(dict.fromkeys(each.label if indexed else each.task_id for each in instances))
    named = json.dumps(labels, ensure_ascii=False) if len(labels) <= MOST_NAMED else "these tasks"
    where = f" in {runs} runs" if runs > 1 else ""
    return (
        f"Setup and teardown of what is cleared ({shortened(succeeded)}) have succeeded{where} and are left out, so it "
        f"runs after its teardown, without its setup. With task_ids={named} and only_failed=false they go along"
        f"{', a run at a time' if runs > 1 else ''}."
    )
