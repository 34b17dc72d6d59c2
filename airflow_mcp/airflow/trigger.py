"""trigger_dag_run: what would start, and then the start itself."""

from __future__ import annotations

from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import Dags
from airflow_mcp.airflow.params import check_conf
from airflow_mcp.airflow.runs import OF_A_DAG, ONE
from airflow_mcp.errors import ConflictError, NotFoundError
from airflow_mcp.models.changes import Prepared
from airflow_mcp.models.dags import DagDetails, GetDag
from airflow_mcp.models.run_changes import TriggerDagRun, Triggered


class Trigger:
    """Starting runs of the DAGs of one Airflow."""

    def __init__(self, airflow: Airflow, dags: Dags) -> None:
        self._airflow = airflow
        self._dags = dags

    async def prepare(self, args: TriggerDagRun) -> Prepared[Triggered]:
        """Start a run.

        Route: POST /dags/{dag_id}/dagRuns. Raises NotFoundError for an unknown DAG, InvalidArgumentError for a conf
        that its params refuse, ConflictError for a run that is there already.
        """
        dag = await self._dags.details(GetDag(dag_id=args.dag_id))
        params, conf = dag.params or {}, args.conf or {}
        check_conf(conf, params)
        await self._require_new(args)
        body: dict[str, Any] = {"conf": conf}
        if args.dag_run_id:
            body["dag_run_id"] = args.dag_run_id
        if args.note:
            body["note"] = args.note
        if args.logical_date or (await self._airflow.dialect()).wants_logical_date:
            body["logical_date"] = args.logical_date and args.logical_date.isoformat()

        async def apply() -> dict[str, Any]:
            made = await self._airflow.change("POST", OF_A_DAG, {"dag_id": args.dag_id}, body=body)
            return {"dag_run_id": made["dag_run_id"], "state": made["state"]}

        return Prepared(
            preview=Triggered(
                summary=_summary(args, dag),
                dag_id=args.dag_id,
                dag_run_id=args.dag_run_id,
                is_paused=bool(dag.is_paused),
                conf=conf or None,
                unknown_params=sorted(set(conf) - set(params)) or None if params else None,
            ),
            items=(f"{args.dag_id} new run, is_paused={bool(dag.is_paused)}",),
            apply=apply,
        )

    async def _require_new(self, args: TriggerDagRun) -> None:
        """Airflow refuses a second run with the same id, or the same logical date, but only once it is sent."""
        if args.dag_run_id:
            try:
                run = await self._airflow.read(ONE, {"dag_id": args.dag_id, "dag_run_id": args.dag_run_id})
            except NotFoundError:
                pass
            else:
                raise _there_already(args.dag_run_id, run["state"])
        if args.logical_date:
            name, moment = (await self._airflow.dialect()).logical_date, args.logical_date.isoformat()
            query: dict[str, str | int] = {f"{name}_gte": moment, f"{name}_lte": moment, "limit": 1}
            answer = await self._airflow.read(OF_A_DAG, {"dag_id": args.dag_id}, query=query)
            for run in answer["dag_runs"]:
                raise _there_already(run["dag_run_id"], run["state"])


def _there_already(run_id: str, state: str) -> ConflictError:
    return ConflictError(
        f"Run {run_id} is there already ({state}). Nothing was changed. To run it again: clear_dag_run; for another "
        "run give another dag_run_id or logical_date."
    )


def _summary(args: TriggerDagRun, dag: DagDetails) -> str:
    conf = " with this conf" if args.conf else ""
    waits = " The DAG is paused: the run waits in the queue until it is unpaused (patch_dag)." if dag.is_paused else ""
    return f"Start a run of {args.dag_id}{conf}.{waits}"
