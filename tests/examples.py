"""For each tool, arguments that work: what the tables of ids, permissions and roles are derived from."""

from __future__ import annotations

from typing import Any

from airflow_mcp.tools import dags
from airflow_mcp.tools.spec import tools_of

Arguments = dict[str, Any]

IDS = ("dag_id", "dag_run_id", "task_id", "task_ids", "file_token")


def examples(dag_id: str = "history", dag_run_id: str = "a run", task_id: str = "first") -> dict[str, Arguments]:
    """By tool, arguments with these ids; what changes something does it."""
    dag = {"dag_id": dag_id}
    run = {**dag, "dag_run_id": dag_run_id, "confirm": True}
    return {
        "get_dags": {},
        "get_dag": dag,
        "get_dag_details": dag,
        "get_dag_source": dag,
        "get_tasks": dag,
        "get_task": {**dag, "task_id": task_id},
        "patch_dag": {**dag, "is_paused": False, "confirm": True},
        "clear_task_instances": {**run, "task_ids": [task_id], "only_failed": False},
        "set_task_instances_state": {**run, "task_id": task_id, "new_state": "failed"},
    }


ID_ARGUMENTS = [(spec.name, name) for spec in tools_of(dags) for name in spec.arguments.model_fields if name in IDS]
"""Each tool with each of its arguments that is an id."""


def with_id(arguments: Arguments, name: str, value: str) -> Arguments:
    """These arguments with another id; a file token stands in place of a DAG's id."""
    others = {key: value for key, value in arguments.items() if (name, key) != ("file_token", "dag_id")}
    return {**others, name: [value] if name == "task_ids" else value}
