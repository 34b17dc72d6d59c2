"""What a page of Airflow's UI names, told by its address alone: the addresses of Airflow 2.7 to 3.3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import SplitResult, unquote, urlsplit

from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.ids import id_problem
from airflow_mcp.text.clean import one_line

PORTS = {"http": 80, "https": 443}
LARGEST_INDEX = 2**31 - 1
PAGES_OF_2 = {
    **dict.fromkeys(("grid", "graph", "tree", "task", "confirm", "dagrun_details"), ""),
    **dict.fromkeys(("log", "redirect_to_external_log", "get_logs_with_metadata"), "log"),
    **dict.fromkeys(("rendered-templates", "rendered-k8s"), "rendered_templates"),
    **{name: name for name in ("calendar", "code", "duration", "gantt", "tries", "xcom")},
    **{"audit_log": "events", "dag_details": "details", "landing_times": "landing-times"},
}
"""Pages of Airflow 2 that name a DAG in their query, and what they show; most can be below /dags/{dag_id} too."""
LISTS_OF_2 = {"dagrun": "runs", "taskinstance": "task_instances"}
"""The same of its lists: /dagrun/list/?_flt_3_dag_id=…"""
FILTERS = ("", "_flt_3_", "_flt_0_")
"""What stands before the name of an id in a query."""
TABS = {"logs": "log", "event_log": "events", "audit_log": "events", "graph": ""}
"""Tabs of Airflow 2's grid that are called otherwise here."""


@dataclass(frozen=True)
class Page:
    """What a page shows (`log`, `code`, …; empty for the page itself), and what it names."""

    shows: str = ""
    dag_id: str | None = None
    dag_run_id: str | None = None
    logical_date: datetime | None = None
    """Of the run, where the address has no id of it."""
    task_id: str | None = None
    task_group_id: str | None = None
    map_index: int | None = None
    try_number: int | None = None


def page_at(url: str, bases: Iterable[str]) -> Page:
    """The page at an address, or at a path, of an Airflow whose UI is at one of these addresses.

    Raises InvalidArgumentError for another address, and for what cannot be an id.
    """
    try:
        parts = urlsplit(url.strip().removeprefix("<").removesuffix(">"))
        below = _below(parts, list(bases))
        segments = [_decoded(each) for each in below if each]
        query = _query(parts.query)
        return _checked(_of_path(segments, query))
    except InvalidArgumentError:
        raise
    except ValueError as error:
        raise InvalidArgumentError("url", f"is not a URL that can be read ({error}).") from None


def _below(parts: SplitResult, bases: Sequence[str]) -> list[str]:
    """The segments of the path below that of the base it is of. Raises InvalidArgumentError for another Airflow's."""
    path = parts.path.split("/")[1:]
    for base in bases:
        known = urlsplit(base)
        prefix = [each for each in known.path.split("/") if each]
        if _origin(parts) in (None, _origin(known)) and path[: len(prefix)] == prefix and parts.path.startswith("/"):
            return path[len(prefix) :]
    known_as = " or ".join(dict.fromkeys(bases))
    raise InvalidArgumentError("url", f"{_whose(parts)}; this Airflow is at {known_as}. Nothing was sent.")


def _whose(parts: SplitResult) -> str:
    if not parts.hostname:
        return "is not a whole URL"
    port = f":{parts.port}" if parts.port else ""
    first = "/".join(parts.path.split("/")[:2])
    scheme = f"{parts.scheme}:" if parts.scheme else ""
    return f"is of {one_line(f'{scheme}//{parts.hostname}{port}{first}', 200)}"


def _origin(parts: SplitResult) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None for a path alone. Raises ValueError for a port that is none."""
    if not parts.scheme and not parts.netloc:
        return None
    if "@" in parts.netloc or "\\" in parts.netloc:
        raise InvalidArgumentError("url", "has a user or a password before its host: leave that out.")
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or PORTS.get(parts.scheme)


def _query(text: str) -> dict[str, str]:
    """The parameters, the first of each name. A + is one: ids have no blanks, and alerts often leave it unencoded."""
    found: dict[str, str] = {}
    for each in text.split("&"):
        name, _, value = each.partition("=")
        if value:
            found.setdefault(_decoded(name), _decoded(value))
    return found


def _decoded(text: str) -> str:
    return unquote(text, errors="strict")


def _of_path(path: Sequence[str], query: Mapping[str, str]) -> Page:
    if not path or path == ["home"]:
        return Page("home")
    if path[0] == "dags" and len(path) > 1:
        return _of_dag(path[1], path[2:], query)
    if path[0] in LISTS_OF_2:
        return _with_query(Page(LISTS_OF_2[path[0]]), query)
    if path[0] in PAGES_OF_2:
        return _with_query(Page(PAGES_OF_2[path[0]]), query)
    if path[0] == "dag_runs":
        return _with_query(Page("runs"), query)
    return _with_query(Page("/".join(path)), query)


def _of_dag(dag_id: str, path: Sequence[str], query: Mapping[str, str]) -> Page:
    """`/dags/{dag_id}/…`: of Airflow 3 with the ids in the path, of Airflow 2 with those in the query."""
    page = Page(dag_id=dag_id)
    if len(path) > 1 and path[0] == "runs":
        page, path = replace(page, dag_run_id=path[1]), path[2:]
    a_task = path[2:3] == ["mapped"] and len(path) > 3  # that is called group
    if len(path) > 2 and path[:2] == ["tasks", "group"] and not a_task:
        page, path = replace(page, task_group_id=path[2]), path[3:]
    elif len(path) > 1 and path[0] == "tasks":
        page, path = replace(page, task_id=path[1]), path[2:]
    if page.task_id and path and path[0] == "mapped":
        page, path = replace(page, map_index=_number("map_index", path[1]) if len(path) > 1 else None), path[2:]
    shows = PAGES_OF_2.get(path[0], path[0]) if path else ""
    tab = query.get("tab", "")
    return _with_query(replace(page, shows=shows or TABS.get(tab, tab)), query)


def _with_query(page: Page, query: Mapping[str, str]) -> Page:
    """The page with what its query names, where its path does not."""
    run_id = page.dag_run_id or _of(query, "dag_run_id") or _of(query, "run_id")
    date = _of(query, "execution_date") or _of(query, "logical_date")
    index = page.map_index if page.map_index is not None else _number("map_index", _of(query, "map_index"))
    return replace(
        page,
        dag_id=page.dag_id or _of(query, "dag_id"),
        dag_run_id=run_id,
        logical_date=None if run_id or not date else _date(date),
        task_id=page.task_id or _of(query, "task_id"),
        map_index=None if index == -1 else index,
        try_number=_number("try_number", _of(query, "try_number")),
    )


def _of(query: Mapping[str, str], name: str) -> str | None:
    return next((query[f"{start}{name}"] for start in FILTERS if f"{start}{name}" in query), None)


def _number(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < len(str(LARGEST_INDEX))):
        raise InvalidArgumentError("url", f"its {name} is not a number.")
    return int(text)


def _date(text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgumentError("url", "its execution_date is not a date.") from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _checked(page: Page) -> Page:
    for name in ("dag_id", "dag_run_id", "task_id", "task_group_id"):
        value = getattr(page, name)
        problem = id_problem(value, slashes=name == "dag_run_id") if value is not None else None
        if problem or value == "~":
            raise InvalidArgumentError("url", f"its {name} {problem or 'stands for all'}.")
    return page
