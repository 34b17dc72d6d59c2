"""For each tool, arguments that work: what the tables of ids, permissions and roles are derived from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from airflow_mcp.models.page import Page, row_of
from airflow_mcp.tools.toolsets import ALL_TOOLS

Arguments = dict[str, Any]

IDS = ("dag_id", "dag_run_id", "other_dag_run_id", "task_id", "task_ids", "file_token", "xcom_key")


DAG = {"dag_id": "history"}
RUN = {**DAG, "dag_run_id": "a run"}
OTHER_RUN = "another run"
CHANGES: Mapping[str, Arguments] = {
    "patch_dag": {**DAG, "is_paused": False},
    "clear_task_instances": {**RUN, "task_ids": ["first"], "only_failed": False},
    "set_task_instances_state": {**RUN, "task_id": "first", "new_state": "failed"},
}
EXAMPLES: Mapping[str, Arguments] = {
    "compare_dag_runs": {**RUN, "other_dag_run_id": OTHER_RUN},
    "diagnose_dag_run": RUN,
    "explain_dag_state": {**RUN, "task_id": "first"},
    "find_failures": DAG,
    "find_flaky_tasks": DAG,
    "get_health": {},
    "resolve_url": {"url": "/dags/history/runs/a%20run/tasks/first"},
    "get_dags": {},
    "get_dag": DAG,
    "get_dag_details": DAG,
    "get_dag_source": DAG,
    "get_tasks": DAG,
    "get_task": {**DAG, "task_id": "first"},
    "get_task_log": {**RUN, "task_id": "first", "max_characters": 2000},
    **{
        name: arguments
        for change, previewed in CHANGES.items()
        for name, arguments in ((f"preview_{change}", previewed), (change, {**previewed, "confirm": True}))
    },
    "get_dag_runs": DAG,
    "get_dag_run": RUN,
    "get_task_instances": {**RUN, "task_id": "first", "state": ["failed", "upstream_failed"]},
    "get_task_instance": {**RUN, "task_id": "first"},
    "get_xcom_entries": {**RUN, "task_id": "first"},
    "get_xcom": {**RUN, "task_id": "first", "xcom_key": "return_value"},
    "get_import_errors": {},
    "get_event_logs": DAG,
}


def examples(dag_id: str = "history", dag_run_id: str = "a run", task_id: str = "first") -> dict[str, Arguments]:
    """The same with these ids."""
    ids = {"dag_id": dag_id, "dag_run_id": dag_run_id, "task_id": task_id, "task_ids": [task_id]}
    dag, run, task = (quote(each, safe="") for each in (dag_id, dag_run_id, task_id))
    ids["url"] = f"/dags/{dag}/runs/{run}/tasks/{task}"
    return {
        tool: {name: ids.get(name, value) for name, value in arguments.items()} for tool, arguments in EXAMPLES.items()
    }


def lists(ids: Mapping[str, str]) -> dict[str, Any]:
    """Every list that a tool gives, with one row that has these ids, and something in all that a row must have."""
    plain: dict[Any, Any] = {str: "x", int: 1, bool: True, datetime: "2026-11-21T00:00:00Z"}
    pages = [spec.answer for spec in ALL_TOOLS if issubclass(spec.answer, Page)]
    return {
        str(page.model_fields["rows"].alias): [
            {
                name: plain.get(field.annotation)
                for name, field in row_of(page).model_fields.items()
                if field.is_required()
            }
            | dict(ids)
        ]
        for page in pages
    }


POOL = {"name": "default_pool", "slots": 9, "open_slots": 9, "occupied_slots": 0}


def agreeable(ids: Mapping[str, str], version: str, map_index: int = -1) -> dict[str, Any]:
    """What an Airflow that has these ids, and does as it is told, answers to each request of these examples."""
    return {
        **lists(ids),
        **ids,
        "is_paused": True,
        "owners": ["ana"],
        "content": "x = 1\n",
        "version": version,
        "dags": [{"dag_id": ids["dag_id"], "is_paused": False, "owners": ["ana"]}],
        "dag_runs": [{**ids, "state": "failed", "start_date": None, "logical_date": "2026-11-21T00:00:00Z"}],
        "import_errors": [
            {"filename": "broken.py", "timestamp": "2026-11-21T00:00:00Z", "stack_trace": f"in {ids['dag_id']}"}
        ],
        "tasks": [{"task_id": ids["task_id"], "downstream_task_ids": []}],
        "task_instances": [
            {**ids, "map_index": map_index, "state": "upstream_failed", "try_number": 8, "pool": "default_pool"}
        ],
        **POOL,
        "pools": [POOL],
        "scheduler": {"status": "healthy"},
        **{name: {"all": ["s3://orders"]} for name in ("asset_expression", "dataset_expression")},
        **{
            name: [
                {
                    "uri": "s3://orders",
                    dags: [{"dag_id": "reports"}],
                    "producing_tasks": [{"dag_id": ids["dag_id"], "task_id": ids["task_id"]}],
                }
            ]
            for name, dags in (("assets", "scheduled_dags"), ("datasets", "consuming_dags"))
        },
        "event_logs": [
            {"event_log_id": 1, "when": "2026-11-21T00:00:00Z", "event": "heartbeat timeout", "extra": "no heartbeat"}
        ],
        "queued_events": [{"asset_id": 1, "uri": "s3://orders"}],
        "state": "failed",
        "try_number": 9,
        "extra_links": {},
        "dependencies": [{"name": "Dag Not Paused", "reason": "it is paused"}],
        "key": "return_value",
        "value": 1,
        "logical_date": "2026-11-21T00:00:00Z",
        "total_entries": 1,
        "access_token": "token",
    }


ID_ARGUMENTS = [(spec.name, name) for spec in ALL_TOOLS for name in spec.arguments.model_fields if name in IDS]
"""Each tool with each of its arguments that is an id."""


def with_id(arguments: Arguments, name: str, value: str) -> Arguments:
    """These arguments with another id; a file token stands in place of a DAG's id."""
    others = {key: value for key, value in arguments.items() if (name, key) != ("file_token", "dag_id")}
    return {**others, name: [value] if name == "task_ids" else value}
