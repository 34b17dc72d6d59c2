"""Task instances that are to run again without their setup, whose teardown has run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.report import shortened
from airflow_mcp.airflow.changes.target import TEARDOWN_RULE
from airflow_mcp.airflow.graph import all_downstream, upstream_of
from airflow_mcp.airflow.task_instances import (
    NEIGHBOURS,
    RELATIVES,
    Reference,
    TaskInstance,
    of_references,
    would_clear,
)
from airflow_mcp.models.tasks import Task

MOST_TASKS = 100
"""Tasks of a run for which setups are looked for, those first that have failed themselves."""
MOST_RUNS = 5
MOST_NAMED = 10
DATES = ("start_date", "end_date")


async def torn_down(
    api: Api, body: Mapping[str, Any], affected: Sequence[TaskInstance], tasks: Sequence[Task]
) -> list[str]:
    """In sentences, what of these goes without its setup, because a clear leaves out what has succeeded.

    A clear of failed ones does, and on Airflow 3.1 and 3.2 one of tasks that are named. Looked for a run at a time,
    where the DAG has teardowns and they do not all go along.
    """
    found: dict[tuple[str, ...], tuple[list[TaskInstance], int]] = {}
    teardowns = {task.task_id for task in tasks if task.trigger_rule == TEARDOWN_RULE}
    for run_id in sorted({each.dag_run_id for each in affected})[:MOST_RUNS]:
        of_run = [each for each in affected if each.dag_run_id == run_id]
        if teardowns <= {each.task_id for each in of_run}:
            continue
        succeeded = await _succeeded_besides(api, body, of_run, tasks)
        if teardowns.intersection(succeeded):
            instances, number = found.get(tuple(succeeded), ([], 0))
            found[tuple(succeeded)] = (instances or of_run, number + 1)
    return [_sentence(api, succeeded, instances, runs) for succeeded, (instances, runs) in found.items()]


async def _succeeded_besides(
    api: Api, body: Mapping[str, Any], of_run: Sequence[TaskInstance], tasks: Sequence[Task]
) -> list[str]:
    """The setups and teardowns of these that have succeeded, and so are not cleared with them.

    Route: POST /dags/{dag_id}/clearTaskInstances with dry_run, for Airflow takes them along with tasks that are named;
    on 3.1 and 3.2, which do not, POST /dags/~/dagRuns/~/taskInstances/list.
    """
    dag_id, run_id = of_run[0].dag_id, of_run[0].dag_run_id
    failed_first = sorted(of_run, key=lambda each: each.state != "failed")
    named = list(dict.fromkeys(each.task_id for each in failed_first))[:MOST_TASKS]
    if (3, 1) <= api.release < (3, 3):
        likely = _setups_and_teardowns(named, tasks)
        taken = await of_references(
            api, [Reference(dag_id=dag_id, dag_run_id=run_id, task_id=task_id) for task_id in likely]
        )
    else:
        rest = {name: value for name, value in body.items() if name not in DATES}
        alone = dict.fromkeys((*RELATIVES, *NEIGHBOURS, "only_failed"), False)
        taken = await would_clear(api, dag_id, {**rest, **alone, "dag_run_id": run_id, "task_ids": named})
    known = {each.task_id for each in of_run}
    return sorted({each.task_id for each in taken if each.state == "success" and each.task_id not in known})


def _setups_and_teardowns(named: Sequence[str], tasks: Sequence[Task]) -> list[str]:
    """Those of these tasks, as the graph has them: what is above and leads straight to a teardown that is below.

    No route tells what is a setup.
    """
    graph = {task.task_id: task.downstream_task_ids for task in tasks}
    upstream = upstream_of(graph)
    above, below = all_downstream(upstream, named), all_downstream(graph, named)
    found: set[str] = set()
    for task in tasks:
        setups = above.intersection(upstream[task.task_id])
        if task.trigger_rule == TEARDOWN_RULE and task.task_id in below and setups:
            found |= {task.task_id, *setups}
    return sorted(found)


def _sentence(api: Api, succeeded: Sequence[str], instances: Sequence[TaskInstance], runs: int) -> str:
    indexed = api.release >= (3, 1)
    labels = [each.label if indexed else each.task_id for each in instances]
    named = list(dict.fromkeys([*labels, *succeeded]))
    task_ids = f"task_ids={json.dumps(named, ensure_ascii=False)}" if len(named) <= MOST_NAMED else "all in task_ids"
    where = f" in {runs} runs" if runs > 1 else ""
    return (
        f"Setup and teardown of what is cleared ({shortened(succeeded)}) have succeeded{where} and are left out, so it "
        f"runs after its teardown, without its setup. With {task_ids} and only_failed=false they go along"
        f"{', a run at a time' if runs > 1 else ''}."
    )
