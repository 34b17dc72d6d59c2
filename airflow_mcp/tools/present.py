"""How an answer is written: the same facts as data and as compact text, without what nobody asked for."""

from __future__ import annotations

import json
from typing import Any

from airflow_mcp.models.base import Answer
from airflow_mcp.text.outgoing import Outgoing

MOST_EMPTY = 1000


def as_data(answer: Answer) -> dict[str, Any]:
    """The answer as JSON data, without nulls, each of its texts safe."""
    outgoing = Outgoing()
    data: dict[str, Any] = outgoing.walked(
        answer.model_dump(mode="json", by_alias=True, exclude_none=True, context=outgoing)
    )
    return data


def as_text(data: dict[str, Any]) -> str:
    """The data as compact JSON; rows of objects become columns and rows, which names each field once."""
    return json.dumps(_in_columns(data), ensure_ascii=False, separators=(",", ":"))


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
