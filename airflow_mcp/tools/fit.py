"""An answer whose rows are too many, or too long, made to fit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from airflow_mcp.tools.schema import Schema


def leave_out_rows(data: dict[str, Any], schema: Schema, most: int) -> list[str]:
    """Leave out the last rows of the longest lists until an answer fits. Gives what is left: `dags: 40 of 100`.

    A page then goes on after its last row. Nothing but rows is left out.
    """
    before = {where: len(rows) for where, rows in _lists(data, schema)}
    while (size := len(json.dumps(data, ensure_ascii=False))) > most:
        longer = [rows for _, rows in _lists(data, schema) if len(rows) > 1]
        if not longer:
            break
        rows = max(longer, key=lambda rows: len(json.dumps(rows, ensure_ascii=False)))
        del rows[max(1, min(len(rows) - 1, len(rows) * most // size)) :]
    gone = {where: before[where] - len(rows) for where, rows in _lists(data, schema)}
    if "next_offset" in schema["properties"]:
        left_out = sum(number for where, number in gone.items() if "[" not in where)
        data["returned"] -= left_out
        data["next_offset"] = data.get("next_offset", data["total"]) - left_out
    return [f"{where}: {before[where] - number} of {before[where]}" for where, number in gone.items() if number]


def _lists(value: Any, schema: Schema, where: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The lists of rows in it: of objects whose fields are known."""
    if isinstance(value, list) and "properties" in schema.get("items", {}):
        yield where, value
        for number, item in enumerate(value):
            yield from _lists(item, schema["items"], f"{where}[{number}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            known = schema.get("properties", {}).get(name, {})
            yield from _lists(item, known, f"{where}.{name}" if where else name)
