"""Finding task instances: those of a run, of a task, or in some states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AliasPath, BeforeValidator, Field

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.mapped import ranges
from airflow_mcp.airflow.names import renamed
from airflow_mcp.airflow.runs import require_run
from airflow_mcp.airflow.task_instances import LIST, InstancesPage, all_pages
from airflow_mcp.errors import NotFoundError
from airflow_mcp.ids import near
from airflow_mcp.models.states import NO_STATUS
from airflow_mcp.models.task_instances import TaskInstanceRow, Trigger

AT_ONCE = 1000
"""Airflow gives as many as are asked for when it is asked with a POST."""


class InstanceRow(TaskInstanceRow):
    """A task instance as Airflow lists it."""

    dag_id: str
    dag_run_id: str


def _text_alone(value: object) -> str | None:
    return value if isinstance(value, str) else None


class WaitingRow(InstanceRow):
    """A task instance with the trigger of a deferred one."""

    trigger: Trigger | None = None
    external_dag_id: Annotated[str | None, BeforeValidator(_text_alone)] = Field(
        None, validation_alias=AliasPath("rendered_fields", "external_dag_id")
    )
    """The DAG that an ExternalTaskSensor waits for."""


_Instances = InstancesPage[InstanceRow]


async def states_of_run(api: Api, dag_id: str, dag_run_id: str) -> Counter[str]:
    """How many task instances of a run are in each state, `no_status` included.

    Route: POST /dags/~/dagRuns/~/taskInstances/list. Raises TooLargeError for more than 10,000.
    """
    return Counter(row.state or NO_STATUS for row in await all_of_run(api, dag_id, dag_run_id))


async def all_of_run(api: Api, dag_id: str, dag_run_id: str, task_id: str | None = None) -> list[InstanceRow]:
    """The task instances of a run, or of one task in it, the first to start first.

    Route: POST /dags/~/dagRuns/~/taskInstances/list. Raises TooLargeError for more than 10,000.
    """
    filters = {"dag_ids": [dag_id], "dag_run_ids": [dag_run_id]}
    return await matching(api, filters | ({"task_ids": [task_id]} if task_id else {}))


async def find_instances(api: Api, filters: Mapping[str, Any]) -> tuple[list[InstanceRow], int]:
    """The first AT_ONCE task instances that match, and how many there are.

    Route: POST /dags/~/dagRuns/~/taskInstances/list.
    """
    answer = await api.read(LIST, _Instances, body=_body(api, {"page_limit": AT_ONCE, **filters}))
    return answer.task_instances, answer.total_entries


def latest_first(api: Api) -> dict[str, str]:
    """The order of the latest start first; Airflow 2 has none."""
    return {} if api.release < (3, 0) else {"order_by": "-start_date"}


async def first_in_states(
    api: Api,
    states: Sequence[str] = (),
    *,
    dag_id: str | None = None,
    dag_run_id: str | None = None,
    task_id: str | None = None,
    pool: str | None = None,
    limit: int = AT_ONCE,
) -> tuple[list[WaitingRow], int]:
    """Task instances in these states, or in any; `limit` at most, and how many there are.

    Route: POST /dags/~/dagRuns/~/taskInstances/list.
    """
    given = {"dag_ids": dag_id, "dag_run_ids": dag_run_id, "task_ids": task_id, "pool": pool}
    filters = {name: [value] for name, value in given.items() if value is not None}
    if states:
        filters["state"] = known_states(api, states)
    body = {**_body(api, filters), "page_limit": limit}
    answer = await api.read(LIST, InstancesPage[WaitingRow], body=body)
    return answer.task_instances, answer.total_entries


async def instances_of_task(
    api: Api, dag_id: str, dag_run_id: str, task_id: str, map_index: int | None = None
) -> list[WaitingRow]:
    """The task instances of a task in a run, or the one with the map index.

    Route: POST /dags/~/dagRuns/~/taskInstances/list. Raises NotFoundError for none, with what there is; TooLargeError
    for more than 10,000.
    """
    rows, total = await first_in_states(api, dag_id=dag_id, dag_run_id=dag_run_id, task_id=task_id)
    if total > len(rows):
        filters = {"dag_ids": [dag_id], "dag_run_ids": [dag_run_id], "task_ids": [task_id]}
        rows = await all_pages(api, InstancesPage[WaitingRow], _body(api, filters), at_once=AT_ONCE)
    if not rows:
        await require_in_run(api, dag_id, dag_run_id, task_id)
    its = [row for row in rows if map_index in (None, row.map_index)]
    if not its:
        indexes = ranges(row.map_index for row in rows if row.map_index is not None)
        has = (
            f"has map indexes {indexes} in this run." if indexes else "is not mapped in this run; leave map_index out."
        )
        raise NotFoundError(f"map_index: task {task_id} {has}")
    return its


async def require_in_run(api: Api, dag_id: str, dag_run_id: str, task_id: str | None) -> None:
    """Raise NotFoundError for an unknown run, or for a task that has no task instance in it, with near ones."""
    await require_run(api, dag_id, dag_run_id)
    if task_id:
        known = {row.task_id for row in await all_of_run(api, dag_id, dag_run_id)}
        if task_id not in known:
            likely = near(task_id, known, most=3, cutoff=0.5)
            hint = f"Did you mean {', '.join(likely)}?" if likely else "get_task_instances lists those that it has."
            raise NotFoundError(f"Run {dag_run_id} of {dag_id} has no task instance of task_id {task_id!r}. {hint}")


def known_states(api: Api, states: Sequence[str]) -> list[str]:
    """Those of the states that this release has."""
    return [each for each in states if each != "awaiting_input" or api.release >= (3, 3)]


async def matching(api: Api, filters: Mapping[str, Any]) -> list[InstanceRow]:
    """All that match, the first to start first; what has not started is last.

    Route: POST /dags/~/dagRuns/~/taskInstances/list. Raises TooLargeError for more than 10,000.
    """
    found = await all_pages(api, _Instances, _body(api, filters), at_once=AT_ONCE)
    never = datetime.max.replace(tzinfo=UTC)
    return sorted(
        found, key=lambda row: (row.start_date or never, row.queued_when or never, row.task_id, row.map_index or 0)
    )


def _body(api: Api, filters: Mapping[str, Any]) -> dict[str, Any]:
    """The filters as a body has them; no state is "none" on Airflow 2, and null on 3."""
    none = "none" if api.release < (3, 0) else None
    states = [none if each == NO_STATUS else each for each in filters.get("state", ())]
    return renamed(api.release, {**filters, **({"state": states} if states else {})})
