"""Addresses in Airflow's UI: made for an answer, and read from a link that somebody pasted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar
from urllib.parse import SplitResult, quote, unquote, urlsplit

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.ids import id_problem
from airflow_mcp.models.base import Answer, Arguments, Linked

AnswerT = TypeVar("AnswerT", bound=Answer)
PARTS = ("dag_id", "dag_run_id", "task_id", "map_index", "try_number")
PORTS = {"http": 80, "https": 443}
OLD_VIEWS = frozenset({"grid", "graph", "tree", "log", "task", "code", "dag_details", "xcom", "rendered-templates"})
"""Pages of Airflow 2 that name the DAG in the query."""


@dataclass(frozen=True)
class Place:
    """What a page of the UI is about."""

    dag_id: str
    dag_run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    try_number: int | None = None
    logical_date: str | None = None
    """In links of Airflow 2 that name no run."""
    view: str | None = None


class Links:
    """The links of one Airflow."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow
        self._base = airflow.settings.ui_url or airflow.settings.url

    async def added(self, answer: AnswerT, args: Arguments) -> AnswerT:
        """The answer with the address of what it is about: the DAG, run or task instance that it or its call names."""
        if not isinstance(answer, Linked):
            return answer
        found = {name: _named(name, answer, args) for name in PARTS}
        if not found["dag_id"]:
            return answer
        path = _PATHS[(await self._airflow.dialect()).name](found)
        return answer.model_copy(update={"url": f"{self._base}/{path}"})

    def read(self, url: str) -> Place:
        """What a link is about. Raises InvalidArgumentError for one to another host, or to no page that is known."""
        parts = _split(url)
        for base in {self._base, self._airflow.settings.url}:
            home = urlsplit(base)
            if _origin(parts) == _origin(home) and f"{parts.path}/".startswith(f"{home.path}/"):
                return _place(parts.path.removeprefix(home.path).strip("/"), _query(parts.query or parts.fragment))
        raise InvalidArgumentError("url", f"is not of this Airflow: this server speaks for {self._base} alone.")


def _named(name: str, answer: Answer, args: Arguments) -> str | int | None:
    value: str | int | None = getattr(answer, name, None)
    return getattr(args, name, None) if value is None else value


def _old_path(found: Mapping[str, str | int | None]) -> str:
    """Airflow 2's grid."""
    named = [name for name in ("dag_run_id", "task_id", "map_index") if found[name] is not None]
    query = [f"{name}={_encoded(found[name])}" for name in named]
    if {"dag_run_id", "task_id"} <= set(named):
        query.append("tab=logs")
    return f"dags/{_encoded(found['dag_id'])}/grid{'?' if query else ''}{'&'.join(query)}"


def _new_path(found: Mapping[str, str | int | None]) -> str:
    """Airflow 3's pages."""
    path = f"dags/{_encoded(found['dag_id'])}"
    if found["dag_run_id"] is not None:
        path += f"/runs/{_encoded(found['dag_run_id'])}"
    if found["task_id"] is None:
        return path
    path += f"/tasks/{_encoded(found['task_id'])}"
    if found["dag_run_id"] is None:
        return path
    if found["map_index"] is not None:
        path += f"/mapped/{found['map_index']}"
    return path if found["try_number"] in (None, 0) else f"{path}?try_number={found['try_number']}"


_PATHS = {"v1": _old_path, "v2": _new_path}


def _encoded(value: object) -> str:
    return quote(str(value), safe="")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise InvalidArgumentError("url", "is no address.") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise InvalidArgumentError("url", "must begin with http:// or https://, as in a browser.")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme)


def _query(text: str) -> dict[str, str]:
    """Not as a form: in a run's id, a plus that nobody encoded is a plus."""
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def _place(path: str, query: Mapping[str, str]) -> Place:
    segments = [unquote(segment) for segment in path.split("/")]
    if segments[0] == "dags" and len(segments) > 1 and segments[1]:
        return _checked(_from_segments(segments[1:], query))
    dag_id = query.get("dag_id") or query.get("_flt_3_dag_id")
    if dag_id and (segments[0] in OLD_VIEWS or "_flt_3_dag_id" in query):
        return _checked(_from_query(dag_id, segments[0], query))
    raise InvalidArgumentError("url", "is no page of a DAG, a run or a task that this server knows.")


def _from_segments(segments: list[str], query: Mapping[str, str]) -> Place:
    """`etl/runs/…/tasks/…/mapped/0/…`, and Airflow 2's `etl/grid?…`."""
    named = {"runs": "", "tasks": "", "mapped": ""}
    rest = segments[1:]
    while len(rest) > 1 and rest[0] in named and rest[1] != "group":
        named[rest[0]], rest = rest[1], rest[2:]
    place = _from_query(segments[0], rest[0] if rest else "", query)
    return Place(
        dag_id=place.dag_id,
        dag_run_id=named["runs"] or place.dag_run_id,
        task_id=named["tasks"] or place.task_id,
        map_index=_number("map_index", named["mapped"]) if named["mapped"] else place.map_index,
        try_number=place.try_number,
        logical_date=place.logical_date,
        view=place.view,
    )


def _from_query(dag_id: str, view: str, query: Mapping[str, str]) -> Place:
    return Place(
        dag_id=dag_id,
        dag_run_id=query.get("dag_run_id") or query.get("run_id") or query.get("_flt_3_run_id"),
        task_id=query.get("task_id") or query.get("_flt_3_task_id"),
        map_index=_number("map_index", query.get("map_index")),
        try_number=_number("try_number", query.get("try_number")),
        logical_date=query.get("execution_date") or query.get("logical_date"),
        view=query.get("tab") or view or None,
    )


def _number(name: str, text: str | None) -> int | None:
    """-1 is Airflow's word for a task that is not mapped."""
    if not text or text == "-1":
        return None
    if not re.fullmatch(r"\d{1,9}", text):
        raise InvalidArgumentError("url", f"its {name} is no number.")
    return int(text)


def _checked(place: Place) -> Place:
    ids: tuple[Literal["dag_id", "dag_run_id", "task_id"], ...] = ("dag_id", "dag_run_id", "task_id")
    for name in ids:
        value = getattr(place, name)
        if value is not None and (problem := id_problem(value)):
            raise InvalidArgumentError("url", f"its {name} {problem}.")
    return place
