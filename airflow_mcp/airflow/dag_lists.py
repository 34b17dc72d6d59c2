"""Lists of DAGs: found by tags, owners, ids and display names, with their last runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dag_filters import Filters, by_display_name, filters
from airflow_mcp.airflow.dags import told
from airflow_mcp.airflow.last_runs import last_run_states_of_all, with_last_runs
from airflow_mcp.airflow.names import renamed
from airflow_mcp.airflow.route import DAGS, Route, may_read
from airflow_mcp.airflow.together import together
from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.models.base import Answer
from airflow_mcp.models.dags import LAST_RUN, ROW, Dag, DagList, DagRow

LIST = Route("GET", "dags", may_read(*DAGS))
MOST_JUDGED = 1000
"""DAGs that are looked through for a _ that Airflow takes for any sign."""
ANY_SIGN = f"_ stands for any sign here: over {MOST_JUDGED} DAGs match."
PAGE = 100  # the most that Airflow gives at once, unless it is set up otherwise
BY_ID = ("dag_id", "-dag_id")
MOST_LOOKED_THROUGH = 20_000
MOST_LOOKED_THROUGH_BESIDES = 300
"""DAGs of which the display name is looked at besides the ids."""
IDS_ALONE = (
    f"Only ids were searched: for display names there are over {MOST_LOOKED_THROUGH_BESIDES} DAGs to look through; "
    "tags make them fewer."
)
STARTED_ALONE = "Airflow 3.0 goes by the last run that has started: one that is queued does not count."


class _Dags(Answer):
    dags: list[DagRow]
    total_entries: int


async def list_dags(
    api: Api,
    *,
    limit: int = 25,
    offset: int = 0,
    order_by: str | None = None,
    tags: Sequence[str] | None = None,
    owners: Sequence[str] | None = None,
    dag_id_pattern: str | None = None,
    paused: bool | None = None,
    last_run_state: str | None = None,
    only_active: bool = True,
    fields: Collection[str] | None = None,
) -> DagList:
    """A page of DAGs with their last runs, or with `fields` alone.

    Route: GET /dags, POST /dags/~/dagRuns/list.
    """
    given = {"tags": tags, "owners": owners, "dag_id_pattern": dag_id_pattern, "paused": paused}
    given["last_dag_run_state"] = last_run_state
    query = {"order_by": order_by or "dag_id", **given, "exclude_stale": only_active}
    found, total, note = await _matching(api, query, limit, offset)
    unknown = None
    if not fields or not set(LAST_RUN).isdisjoint(fields):
        found, unknown = await with_last_runs(api, found)
    dags = [told(api, row).pick(fields, always=("dag_id",), default=ROW) for row in found]
    notes = [note, unknown if total else await _why_empty(api, query)]
    if last_run_state and api.release == (3, 0):
        notes.append(STARTED_ALONE)
    return DagList.of(dags, total, offset, " ".join(each for each in notes if each) or None)


async def first_dag(api: Api) -> tuple[Dag | None, int]:
    """The first DAG that this user may see, and how many there are. Route: GET /dags."""
    rows, total = await _page(api, {"order_by": "dag_id", "exclude_stale": True}, 1, 0)
    return (rows[0] if rows else None), total


class Failing(NamedTuple):
    """The DAGs whose last run failed."""

    first: Sequence[Dag]
    """Some of them, the latest first."""
    total: int
    complete: bool
    """Whether the last run of every DAG was looked at."""


async def failing_dags(api: Api, limit: int) -> Failing:
    """The DAGs that have a file and whose last run failed.

    Route: GET /dags; on Airflow 2, which has no such filter, POST /dags/~/dagRuns/list too.
    """
    active: dict[str, Any] = {"exclude_stale": True}
    if api.release >= (3, 0):
        failed = {"last_dag_run_state": "failed", "order_by": "-last_run_start_date"}
        return Failing(*await _page(api, {**active, **failed}, limit, 0), complete=True)
    (states, complete), (rows, total) = await together(
        lambda: last_run_states_of_all(api), lambda: _page(api, active, PAGE, 0)
    )
    known = {row.dag_id: row for row in rows}
    ids = [dag_id for dag_id, state in states.items() if state == "failed" and (dag_id in known or total > len(rows))]
    return Failing([known.get(dag_id) or Dag(dag_id=dag_id) for dag_id in ids[:limit]], len(ids), complete)


async def _matching(
    api: Api, query: Mapping[str, Any], limit: int, offset: int
) -> tuple[Sequence[DagRow], int, str | None]:
    """Some of the DAGs that match, how many there are, and what is to be said of how they were found."""
    by_id = filters(api.release, query)
    (found, total, loose), (named, note) = await together(
        lambda: _found(api, by_id, limit, offset), lambda: _named(api, query)
    )
    if not named:
        return found, total, " ".join(each for each in (loose, note) if each) or None
    if query["order_by"] in BY_ID and (every := await _looked_through(api, by_id, MOST_LOOKED_THROUGH_BESIDES)):
        every = sorted([*every, *named], key=lambda dag: dag.dag_id, reverse=query["order_by"].startswith("-"))
        return every[offset : offset + limit], len(every), None
    start, end = max(offset - total, 0), max(offset + limit - total, 0)
    last = "Those found by display name stand last." if total else None
    notes = " ".join(each for each in (loose, last) if each)
    return [*found, *named[start:end]], total + len(named), notes or None


async def _found(api: Api, wanted: Filters, limit: int, offset: int) -> tuple[Sequence[DagRow], int, str | None]:
    if not wanted.judged:
        return *await _page(api, wanted.query, limit, offset), None
    found = await _looked_through(api, wanted, MOST_JUDGED if wanted.nearly else MOST_LOOKED_THROUGH)
    if found is None and wanted.nearly:
        return *await _page(api, wanted.query, limit, offset), ANY_SIGN
    if found is None:
        raise InvalidArgumentError(
            next(iter(wanted.judged)),
            f"there are more than {MOST_LOOKED_THROUGH} DAGs to look through: add tags or a longer dag_id_pattern.",
        )
    return found[offset : offset + limit], len(found), None


async def _named(api: Api, query: Mapping[str, Any]) -> tuple[Sequence[DagRow], str | None]:
    """The DAGs that a pattern finds by their display name alone, and what is to be said of that."""
    if not query["dag_id_pattern"] or api.release < (2, 9):  # older ones have no such names
        return [], None
    named = await _looked_through(api, by_display_name(api.release, query), MOST_LOOKED_THROUGH_BESIDES)
    return ([], IDS_ALONE) if named is None else (named, None)


async def _looked_through(api: Api, wanted: Filters, most: int) -> list[DagRow] | None:
    """The DAGs that are meant, of all that Airflow gives; None for more than `most` of those."""
    found: list[DagRow] = []
    seen = 0
    while True:
        rows, total = await _page(api, wanted.query, PAGE, seen)
        seen += len(rows)
        found += filter(wanted.fit, rows)
        if not rows or seen >= total:
            return found
        if total > most:
            return None


async def _page(api: Api, query: Mapping[str, Any], limit: int, offset: int) -> tuple[Sequence[DagRow], int]:
    given = {name: value for name, value in query.items() if value is not None}
    answer = await api.read(LIST, _Dags, query=renamed(api.release, {"limit": limit, "offset": offset, **given}))
    return answer.dags, answer.total_entries


async def _why_empty(api: Api, query: Mapping[str, Any]) -> str:
    narrowing = [f"paused={str(query['paused']).lower()}"] if query["paused"] is not None else []
    narrowing += ["only_active"] if query["exclude_stale"] else []
    if narrowing:
        _, left_out, _ = await _matching(api, {**query, "paused": None, "exclude_stale": False}, 1, 0)
        if left_out:
            return f"No DAG matches; {left_out} match without {' and '.join(narrowing)}."
    if query["last_dag_run_state"]:
        return f"No DAG matches whose last run is {query['last_dag_run_state']}."
    if query["tags"] or query["owners"] or query["dag_id_pattern"]:
        return "No DAG matches, paused and inactive ones included. Try a shorter dag_id_pattern, or no tags."
    return "No DAG: none is loaded, or this user may see none. Import errors hide DAGs too: get_import_errors."
