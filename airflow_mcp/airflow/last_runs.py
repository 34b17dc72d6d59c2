"""The last run of each of many DAGs, from one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import RUNS, Route, may_read
from airflow_mcp.errors import ForbiddenError, TooLargeError
from airflow_mcp.models.base import Answer, Moment
from airflow_mcp.models.dags import DagRow

LIST = Route("POST", "dags/~/dagRuns/list", may_read(*RUNS, in_2=("DAG Runs",)), lists=True)
MOST_RUNS = (1000, 100)
"""How many are looked at: where each has so much conf that these are too much to read, the fewer."""
LAST_MADE = "-id"
"""The order in which Airflow itself counts: its filter by last_run_state means the run that was made last.

It is indexed, as no date of a run's start is; and a run that waits, or was made today for an old date, has its place.
"""


class _Run(Answer):
    dag_id: str
    dag_run_id: str
    state: str | None
    start_date: Moment | None


class _Runs(Answer):
    dag_runs: list[_Run]
    total_entries: int


async def with_last_runs(api: Api, dags: Sequence[DagRow]) -> tuple[list[DagRow], str | None]:
    """The DAGs with state, id and start of their last run, and a note where that of some is not known.

    It is looked for among the newest 1,000 runs of these DAGs, and `unknown` where the user may not see runs.
    Route: POST /dags/~/dagRuns/list.
    """
    if not dags:
        return [], None
    try:
        answer = await _newest(api, [dag.dag_id for dag in dags])
    except ForbiddenError as error:
        return [_row(dag, None, "unknown") for dag in dags], f"The last runs could not be read. {error}"
    last = _last_of_each(answer.dag_runs)
    older = answer.total_entries > len(answer.dag_runs)
    rows = [_row(dag, last.get(dag.dag_id), "unknown" if older else "none") for dag in dags]
    unknown = any(row.last_run_state == "unknown" for row in rows)
    looked_at = f"unknown: not among the newest {len(answer.dag_runs)} runs of these DAGs; get_dag_runs has it, if any."
    return rows, looked_at if unknown else None


async def last_run_states(api: Api, dag_ids: Sequence[str]) -> dict[str, str | None]:
    """The state of the last run of these DAGs, as far as it is among their newest 1,000.

    Route: POST /dags/~/dagRuns/list.
    """
    runs = (await _newest(api, dag_ids)).dag_runs if dag_ids else []
    return _states(runs)


async def last_run_states_of_all(api: Api) -> tuple[dict[str, str | None], bool]:
    """The state of the last run of each DAG among the newest 1,000 runs, the newest first; and whether that are all.

    Route: POST /dags/~/dagRuns/list.
    """
    answer = await _newest(api)
    return _states(answer.dag_runs), answer.total_entries <= len(answer.dag_runs)


def _states(runs: Sequence[_Run]) -> dict[str, str | None]:
    return {dag_id: run.state for dag_id, run in _last_of_each(runs).items()}


def _last_of_each(runs: Sequence[_Run]) -> dict[str, _Run]:
    last: dict[str, _Run] = {}
    for run in runs:
        last.setdefault(run.dag_id, run)
    return last


async def _newest(api: Api, dag_ids: Sequence[str] | None = None) -> _Runs:
    body: dict[str, Any] = {"order_by": LAST_MADE, **({} if dag_ids is None else {"dag_ids": dag_ids})}
    most, fewer = MOST_RUNS
    try:
        return await api.read(LIST, _Runs, body={**body, "page_limit": most})
    except TooLargeError:
        return await api.read(LIST, _Runs, body={**body, "page_limit": fewer})


def _row(dag: DagRow, run: _Run | None, otherwise: str) -> DagRow:
    if run is None:
        return dag.model_copy(update={"last_run_state": otherwise})
    told = {"last_run_state": run.state, "last_run_id": run.dag_run_id, "last_run_at": run.start_date}
    return dag.model_copy(update=told)
