"""resolve_url: what a link to Airflow's UI names, how that stands now, and what to call next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow_mcp.airflow import dags, tasks
from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.no_dag import why_no_dag
from airflow_mcp.airflow.no_run import find_run
from airflow_mcp.airflow.pages import Page, page_at
from airflow_mcp.airflow.runs import run_at
from airflow_mcp.airflow.task_instance_lists import WaitingRow, instances_of_task
from airflow_mcp.diagnosis.waiting import states_of
from airflow_mcp.errors import DagNotFoundError, NotFoundError
from airflow_mcp.models.dags import Dag
from airflow_mcp.models.resolved_url import ResolvedUrl
from airflow_mcp.models.states import NO_STATUS

WITH_LOG = frozenset({"failed", "up_for_retry"})
"""States of which the log tells most."""
AT_REST = frozenset({"success", "running", "removed"})
"""States that hold nothing up: of the others explain_dag_state tells why."""
OF_NO_DAG = {
    "dags": "get_dags",
    "runs": "get_dag_runs",
    "task_instances": "get_task_instances",
    "import_errors": "get_import_errors",
}
"""What is called for a page that names no DAG."""


async def resolve_url(api: Api, url: str) -> ResolvedUrl:
    """What a link to this Airflow's UI names; Airflow is asked for the ids alone, and never for the address.

    Routes: those for one DAG, run or task, and POST /dags/~/dagRuns/~/taskInstances/list. Raises InvalidArgumentError
    for an address of another server. What the link names and is not there is told in `not_there`.
    """
    page = page_at(url, api.addresses)
    if page.dag_id is None:
        return ResolvedUrl(shows=page.shows, next=_call(OF_NO_DAG.get(page.shows, "get_health")))
    dag_id = page.dag_id
    try:
        run_id = await _run_id(api, dag_id, page)
        page = replace(page, dag_run_id=run_id)
        return await (_of_run(api, page, dag_id, run_id) if run_id else _of_dag(api, page, dag_id))
    except DagNotFoundError as error:
        why = await why_no_dag(api, dag_id, error)
        return _gone(api, page, why, _call("get_dags", dag_id_pattern=dag_id))
    except NotFoundError as error:
        return _gone(api, page, error, _call("get_dag_runs", dag_id=dag_id))


async def _run_id(api: Api, dag_id: str, page: Page) -> str | None:
    if page.logical_date is None:
        return page.dag_run_id
    try:
        return await run_at(api, dag_id, page.logical_date)
    except NotFoundError:
        await dags.require_dag(api, dag_id)
        raise


async def _of_dag(api: Api, page: Page, dag_id: str) -> ResolvedUrl:
    """A DAG or a task of it, no run. Raises NotFoundError for an unknown DAG."""
    if page.task_id is None:
        dag = await dags.get_dag(api, dag_id)
        return _answer(api, page, _state_of(dag), _next_of_dag(page, dag))
    try:
        await tasks.get_task(api, dag_id, page.task_id)
    except DagNotFoundError:
        raise
    except NotFoundError as error:
        return _gone(api, page, error, _call("get_tasks", dag_id=dag_id))
    return _answer(api, page, None, _call("get_task", dag_id=dag_id, task_id=page.task_id))


async def _of_run(api: Api, page: Page, dag_id: str, run_id: str) -> ResolvedUrl:
    """A run or a task of it. Raises NotFoundError for an unknown DAG or run."""
    run = await find_run(api, dag_id, run_id)
    if page.task_id is None:
        return _answer(api, page, run.state, _next_of_run(page, run.state))
    try:
        rows = await instances_of_task(api, dag_id, run_id, page.task_id, page.map_index)
    except NotFoundError as error:
        return _gone(api, page, error, _call("get_task_instances", dag_id=dag_id, dag_run_id=run_id))
    answer = _answer(api, page, states_of(rows), _next_of_task(page, rows))
    tries = rows[0].try_number or 0
    if page.try_number and len(rows) == 1 and page.try_number > max(tries, 1):
        return answer.model_copy(update={"not_there": f"try_number {page.try_number}: the latest is {tries}."})
    return answer


def _gone(api: Api, page: Page, error: NotFoundError, following: str) -> ResolvedUrl:
    return _answer(api, page, None, following).model_copy(update={"not_there": str(error)})


def _state_of(dag: Dag) -> str:
    return "no_file" if dag.active is False else "paused" if dag.is_paused else "active"


def _answer(api: Api, page: Page, state: str | None, following: str) -> ResolvedUrl:
    return ResolvedUrl(
        shows=page.shows or _kind(page),
        dag_id=page.dag_id,
        dag_run_id=page.dag_run_id,
        task_id=page.task_id,
        task_group_id=page.task_group_id,
        map_index=page.map_index,
        try_number=page.try_number,
        state=state,
        url=api.links.to(page.dag_id or "", page.dag_run_id, page.task_id, page.map_index),
        next=following,
    )


def _kind(page: Page) -> str:
    if page.task_group_id:
        return "task_group"
    if page.task_id:
        return "task_instance" if page.dag_run_id else "task"
    return "dag_run" if page.dag_run_id else "dag"


def _next_of_dag(page: Page, dag: Dag) -> str:
    if page.shows == "code":
        return _call("get_dag_source", dag_id=page.dag_id)
    if page.shows in ("runs", "grid", "calendar", "duration"):
        return _call("get_dag_runs", dag_id=page.dag_id)
    if page.shows == "tasks" or page.task_group_id:
        return _call("get_tasks", dag_id=page.dag_id)
    if page.shows == "details":
        return _call("get_dag_details", dag_id=page.dag_id)
    return _call("explain_dag_state" if _state_of(dag) != "active" else "get_dag", dag_id=page.dag_id)


def _next_of_run(page: Page, state: str | None) -> str:
    ids = {"dag_id": page.dag_id, "dag_run_id": page.dag_run_id}
    if page.task_group_id or page.shows == "task_instances":
        return _call("get_task_instances", **ids)
    if page.shows == "code":
        return _call("get_dag_source", dag_id=page.dag_id)
    by_state = {"failed": "diagnose_dag_run", "success": "get_dag_run"}
    return _call(by_state.get(state or "", "explain_dag_state"), **ids)


def _next_of_task(page: Page, rows: Sequence[WaitingRow]) -> str:
    task = {"dag_id": page.dag_id, "dag_run_id": page.dag_run_id, "task_id": page.task_id}
    if page.shows == "xcom":
        return _call("get_xcom_entries", **task, map_index=page.map_index)
    # Of all of a mapped task, the first that failed.
    row = next((row for row in rows if row.state in WITH_LOG), rows[0])
    if len(rows) > 1 and row.state not in WITH_LOG:
        return _call("get_task_instances", **task)
    one = {**task, "map_index": row.map_index}
    if row.state in WITH_LOG or (row.state in AT_REST and (page.shows == "log" or page.try_number)):
        return _call("get_task_log", **one, try_number=page.try_number)
    if page.shows == "rendered_templates":
        return _call("get_task_instance", **one, rendered_fields=True)
    return _call("get_task_instance" if (row.state or NO_STATUS) in AT_REST else "explain_dag_state", **one)


def _call(tool: str, **arguments: Any) -> str:
    """A call as a person writes it, of those of the arguments that are given."""
    given = (
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items() if value is not None
    )
    return f"{tool}({', '.join(given)})"
