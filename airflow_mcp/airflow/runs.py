"""The endpoints of DAG runs: one method an endpoint, one body for both versions."""

from __future__ import annotations

from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.errors import NeedsVersionError, NotFoundError
from airflow_mcp.models.runs import ROW, DagRun, DagRunList, GetDagRun, GetDagRuns

OF_A_DAG = "dags/{dag_id}/dagRuns"
ONE = f"{OF_A_DAG}/{{dag_run_id}}"
OF_ALL_DAGS = "dags/~/dagRuns"
FILTERS = ("state", "run_type")
DATES = ("logical_date", "start_date", "end_date")


class Runs:
    """The DAG runs of one Airflow."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow

    async def find(self, args: GetDagRuns) -> DagRunList:
        """A page of runs, newest first, of one DAG or of all.

        Route: GET /dags/{dag_id}/dagRuns, or GET /dags/~/dagRuns. Raises NotFoundError for a DAG that there is not,
        NeedsVersionError for a filter that this version does not have.
        """
        rows, total = await self._page(args)
        if args.dag_id and not rows:  # Airflow 2 has no runs of a DAG that there is not, either
            await self._airflow.read("dags/{dag_id}", {"dag_id": args.dag_id})
        always = ROW if args.dag_id else ("dag_id", *ROW)
        runs = [DagRun.model_validate(row).pick(args.fields or (), always=always) for row in rows]
        end = args.offset + len(runs)
        return DagRunList(
            runs=runs,
            total=total,
            returned=len(runs),
            next_offset=end if runs and end < total else None,
            note=None if runs else _why_empty(args, total),
        )

    async def _page(self, args: GetDagRuns) -> tuple[list[dict[str, Any]], int]:
        dialect = await self._airflow.dialect()
        if args.run_type and not dialect.filters_run_type:
            raise NeedsVersionError("run_type", "Airflow 3", f"This is {dialect.airflow}.")
        query: dict[str, Any] = {"limit": args.limit, "offset": args.offset, "order_by": dialect.newest_first}
        query |= {name: getattr(args, name) for name in FILTERS if getattr(args, name)}
        for name in DATES:
            for end in ("gte", "lte"):
                if moment := getattr(args, f"{name}_{end}"):
                    parameter = dialect.logical_date if name == "logical_date" else name
                    query[f"{parameter}_{end}"] = moment.isoformat()
        route, ids = (OF_A_DAG, {"dag_id": args.dag_id}) if args.dag_id else (OF_ALL_DAGS, {})
        answer = await self._airflow.read(route, ids, query=query)
        return answer["dag_runs"], answer["total_entries"]

    async def get(self, args: GetDagRun) -> DagRun:
        """One run, the latest unless it is named. Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}.

        Raises NotFoundError.
        """
        if args.dag_run_id is None:
            latest, _ = await self._page(GetDagRuns(dag_id=args.dag_id, limit=1))
            if not latest:
                raise NotFoundError(f"DAG {args.dag_id} has not run yet.")
            answer = latest[0]
        else:
            ids = {"dag_id": args.dag_id, "dag_run_id": args.dag_run_id}
            answer = await self._airflow.read(ONE, ids)
        run = DagRun.model_validate(answer)
        return run.pick(args.fields, always=("dag_id", "dag_run_id")) if args.fields else run


def _why_empty(args: GetDagRuns, total: int) -> str:
    if total:
        return f"offset {args.offset} is past the end: {total} runs match."
    dated = any(getattr(args, f"{name}_{end}") for name in DATES for end in ("gte", "lte"))
    narrowing = [name for name in FILTERS if getattr(args, name)] + (["dates"] if dated else [])
    if narrowing:
        return f"No run matches; try without {' and '.join(narrowing)}."
    return "This DAG has not run yet." if args.dag_id else "No DAG has run yet, or this user may see none."
