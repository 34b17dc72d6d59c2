"""What all models share: strict input, compact output, and the types that both Airflows write differently."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SerializationInfo,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    field_validator,
)

from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.ids import LONGEST, id_problem, text_problem
from airflow_mcp.text.outgoing import Outgoing

MOST_ITEMS = 10_000
MOST_CHARACTERS = MOST_ITEMS * LONGEST
"""Those of all items of one argument."""
LARGEST = 2**31 - 1
"""Airflow's columns hold no larger number."""
LONGEST_REMARK = 300


class Arguments(BaseModel):
    """The arguments of one tool. An argument that is not named here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _can_be_sent(cls, value: Any) -> Any:
        """Refuse what no request can hold, before anything looks at it."""
        items = value if isinstance(value, list) else [value]
        if len(items) > MOST_ITEMS:
            raise ValueError(f"has {len(items)} items; {MOST_ITEMS} are allowed")
        for item in items:
            if isinstance(item, str) and (problem := text_problem(item)):
                raise ValueError(problem)
        characters = sum(len(item) for item in items if isinstance(item, str))
        if characters > MOST_CHARACTERS:
            raise ValueError(f"has {characters} characters in all; {MOST_CHARACTERS} are allowed")
        return value

    @field_validator("*")
    @classmethod
    def _can_be_kept(cls, value: Any) -> Any:
        """Refuse a number that Airflow cannot hold; once it is one, since some clients send text."""
        if isinstance(value, int) and value > LARGEST:
            raise ValueError(f"must be at most {LARGEST}")
        return value


class Answer(BaseModel):
    """An answer, or a part of one. Read from Airflow's JSON under either version's names; unknown names drop.

    In the answer, what is None is left out.
    """

    model_config = ConfigDict(extra="ignore", validate_by_name=True, validate_by_alias=True)

    rest: ClassVar[str] = ""
    """How to see what was cut from such an answer for its length."""

    def pick(
        self, fields: Collection[str] | None, *, always: Iterable[str], default: Iterable[str] | None = None
    ) -> Self:
        """Keep some fields only: those asked for, else those of `default`, else all; and what is `always` there.

        Raises InvalidArgumentError for a field that there is not.
        """
        known = type(self).model_fields
        for name in fields or ():
            if name not in known:
                raise InvalidArgumentError("fields", f"{name!r} is not one of: {', '.join(known)}.")
        kept = {*(fields or default or known), *always}
        return self.model_copy(update={name: None for name in known if name not in kept})


def _id(value: str, *, slashes: bool = False) -> str:
    if value == "~":
        raise ValueError("must not be ~, which stands for all in Airflow's own paths")
    if problem := id_problem(value, slashes=slashes):
        raise ValueError(problem)
    return value


def _pattern(value: str) -> str:
    if found := sorted({*value} & {*"|~\\"}):
        raise ValueError(f"must not contain {found[0]}, which means something else to Airflow; write % for it")
    return value


def _seconds(value: Any) -> Any:
    """Airflow 2 and tasks: an object of days, seconds, microseconds; Airflow 3's DAGs: ISO 8601 (PT1H)."""
    if isinstance(value, dict):
        parts = {name: value.get(name, 0) for name in ("days", "seconds", "microseconds")}
        try:
            return timedelta(**parts).total_seconds()
        except (TypeError, OverflowError):
            raise ValueError("is not a duration") from None
    if isinstance(value, str):
        return TypeAdapter(timedelta).validate_python(value).total_seconds()
    return value


def _date(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """As ISO 8601 writes it. Left to itself pydantic takes 20260131 for seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and value[4:5] == "-"):
        with suppress(ValidationError):
            return read(value)
    raise ValueError(
        "must be a date with a time zone, such as 2026-01-31T06:00:00Z or 2026-01-31T07:00:00+01:00; get_dag_details "
        "tells the time zone of a DAG"
    )


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is not a date in UTC") from None


def in_short(value: datetime) -> str:
    """UTC, to the second, or to the minute where that says it all: it is in every row."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00") + "Z"


def _fenced(text: str, info: SerializationInfo) -> str:
    """Between the fences of the answer that is being made, which is the context."""
    return info.context.to_fence(text) if isinstance(info.context, Outgoing) else text


def _fenced_if_long(text: str, info: SerializationInfo) -> str:
    return _fenced(text, info) if "\n" in text or len(text) > LONGEST_REMARK else text


Id = Annotated[str, AfterValidator(_id)]
"""An id as a caller gives it."""
RunIdInBody = Annotated[str, AfterValidator(partial(_id, slashes=True))]
"""A run's id that is sent in a body, which carries the slashes that `allowed_run_id_pattern` may let through."""
Pattern = Annotated[str, AfterValidator(_pattern)]
"""Text that Airflow looks for, in either case: % stands for anything, and _ for any sign."""
Date = Annotated[AwareDatetime, WrapValidator(_date)]
"""A date and time as a caller gives it."""
Seconds = Annotated[float, BeforeValidator(_seconds)]
Moment = Annotated[datetime, AfterValidator(_in_utc), PlainSerializer(in_short), WithJsonSchema({"type": "string"})]
Untrusted = Annotated[str, PlainSerializer(_fenced)]
"""Long text that an Airflow user wrote."""
Remark = Annotated[str, PlainSerializer(_fenced_if_long)]
"""What an Airflow user wrote in a line or two: it is fenced where it is longer than a line."""
Names = Annotated[list[str], BeforeValidator(lambda value: [*map(_name, value)] if isinstance(value, list) else value)]
"""Tags: Airflow gives objects with a name."""


MapIndex = Annotated[int | None, BeforeValidator(lambda value: None if value in (-1, "-1") else value)]
"""None for what is not mapped, and for all of a mapped task: Airflow has -1 there."""


def _other_than_id(value: str | None, info: ValidationInfo) -> str | None:
    id_name = str(info.field_name).replace("_display_name", "_id")
    return None if value == info.data.get(id_name) else value


DisplayName = Annotated[Remark | None, AfterValidator(_other_than_id)]
"""`dag_display_name` or `task_display_name`: what people call it, where that is another than the id before it."""


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, dict) else item
