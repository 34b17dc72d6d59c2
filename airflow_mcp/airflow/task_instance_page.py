"""The answer of get_task_instances: a page of one run in running order, or of many runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dags import require_dag
from airflow_mcp.airflow.durations import seconds_taken
from airflow_mcp.airflow.mapped import ranges
from airflow_mcp.airflow.route import TASK_INSTANCES, Route, may_read
from airflow_mcp.airflow.runs import ALL_DAGS
from airflow_mcp.airflow.task_instance_lists import (
    InstanceRow,
    find_instances,
    known_states,
    latest_first,
    matching,
    require_in_run,
)
from airflow_mcp.airflow.task_instances import FAILED, InstancesPage
from airflow_mcp.errors import NeedsVersionError, ServerFaultError
from airflow_mcp.models.states import NO_STATUS, NOT_STARTED, TASK_STATES
from airflow_mcp.models.task_instances import ROW, SUMMED_UP, TaskInstanceList, TaskInstanceRow

LIST_BY_OPERATOR = Route("GET", "dags/{dag_id}/dagRuns/~/taskInstances", may_read(*TASK_INSTANCES))
IN_QUERY = {"dag_ids": "dag_id", "task_ids": "task_id"}
"""What a query calls otherwise than a body."""


async def list_task_instances(
    api: Api,
    *,
    dag_id: str | None = None,
    dag_run_id: str | None = None,
    task_id: str | None = None,
    map_index: int | None = None,
    state: Sequence[str] | None = None,
    operator: str | None = None,
    pool: str | None = None,
    queue: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    min_duration_seconds: int | None = None,
    fields: Sequence[str] | None = None,
    limit: int = 25,
    offset: int = 0,
) -> TaskInstanceList:
    """A page of task instances: of one run in running order, those of a mapped task summed up; else the latest first.

    Route: POST /dags/~/dagRuns/~/taskInstances/list; GET /dags/~/dagRuns/~/taskInstances for an operator in many runs,
    which needs Airflow 3.1. Raises NotFoundError for an unknown run, TooLargeError for one of over 10,000.
    """
    given = {
        "dag_ids": [dag_id] if dag_id else None,
        "dag_run_ids": [dag_run_id] if dag_run_id else None,
        "task_ids": [task_id] if task_id else None,
        "state": _started(api, state) if since or until else state,
        "pool": [pool] if pool else None,
        "queue": [queue] if queue else None,
        "start_date_gte": since and since.astimezone(UTC).isoformat(),
        "start_date_lte": until and until.astimezone(UTC).isoformat(),
        "duration_gte": min_duration_seconds,
    }
    filters = {name: value for name, value in given.items() if value is not None}
    if filters.get("state") == []:
        return TaskInstanceList.of([], 0, offset, "No task instance in this state has started yet.")
    try:
        page, total = await _page(api, filters, operator, map_index, limit=limit, offset=offset)
    except ServerFaultError:
        if dag_id:
            await require_dag(api, dag_id)  # Airflow 2.7 fails at a DAG that is not there
        raise
    always = ["task_id", "map_index"]
    if not (dag_id and dag_run_id):
        always = ["dag_id", "dag_run_id", *always]
    elif not total:
        await require_in_run(api, dag_id, dag_run_id, task_id)
    told = [_told(api, row, always, fields) for row in page]
    return TaskInstanceList.of(told, total, offset, _note(api, told, total, in_order=bool(dag_run_id)))


def _started(api: Api, state: Sequence[str] | None) -> Sequence[str] | None:
    """Those of the states, or of all, that come after a start: Airflow 3 finds what has not started in any window."""
    if api.release < (3, 0):
        return state
    return [each for each in state or known_states(api, TASK_STATES) if each not in NOT_STARTED]


async def _page(
    api: Api, filters: Mapping[str, Any], operator: str | None, map_index: int | None, *, limit: int, offset: int
) -> tuple[Sequence[InstanceRow], int]:
    """Some of those that match, of one run or of many, and how many there are."""
    if not {"dag_ids", "dag_run_ids"} <= filters.keys():
        return await _of_many_runs(api, filters, operator, limit, offset)
    rows = await _rows_of_run(api, filters, operator, map_index)
    return rows[offset : offset + limit], len(rows)


async def _rows_of_run(
    api: Api, filters: Mapping[str, Any], operator: str | None, map_index: int | None
) -> list[InstanceRow]:
    """Those of one run that match, a mapped task in one row, or one map index."""
    found = [row for row in await matching(api, filters) if operator in (None, row.operator)]
    return _summed_up(found) if map_index is None else [row for row in found if row.map_index == map_index]


async def _of_many_runs(
    api: Api, filters: Mapping[str, Any], operator: str | None, limit: int, offset: int
) -> tuple[Sequence[InstanceRow], int]:
    order = latest_first(api)
    if operator is None:
        return await find_instances(api, {**filters, "page_limit": limit, "page_offset": offset, **order})
    if api.release < (3, 1):
        raise NeedsVersionError("operator", "Airflow 3.1, or dag_id and dag_run_id", f"This is {api.airflow}.")
    query = {IN_QUERY.get(name, name): value for name, value in filters.items()}
    dag_id = query.pop("dag_id", [ALL_DAGS])[0]
    query |= {"operator": operator, "limit": limit, "offset": offset, **order}
    answer = await api.read(LIST_BY_OPERATOR, InstancesPage[InstanceRow], query=query, dag_id=dag_id)
    return answer.task_instances, answer.total_entries


def _summed_up(rows: Sequence[InstanceRow]) -> list[InstanceRow]:
    """The same rows with those of each mapped task as one, where the first of them stood."""
    mapped: dict[str, list[InstanceRow]] = {}
    for row in rows:
        if row.map_index is not None:
            mapped.setdefault(row.task_id, []).append(row)
    summed: list[InstanceRow] = []
    for row in rows:
        if row.map_index is None:
            summed.append(row)
        elif group := mapped.pop(row.task_id, None):
            summed.append(_sum(group))
    return summed


def _sum(rows: Sequence[InstanceRow]) -> InstanceRow:
    first = rows[0]
    failed = ranges(row.map_index for row in rows if row.state in FAILED and row.map_index is not None)
    return InstanceRow(
        dag_id=first.dag_id,
        dag_run_id=first.dag_run_id,
        task_id=first.task_id,
        task_display_name=first.task_display_name,
        states=dict(Counter(row.state or NO_STATUS for row in rows)),
        failed_map_indexes=failed or None,
        start_date=first.start_date,
        operator=first.operator,
        pool=first.pool,
        queue=first.queue,
    )


def _told(api: Api, row: InstanceRow, always: Sequence[str], fields: Sequence[str] | None) -> TaskInstanceRow:
    """A row with the fields that are wanted: how long it took, and the page of it."""
    url = api.links.to(row.dag_id, row.dag_run_id, row.task_id, row.map_index)
    if row.states:
        return row.model_copy(update={"url": url}).pick(fields, always=(*always, *SUMMED_UP), default=ROW)
    more = {"url": url, "state": row.state or NO_STATUS, "duration_seconds": seconds_taken(row)}
    return row.model_copy(update=more).pick(fields, always=always, default=ROW)


def _note(api: Api, rows: Sequence[TaskInstanceRow], total: int, *, in_order: bool) -> str | None:
    if not rows:
        return "No task instance matches."
    if not in_order and total > len(rows) and api.release < (3, 0):
        return "Airflow 2 gives them in no order of time: since and until narrow it."
    return None
