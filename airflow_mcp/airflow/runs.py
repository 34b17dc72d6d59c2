"""The runs of a DAG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dags import require_dag
from airflow_mcp.airflow.durations import seconds_taken
from airflow_mcp.airflow.last_runs import LAST_MADE
from airflow_mcp.airflow.names import renamed
from airflow_mcp.airflow.patterns import any_sign
from airflow_mcp.airflow.route import RUNS, Route, may_read
from airflow_mcp.errors import InvalidArgumentError, NotFoundError
from airflow_mcp.models.base import Answer
from airflow_mcp.models.runs import ROW, DagRun, DagRunList, RunDate

LIST = Route("GET", "dags/{dag_id}/dagRuns", may_read(*RUNS))
GET = Route("GET", "dags/{dag_id}/dagRuns/{dag_run_id}", may_read(*RUNS))


ALL_DAGS = "~"
RunT = TypeVar("RunT", bound=DagRun)
STATES_WITH: Mapping[RunDate, Sequence[str]] = {
    "start_date": ("running", "success", "failed"),
    "end_date": ("success", "failed"),
}
"""The states of the runs that have a date. Airflow 3 finds those without one too, whatever the bound: what is left
of them are runs that somebody set to an end before they started."""


class Run(Answer):
    """A run, as far as it is looked at here."""

    dag_run_id: str
    logical_date: str | None


class Runs(Answer):
    """A page of runs, and how many there are."""

    dag_runs: list[Run]
    total_entries: int


class _DagRuns(Answer):
    dag_runs: list[DagRun]
    total_entries: int


async def list_runs(
    api: Api,
    *,
    dag_id: str | None = None,
    limit: int = 25,
    offset: int = 0,
    state: Sequence[str] | None = None,
    run_type: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    date_field: RunDate = "start_date",
    triggering_user_name_pattern: str | None = None,
    conf_contains: str | None = None,
    fields: Sequence[str] | None = None,
) -> DagRunList:
    """A page of the runs of one DAG, or of all, the newest first.

    Route: GET /dags/{dag_id}/dagRuns, `~` for all DAGs. Raises NotFoundError for an unknown DAG.
    """
    dated = {f"{date_field}_gte": since, f"{date_field}_lte": until}
    given = {
        "state": _states(state, date_field) if since or until else state,
        "run_type": run_type,
        "triggering_user_name_pattern": triggering_user_name_pattern,
        "conf_contains": conf_contains,
        **{name: moment.astimezone(UTC).isoformat() for name, moment in dated.items() if moment},
    }
    filters = {name: value for name, value in given.items() if value is not None}
    if filters.get("state") == []:
        return DagRunList.of([], 0, offset, f"No run in this state has a {date_field} yet.")
    runs, total = await find_runs(api, dag_id, {"limit": limit, "offset": offset, **filters})
    always = ("dag_run_id",) if dag_id else ("dag_id", "dag_run_id")
    rows = [told(api, run).pick(fields, always=always, default=ROW) for run in runs]
    patterns = {"triggering_user_name_pattern": triggering_user_name_pattern, "conf_contains": conf_contains}
    return DagRunList.of(rows, total, offset, any_sign(patterns) if rows else _why_empty(filters, dag_id))


async def find_runs(api: Api, dag_id: str | None, query: Mapping[str, Any]) -> tuple[list[DagRun], int]:
    """The runs of one DAG, or of all, that a query finds, the newest first; and how many there are in all.

    Route: GET /dags/{dag_id}/dagRuns, `~` for all DAGs. Raises NotFoundError for an unknown DAG.
    """
    query = renamed(api.release, {"order_by": LAST_MADE, **query})
    answer = await api.read(LIST, _DagRuns, query=query, dag_id=dag_id or ALL_DAGS)
    if not answer.dag_runs and dag_id and api.release < (3, 0):
        await require_dag(api, dag_id)  # Airflow 2 has no runs of an unknown DAG either
    return answer.dag_runs, answer.total_entries


def _states(state: Sequence[str] | None, date_field: RunDate) -> Sequence[str] | None:
    """Those of the states, or of all, whose runs have this date."""
    having = STATES_WITH.get(date_field)
    return [each for each in having if each in (state or having)] if having else state


def told(api: Api, run: RunT) -> RunT:
    """A run as it is told: with how long it took, and the page of it."""
    url = api.links.to(run.dag_id or "", run.dag_run_id)
    return run.model_copy(update={"url": url, "duration_seconds": seconds_taken(run)})


def _why_empty(filters: Mapping[str, Any], dag_id: str | None) -> str:
    if filters:
        return f"No run matches; try without {' and '.join(filters)}."
    return f"DAG {dag_id} has not run yet." if dag_id else "No DAG has run yet, or this user may see none."


async def run_at(api: Api, dag_id: str, logical_date: datetime) -> str:
    """The id of the run with a logical date. Route: GET /dags/{dag_id}/dagRuns. Raises NotFoundError."""
    moment = logical_date.isoformat()
    query: dict[str, str | int] = {"logical_date_gte": moment, "logical_date_lte": moment, "limit": 2}
    runs = (await api.read(LIST, Runs, query=renamed(api.release, query), dag_id=dag_id)).dag_runs
    if not runs:
        raise NotFoundError(f"DAG {dag_id} has no run with logical_date {moment}. Give its dag_run_id instead.")
    return runs[0].dag_run_id


async def state_of(api: Api, dag_id: str, dag_run_id: str) -> str | None:
    """The state of a run. Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}. Raises NotFoundError."""
    return (await one_run(api, dag_id, dag_run_id)).state


async def one_run(api: Api, dag_id: str, dag_run_id: str) -> DagRun:
    """A run. Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}. Raises NotFoundError."""
    return await api.read(GET, DagRun, dag_id=dag_id, dag_run_id=dag_run_id)


async def run_before(api: Api, dag_id: str, run: DagRun) -> DagRun | None:
    """The run before one, by logical date; None where it has none. Route: GET /dags/{dag_id}/dagRuns."""
    if run.logical_date is None:
        return None
    order = "-execution_date" if api.release < (3, 0) else "-logical_date"
    query = {"logical_date_lte": run.logical_date.isoformat(), "order_by": order, "limit": 2}
    rows, _ = await find_runs(api, dag_id, query)
    return next((row for row in rows if row.dag_run_id != run.dag_run_id), None)


async def require_run(api: Api, dag_id: str, dag_run_id: str) -> None:
    """Raise NotFoundError for an unknown run, DagNotFoundError where it is the DAG that is not there.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}, and for none GET /dags/{dag_id}.
    """
    try:
        await api.read(GET, Run, dag_id=dag_id, dag_run_id=dag_run_id)
    except NotFoundError:
        await require_dag(api, dag_id)
        raise


async def require_logical_date(api: Api, dag_id: str, dag_run_id: str, name: str) -> str:
    """The logical date of a run, which an argument needs; on Airflow 3 a triggered run may have none.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}. Raises NotFoundError, InvalidArgumentError for none.
    """
    run = await api.read(GET, Run, dag_id=dag_id, dag_run_id=dag_run_id)
    if not run.logical_date:
        raise InvalidArgumentError(name, f"run {dag_run_id} has no logical date, so no run is before or after it.")
    return run.logical_date
