"""Calls of every tool with every option, or its example: recorded on the real servers, replayed by the unit tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from airflow_mcp.release import Release
from tests.examples import examples
from tests.fakes import MARKED

Call = tuple[str, dict[str, Any]]

BROKEN = "from airflow import DAG\n\nimport nope\n"
"""What stands in broken.py, which does not import. Airflow does not look at a file without these words."""

CONSUMER = """\
from datetime import datetime

try:
    from airflow.sdk import DAG, Asset
except ImportError:
    from airflow import DAG
    from airflow.datasets import Dataset as Asset

with DAG("consumer", start_date=datetime(2026, 1, 1), schedule=[Asset("s3://shop/orders"), Asset("s3://shop/prices")]):
    pass
"""
"""What stands in consumer.py."""


def reads() -> Iterator[Call]:
    """Calls that need no run."""
    yield "get_dags", {}
    yield "get_dags", {"limit": 2, "offset": 1, "order_by": "-dag_id", "fields": ["fileloc"]}
    yield "get_dags", {"tags": ["shapes", "etl"], "dag_id_pattern": "s", "paused": True, "only_active": False}
    yield "get_dags", {"owners": ["ana"]}
    yield "get_dags", {"dag_id_pattern": "no such dag"}
    yield "get_dags", {"paused": False, "dag_id_pattern": "mapped_group"}
    yield "get_dags", {"offset": 90}
    yield "get_dags", {"last_run_state": "failed"}
    yield "get_dag", {"dag_id": "sales_etl"}
    yield "get_dag", {"dag_id": "отчёт.v1", "fields": ["tags"]}
    yield "get_dag", {"dag_id": "no_such_dag"}
    yield "get_dag_details", {"dag_id": "sales_etl"}
    yield "get_dag_details", {"dag_id": "отчёт.v1", "fields": ["doc_md", "params"]}
    yield "get_dag_source", {"dag_id": "sales_etl", "start_line": 40, "end_line": 45}
    yield "get_dag_source", {"dag_id": "load_files"}
    yield "get_tasks", {"dag_id": "diamond"}
    yield "get_tasks", {"dag_id": "diamond", "order_by": "-task_id", "limit": 2, "offset": 1}
    yield "get_task", {"dag_id": "load_files", "task_id": "load_file"}
    yield "get_task", {"dag_id": "load_files", "task_id": "load_fil"}


def runs_of_dags(runs: Mapping[str, str]) -> Iterator[Call]:
    """Calls about runs, with every filter, which not every Airflow has."""
    yield "get_dag_runs", {"dag_id": "load_files"}
    yield "get_dag_runs", {"state": ["failed", "queued"], "limit": 1, "fields": ["logical_date", "conf"]}
    yield "get_dag_runs", {"dag_id": "load_files", "offset": 90}
    yield "get_dag_runs", {"dag_id": "diamond"}
    yield "get_dag_runs", {"dag_id": "no_such_dag"}
    window = {"since": "2026-02-01T00:00:00Z", "until": "2026-02-02T00:00:00Z"}
    yield "get_dag_runs", {**window, "date_field": "logical_date"}
    for date_field in ("start_date", "end_date"):
        yield "get_dag_runs", {"since": "2026-02-01T00:00:00Z", "date_field": date_field}
    yield "get_dag_runs", {"run_type": "manual"}
    yield "get_dag_runs", {**window, "date_field": "run_after"}
    yield "get_dag_runs", {"triggering_user_name_pattern": "adm%"}
    yield "get_dag_runs", {"conf_contains": "nothing like it"}
    run = {"dag_id": "load_files", "dag_run_id": runs["load_files"]}
    yield "find_failures", {"since": "2026-02-01T00:00:00Z"}
    yield "diagnose_dag_run", run
    yield "diagnose_dag_run", {"dag_id": "failing", "dag_run_id": runs["failing"]}
    yield "diagnose_dag_run", {"dag_id": "diamond"}
    yield "find_flaky_tasks", {}
    yield "find_flaky_tasks", {"dag_id": "diamond", "runs": 10}
    yield "compare_dag_runs", {"dag_id": "load_files"}
    yield "compare_dag_runs", {"dag_id": "history", "dag_run_id": runs["history"], "other_dag_run_id": "made up"}
    yield "get_dag_run", run
    yield "get_dag_run", {"dag_id": "history"}
    yield "get_dag_run", {"dag_id": "diamond"}
    yield "get_dag_run", {"dag_id": "load_files", "dag_run_id": "made up"}
    yield "get_task_instances", run
    yield "get_task_instances", {**run, "state": ["failed", "no_status"], "fields": ["operator", "pool"]}
    yield "get_task_instances", {**run, "task_id": "load_file", "map_index": 2}
    yield "get_task_instances", {**run, "offset": 90}
    yield "get_task_instances", {"dag_id": "load_files", "dag_run_id": "made up"}
    yield "get_task_instances", {"state": ["failed"], "since": "2026-02-01T00:00:00Z", "limit": 1}
    yield "get_task_instances", {"dag_id": "load_files", "task_id": "load_file", "min_duration_seconds": 0}
    yield "get_task_instances", {"dag_id": "load_files", "operator": "_PythonDecoratedOperator", "state": ["failed"]}
    yield "get_task_instance", {**run, "task_id": "load_file", "map_index": 2, "rendered_fields": True}
    yield "get_task_instance", {**run, "task_id": "load_file"}
    yield "get_task_instance", {**run, "task_id": "list_files", "map_index": 2}
    yield "get_task_instance", {**run, "task_id": "list_files"}
    yield "get_task_instance", {**run, "task_id": "no_such_task"}
    waiting = {"dag_id": "history", "dag_run_id": runs["history"]}
    yield "get_task_instance", {**waiting, "task_id": "first"}
    yield "get_task_instance", {**waiting, "task_id": "part", "map_index": 1}
    yield "get_xcom_entries", run
    yield "get_xcom_entries", {**run, "task_id": "load_file", "map_index": 1}
    yield "get_xcom_entries", {**run, "dag_run_id": "made up"}
    yield "get_xcom", {**run, "task_id": "list_files"}
    yield "get_xcom", {**run, "task_id": "load_file", "map_index": 1}
    yield "get_xcom", {**run, "task_id": "load_file"}
    yield "get_task_instances", {"pool": "default_pool", "queue": "default", "until": "2026-01-01T00:00:00Z"}


def logs(runs: Mapping[str, str]) -> Iterator[Call]:
    """Logs of the recorded runs."""
    mapped = {"dag_id": "load_files", "dag_run_id": runs["load_files"], "task_id": "load_file"}
    yield "get_task_log", {**mapped, "map_index": 2, "max_characters": 40_000}
    yield "get_task_log", {**mapped, "map_index": 2, "grep": ["valueerror"]}
    yield "get_task_log", {**mapped, "map_index": 2, "try_number": 9}
    yield "get_task_log", mapped
    waits = {"dag_id": "history", "dag_run_id": runs["history"], "task_id": "first"}
    yield "get_task_log", waits
    yield "get_task_log", {**waits, "try_number": 1}


def states(runs: Mapping[str, str]) -> Iterator[Call]:
    """Calls about what is not running: DAGs, runs that are queued, running and ended, and tasks of them."""
    for dag_id in ("diamond", "history", "failing", "consumer", "broken", "no_such_dag"):
        yield "explain_dag_state", {"dag_id": dag_id}
    for dag_id in ("history", "failing", "load_files"):
        yield "explain_dag_state", {"dag_id": dag_id, "dag_run_id": runs[dag_id]}
    waits = {"dag_id": "failing", "dag_run_id": runs["failing"]}
    for task_id in ("chained", "after", "no_such_task"):
        yield "explain_dag_state", {**waits, "task_id": task_id}
    yield "explain_dag_state", {"dag_id": "history", "dag_run_id": runs["history"], "task_id": "part", "map_index": 1}
    failed = {"dag_id": "load_files", "dag_run_id": runs["load_files"]}
    yield "explain_dag_state", {**failed, "task_id": "load_file"}
    yield "explain_dag_state", {**failed, "task_id": "load_file", "map_index": 9}
    yield "explain_dag_state", {**failed, "task_id": "summarize"}


def links(runs: Mapping[str, str]) -> Iterator[Call]:
    """Links to pages of the UI, of both forms, to what is there and what is not."""
    three = f"/dags/load_files/runs/{quote(runs['load_files'], safe='')}"
    two = f"/dags/load_files/grid?dag_run_id={quote(runs['load_files'], safe='')}"
    for url in (three, f"{three}/tasks/load_file", f"{three}/tasks/load_file/mapped/2?try_number=1", f"{three}0"):
        yield "resolve_url", {"url": url}
    for url in (two, f"{two}&task_id=load_file&map_index=1", f"{two}&task_id=load_file&map_index=9&tab=logs"):
        yield "resolve_url", {"url": url}
    date = quote(runs["logical_date"], safe="")
    yield "resolve_url", {"url": f"/log?dag_id=history&task_id=first&execution_date={date}&map_index=-1"}
    yield "resolve_url", {"url": "/log?dag_id=history&task_id=first&execution_date=2020-01-01T00:00:00Z"}
    for path in ("/dags/history", "/dags/history/code", "/dags/history/tasks/first", "/dags/no_such_dag", "/home"):
        yield "resolve_url", {"url": path}


def previews(runs: Mapping[str, str]) -> Iterator[Call]:
    """Previews of changes of the recorded runs, by both of their tools."""
    yield "preview_patch_dag", {"dag_id": "mapped_group", "is_paused": False}
    failed = {"dag_id": "load_files", "dag_run_id": runs["load_files"]}
    yield "clear_task_instances", {**failed, "confirm": False}
    yield "preview_clear_task_instances", {**failed, "task_ids": ["load_file[2]", "list_files"]}
    yield "preview_clear_task_instances", {**failed, "task_ids": ["load_file[1]"], "only_failed": False}
    yield "preview_clear_task_instances", {**failed, "task_ids": ["load_file[9]"]}
    yield "preview_clear_task_instances", {**failed, "only_failed": False, "only_running": True}
    dated = {"start_date": "2026-01-01T00:00:00Z", "end_date": "2030-01-01T00:00:00Z"}
    yield "preview_clear_task_instances", {"dag_id": "load_files", **dated}
    relatives = {"include_upstream": True, "include_downstream": True}
    others = {"include_future": True, "include_past": True}
    history = {"dag_id": "history", "dag_run_id": runs["history"]}
    yield (
        "preview_clear_task_instances",
        {**history, "task_ids": ["first"], "only_failed": False, **relatives, **others},
    )
    yield "set_task_instances_state", {**history, "task_id": "first", "new_state": "success", "confirm": False}
    yield (
        "preview_set_task_instances_state",
        {**history, "task_id": "last", "new_state": "failed", **relatives, **others},
    )
    yield "preview_set_task_instances_state", {**history, "task_id": "part", "new_state": "skipped"}
    yield (
        "preview_set_task_instances_state",
        {"dag_id": "history", "logical_date": runs["logical_date"], "task_id": "part", "map_index": 1}
        | {"new_state": "success"},
    )


def changes(version: str, runs: Mapping[str, str]) -> Iterator[Call]:
    """Changes, with every option that this version of Airflow has."""
    yield "patch_dag", {"dag_id": "mapped_group", "is_paused": False, "confirm": True}
    run = {"dag_id": "history", "dag_run_id": runs["history"], "confirm": True}
    yield "set_task_instances_state", {**run, "task_id": "first", "new_state": "failed"}
    yield "set_task_instances_state", {**run, "task_id": "part", "map_index": 1, "new_state": "failed"}
    yield "set_task_instances_state", {**run, "task_id": "part", "new_state": "success", "include_downstream": True}
    options: dict[int, dict[str, Any]] = {
        2: {"include_subdags": False, "include_parentdag": False},
        3: {"run_on_latest_version": False, "prevent_running_task": True, "note": "recorded"},
    }
    major = int(version[0])
    release = Release.parse(version)
    assert release
    own = {name: value for name, value in options[major].items() if MARKED[name].mark.allows(release)}
    yield "clear_task_instances", {**run, "reset_dag_runs": False, **own}


def import_errors() -> Iterator[Call]:
    """Calls about DAG files that do not import, of which there is one."""
    yield "get_import_errors", {}
    yield "get_import_errors", {"offset": 90}
    yield "get_import_errors", {"filename_pattern": "brok%"}
    yield "get_import_errors", {"filename_pattern": "no such file"}
    yield "get_dag", {"dag_id": "broken"}


def events(runs: Mapping[str, str]) -> Iterator[Call]:
    """Calls about what was done before."""
    run = {"dag_id": "history", "dag_run_id": runs["history"]}
    yield "get_event_logs", {"dag_id": "history"}
    yield "get_event_logs", {**run, "task_id": "first", "limit": 2, "offset": 1}
    yield "get_event_logs", {"event": ["pause", "running"], "since": "2026-01-01T00:00:00Z", "limit": 2, "offset": 2}
    yield "get_event_logs", {"owner": "nobody", "until": "2026-01-01T00:00:00Z"}
    yield "get_event_logs", {"event": ["no such event"]}


def calls(version: str, runs: Mapping[str, str]) -> list[Call]:
    """All of them, in the order in which they are recorded and replayed."""
    version_only: dict[int, list[Call]] = {
        2: [("get_dag_source", {"file_token": runs["file_token"], "end_line": 5})],
        3: [("get_dag_source", {"dag_id": "sales_etl", "version_number": 1, "end_line": 5})],
    }
    own = [
        *(*reads(), *logs(runs), *version_only[int(version[0])], *runs_of_dags(runs), *states(runs)),
        *links(runs),
        *(*previews(runs), *changes(version, runs), *events(runs)),
        *import_errors(),
    ]
    named = {tool for tool, _ in own}
    others = examples("history", runs["history"]).items()
    return [*own, *((tool, arguments) for tool, arguments in others if tool not in named)]
