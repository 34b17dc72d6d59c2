"""Calls of every tool with every option: recorded on the real servers, replayed by the unit tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_mcp.airflow.dialect import DIALECTS

Call = tuple[str, dict[str, Any]]


IN_BOTH = ["shapes", "etl", "files", "report", "broken", "runs", "stuck"]
"""Of DAGs that Airflow 2 has as well."""


def reads() -> Iterator[Call]:
    """Calls that need no run."""
    yield "get_dags", {"tags": IN_BOTH}
    yield "get_dags", {"tags": IN_BOTH, "limit": 2, "offset": 1, "order_by": "-dag_id", "fields": ["fileloc"]}
    yield "get_dags", {"tags": ["shapes", "etl"], "dag_id_pattern": "s", "paused": True, "only_active": False}
    yield "get_dags", {"owners": ["ana"]}
    yield "get_dags", {"dag_id_pattern": "no such dag"}
    yield "get_dags", {"paused": False, "dag_id_pattern": "mapped_group"}
    yield "get_dags", {"tags": IN_BOTH, "offset": 90}
    yield "get_dag", {"dag_id": "sales_etl"}
    yield "get_dag", {"dag_id": "отчёт.v1", "fields": ["tags"]}
    yield "get_dag", {"dag_id": "no_such_dag"}
    yield "get_dag_details", {"dag_id": "sales_etl"}
    yield "get_dag_details", {"dag_id": "отчёт.v1", "fields": ["doc_md", "params"]}
    yield "get_dag_source", {"dag_id": "sales_etl", "start_line": 40, "end_line": 45}
    yield "get_dag_source", {"dag_id": "load_files"}
    yield "get_tasks", {"dag_id": "diamond"}
    yield "get_tasks", {"dag_id": "diamond", "order_by": "-task_id", "limit": 2, "offset": 1}
    yield "get_tasks", {"dag_id": "diamond", "order_by": "colour"}
    yield "get_dag_runs", {"limit": 3, "fields": ["conf", "note"]}
    yield "get_dag_runs", {"dag_id": "history", "state": ["failed", "success"], "limit": 2}
    yield "get_dag_runs", {"dag_id": "load_files", "start_date_gte": "2020-01-01T00:00:00Z", "offset": 90}
    yield "get_dag_runs", {"dag_id": "no_such_dag"}
    yield "get_dag_runs", {"run_type": ["backfill"]}
    yield "get_dag_run", {"dag_id": "history"}
    yield "get_dag_run", {"dag_id": "history", "dag_run_id": "no such run"}
    yield "get_task", {"dag_id": "load_files", "task_id": "load_file"}
    yield "get_task", {"dag_id": "load_files", "task_id": "load_fil"}
    yield "get_assets", {"uri_pattern": "s3://lake/"}
    yield "get_assets", {"dag_ids": ["reads_both", "makes_orders"], "limit": 1}
    yield "get_assets", {"dag_ids": ["no_such_dag"]}
    yield "get_asset_events", {"uri": "s3://lake/rates.parquet"}
    yield "get_asset_events", {"uri": "s3://lake/rates"}
    yield "get_asset_events", {"source_dag_id": "makes_orders"}
    yield "get_queued_asset_events", {"dag_id": "reads_both"}
    yield "get_queued_asset_events", {"dag_id": "history"}
    yield "get_backfills", {"dag_id": "every_day"}
    yield "get_hitl_details", {}
    yield "get_hitl_details", {"dag_id": "history", "answered": True}


def questions(runs: Mapping[str, str]) -> Iterator[Call]:
    """What an operator asks of the recorded runs."""
    yield "diagnose_dag_run", {"dag_id": "load_files", "dag_run_id": runs["load_files"]}
    yield "diagnose_dag_run", {"dag_id": "history", "dag_run_id": runs["history"]}
    yield "diagnose_dag_run", {"dag_id": "diamond"}
    yield "explain_dag_state", {"dag_id": "history"}
    yield "explain_dag_state", {"dag_id": "load_files"}
    yield "get_health", {}
    run_id = runs["load_files"].replace("+", "%2B")
    yield (
        "resolve_url",
        {"url": f"{runs['url']}/dags/load_files/grid?dag_run_id={run_id}&task_id=load_file&map_index=2"},
    )
    yield "resolve_url", {"url": "https://another.example.com/dags/load_files/grid"}
    yield "wait_for_dag_run", {"dag_id": "load_files", "dag_run_id": runs["load_files"]}


def administration() -> Iterator[Call]:
    """How the instance is set up."""
    yield "get_import_errors", {}
    yield "get_import_errors", {"filename_pattern": "sales"}
    yield "get_pools", {}
    yield "get_variables", {"key_pattern": "no such key"}
    yield "get_variables", {}
    yield "get_connections", {"connection_id_pattern": "no such connection"}
    yield "get_connections", {"limit": 2}
    yield "get_config_option", {"section": "core", "option": "parallelism"}
    yield "get_config_option", {"section": "core", "option": "no_such_option"}
    yield "get_providers", {"name_pattern": "common-sql"}
    yield "get_version", {}
    yield "get_event_logs", {"dag_id": "history", "limit": 2}
    yield "get_event_logs", {"dag_id": "history", "before": "2020-01-01T00:00:00Z"}
    yield "set_pool_slots", {"pool": "default_pool", "slots": 100, "confirm": False}
    yield "set_pool_slots", {"pool": "default_pol", "slots": 100, "confirm": False}


def previews(runs: Mapping[str, str]) -> Iterator[Call]:
    """Previews of changes of the recorded runs."""
    yield "patch_dag", {"dag_id": "mapped_group", "is_paused": False, "confirm": False}
    days = {"dag_id": "every_day", "from_date": "2026-02-01T00:00:00Z", "to_date": "2026-02-03T00:00:00Z"}
    yield "create_backfill", {**days, "confirm": False}
    for action in ("pause", "unpause", "cancel"):
        yield f"{action}_backfill", {"backfill_id": 9999, "confirm": False}
    decision = {"dag_id": "history", "dag_run_id": runs["history"], "task_id": "first", "chosen_options": ["yes"]}
    yield "respond_hitl", {**decision, "confirm": False}
    yield "materialize_asset", {"uri": "s3://lake/orders.parquet", "confirm": False}
    yield "materialize_asset", {"uri": "s3://lake/rates.parquet", "confirm": False}
    yield "get_upstream_asset_events", {"dag_id": "history", "dag_run_id": runs["history"]}
    failed = {"dag_id": "load_files", "dag_run_id": runs["load_files"], "confirm": False}
    yield "clear_task_instances", failed
    yield "clear_task_instances", {**failed, "task_ids": ["load_file[2]", "list_files"]}
    yield "clear_task_instances", {**failed, "task_ids": ["load_file[1]"], "only_failed": False}
    yield "clear_task_instances", {**failed, "task_ids": ["load_file[9]"]}
    yield "clear_task_instances", {**failed, "only_failed": False, "only_running": True}
    dated = {"start_date": "2026-01-01T00:00:00Z", "end_date": "2030-01-01T00:00:00Z"}
    yield "clear_task_instances", {"dag_id": "load_files", **dated, "confirm": False}
    relatives = {"include_upstream": True, "include_downstream": True}
    others = {"include_future": True, "include_past": True}
    history = {"dag_id": "history", "dag_run_id": runs["history"], "confirm": False}
    yield "clear_task_instances", {**history, "task_ids": ["first"], "only_failed": False, **relatives, **others}
    yield "set_task_instances_state", {**history, "task_id": "first", "new_state": "success"}
    yield "set_task_instances_state", {**history, "task_id": "last", "new_state": "failed", **relatives, **others}
    yield "set_task_instances_state", {**history, "task_id": "part", "new_state": "skipped"}
    yield "trigger_dag_run", {"dag_id": "history", "conf": '{"full": true}', "confirm": False}
    yield "trigger_dag_run", {"dag_id": "with_params", "conf": '{"day": "2026-01-31", "row": 1}', "confirm": False}
    yield "trigger_dag_run", {"dag_id": "with_params", "confirm": False}
    yield "trigger_dag_run", {"dag_id": "history", "dag_run_id": runs["history"], "confirm": False}
    yield "set_dag_run_state", {**history, "state": "failed"}
    yield "set_dag_run_note", {**history, "note": "recorded"}
    yield "clear_dag_run", history
    yield "delete_dag_run", history
    yield "set_task_instance_note", {**history, "task_id": "first", "note": "seen"}
    yield "set_task_instance_note", {**history, "task_id": "part", "note": "seen"}
    yield (
        "set_task_instances_state",
        {"dag_id": "history", "logical_date": runs["logical_date"], "task_id": "part", "map_index": 1}
        | {"new_state": "success", "confirm": False},
    )


def instances(runs: Mapping[str, str]) -> Iterator[Call]:
    """What the recorded runs' tasks did."""
    run = {"dag_id": "load_files", "dag_run_id": runs["load_files"]}
    yield "get_task_instances", {**run, "state": ["failed", "upstream_failed"], "fields": ["pool", "operator"]}
    yield "get_task_instances", {"dag_id": "history", "state": ["no_status"], "limit": 2, "task_ids": ["first"]}
    yield "get_task_instances", {**run, "pool": ["no such pool"]}
    yield "get_task_log", {**run, "task_id": "load_file", "map_index": 2}
    yield "get_task_log", {**run, "task_id": "list_files", "show": "tail"}
    yield "get_task_log", {**run, "task_id": "load_fil"}
    yield "get_task_instance", {**run, "task_id": "load_file"}
    yield "get_task_instance", {**run, "task_id": "load_file", "map_index": 2, "rendered_fields": True}
    yield "get_task_instance", {**run, "task_id": "load_file", "map_index": 9}
    yield "get_task_instance", {**run, "task_id": "list_files", "try_number": 1}
    yield "get_task_instance", {**run, "task_id": "load_fil"}
    yield "get_xcom_entries", {**run, "limit": 2, "offset": 1}
    yield "get_xcom_entries", {**run, "task_id": "load_file", "map_index": 1}
    yield "get_xcom_entries", {**run, "task_id": "summarize"}
    yield "get_xcom", {**run, "task_id": "list_files"}
    yield "get_xcom", {**run, "task_id": "load_file", "map_index": 1}
    yield "get_xcom", {**run, "task_id": "load_file", "key": "no such key"}


def changes(version: str, runs: Mapping[str, str]) -> Iterator[Call]:
    """Changes, with every option that this version of Airflow has."""
    yield "patch_dag", {"dag_id": "mapped_group", "is_paused": False, "confirm": True}
    run = {"dag_id": "history", "dag_run_id": runs["history"], "confirm": True}
    yield "set_task_instances_state", {**run, "task_id": "first", "new_state": "failed"}
    yield "set_task_instances_state", {**run, "task_id": "part", "map_index": 1, "new_state": "failed"}
    yield "set_task_instances_state", {**run, "task_id": "part", "new_state": "success", "include_downstream": True}
    yield "set_task_instance_note", {**run, "task_id": "first", "note": "seen"}
    yield "set_task_instance_note", {**run, "task_id": "part", "map_index": 1, "note": ""}
    yield "set_task_instance_note", {**run, "task_id": "part", "map_index": 1, "note": "seen"}
    options: dict[int, dict[str, Any]] = {
        2: {"include_subdags": False, "include_parentdag": False},
        3: {"run_on_latest_version": False, "prevent_running_task": True, "note": "recorded"},
    }
    major = int(version[0])
    lacks = DIALECTS[f"v{major - 1}"].of(version).lacks
    own = {name: value for name, value in options[major].items() if name not in lacks}
    yield "clear_task_instances", {**run, "reset_dag_runs": False, **own}
    new = {"dag_id": "history", "dag_run_id": "recorded", "logical_date": "2026-02-03T05:00:00Z", "note": "recorded"}
    yield "set_pool_slots", {"pool": "default_pool", "slots": 100, "confirm": True}
    yield "trigger_dag_run", {**new, "confirm": True}
    yield "set_dag_run_note", {**run, "note": "recorded"}
    yield "clear_dag_run", {**run, "only_failed": True}
    yield "set_dag_run_state", {**run, "state": "success"}
    yield "delete_dag_run", run


def calls(version: str, runs: Mapping[str, str]) -> list[Call]:
    """All of them, in the order in which they are recorded and replayed."""
    version_only: dict[int, list[Call]] = {
        2: [("get_dag_source", {"file_token": runs["file_token"], "end_line": 5})],
        3: [("get_dag_source", {"dag_id": "sales_etl", "version_number": 1, "end_line": 5})],
    }
    return [
        *reads(),
        *version_only[int(version[0])],
        *instances(runs),
        *questions(runs),
        *administration(),
        *previews(runs),
        *changes(version, runs),
    ]
