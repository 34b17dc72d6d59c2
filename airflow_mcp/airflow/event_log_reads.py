"""Reading Airflow's event log, the latest first, with what Airflow 2's own pages hide among the events of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.event_log import GET
from airflow_mcp.airflow.event_log_extra import fields_of
from airflow_mcp.airflow.event_names import MARKS
from airflow_mcp.airflow.together import together
from airflow_mcp.models.base import Answer
from airflow_mcp.models.event_logs import EventLog

AT_ONCE = 100
BOTH_WAYS = ("extra", "-extra")
"""Databases differ in which order brings what has an `extra` before what has none."""

Query = Mapping[str, Any]


class Logged(EventLog):
    """An event as Airflow has it."""

    event_log_id: int
    extra: str | None = None


class _Page(Answer):
    event_logs: list[Logged]
    total_entries: int


async def latest(api: Api, query: Query, offset: int, most: int) -> tuple[list[Logged], int]:
    """The latest events from an offset on, and how many there are. Route: GET /eventLogs."""
    seen: list[Logged] = []
    while True:
        page: dict[str, Any] = {
            "order_by": "-when",
            "limit": min(AT_ONCE, most - len(seen)),
            "offset": offset + len(seen),
        }
        answer = await api.read(GET, _Page, query={**query, **page})
        seen += answer.event_logs
        if not answer.event_logs or len(seen) >= min(most, answer.total_entries - offset):
            return seen, answer.total_entries


async def marks_in_2(api: Api, query: Query) -> list[Logged]:
    """Where somebody marked a task on a page of Airflow 2: it is logged as `success` or `failed`, as tasks end.

    What a task logs of itself has no `extra`. AT_ONCE at most. Route: GET /eventLogs.
    """
    others = {name: value for name, value in query.items() if name not in ("included_events", "excluded_events")}
    query = {**others, "included_events": ",".join(MARKS), "limit": AT_ONCE}
    answers = await together(*(partial(api.read, GET, _Page, query={**query, "order_by": by}) for by in BOTH_WAYS))
    found = {each.event_log_id: each for answer in answers for each in answer.event_logs if fields_of(each.extra)}
    return in_order(found.values())


async def page_with(
    api: Api, query: Query, marks: Sequence[Logged], offset: int, limit: int
) -> tuple[list[Logged], int]:
    """A page of the events with these among them, and how many there are in all. Route: GET /eventLogs."""
    before = max(0, offset - len(marks))
    seen, total = await latest(api, query, before, limit + len(marks))
    newer = sum(each.when > seen[0].when for each in marks) if before and seen else 0
    start = offset - before - newer
    rows = in_order([*seen, *marks[newer:]])[start : start + limit] if seen or not before else []
    return rows, total + len(marks)


def in_order(logged: Iterable[Logged]) -> list[Logged]:
    """The latest first."""
    return sorted(logged, key=lambda each: each.when, reverse=True)
