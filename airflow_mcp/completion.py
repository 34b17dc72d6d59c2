"""What an argument of a prompt, or an id in the address of a resource, could be: asked of Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_mcp.resources import INSTANCE
from airflow_mcp.tools.run import Runner

MOST = 100
"""As many as the protocol allows."""


async def completions(runner: Runner, name: str, begun: str, given: Mapping[str, str]) -> list[str]:
    """Values that hold what was begun, those that begin so first; none where Airflow cannot be asked.

    `given` are the other arguments. A DAG's id needs none, a run's and a task's that of the DAG.
    """
    if name == "instance":
        values = [INSTANCE]
    elif name == "dag_id":
        query: dict[str, Any] = {"dag_id_pattern": begun} if begun else {}
        values = await _ids(runner, "get_dags", {**query, "limit": MOST}, "dags", name)
    elif name == "dag_run_id" and "dag_id" in given:
        query = {"dag_id": given["dag_id"], "limit": MOST}
        values = await _ids(runner, "get_dag_runs", query, "dag_runs", name)
    elif name == "task_id" and "dag_id" in given:
        values = await _ids(runner, "get_tasks", {"dag_id": given["dag_id"], "limit": MOST}, "tasks", name)
    else:
        values = []
    fitting = [value for value in values if begun.lower() in value.lower()]
    return sorted(fitting, key=lambda value: not value.startswith(begun))[:MOST]


async def _ids(runner: Runner, tool: str, arguments: Mapping[str, Any], rows: str, name: str) -> list[str]:
    result = await runner.call(tool, arguments)
    return [str(row[name]) for row in (result.data or {}).get(rows, ())]
