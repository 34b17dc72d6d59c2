"""How many rows of an answer there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from airflow_mcp.models.base import Answer

RowT = TypeVar("RowT", bound=Answer)


def that_fit(answer: Answer, rows: Sequence[RowT], most: int) -> list[RowT]:
    """The first rows, one at least, with which an answer has no more characters than this."""
    left = most - _size(answer)
    kept: list[RowT] = []
    for row in rows:
        left -= _size(row)
        if kept and left < 0:
            break
        kept.append(row)
    return kept


def _size(answer: Answer) -> int:
    return len(answer.model_dump_json(exclude_none=True))
