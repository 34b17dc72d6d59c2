"""How an answer is written: the same facts as data and as compact text, without what nobody asked for."""

from __future__ import annotations

import json
from typing import Any

from airflow_mcp.models.base import Answer
from airflow_mcp.text.clean import clean

MOST_EMPTY = 1000


def as_data(answer: Answer) -> dict[str, Any]:
    """The answer as JSON data, without nulls, its strings cleaned of invisible characters."""
    cleaned: dict[str, Any] = _cleaned(answer.model_dump(mode="json", by_alias=True, exclude_none=True))
    return cleaned


def as_text(data: dict[str, Any]) -> str:
    """The data as compact JSON; rows of objects become columns and rows, which names each field once."""
    return json.dumps(_in_columns(data), ensure_ascii=False, separators=(",", ":"))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): _cleaned(item) for name, item in value.items()}
    return value


def _in_columns(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_columns(item) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    rows = [_in_columns(item) for item in value]
    if len(rows) < 2 or not all(isinstance(row, dict) for row in rows):
        return rows
    # The fullest row first: it has the fields in the order in which they are defined.
    columns = list(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
    if len(columns) * len(rows) > 2 * sum(map(len, rows)) + MOST_EMPTY:
        return rows  # unlike each other: most of the cells would be empty
    return {"columns": columns, "rows": [[row.get(name) for name in columns] for row in rows]}
