"""Which permissions each route takes, in Airflow's own terms: its refusals do not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_mcp.airflow.dialect import Dialect

# As Airflow has it: who works on what is in a DAG needs the same on the DAG.
_DAG = ("DAGs",)
_CODE = ("DAGs", "DAG Code")
_TASK = ("DAGs", "Task Instances")
_RUN = ("DAGs", "DAG Runs")
_TASK_INSTANCE = ("DAGs", "DAG Runs", "Task Instances")

_READ, _EDIT = "read", "edit"
_ROLES = {_READ: "viewer", _EDIT: "user"}
"""The least role of Airflow 3's simple auth manager that may."""

PERMISSIONS: Mapping[tuple[str, str], tuple[str, Sequence[str]]] = {
    ("GET", "dags"): (_READ, _DAG),
    ("GET", "dags/{dag_id}"): (_READ, _DAG),
    ("GET", "dags/{dag_id}/details"): (_READ, _DAG),
    ("GET", "dagSources/{dag_id}"): (_READ, _CODE),
    ("GET", "dagSources/{file_token}"): (_READ, _CODE),
    ("GET", "dags/{dag_id}/tasks"): (_READ, _TASK),
    ("GET", "dags/{dag_id}/tasks/{task_id}"): (_READ, _TASK),
    ("GET", "dags/{dag_id}/dagRuns"): (_READ, _RUN),
    ("GET", "dags/{dag_id}/dagRuns/{dag_run_id}"): (_READ, _RUN),
    ("POST", "dags/~/dagRuns/~/taskInstances/list"): (_READ, _TASK_INSTANCE),
    ("PATCH", "dags/{dag_id}"): (_EDIT, _DAG),
    # Their dry runs take as much.
    ("POST", "dags/{dag_id}/clearTaskInstances"): (_EDIT, _TASK_INSTANCE),
    ("POST", "dags/{dag_id}/updateTaskInstancesState"): (_EDIT, _TASK_INSTANCE),
    **{
        ("PATCH", f"dags/{{dag_id}}/dagRuns/{{dag_run_id}}/taskInstances/{{task_id}}{end}"): (_EDIT, _TASK_INSTANCE)
        for end in ("", "/dry_run", "/{map_index}", "/{map_index}/dry_run")
    },
}
"""By method and route, as of Airflow 2.8. A route that is not here cannot be called."""


def needed(method: str, route: str, dialect: Dialect) -> str:
    """What a user needs for a call, in the words of the auth managers that this Airflow may have."""
    action, resources = PERMISSIONS[method, route]
    fab = ", ".join(f"can {action} on {resource}" for resource in resources)
    # Airflow 2 has FAB's roles; Airflow 3 does not tell which auth manager it has.
    return f"{fab} (FAB), or the role {_ROLES[action]} (simple auth manager)" if dialect.name == "v2" else fab
