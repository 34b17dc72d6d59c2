"""Looks at the task instances of a run that have not ended, and at what they may wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.health import Component
from airflow_mcp.airflow.one_task_instance import Ids, dependencies
from airflow_mcp.airflow.pools import find_pool
from airflow_mcp.airflow.runs import run_before
from airflow_mcp.airflow.task_instance_lists import WaitingRow, first_in_states
from airflow_mcp.airflow.tasks import all_tasks
from airflow_mcp.diagnosis.parts import Look, Parts
from airflow_mcp.diagnosis.subject import Subject
from airflow_mcp.diagnosis.waiting import Occupied, Waiting, told
from airflow_mcp.diagnosis.words import named
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.states import ENDED, TASK_STATES

UNFINISHED = [state for state in TASK_STATES if state not in ENDED]
NOT_RUN = ["failed", "upstream_failed", "skipped"]
TAKES_SLOTS = ["running", "queued"]
MOST_ASKED = 2
"""Task instances of which the scheduler's reasons are asked for."""
MOST_POOLS = 3
MOST_OCCUPANTS = 100


async def look_at_tasks(subject: Subject, run: DagRun, health: Mapping[str, Component] | None) -> Waiting:
    """What has not ended of a run, or of a task and those upstream of it, with what that may wait for.

    Of a run with over 1,000 such task instances, 1,000 are looked at. Route: GET /dags/{dag_id}/tasks,
    POST /dags/~/dagRuns/~/taskInstances/list, and of some task instances what `_look_further` names.
    """
    api, parts, dag_id, run_id = subject.api, subject.parts, subject.dag.dag_id, run.dag_run_id
    found = await parts.look(
        {
            "the DAG's tasks": lambda: all_tasks(api, dag_id),
            "unfinished task instances": lambda: first_in_states(api, UNFINISHED, dag_id=dag_id, dag_run_id=run_id),
            "failed task instances": lambda: first_in_states(api, NOT_RUN, dag_id=dag_id, dag_run_id=run_id),
        }
    )
    rows, total = found["unfinished task instances"] or ([], None)
    waiting = Waiting(
        subject.dag,
        run,
        subject.now,
        rows=rows,
        total=total,
        failed=(found["failed task instances"] or ([], 0))[0],
        tasks={task.task_id: task for task in found["the DAG's tasks"] or ()},
        triggerer=(health or {}).get("triggerer"),
    )
    if task_id := subject.task_id:
        kept = waiting.all_upstream(task_id) | {task_id}
        waiting = replace(waiting, rows=[row for row in rows if row.task_id in kept])
    return await _look_further(api, parts, waiting)


async def _look_further(api: Api, parts: Parts, waiting: Waiting) -> Waiting:
    """Ask what the scheduler says of the first that wait, which pools they want, and how many run already.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dependencies, GET /pools/{pool_name},
    POST /dags/~/dagRuns/~/taskInstances/list; GET /dags/{dag_id}/dagRuns where a task depends on the run before.
    """
    scheduled = waiting.in_state("scheduled")
    asked = _one_a_task([*scheduled, *waiting.first])[:MOST_ASKED]
    names = list(dict.fromkeys(row.pool for row in (*scheduled, *waiting.first) if row.pool))
    if len(names) > MOST_POOLS:
        parts.not_seen.append(f"pools {named(names[MOST_POOLS:])}: ask for one of the tasks in them")
        names = names[:MOST_POOLS]
    looks: dict[str, Look] = {f"what {told(row)} waits for": partial(_dependencies, api, row) for row in asked}
    looks |= {f"pool {name}": partial(_occupied, api, name) for name in names}
    if scheduled:
        looks["active task instances"] = partial(_active, api, waiting)
    if any(_looks_back(waiting, row) for row in waiting.first):
        looks["the run before"] = partial(_before, api, waiting)
    found = await parts.look(looks)
    before, rows_before = found.get("the run before") or (None, [])
    return replace(
        waiting,
        dependencies={told(row): found[f"what {told(row)} waits for"] or () for row in asked},
        pools={name: found[f"pool {name}"] for name in names if found[f"pool {name}"]},
        active=found.get("active task instances") or 0,
        run_before=before,
        before=rows_before,
    )


def _one_a_task(rows: Sequence[WaitingRow]) -> list[WaitingRow]:
    first: dict[str, WaitingRow] = {}
    for row in rows:
        first.setdefault(row.task_id, row)
    return [*first.values()]


def _looks_back(waiting: Waiting, row: WaitingRow) -> bool:
    task = waiting.tasks.get(row.task_id)
    return bool(task and task.looks_back)


async def _dependencies(api: Api, row: WaitingRow) -> Any:
    return await dependencies(
        api, Ids(dag_id=row.dag_id, dag_run_id=row.dag_run_id, task_id=row.task_id), row.map_index
    )


async def _occupied(api: Api, name: str) -> Occupied | None:
    """A pool, and who has its slots where it may be full."""
    pool = await find_pool(api, name)
    if pool is None or pool.slots <= 0 or pool.open_slots > pool.slots // 2:
        return Occupied(pool)
    states = [*TAKES_SLOTS, *(["deferred"] if pool.include_deferred else [])]
    rows, _ = await first_in_states(api, states, pool=name, limit=MOST_OCCUPANTS)
    return Occupied(pool, rows)


async def _active(api: Api, waiting: Waiting) -> int:
    """How many task instances run or are queued of those that max_active_tasks counts: on Airflow 3 those of a run."""
    run_id = waiting.run.dag_run_id if api.release >= (3, 0) else None
    return (await first_in_states(api, TAKES_SLOTS, dag_id=waiting.dag.dag_id, dag_run_id=run_id, limit=1))[1]


async def _before(api: Api, waiting: Waiting) -> tuple[DagRun | None, Sequence[WaitingRow]]:
    """The run before, and the task instances there that some of this one wait for."""
    run = await run_before(api, waiting.dag.dag_id, waiting.run)
    if run is None:
        return None, []
    task_id = next(row.task_id for row in waiting.first if _looks_back(waiting, row))
    rows, _ = await first_in_states(api, dag_id=waiting.dag.dag_id, dag_run_id=run.dag_run_id, task_id=task_id)
    return run, rows
