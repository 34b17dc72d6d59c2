"""DAGs: finding them, and one of them in short, with all details, or as source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.last_runs import with_last_runs
from airflow_mcp.airflow.names import renamed
from airflow_mcp.airflow.route import DAGS, Route, may_read
from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.models.base import Answer
from airflow_mcp.models.dags import ROW, Dag, DagDetails, DagList, DagRow, DagSource

LIST = Route("GET", "dags", may_read(*DAGS))
GET = Route("GET", "dags/{dag_id}", may_read(*DAGS))
GET_DETAILS = Route("GET", "dags/{dag_id}/details", may_read(*DAGS))
GET_SOURCE = Route("GET", "dagSources/{dag_id}", may_read(*DAGS, "DAG Code"))
GET_SOURCE_BY_TOKEN = Route("GET", "dagSources/{file_token}", may_read(*DAGS, "DAG Code"))


class _Dags(Answer):
    dags: list[DagRow]
    total_entries: int


class _Token(Answer):
    file_token: str


class _Source(Answer):
    content: str | None


PAGE = 100  # the most that Airflow gives at once, unless it is set up otherwise
MOST_PAGES = 200
SOURCE_LINES = 300
SOURCE_CHARACTERS = 24_000
LONGEST_LINE = 2000


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
    fields: Iterable[str] | None = None,
) -> DagList:
    """A page of DAGs with their last runs, with the fields of a row and those of `fields`.

    Route: GET /dags, POST /dags/~/dagRuns/list.
    """
    filters = {"tags": tags, "owners": owners, "dag_id_pattern": dag_id_pattern, "paused": paused}
    filters["last_dag_run_state"] = last_run_state
    query = {"order_by": order_by or "dag_id", **filters, "exclude_stale": only_active}
    found, total = await _matching(api, query, limit, offset)
    dags, note = await with_last_runs(api, [row.pick(fields or (), always=ROW) for row in found])
    return DagList.of(dags, total, offset, note if total else await _why_empty(api, query))


async def first_dag(api: Api) -> tuple[Dag | None, int]:
    """The first DAG that this user may see, and how many there are. Route: GET /dags."""
    rows, total = await _page(api, {"order_by": "dag_id", "exclude_stale": True}, 1, 0)
    return (rows[0] if rows else None), total


async def _matching(api: Api, query: dict[str, Any], limit: int, offset: int) -> tuple[Sequence[DagRow], int]:
    by_owner = query["owners"] and api.release < (3, 0)
    return await (_list_by_owner if by_owner else _page)(api, query, limit, offset)


async def _page(api: Api, query: dict[str, Any], limit: int, offset: int) -> tuple[Sequence[DagRow], int]:
    given = {name: value for name, value in query.items() if value is not None}
    answer = await api.read(LIST, _Dags, query=renamed(api.release, {"limit": limit, "offset": offset, **given}))
    return answer.dags, answer.total_entries


async def _list_by_owner(api: Api, query: dict[str, Any], limit: int, offset: int) -> tuple[Sequence[DagRow], int]:
    """Airflow 2 has no such filter: look at every DAG that the other filters leave, as Airflow 3 would."""
    wanted = [owner.lower() for owner in query["owners"]]
    found: list[DagRow] = []
    seen = 0
    for _ in range(MOST_PAGES):
        rows, total = await _page(api, {**query, "owners": None}, PAGE, seen)
        seen += len(rows)
        found += [row for row in rows if _owned(", ".join(row.owners or ()).lower(), wanted)]
        if not rows or seen >= total:
            return found[offset : offset + limit], len(found)
    raise InvalidArgumentError(
        "owners", f"there are more than {seen} DAGs to look through: add tags or dag_id_pattern."
    )


async def _why_empty(api: Api, query: dict[str, Any]) -> str:
    narrowing = [f"paused={str(query['paused']).lower()}"] if query["paused"] is not None else []
    narrowing += ["only_active"] if query["exclude_stale"] else []
    if narrowing:
        _, left_out = await _matching(api, {**query, "paused": None, "exclude_stale": False}, 1, 0)
        if left_out:
            return f"No DAG matches; {left_out} match without {' and '.join(narrowing)}."
    if query["last_dag_run_state"]:
        return f"No DAG matches whose last run is {query['last_dag_run_state']}."
    if query["tags"] or query["owners"] or query["dag_id_pattern"]:
        return "No DAG matches, paused and inactive ones included. Try a shorter dag_id_pattern, or no tags."
    return "No DAG: none is loaded, or this user may see none. Import errors hide DAGs too: get_import_errors."


async def get_dag(api: Api, dag_id: str, fields: Sequence[str] | None = None) -> Dag:
    """One DAG. Route: GET /dags/{dag_id}. Raises NotFoundError."""
    dag = await api.read(GET, Dag, dag_id=dag_id)
    return dag.pick(fields, always=("dag_id",)) if fields else dag


async def require_dag(api: Api, dag_id: str) -> None:
    """Raise NotFoundError for an unknown DAG. Route: GET /dags/{dag_id}."""
    await api.read(GET, Dag, dag_id=dag_id)


async def get_dag_details(api: Api, dag_id: str, fields: Sequence[str] | None = None) -> DagDetails:
    """One DAG with all that Airflow tells. Route: GET /dags/{dag_id}/details. Raises NotFoundError."""
    details = await api.read(GET_DETAILS, DagDetails, dag_id=dag_id)
    if not details.owners:
        # Airflow 2's details leave the owners empty.
        details = details.model_copy(update={"owners": (await api.read(GET, Dag, dag_id=dag_id)).owners})
    return details.pick(fields, always=("dag_id",)) if fields else details


async def get_dag_source(
    api: Api,
    *,
    dag_id: str | None = None,
    file_token: str | None = None,
    version_number: int | None = None,
    start_line: int = 1,
    end_line: int | None = None,
) -> DagSource:
    """Numbered lines of a DAG's source, given the DAG, or on Airflow 2 its file token.

    Route: GET /dagSources/{file_token} on Airflow 2, the token looked up; GET /dagSources/{dag_id} on 3.
    Raises NotFoundError, InvalidArgumentError for a line that there is not.
    """
    if dag_id is None or api.release < (3, 0):
        token = (await api.read(GET, _Token, dag_id=dag_id)).file_token if dag_id is not None else file_token or ""
        answer = await api.read(GET_SOURCE_BY_TOKEN, _Source, file_token=token)
    else:
        query = {"version_number": version_number} if version_number else None
        answer = await api.read(GET_SOURCE, _Source, query=query, dag_id=dag_id)
    lines, total, last = _numbered(answer.content or "", start_line, end_line)
    return DagSource(
        dag_id=dag_id,
        version_number=version_number,
        total_lines=total,
        start_line=start_line,
        end_line=last,
        next_line=last + 1 if last < total else None,
        source="\n".join(lines),
    )


def _owned(owners: str, wanted: Iterable[str]) -> bool:
    return any(part in owners for part in wanted)


def shorten(line: str) -> str:
    """A line without its end where it is very long."""
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}… ({len(line)} characters)"


def _numbered(content: str, start_line: int, end_line: int | None) -> tuple[list[str], int, int]:
    """Some lines of a text with their numbers; how many it has, and the number of the last that is given."""
    # As Python counts lines: a form feed begins no new one.
    lines = content.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    total = len(lines)
    if start_line > max(total, 1):
        raise InvalidArgumentError("start_line", f"is {start_line}; the file has {total} lines.")
    last = min(end_line or total, start_line + SOURCE_LINES - 1, total)
    numbered: list[str] = []
    size = 0
    for number in range(start_line, last + 1):
        line = f"{number}|{shorten(lines[number - 1])}"
        size += len(line)
        if numbered and size > SOURCE_CHARACTERS:
            return numbered, total, number - 1
        numbered.append(line)
    return numbered, total, last
