"""The toolset `runs`: the runs of DAGs."""

from airflow_mcp.airflow import runs
from airflow_mcp.models.runs import DagRunList, GetDagRuns
from airflow_mcp.tools.context import Call
from airflow_mcp.tools.spec import tool


@tool("List DAG runs")
async def get_dag_runs(call: Call, args: GetDagRuns) -> DagRunList:
    """Runs of a DAG or of all, latest start first: what failed, what runs."""
    return await runs.list_runs(call.api, **dict(args))
