"""Looks at the task instances of a run that have not ended, and at what they may wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dags import get_dag
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
from airflow_mcp.errors import DagNotFoundError
from airflow_mcp.models.dags import Dag
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.states import ENDED, TASK_STATES

UNFINISHED = [state for state in TASK_STATES if state not in ENDED]
NOT_RUN = ["failed", "upstream_failed", "skipped"]
NOT_SUCCEEDED = [state for state in TASK_STATES if state not in ("success", "skipped")]
TAKES_SLOTS = ["running", "queued"]
MOST_ASKED = 2
"""Task instances of which the scheduler's reasons are asked for."""
MOST_POOLS = 3
MOST_EXTERNAL = 3
"""DAGs that sensors wait for."""
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
        waiting = replace(waiting, rows=[row for row in rows if row.task_id in kept and not _is_sibling(subject, row)])
    return await _look_further(api, parts, waiting)


def _is_sibling(subject: Subject, row: WaitingRow) -> bool:
    """Whether it is of another map index than the one that is asked about."""
    return row.task_id == subject.task_id and subject.map_index not in (None, row.map_index)


async def _look_further(api: Api, parts: Parts, waiting: Waiting) -> Waiting:
    """Ask what the scheduler says of the first that wait, which pools they want, and how many run already.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dependencies, GET /pools/{pool_name},
    POST /dags/~/dagRuns/~/taskInstances/list; GET /dags/{dag_id}/dagRuns where a task depends on the run before;
    GET /dags/{dag_id} of a DAG that a sensor waits for.
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
    if scheduled or waiting.in_state("queued"):
        looks["running task instances"] = partial(_running, api)
    if any(_looks_back(waiting, row) for row in waiting.first):
        looks["the run before"] = partial(_before, api, waiting)
    external = list(dict.fromkeys(filter(None, (row.external_dag_id for row in waiting.rows))))[:MOST_EXTERNAL]
    looks |= {f"DAG {dag_id}": partial(_external_dag, api, dag_id) for dag_id in external}
    found = await parts.look(looks)
    before, rows_before = found.get("the run before") or (None, [])
    return replace(
        waiting,
        dependencies={row.task_id: found[f"what {told(row)} waits for"] or () for row in asked},
        pools={name: found[f"pool {name}"] for name in names if found[f"pool {name}"]},
        active=found.get("active task instances") or 0,
        running=found.get("running task instances"),
        external_dags={dag_id: found[f"DAG {dag_id}"][0] for dag_id in external if found[f"DAG {dag_id}"]},
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


async def _running(api: Api) -> int:
    """How many task instances run, of all DAGs."""
    return (await first_in_states(api, ["running"], limit=1))[1]


async def _external_dag(api: Api, dag_id: str) -> tuple[Dag | None]:
    """A DAG that a sensor waits for; None for one that there is not."""
    try:
        return (await get_dag(api, dag_id),)
    except DagNotFoundError:
        return (None,)


async def _before(api: Api, waiting: Waiting) -> tuple[DagRun | None, Sequence[WaitingRow]]:
    """The run before, and the task instances there that the first of this one waits for."""
    run = await run_before(api, waiting.dag.dag_id, waiting.run)
    if run is None:
        return None, []
    task_id = next(row.task_id for row in waiting.first if _looks_back(waiting, row))
    task, dag_id = waiting.tasks[task_id], waiting.dag.dag_id
    if not task.wait_for_downstream:
        return run, (await first_in_states(api, dag_id=dag_id, dag_run_id=run.dag_run_id, task_id=task_id))[0]
    rows, _ = await first_in_states(api, NOT_SUCCEEDED, dag_id=dag_id, dag_run_id=run.dag_run_id)
    return run, [row for row in rows if row.task_id in (task_id, *task.downstream_task_ids)]
