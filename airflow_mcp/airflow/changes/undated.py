"""Runs without a logical date, which a range of dates cannot take (Airflow 3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.report import MOST_LEFT_OUT
from airflow_mcp.airflow.dag_lists import PAGE
from airflow_mcp.airflow.runs import LIST, Run, Runs
from airflow_mcp.models.changes import ClearTaskInstances

MOST_RUNS = 1000  # without a date that are counted


async def undated_runs(api: Api, args: ClearTaskInstances) -> list[str]:
    """In words, the runs of the time asked for that have no logical date. Route: GET /dags/{dag_id}/dagRuns."""
    if args.start_date is None or api.release < (3, 0):
        return []
    start, end = None if args.include_past else args.start_date, None if args.include_future else args.end_date
    if start is None and end is None:
        return []  # without a bound Airflow takes them too
    query: dict[str, str | int] = {}
    if start:
        query["run_after_gte"] = start.isoformat()
    if end:
        query["run_after_lte"] = end.isoformat()
    if args.only_failed:
        query["state"] = "failed"
    rows, total = await _page(api, args.dag_id, {**query, "order_by": "-run_after"})
    found = _undated(rows) if total <= len(rows) else await _among_many(api, args.dag_id, query, total)
    lines = [f"run {run_id}: no logical date, so clear it by dag_run_id" for run_id in found[:MOST_LEFT_OUT]]
    if len(found) > MOST_LEFT_OUT:
        least = "at least " if len(found) >= MOST_RUNS else ""
        lines.append(f"and {least}{len(found) - MOST_LEFT_OUT} more runs without a logical date")
    return lines


async def _among_many(api: Api, dag_id: str, query: Mapping[str, str | int], total: int) -> list[str]:
    """In the order of their dates, those without one are all first or all last: it depends on the database."""
    query = {**query, "order_by": "logical_date"}
    first, _ = await _page(api, dag_id, {**query, "limit": 1})
    from_end = not _undated(first)
    found: list[str] = []
    for seen in range(0, min(total, MOST_RUNS), PAGE):
        rows, _ = await _page(api, dag_id, query, max(total - seen - PAGE, 0) if from_end else seen)
        undated = _undated(rows)
        found += undated
        if len(undated) < PAGE:
            break
    return list(dict.fromkeys(found))


async def _page(api: Api, dag_id: str, query: Mapping[str, str | int], offset: int = 0) -> tuple[Sequence[Run], int]:
    answer = await api.read(LIST, Runs, query={"limit": PAGE, "offset": offset, **query}, dag_id=dag_id)
    return answer.dag_runs, answer.total_entries


def _undated(rows: Iterable[Run]) -> list[str]:
    return [run.dag_run_id for run in rows if not run.logical_date]
