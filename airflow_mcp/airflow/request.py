"""A request to Airflow's API as it is sent: its path, query and body, and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from airflow_mcp.airflow.route import Method
from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.ids import LONGEST, id_problem

Query = Mapping[str, str | int | bool | list[str]]
Body = Mapping[str, Any]

LONGEST_TOKEN = 4096


@dataclass(frozen=True)
class Request:
    """One request to Airflow's API.

    `change` says that it alters something when it succeeds, `needs` which permission it takes, `stream` that its
    answer is read line by line.
    """

    method: Method
    path: str
    query: Query | None = None
    body: Body | None = None
    change: bool = False
    needs: str = ""
    stream: bool = False

    @property
    def params(self) -> dict[str, str | list[str]] | None:
        """The query as it is sent; None for none."""
        return {name: _plain(value) for name, value in self.query.items()} if self.query else None

    @property
    def only_looks(self) -> bool:
        """Whether it can change nothing: a read, a list that is asked for with a POST, or a marked dry run."""
        if self.method == "GET" or self.path.endswith("/dry_run"):
            return True
        marked = bool(self.body and self.body.get("dry_run") is True)
        return self.method == "POST" and (marked or self.path.endswith("/list"))

    def too_long(self) -> InvalidArgumentError:
        """The error for a URL that is longer than any server takes: ids have a longest length, so it is the filters."""
        lengths = {name: len(str(value)) for name, value in (self.query or {}).items()}
        problem = "is, with the other filters, too long for one request: give fewer, or shorter ones. Nothing was sent."
        return InvalidArgumentError(max(lengths, key=lambda name: lengths[name], default="filters"), problem)


def build_path(template: str, ids: Mapping[str, str | int]) -> str:
    """Fill a route with ids, each as one percent-encoded segment.

    Raises InvalidArgumentError, naming the id, for one that cannot be a segment or an Airflow id: nothing
    is sent for it.
    """
    return template.format_map({name: _segment(name, str(value)) for name, value in ids.items()})


def _segment(name: str, value: str) -> str:
    # A file token is no id of Airflow's: it is an opaque string, longer than an id may be.
    problem = id_problem(value, LONGEST_TOKEN if name == "file_token" else LONGEST)
    if problem:
        other = " clear_task_instances without include_past and include_future takes it."
        raise InvalidArgumentError(name, f"{problem}.{other if name == 'dag_run_id' and '/' in value else ''}")
    return quote(value, safe="")


def _plain(value: str | int | bool | list[str]) -> str | list[str]:
    if isinstance(value, list):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
