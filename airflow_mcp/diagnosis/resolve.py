"""resolve_url: what a link that somebody pasted is about, and how that is now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import Dags
from airflow_mcp.airflow.instances import Instances
from airflow_mcp.airflow.links import Links, Place
from airflow_mcp.airflow.runs import Runs
from airflow_mcp.airflow.task_instances import TaskInstances
from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.models.dags import GetDag
from airflow_mcp.models.links import Resolved, ResolveUrl
from airflow_mcp.models.runs import GetDagRun
from airflow_mcp.models.task_instances import GetTaskInstance


class ResolveLink:
    """Looking up links to one Airflow."""

    def __init__(self, airflow: Airflow, dags: Dags, runs: Runs, instances: Instances) -> None:
        self._links = Links(airflow)
        self._by_date = TaskInstances(airflow)
        self._dags = dags
        self._runs = runs
        self._instances = instances

    async def resolve(self, args: ResolveUrl) -> Resolved:
        """The DAG, run and task instance of a link, with their states. The link itself is not fetched.

        Routes: GET /dags/{dag_id}, GET …/dagRuns/{dag_run_id}, GET …/taskInstances/{task_id}. Raises
        InvalidArgumentError for a link to another host, NotFoundError for what is not there.
        """
        place = await self._with_run(self._links.read(args.url))
        dag = await self._dags.get(GetDag(dag_id=place.dag_id))
        run = state = None
        if place.dag_run_id:
            run = await self._runs.get(GetDagRun(dag_id=place.dag_id, dag_run_id=place.dag_run_id))
        if place.dag_run_id and place.task_id:
            named = {"dag_run_id": place.dag_run_id, "task_id": place.task_id, "map_index": place.map_index}
            state = (await self._instances.get(GetTaskInstance(dag_id=place.dag_id, **named))).state
        return Resolved(
            dag_id=place.dag_id,
            is_paused=dag.is_paused,
            dag_run_id=place.dag_run_id,
            run_state=run.state if run else None,
            task_id=place.task_id,
            map_index=place.map_index,
            state=state,
            try_number=place.try_number,
            view=place.view,
            next=_next(run.state if run else None, state),
        )

    async def _with_run(self, place: Place) -> Place:
        """The run in place of its date, which older links have."""
        if place.dag_run_id or not place.logical_date:
            return place
        try:
            moment = datetime.fromisoformat(place.logical_date)
        except ValueError:
            raise InvalidArgumentError("url", f"its date, {place.logical_date!r}, is none.") from None
        return replace(place, dag_run_id=await self._by_date.run_at(place.dag_id, moment))


def _next(run: str | None, state: str | None) -> str:
    if state == "failed":
        return "get_task_log with these ids tells why it failed; diagnose_dag_run why the run did."
    if run == "failed":
        return "diagnose_dag_run with these ids tells why it failed."
    return "explain_dag_state tells what holds it, if it does not run."
