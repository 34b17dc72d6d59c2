"""A run that is not there: which may be meant, as far as Airflow tells."""

from __future__ import annotations

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dags import require_dag
from airflow_mcp.airflow.runs import GET, find_runs
from airflow_mcp.errors import AirflowMcpError, DagNotFoundError, NotFoundError
from airflow_mcp.ids import near
from airflow_mcp.models.runs import DagRun

LOOKED_THROUGH = 100
MOST_NAMED = 3


async def find_run(api: Api, dag_id: str, dag_run_id: str) -> DagRun:
    """A run of a DAG.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}. Raises NotFoundError, which names the DAG that it is a run of, or
    the runs that may be meant; DagNotFoundError where it is the DAG that is not there.
    """
    try:
        run = await api.read(GET, DagRun, dag_id=dag_id, dag_run_id=dag_run_id)
    except DagNotFoundError:
        raise
    except NotFoundError as error:
        await require_dag(api, dag_id)
        raise await _with_likely(api, dag_id, dag_run_id, error) from None
    return run.model_copy(update={"dag_id": dag_id, "dag_run_id": dag_run_id})


async def _with_likely(api: Api, dag_id: str, dag_run_id: str, error: NotFoundError) -> NotFoundError:
    """The error with the runs that may be meant, among the newest; as it is where those may not be read.

    Route: GET /dags/{dag_id}/dagRuns, `~` for all DAGs.
    """
    try:
        known = [run.dag_run_id for run in (await find_runs(api, dag_id, {"limit": LOOKED_THROUGH}))[0]]
        others = (await find_runs(api, None, {"limit": LOOKED_THROUGH}))[0]
    except AirflowMcpError:
        return error
    if owner := next((run.dag_id for run in others if run.dag_run_id == dag_run_id and run.dag_id != dag_id), None):
        advice = f"DAG {owner} has a run of this id."
    elif likely := near(dag_run_id, known, most=MOST_NAMED):
        advice = f"Did you mean {' or '.join(likely)}?"
    elif known:
        advice = f"The newest of DAG {dag_id}: {', '.join(known[:MOST_NAMED])}."
    else:
        advice = f"DAG {dag_id} has not run yet."
    return NotFoundError(error.what, f"{advice} get_dag_runs lists runs.")
