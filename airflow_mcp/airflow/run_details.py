"""One run: its state, how long it usually takes, its task instances by state, and what it waits for."""

from __future__ import annotations

from statistics import median

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.durations import seconds_taken
from airflow_mcp.airflow.held_runs import what_holds
from airflow_mcp.airflow.runs import GET, find_runs, told
from airflow_mcp.airflow.task_instance_lists import states_of_run
from airflow_mcp.airflow.together import together
from airflow_mcp.errors import NotFoundError
from airflow_mcp.models.runs import DagRunDetails

USUAL_OF = 20


async def get_dag_run(api: Api, dag_id: str, dag_run_id: str | None = None) -> DagRunDetails:
    """One run of a DAG, the one made last unless it is named.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}, and beside it those for the last runs that succeeded and the task
    instances. Raises NotFoundError for an unknown run, or for a DAG without one.
    """
    run_id = dag_run_id or await _latest(api, dag_id)
    run, usual, states = await together(
        lambda: api.read(GET, DagRunDetails, dag_id=dag_id, dag_run_id=run_id),
        lambda: usual_duration(api, dag_id),
        lambda: states_of_run(api, dag_id, run_id),
    )
    waits_for = await _waits_for(api, dag_id, run_id) if run.state == "queued" else None
    more = {"usual_duration_seconds": usual, "task_states": dict(states), "waits_for": waits_for}
    details: DagRunDetails = run.model_copy(update={"dag_id": dag_id, **more})
    return told(api, details)


async def usual_duration(api: Api, dag_id: str) -> float | None:
    """Seconds: the median of the last 20 runs that succeeded; None for none. Route: GET /dags/{dag_id}/dagRuns."""
    runs, _ = await find_runs(api, dag_id, {"state": ["success"], "limit": USUAL_OF})
    seconds = [each for each in map(seconds_taken, runs) if each is not None]
    return round(median(seconds), 1) if seconds else None


async def _latest(api: Api, dag_id: str) -> str:
    runs, _ = await find_runs(api, dag_id, {"limit": 1})
    if not runs:
        raise NotFoundError(f"DAG {dag_id} has not run yet.")
    return runs[0].dag_run_id


async def _waits_for(api: Api, dag_id: str, run_id: str) -> str:
    """What keeps a queued run from starting."""
    held = await what_holds(api, dag_id, [run_id])
    return " ".join(held) or "Nothing that is known here: the scheduler starts it within seconds if it runs."
