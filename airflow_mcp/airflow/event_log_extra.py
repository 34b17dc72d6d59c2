"""What Airflow's event log keeps of a request, made short, and without what may be a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import JsonValue

from airflow_mcp.airflow.event_names import plain
from airflow_mcp.release import Release
from airflow_mcp.text.fence import safe
from airflow_mcp.text.redact import redacted_by_name
from airflow_mcp.text.whole import whole_json

MOST_CHARACTERS = 200
MOST_ITEMS = 10
LONGEST_READ = 100_000
KNOWN = frozenset(
    (
        *("method", "dag_id", "dag_run_id", "run_id", "task_id", "dry_run", "update_mask"),
        *("host_name", "origin", "confirmed"),
    )
)
"""What the row says already, or nobody asks for."""
USUAL: Mapping[str, bool] = {
    **{"only_failed": True, "only_running": False, "reset_dag_runs": True},
    **{"include_subdags": True, "include_parentdag": True},
}
"""What a clear does unless it is told otherwise."""
NAMES_ONLY = ("variable", "connection")
"""Events of what holds secrets."""
NAMED = frozenset(("key", "variable_key", "connection_id", "conn_id", "conn_type", "actions", "action", "entities"))
"""What is told of these: any other field may hold one, whatever it is called."""
ASKS = ("post_clear_task_instances", "clear_dag_run", "clear_dag_runs", "clear_dag_run_partitions")
"""What is a dry run unless it says otherwise."""


def fields_of(extra: str | None) -> dict[str, Any]:
    """The fields of a request, where the log has some."""
    if extra and len(extra) <= LONGEST_READ:
        with suppress(ValueError, RecursionError):
            read = json.loads(whole_json(extra))
            return read if isinstance(read, dict) else {}
    return {}


def is_dry_run(event: str, fields: Mapping[str, Any]) -> bool:
    """Whether a request only asked what it would change; Airflow 2's setting of states does it all the same."""
    name = plain(event)
    asked = fields.get("dry_run", name in ASKS)
    return bool(asked) and name != "post_set_task_instances_state"


def told(release: Release, event: str, extra: str | None) -> JsonValue:
    """What helps of it: of variables and connections the names alone, of long values the beginning."""
    fields = fields_of(extra)
    if not fields:
        return None if not extra or extra.startswith(("{", "[")) else _cut(extra)
    with suppress(RecursionError):  # too deep for Python
        if any(name in event for name in NAMES_ONLY):
            fields = _names(fields)
        if (3, 0) <= release < (3, 1):
            fields.pop("is_paused", None)  # which is false there, whatever was sent
        kept = {name: value for name, value in fields.items() if name not in KNOWN and not _says_nothing(name, value)}
        return {name: _short(value) for name, value in redacted_by_name(kept).items()} or None
    return None


def _says_nothing(name: str, value: Any) -> bool:
    unless = USUAL.get(name, False if name.startswith("include_") else None)
    return value is unless or value in (None, "", [], {})


def _names(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _names(each) for name, each in value.items() if name in NAMED}
    return [_names(each) for each in value] if isinstance(value, list) else value


def _short(value: JsonValue) -> JsonValue:
    if isinstance(value, list) and len(value) > MOST_ITEMS:
        return [*map(_short, value[:MOST_ITEMS]), f"… ({len(value)})"]
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(written) <= MOST_CHARACTERS else _cut(written)


def _cut(text: str) -> str:
    """The beginning of a text; a secret that the cut goes through is masked by what is missing of it."""
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{safe(text[:MOST_CHARACTERS], after=text[MOST_CHARACTERS : 10 * MOST_CHARACTERS])}…"
