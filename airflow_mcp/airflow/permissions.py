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
_LOG = ("DAGs", "Task Logs")
_XCOM = ("DAGs", "XComs")
_DECISION = ("DAGs", "HITL Detail")

_RUNS = "dags/{dag_id}/dagRuns"
_RUN_TASKS = f"{_RUNS}/{{dag_run_id}}/taskInstances"
_ONE = f"{_RUN_TASKS}/{{task_id}}"
_READ, _EDIT, _CREATE, _DELETE = "read", "edit", "create", "delete"
_ROLES = {_READ: "viewer", _EDIT: "user", _CREATE: "user", _DELETE: "user"}
"""The least role of Airflow 3's simple auth manager that may, by the action."""
_OPS = {(_EDIT, "Pools"), (_READ, "Variables"), (_READ, "Connections")}
"""For these it takes the role op."""

PERMISSIONS: Mapping[tuple[str, str], tuple[str, Sequence[str]]] = {
    ("GET", "dags"): (_READ, _DAG),
    ("GET", "dags/{dag_id}"): (_READ, _DAG),
    ("GET", "dags/{dag_id}/details"): (_READ, _DAG),
    ("GET", "dagSources/{dag_id}"): (_READ, _CODE),
    ("GET", "dagSources/{file_token}"): (_READ, _CODE),
    ("GET", "dags/{dag_id}/tasks"): (_READ, _TASK),
    ("GET", "dags/{dag_id}/tasks/{task_id}"): (_READ, _TASK),
    ("GET", "dags/{dag_id}/dagRuns"): (_READ, _RUN),
    ("GET", "dags/~/dagRuns"): (_READ, _RUN),
    ("POST", "dags/~/dagRuns/list"): (_READ, _RUN),
    ("GET", "dags/{dag_id}/dagRuns/{dag_run_id}"): (_READ, _RUN),
    ("POST", "dags/~/dagRuns/~/taskInstances/list"): (_READ, _TASK_INSTANCE),
    ("GET", "health"): (_READ, ()),  # which all may read
    ("GET", "monitor/health"): (_READ, ()),
    ("GET", "importErrors"): (_READ, ("ImportError",)),
    ("GET", "pools"): (_READ, ("Pools",)),
    ("PATCH", "pools/{pool_name}"): (_EDIT, ("Pools",)),
    ("GET", "variables"): (_READ, ("Variables",)),
    ("GET", "connections"): (_READ, ("Connections",)),
    ("GET", "config/section/{section}/option/{option}"): (_READ, ("Configurations",)),
    ("GET", "assets"): (_READ, ("Assets", "Asset Aliases")),
    ("GET", "assets/events"): (_READ, ("Assets",)),
    ("GET", "datasets"): (_READ, ("Datasets",)),
    ("GET", "datasets/events"): (_READ, ("Datasets",)),
    ("GET", "dags/{dag_id}/dagRuns/{dag_run_id}/upstreamAssetEvents"): (_READ, (*_RUN, "Assets")),
    ("GET", "dags/{dag_id}/dagRuns/{dag_run_id}/upstreamDatasetEvents"): (_READ, (*_RUN, "Datasets")),
    ("GET", "dags/{dag_id}/assets/queuedEvents"): (_READ, ("DAGs", "Assets")),
    ("GET", "dags/{dag_id}/datasets/queuedEvent"): (_READ, ("DAGs", "Datasets")),
    ("POST", "assets/{asset_id}/materialize"): (_CREATE, (*_RUN, "Assets")),
    ("GET", "providers"): (_READ, ("Providers",)),
    ("GET", "eventLogs"): (_READ, ("DAGs", "Audit Logs")),
    ("GET", f"{_ONE}/dependencies"): (_READ, _TASK_INSTANCE),
    ("GET", f"{_ONE}/{{map_index}}/dependencies"): (_READ, _TASK_INSTANCE),
    ("GET", f"{_ONE}"): (_READ, _TASK_INSTANCE),
    ("GET", f"{_ONE}/{{map_index}}"): (_READ, _TASK_INSTANCE),
    ("GET", f"{_ONE}/tries"): (_READ, _TASK_INSTANCE),
    ("GET", f"{_ONE}/{{map_index}}/tries"): (_READ, _TASK_INSTANCE),
    ("GET", f"{_ONE}/listMapped"): (_READ, _TASK_INSTANCE),
    ("GET", f"{_ONE}/xcomEntries"): (_READ, _XCOM),
    ("GET", f"{_RUN_TASKS}/~/xcomEntries"): (_READ, _XCOM),
    ("GET", f"{_ONE}/xcomEntries/{{xcom_key}}"): (_READ, _XCOM),
    ("GET", f"{_ONE}/logs/{{try_number}}"): (_READ, _LOG),
    ("GET", "backfills"): (_READ, _RUN),
    ("GET", "backfills/{backfill_id}"): (_READ, _RUN),
    ("GET", "dags/{dag_id}/dagRuns/~/hitlDetails"): (_READ, _DECISION),
    ("GET", "dags/~/dagRuns/~/hitlDetails"): (_READ, _DECISION),
    ("GET", f"{_ONE}/{{map_index}}/hitlDetails"): (_READ, _DECISION),
    ("PATCH", "dags/{dag_id}"): (_EDIT, _DAG),
    ("POST", _RUNS): (_CREATE, _RUN),
    ("PATCH", f"{_RUNS}/{{dag_run_id}}"): (_EDIT, _RUN),
    ("PATCH", f"{_RUNS}/{{dag_run_id}}/setNote"): (_EDIT, _RUN),
    ("DELETE", f"{_RUNS}/{{dag_run_id}}"): (_DELETE, _RUN),
    ("PATCH", f"{_ONE}/{{map_index}}/hitlDetails"): (_EDIT, _DECISION),
    ("POST", "backfills"): (_CREATE, _RUN),
    ("PUT", "backfills/{backfill_id}/pause"): (_EDIT, _RUN),
    ("PUT", "backfills/{backfill_id}/unpause"): (_EDIT, _RUN),
    ("PUT", "backfills/{backfill_id}/cancel"): (_EDIT, _RUN),
    # Their dry runs take as much.
    ("POST", "backfills/dry_run"): (_CREATE, _RUN),
    ("POST", "dags/{dag_id}/clearTaskInstances"): (_EDIT, _TASK_INSTANCE),
    ("POST", "dags/{dag_id}/updateTaskInstancesState"): (_EDIT, _TASK_INSTANCE),
    **{
        ("PATCH", f"{_ONE}{end}"): (_EDIT, _TASK_INSTANCE)
        for end in ("", "/dry_run", "/setNote", "/{map_index}", "/{map_index}/dry_run", "/{map_index}/setNote")
    },
}
"""By method and route, as of Airflow 2.8. A route that is not here cannot be called."""


def needed(method: str, route: str, dialect: Dialect) -> str:
    """What a user needs for a call, in the words of the auth managers that this Airflow may have."""
    action, resources = PERMISSIONS[method, route]
    if not resources:
        return ""
    # FAB has whoever makes or deletes what is in a DAG edit the DAG.
    on_dag = action if action == _READ else _EDIT
    fab = ", ".join(f"can {on_dag if resource == 'DAGs' else action} on {resource}" for resource in resources)
    # Airflow 2 has FAB's roles; Airflow 3 does not tell which auth manager it has.
    role = "op" if any((action, resource) in _OPS for resource in resources) else _ROLES[action]
    return f"{fab} (FAB), or the role {role} (simple auth manager)" if dialect.name == "v2" else fab
