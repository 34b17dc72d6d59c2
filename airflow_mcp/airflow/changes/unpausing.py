"""In sentences, what runs of a DAG once it is not paused any more."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dags import get_dag_details
from airflow_mcp.airflow.held_runs import held_by_file
from airflow_mcp.airflow.runs import find_runs
from airflow_mcp.errors import AirflowMcpError, ForbiddenError, VersionChangedError
from airflow_mcp.models.base import in_short
from airflow_mcp.models.dags import Dag


async def what_starts(api: Api, dag: Dag) -> list[str]:
    """The runs that wait or are due, and how many at a time, or when the next one is.

    Route: GET /dags/{dag_id}/dagRuns, and GET /dags/{dag_id}/details where a run is due.
    """
    return held_by_file(dag) or [*await _waiting(api, dag), *await _due(api, dag)]


async def _waiting(api: Api, dag: Dag) -> list[str]:
    try:
        _, number = await find_runs(api, dag.dag_id, {"state": ["queued", "running"], "limit": 1})
    except ForbiddenError:
        return ["Whether runs of it wait this user may not see."]
    if not number:
        return []
    return [f"{number} run{'s' if number > 1 else ''} of it, queued or running, go{'' if number > 1 else 'es'} on."]


async def _due(api: Api, dag: Dag) -> list[str]:
    if dag.next_run is None:
        return []
    due = in_short(dag.next_run)
    if dag.next_run > datetime.now(UTC):
        return [f"The next run is due {due} (schedule {dag.schedule})."]
    catchup = await _catchup(api, dag.dag_id)
    if catchup is None:
        return [f"A run starts at once, due {due}; whether more follow (catchup) Airflow did not tell."]
    if catchup:
        limit = f", {dag.max_active_runs} at a time (max_active_runs)" if dag.max_active_runs else ""
        return [f"Runs start at once: catchup is on, so each interval since {due} gets one{limit}."]
    return [f"A run starts at once: it was due {due}. catchup is off, so it is the only one until the next is due."]


async def _catchup(api: Api, dag_id: str) -> bool | None:
    try:
        return (await get_dag_details(api, dag_id)).catchup
    except VersionChangedError:
        raise
    except AirflowMcpError:  # Airflow cannot serialise the details of every DAG that runs
        return None
