"""What an argument of a prompt or of a resource could be, from the live Airflow."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from airflow_mcp.errors import AirflowMcpError
from airflow_mcp.models.dags import GetDags
from airflow_mcp.models.runs import GetDagRuns
from airflow_mcp.tools.context import App

MOST = 100
"""As many as the protocol allows."""


async def completions(app: App, name: str, begun: str, given: Mapping[str, str]) -> list[str]:
    """Values for an argument that begin with what is there, or hold it; none where Airflow cannot be asked."""
    try:
        values = await _values(app, name, begun, given)
    except (AirflowMcpError, ValidationError):
        return []
    fitting = [value for value in values if begun.lower() in value.lower()]
    return sorted(fitting, key=lambda value: not value.startswith(begun))[:MOST]


async def _values(app: App, name: str, begun: str, given: Mapping[str, str]) -> list[str]:
    dag_id = given.get("dag_id")
    if name == "dag_id":
        found = await app.dags.find(GetDags(dag_id_pattern=begun or None, limit=MOST))
        return [dag.dag_id for dag in found.dags]
    if name == "dag_run_id" and dag_id:
        return [run.dag_run_id for run in (await app.runs.find(GetDagRuns(dag_id=dag_id, limit=MOST))).runs]
    if name == "task_id" and dag_id:
        return [task.task_id for task in await app.dags.graph(dag_id)]
    return []
