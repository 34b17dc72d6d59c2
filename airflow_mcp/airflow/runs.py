"""The runs of a DAG."""

from __future__ import annotations

from datetime import datetime

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.names import renamed
from airflow_mcp.airflow.route import RUNS, Route, may_read
from airflow_mcp.errors import InvalidArgumentError, NotFoundError
from airflow_mcp.models.base import Answer

LIST = Route("GET", "dags/{dag_id}/dagRuns", may_read(*RUNS))
GET = Route("GET", "dags/{dag_id}/dagRuns/{dag_run_id}", may_read(*RUNS))


class Run(Answer):
    """A run, as far as it is looked at here."""

    dag_run_id: str
    logical_date: str | None


class Runs(Answer):
    """A page of runs, and how many there are."""

    dag_runs: list[Run]
    total_entries: int


async def run_at(api: Api, dag_id: str, logical_date: datetime) -> str:
    """The id of the run with a logical date. Route: GET /dags/{dag_id}/dagRuns. Raises NotFoundError."""
    moment = logical_date.isoformat()
    query: dict[str, str | int] = {"logical_date_gte": moment, "logical_date_lte": moment, "limit": 2}
    runs = (await api.read(LIST, Runs, query=renamed(api.release, query), dag_id=dag_id)).dag_runs
    if not runs:
        raise NotFoundError(f"DAG {dag_id} has no run with logical_date {moment}. Give its dag_run_id instead.")
    return runs[0].dag_run_id


async def require_logical_date(api: Api, dag_id: str, dag_run_id: str, name: str) -> str:
    """The logical date of a run, which an argument needs; on Airflow 3 a triggered run may have none.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}. Raises NotFoundError, InvalidArgumentError for none.
    """
    run = await api.read(GET, Run, dag_id=dag_id, dag_run_id=dag_run_id)
    if not run.logical_date:
        raise InvalidArgumentError(name, f"run {dag_run_id} has no logical date, so no run is before or after it.")
    return run.logical_date
