"""explain_dag_state: why a DAG does not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import PAGE, Dags
from airflow_mcp.airflow.instance import Instance
from airflow_mcp.airflow.runs import OF_A_DAG
from airflow_mcp.airflow.task_instances import LIST, TaskInstance, from_airflow, route_to
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.diagnosis.reasons import Facts, reasons
from airflow_mcp.errors import NeedsVersionError
from airflow_mcp.models.dags import DagDetails
from airflow_mcp.models.diagnosis import DagState, ExplainDagState

UNFINISHED = (
    *("scheduled", "queued", "running", "up_for_retry"),
    *("up_for_reschedule", "deferred", "restarting"),
)
MOST_ASKED = 3
"""Task instances whose dependencies are asked for."""


class ExplainState:
    """Explaining the DAGs of one Airflow."""

    def __init__(self, airflow: Airflow, dags: Dags, instance: Instance) -> None:
        self._airflow = airflow
        self._dags = dags
        self._instance = instance

    async def explain(self, args: ExplainDagState) -> DagState:
        """What holds a DAG, the likeliest reason first.

        Routes: those of DAGs, runs, task instances and their dependencies, pools, import errors and health. Raises
        NotFoundError for a DAG that there is not; what else fails is told in `missing`.
        """
        dag = await self._dags.last_known(args.dag_id)
        parts = Parts()
        found = await parts.fetch(
            {
                "running runs": partial(self._runs, args.dag_id, "running", "start_date"),
                "queued runs": partial(self._runs, args.dag_id, "queued", "id"),
                "last run": partial(self._runs, args.dag_id, None, "-id"),
                "health": self._instance.components,
                "import errors": self._instance.import_errors,
                "pools": self._instance.pools,
            }
        )
        running, running_number = found["running runs"] or ([], 0)
        queued, queued_number = found["queued runs"] or ([], 0)
        tasks = await self._tasks(parts, args.dag_id, running)
        facts = Facts(
            dag=dag,
            now=datetime.now(UTC),
            import_errors=(found["import errors"] or ([], 0))[0],
            components=found["health"] or (),
            running=running,
            queued=queued,
            running_number=running_number,
            queued_number=queued_number,
            tasks=tasks,
            pools=found["pools"] or (),
            blocked_by=await self._blocked_by(parts, tasks),
        )
        return _answer(dag, facts, (found["last run"] or ([], 0))[0], parts)

    async def _runs(self, dag_id: str, state: str | None, order: str) -> tuple[list[dict[str, Any]], int]:
        query: dict[str, str | int] = {"limit": 5, "order_by": order}
        if state:
            query["state"] = state
        answer = await self._airflow.read(OF_A_DAG, {"dag_id": dag_id}, query=query)
        return answer["dag_runs"], answer["total_entries"]

    async def _tasks(self, parts: Parts, dag_id: str, runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The unfinished task instances of the first running runs; those without a state last."""
        if not runs:
            return []
        ids = {"dag_ids": [dag_id], "dag_run_ids": [run["dag_run_id"] for run in runs], "page_limit": PAGE}
        no_state = (await self._airflow.dialect()).no_state

        async def having(states: Sequence[str | None]) -> list[dict[str, Any]]:
            answer = await self._airflow.read(LIST, method="POST", body={**ids, "state": [*states]})
            rows: list[dict[str, Any]] = answer["task_instances"]
            return rows

        found = await parts.fetch({"tasks": partial(having, UNFINISHED), "waiting tasks": partial(having, [no_state])})
        return [*(found["tasks"] or ()), *(found["waiting tasks"] or ())]

    async def _blocked_by(self, parts: Parts, tasks: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
        """Of task instances that wait, what Airflow says that they wait for; only where nothing is at work."""
        if any(row["state"] in UNFINISHED and row["state"] != "scheduled" for row in tasks):
            return {}
        waiting = from_airflow(tasks)[:MOST_ASKED]
        found = await parts.fetch(
            {f"dependencies of {each.label}": partial(self._dependencies, each) for each in waiting}
        )
        return {each.label: texts for each in waiting if (texts := found[f"dependencies of {each.label}"])}

    async def _dependencies(self, instance: TaskInstance) -> list[str]:
        dialect = await self._airflow.release()
        if not dialect.tells_dependencies:
            raise NeedsVersionError("What a task waits for", "Airflow 2.10", f"This is {dialect.here}.")
        index = instance.map_index if instance.map_index >= 0 else None
        route, ids = route_to(instance.dag_id, instance.dag_run_id, instance.task_id, index)
        answer = await self._airflow.read(f"{route}/dependencies", ids)
        return [f"{each['name']}: {each['reason']}" for each in answer["dependencies"]]


def _answer(dag: DagDetails, facts: Facts, last: Sequence[Mapping[str, Any]], parts: Parts) -> DagState:
    most = f" of {dag.max_active_runs} allowed" if dag.max_active_runs else ""
    return DagState(
        **dag.model_dump(include={"dag_id", "is_paused", "schedule"}),
        next_run=dag.next_run,
        last_run=f"{last[0]['dag_run_id']}: {last[0]['state']}" if last else "none",
        active_runs=f"{facts.running_number} running{most}, {facts.queued_number} queued",
        reasons=reasons(facts),
        missing=parts.missing or None,
    )
