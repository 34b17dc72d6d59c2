"""How an answer is written: the same facts as data and as compact text, without what nobody asked for."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from airflow_mcp.models.base import Answer
from airflow_mcp.text.fence import Fence
from airflow_mcp.text.outgoing import Outgoing, as_message
from airflow_mcp.tools.fit import leave_out_rows
from airflow_mcp.tools.schema import output_schema

MOST_CHARACTERS = 80_000
"""Of an answer as JSON: about 25,000 tokens, over which widespread clients show none of it."""
LEVELS = (40_000, 30_000, 6_000, 1_500, 400, 100, 20)
"""Of a text in it: the first at which the answer fits."""
LEVEL_OF_ROWS = 400
"""From there on rows are left out too."""
MOST_CUTS = 5
MOST_EMPTY = 1000
ROOM_FOR_CUT = 4000


def as_data(answer: Answer) -> dict[str, Any]:
    """The answer as JSON data, without nulls, each of its texts safe. What is over the limits is cut, and `cut` tells.

    First texts, lists and objects that came from Airflow get shorter, then rows are left out at the end; a page's
    next_offset is then where to go on. Nothing else goes.
    """
    schema = _schema(type(answer))
    fence = Fence()
    for most in LEVELS:
        outgoing = Outgoing(fence, most)
        dumped = answer.model_dump(mode="json", by_alias=True, exclude_none=True, context=outgoing)
        data: dict[str, Any] = outgoing.walked(dumped, schema)
        cut = _cut(outgoing.cut, answer)
        if most <= LEVEL_OF_ROWS and not _fits(data | cut):
            cut = _cut([*leave_out_rows(data, schema, MOST_CHARACTERS - ROOM_FOR_CUT), *outgoing.cut], answer)
        data |= cut
        if _fits(data):
            break
    return data


def _cut(cuts: list[str], answer: Answer) -> dict[str, str]:
    if not cuts:
        return {}
    more = [f"and {len(cuts) - MOST_CUTS} more"] if len(cuts) > MOST_CUTS else []
    return {"cut": as_message(f"{'; '.join([*cuts[:MOST_CUTS], *more])}. {answer.rest}".strip())}


def _fits(data: dict[str, Any]) -> bool:
    """As it is sent: with each character that JSON escapes."""
    return len(json.dumps(data, ensure_ascii=False)) <= MOST_CHARACTERS


def as_text(data: dict[str, Any]) -> str:
    """The data as compact JSON; rows of objects become columns and rows, which names each field once."""
    return json.dumps(_in_columns(data), ensure_ascii=False, separators=(",", ":"))


_schema = cache(output_schema)


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
