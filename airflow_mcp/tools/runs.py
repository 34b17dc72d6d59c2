"""The toolset `runs`: the runs of DAGs."""

from airflow_mcp.airflow import runs
from airflow_mcp.airflow.run_details import get_dag_run as run_details
from airflow_mcp.models.runs import DagRunDetails, DagRunList, GetDagRun, GetDagRuns
from airflow_mcp.tools.context import Call
from airflow_mcp.tools.spec import tool


@tool("List DAG runs")
async def get_dag_runs(call: Call, args: GetDagRuns) -> DagRunList:
    """Runs of a DAG or of all, newest first: what failed."""
    return await runs.list_runs(call.api, **dict(args))


@tool("Get a DAG run")
async def get_dag_run(call: Call, args: GetDagRun) -> DagRunDetails:
    """One run: state, duration and the usual one, task instances by state, conf, who started it, what it waits for."""
    return await run_details(call.api, args.dag_id, args.dag_run_id)
