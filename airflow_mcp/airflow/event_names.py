"""The names that Airflow's event log has for what is done: they differ by release, and by where it was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from airflow_mcp.models.states import NO_STATUS, TASK_STATES
from airflow_mcp.release import Release

BY_API_IN_2 = ("api.", "ui.")
"""What Airflow 2 puts before the name of what came over its REST API, the second where its own pages sent it."""

NAMES: Mapping[str, Sequence[str]] = {
    "clear": (
        *("post_clear_task_instances", "clear_dag_run", "clear_dag_runs", "clear_dag_run_partitions"),
        *("clear", "dagrun_clear", "action_clear", "action_clear_downstream", "cli_task_clear", "cli_dag_clear"),
    ),
    "set_state": (
        *("patch_task_instance", "patch_mapped_task_instance", "post_set_task_instances_state"),
        *("patch_task_group_instances", "patch_dag_run", "bulk_dag_runs", "update_dag_run_state", "set_dag_run_note"),
        *("set_task_instance_note", "dagrun_failed", "dagrun_success", "dagrun_queued"),
        *(f"action_set_{state}" for state in ("failed", "success", "running", "queued", "retry", "skipped")),
    ),
    "trigger": (
        *("trigger_dag_run", "post_dag_run", "trigger", "materialize_asset", "create_backfill"),
        *("cli_dag_trigger", "cli_dag_backfill", "cli_create_backfill", "cli_asset_materialize"),
    ),
    "pause": ("patch_dag", "patch_dags", "paused", "cli_dag_pause", "cli_dag_unpause"),
    "delete": (
        *("delete_dag", "delete_dag_run", "delete", "action_muldelete", "cli_dag_delete"),
        *("delete_variable", "variable.delete", "delete_connection", "connection.delete"),
        *("delete_pool", "pool.delete", "cli_variables_delete", "cli_connections_delete", "cli_pool_delete"),
    ),
    "variable": (
        *("post_variable", "patch_variable", "delete_variable", "bulk_variables"),
        *("variable.create", "variable.edit", "variable.delete", "variable.varimport"),
        *("cli_variables_set", "cli_variables_delete", "cli_variables_import"),
    ),
    "connection": (
        *("post_connection", "patch_connection", "delete_connection", "bulk_connections"),
        *("create_default_connections", "connection.create", "connection.edit", "connection.delete"),
        *("cli_connections_add", "cli_connections_delete", "cli_connections_import"),
    ),
    "pool": (
        *("post_pool", "patch_pool", "delete_pool", "bulk_pools", "pool.create", "pool.edit", "pool.delete"),
        *("cli_pool_set", "cli_pool_delete", "cli_pool_import"),
    ),
}
"""What can be asked for, and what Airflow 2 and 3 call it: in the REST API, on the pages of 2, on the command line."""

LOOKS = (
    *("get_task_instances_batch", "confirm", "robots"),
    *(
        f"cli_{name}"
        for name in (
            *("scheduler", "triggerer", "dag_processor", "api_server", "webserver", "internal_api", "standalone"),
            *("worker", "stop_worker", "flower", "kerberos", "check", "shell", "generate_pod_yaml"),
            *("dag_details", "dag_list_dags", "dag_list_dag_runs", "dag_list_import_errors", "dag_list_jobs"),
            *("dag_next_execution", "dag_report", "dag_state", "dag_test", "asset_details", "asset_list"),
            *("task_run", "task_list", "task_render", "task_state", "task_states_for_dag_run", "task_test"),
            *("task_failed_deps", "export_archived", "team_list"),
        )
    ),
)
"""What changes nothing: looks, and Airflow's processes as they start."""
MARKS = ("success", "failed")
"""What a page of Airflow 2 logs where somebody marks a task; a task logs the same of itself."""
OF_TASKS = tuple(state for state in TASK_STATES if state != NO_STATUS)
"""What each task instance logs of itself: the states that it comes to."""
UNASKED = (*OF_TASKS, *LOOKS)
"""What stays out unless it is asked for by name."""
TO_TASKS = frozenset((*NAMES["clear"], *NAMES["set_state"]))
"""What changes task instances."""


def names_of(release: Release, wanted: Iterable[str]) -> list[str]:
    """The names to look for: those of each kind of event that is wanted, and what is no kind as it is."""
    names = [name for each in wanted for name in NAMES.get(each, (each,))]
    if release < (3, 0):
        names += [f"{where}{name}" for where in BY_API_IN_2 for name in names if not name.startswith(("api.", "ui."))]
    return list(dict.fromkeys(names))


def plain(event: str) -> str:
    """The name of an event without where it came from."""
    return event.removeprefix("api.").removeprefix("ui.")
