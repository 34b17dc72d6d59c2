"""find_failures: what failed since a time, by DAG and error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dags import require_dag
from airflow_mcp.airflow.last_runs import last_run_states
from airflow_mcp.airflow.links import Links
from airflow_mcp.airflow.task_instance_lists import InstanceRow, find_instances, latest_first
from airflow_mcp.diagnosis.failure import Failure, read_failures
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.diagnosis.words import counted
from airflow_mcp.models.failures import FailureGroup, FailureList

DEFAULT = timedelta(hours=24)
MOST_LOGS = 20
MOST_GROUPS = 30
CHARACTERS = 300
"""Of a log that are kept to name its error."""
LONGEST_ERROR = 160


async def find_failures(api: Api, since: datetime | None = None, dag_id: str | None = None) -> FailureList:
    """The task instances that started since a time and failed, by DAG and error: the newest log of each task is read.

    At most MOST_LOGS are. Routes: POST /dags/~/dagRuns/~/taskInstances/list, those of logs, and POST
    /dags/~/dagRuns/list for how each DAG stands now. Raises NotFoundError for an unknown DAG.
    """
    start = since or datetime.now(UTC) - DEFAULT
    rows, total = await _failed(api, start, dag_id)
    if not rows and dag_id:
        await require_dag(api, dag_id)
    parts = Parts()
    newest = _newest_of_each_task(rows)
    read = await read_failures(api, parts, "a log", newest[:MOST_LOGS], CHARACTERS)
    errors = {(each.row.dag_id, each.row.task_id): each for each in read}
    seen = await parts.look({"last runs": lambda: last_run_states(api, sorted({row.dag_id for row in rows}))})
    groups = _groups(api.links, rows, errors, seen["last runs"] or {})
    return FailureList(
        summary=_summary(groups, len(rows), total),
        since=start,
        failures=groups[:MOST_GROUPS] or None,
        not_seen=[*parts.not_seen, *_left(newest, groups, len(rows), total)] or None,
    )


async def _failed(api: Api, start: datetime, dag_id: str | None) -> tuple[list[InstanceRow], int]:
    """Those that failed, the latest start first; and how many there are."""
    of_dag = {"dag_ids": [dag_id]} if dag_id else {}
    window = {"start_date_gte": start.astimezone(UTC).isoformat(), "state": ["failed"]}
    found, total = await find_instances(api, {**of_dag, **window, **latest_first(api)})
    # Airflow 3 finds those without a start in any window.
    rows = [row for row in found if row.start_date]
    return sorted(rows, key=_started, reverse=True), total - len(found) + len(rows)


def _started(row: InstanceRow) -> datetime:
    return row.start_date or datetime.min.replace(tzinfo=UTC)


def _newest_of_each_task(rows: Sequence[InstanceRow]) -> list[InstanceRow]:
    found: dict[tuple[str, str], InstanceRow] = {}
    for row in rows:
        found.setdefault((row.dag_id, row.task_id), row)
    return list(found.values())


def _groups(
    links: Links,
    rows: Sequence[InstanceRow],
    errors: Mapping[tuple[str, str], Failure],
    last: Mapping[str, str | None],
) -> list[FailureGroup]:
    """By DAG and error, in the order of the rows; a task whose log was not read is by itself."""
    grouped: dict[tuple[str, str], list[InstanceRow]] = {}
    for row in rows:
        failure = errors.get((row.dag_id, row.task_id))
        grouped.setdefault((row.dag_id, failure.signature if failure else f"task {row.task_id}"), []).append(row)
    return [_group(links, group, errors, last) for group in grouped.values()]


def _group(
    links: Links,
    rows: Sequence[InstanceRow],
    errors: Mapping[tuple[str, str], Failure],
    last: Mapping[str, str | None],
) -> FailureGroup:
    newest, oldest = rows[0], rows[-1]
    failure = errors.get((newest.dag_id, newest.task_id))
    return FailureGroup(
        dag_id=newest.dag_id,
        tasks=list(dict.fromkeys(row.task_id for row in rows)),
        error=failure.error[:LONGEST_ERROR] if failure else None,
        runs=len({row.dag_run_id for row in rows}),
        task_instances=len(rows),
        first=oldest.start_date,
        last=newest.start_date,
        last_run_id=newest.dag_run_id,
        now=last.get(newest.dag_id) or "unknown",
        url=links.to(newest.dag_id, newest.dag_run_id, newest.task_id, newest.map_index),
    )


def _summary(groups: Sequence[FailureGroup], number: int, total: int) -> str:
    if not groups:
        return "No task instance that started since has failed."
    dags = {group.dag_id for group in groups}
    failing = {group.dag_id for group in groups if group.now == "failed"}
    some = f", of which {number} were looked at" if total > number else ""
    failed = f"{counted(total, 'task instance')} failed{some}, in {counted(len(dags), 'DAG')}"
    return f"{failed}; the last run of {len(failing)} of these has failed."


def _left(newest: Sequence[InstanceRow], groups: Sequence[FailureGroup], number: int, total: int) -> list[str]:
    found = []
    if len(newest) > MOST_LOGS:
        found.append(f"The logs of {len(newest) - MOST_LOGS} more tasks were not read.")
    if len(groups) > MOST_GROUPS:
        found.append(f"{len(groups) - MOST_GROUPS} more groups are not listed: give dag_id, or a later since.")
    if total > number:
        found.append(f"{total - number} more failed task instances were not looked at: give dag_id, or a later since.")
    return found
