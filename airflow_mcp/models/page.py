"""A page of a list: what a caller asks for, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Self, TypeVar, get_args

from pydantic import AfterValidator, Field, model_validator

from airflow_mcp.models.base import Answer, Arguments, Date

RowT = TypeVar("RowT", bound=Answer)


def _without_default(schema: dict[str, Any]) -> None:
    """Leave out of a schema what each answer tells: how many were returned."""
    del schema["default"]


class PageArguments(Arguments):
    """Which page of a list."""

    limit: int = Field(25, ge=1, le=100, json_schema_extra=_without_default)
    offset: int = Field(0, ge=0)


def ordered_by(*names: str) -> AfterValidator:
    """What a list is ordered by: one of these, with `-` before it for descending."""

    def check(order: str | None) -> str | None:
        if order and order.removeprefix("-") not in names:
            raise ValueError(f"is none of {', '.join(names)}, nor one with - before it, for descending")
        return order

    return AfterValidator(check)


class WindowArguments(Arguments):
    """From when to when."""

    since: Date | None = None
    until: Date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.until < self.since:
            raise ValueError("until: is before since")
        return self


class Page(Answer, Generic[RowT]):
    """Rows of a list. A list gives its rows a name of their own: `rows: list[Dag] = Field(alias="dags")`."""

    rows: list[RowT]
    total: int
    returned: int
    next_offset: int | None = None
    note: str | None = Field(None, description="why it is empty, or what is missing")

    @classmethod
    def of(cls, rows: Sequence[RowT], total: int, offset: int, note: str | None = None, **more: Any) -> Self:
        """The page with these rows, the first of which is number `offset` of `total`.

        `note` says why it may be empty; a page past the end says that by itself.
        """
        end = offset + len(rows)
        if total and not rows:
            note = f"offset {offset} is past the end: there are {total}."
        following = end if rows and end < total else None
        return cls(rows=[*rows], total=total, returned=len(rows), next_offset=following, note=note, **more)


def row_of(answer: type[Answer]) -> type[Answer]:
    """The rows of a list; an answer that is none is its own."""
    if not issubclass(answer, Page):
        return answer
    row: type[Answer] = get_args(answer.model_fields["rows"].annotation)[0]
    return row
