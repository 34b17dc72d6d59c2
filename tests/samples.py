"""Arguments with which every tool could be called: of each argument one value, whatever the tool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_mcp.tools.spec import ToolSpec
from airflow_mcp.tools.toolsets import chosen_tools

VALUES: Mapping[str, Any] = {
    "dag_id": "history",
    "dag_run_id": "manual__2026-01-15",
    "task_id": "first",
    "confirm": True,
    "is_paused": False,
    "new_state": "failed",
    "only_failed": False,
    "include_downstream": True,
    "source_dag_id": "history",
}
IF_REQUIRED: Mapping[str, Any] = {
    "state": "failed",
    "note": "a note",
    "uri": "s3://lake/no-such-asset",
    "pool": "default_pool",
    "slots": 128,
    "from_date": "2026-02-01T00:00:00Z",
    "to_date": "2026-02-03T00:00:00Z",
    "chosen_options": ["Approve"],
    "url": "http://localhost:8080/dags/history",
}
"""Elsewhere they narrow a search, or some Airflow does not have them."""

_NAMES_OF_IDS = re.compile(r"_(ids?|token)$")


def arguments(spec: ToolSpec, **given: Any) -> dict[str, Any]:
    """What a tool takes of these values, and what is given."""
    fields = spec.arguments.model_fields
    taken = {name: value for name, value in VALUES.items() if name in fields}
    needed = {name: value for name, value in IF_REQUIRED.items() if name in fields and fields[name].is_required()}
    return {**taken, **needed, **given}


def id_arguments() -> Iterator[tuple[ToolSpec, str]]:
    """Each argument of each tool that is an id, or a list of them."""
    for spec in chosen_tools("all"):
        for name in spec.arguments.model_fields:
            if _NAMES_OF_IDS.search(name):
                yield spec, name


def with_id(spec: ToolSpec, name: str, value: str, **given: Any) -> dict[str, Any]:
    """A tool's arguments with this id in one of them."""
    asked = arguments(spec, **given, **{name: [value] if name.endswith("ids") else value})
    if name == "file_token":
        del asked["dag_id"]
    return asked
