"""A page of Airflow's event log: who asked for what."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.event_log_extra import fields_of, is_dry_run, told
from airflow_mcp.airflow.event_log_reads import AT_ONCE, Logged, in_order, latest, marks_in_2, page_with
from airflow_mcp.airflow.event_names import MARKS, NAMES, TO_TASKS, UNASKED, names_of, plain
from airflow_mcp.models.event_logs import EventLog, EventLogList
from airflow_mcp.text.clean import one_line

LOOKED_THROUGH = 500
"""The latest events of a DAG, among which those of a run or a task are looked for."""

TAKES_AT_MOST = timedelta(seconds=5)
"""From the event of a trigger to the time in the id of its run."""


async def list_event_logs(
    api: Api,
    *,
    dag_id: str | None = None,
    dag_run_id: str | None = None,
    task_id: str | None = None,
    event: Sequence[str] | None = None,
    owner: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 25,
    offset: int = 0,
) -> EventLogList:
    """A page of the events that match, the latest first; by default of what somebody did.

    Route: GET /eventLogs. Airflow before 2.9 cannot leave out what tasks log.
    """
    names = names_of(api.release, event) if event else UNASKED
    given: dict[str, Any] = {
        "dag_id": dag_id,
        "owner": owner,
        "included_events" if event else "excluded_events": [*names] if api.release >= (3, 0) else ",".join(names),
        **{name: at.astimezone(UTC).isoformat() for name, at in (("after", since), ("before", until)) if at},
    }
    query = {name: value for name, value in given.items() if value is not None}
    hidden = api.release < (3, 0) and (not event or ("set_state" in event and not {*MARKS} & {*event}))
    marks = await marks_in_2(api, query) if hidden else []
    if dag_run_id or task_id:
        # Airflow itself does not find by these what names them in its `extra` alone, as a clear does.
        seen, there = await latest(api, query, 0, LOOKED_THROUGH)
        events = in_order([*seen, *marks])
        trigger = _trigger(events, dag_run_id) if dag_run_id and not task_id else None
        found = [each for each in events if each is trigger or _may_be_of(each, dag_run_id, task_id)]
        logged, total = found[offset : offset + limit], len(found)
        missing = f"The latest {len(seen)} of this DAG's {there} events were looked through." * (there > len(seen))
    else:
        logged, total = await page_with(api, query, marks, offset, limit)
        missing = f"Of tasks marked on Airflow's pages only {AT_ONCE} are here." * (len(marks) >= AT_ONCE)
    empty = "" if logged else _why_empty(event)
    rows = [_row(api, each) for each in logged]
    return EventLogList.of(rows, total, offset, " ".join(each for each in (missing, empty) if each) or None)


def _may_be_of(logged: Logged, dag_run_id: str | None, task_id: str | None) -> bool:
    """Whether it names the run and the task, or names none but changes task instances."""
    fields, runs = fields_of(logged.extra), _runs_of(logged)
    tasks = {logged.task_id, *_texts(fields.get("task_id")), *_texts(fields.get("task_ids"))} - {None}
    unnamed = plain(logged.event) in TO_TASKS
    of_run = dag_run_id is None or (dag_run_id in runs if runs else unnamed)
    return of_run and (task_id is None or (task_id in tasks if tasks else unnamed))


def _trigger(events: Sequence[Logged], dag_run_id: str) -> Logged | None:
    """The trigger that named no run, nearest to the time that stands in the id which Airflow then makes up."""
    with suppress(ValueError):
        made = datetime.fromisoformat(dag_run_id.partition("__")[2].partition("_")[0])
        if made.tzinfo is not None:
            triggers = [each for each in events if plain(each.event) in NAMES["trigger"] and not _runs_of(each)]
            near = [each for each in triggers if abs(made - each.when) < TAKES_AT_MOST]
            return min(near, key=lambda each: abs(made - each.when), default=None)
    return None


def _runs_of(logged: Logged) -> set[str | None]:
    """The runs that it names."""
    fields = fields_of(logged.extra)
    return {logged.dag_run_id, *_texts(fields.get("dag_run_id")), *_texts(fields.get("dag_run_ids"))} - {None}


def _texts(value: Any) -> list[str]:
    """An id, or ids; a task's may stand with its map index."""
    values = value if isinstance(value, list) else [value]
    firsts = (each[0] if isinstance(each, list) and each else each for each in values)
    return [each for each in firsts if isinstance(each, str)]


def _row(api: Api, logged: Logged) -> EventLog:
    fields = fields_of(logged.extra)
    run_id, task_id = (fields.get(name) for name in ("dag_run_id", "task_id"))
    return EventLog(
        when=logged.when,
        event=logged.event,
        owner=logged.owner,
        dag_id=logged.dag_id,
        dag_run_id=logged.dag_run_id or (run_id if isinstance(run_id, str) else None),
        task_id=logged.task_id or (task_id if isinstance(task_id, str) else None),
        map_index=logged.map_index,
        dry_run=is_dry_run(logged.event, fields) or None,
        extra=told(api.release, logged.event, logged.extra),
    )


def _why_empty(event: Sequence[str] | None) -> str:
    if event:
        return (
            f"No such event ({one_line(', '.join(event), 200)}) is logged; without event all that people did is listed."
        )
    return "Nothing that matches is logged. What a task logs of itself is found by event: failed, up_for_retry, …"
