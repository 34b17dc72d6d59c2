"""What all models share: strict input, compact output, and the types that both Airflows write differently."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    TypeAdapter,
    WithJsonSchema,
)

from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.ids import id_problem
from airflow_mcp.text import fence


class Arguments(BaseModel):
    """The arguments of one tool. An argument that is not named here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """An answer, or a part of one. Read from Airflow's JSON under either version's names; unknown names drop.

    In the answer, what is None is left out.
    """

    model_config = ConfigDict(extra="ignore", validate_by_name=True, validate_by_alias=True)

    @classmethod
    def choices(cls) -> list[str]:
        """The fields that `fields` can name: Airflow's, which the link is not."""
        return [name for name in cls.model_fields if name != "url"]

    def pick(self, fields: Iterable[str], always: Iterable[str]) -> Self:
        """Keep some fields only. Raises InvalidArgumentError for a field that there is not."""
        known = self.choices()
        for name in fields:
            if name not in known:
                raise InvalidArgumentError("fields", f"{name!r} is not one of: {', '.join(known)}.")
        kept = {*fields, *always}
        return self.model_copy(update={name: None for name in known if name not in kept})


class Linked(Answer):
    """An answer about one DAG, run or task instance."""

    url: str | None = Field(None, description="in Airflow's UI")


def _id(value: str) -> str:
    if problem := id_problem(value):
        raise ValueError(problem)
    return value


def _seconds(value: Any) -> Any:
    """Airflow 2 and tasks: an object of days, seconds, microseconds; Airflow 3's DAGs: ISO 8601 (PT1H)."""
    if isinstance(value, dict):
        parts = {name: value.get(name, 0) for name in ("days", "seconds", "microseconds")}
        return timedelta(**parts).total_seconds()
    if isinstance(value, str):
        return TypeAdapter(timedelta).validate_python(value).total_seconds()
    return value


def _moment(value: datetime) -> str:
    """UTC, to the second, or to the minute where that says it all: it is in every row."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00") + "Z"


def _object(value: Any) -> Any:
    """Of its JSON text, since a flat schema cannot say what is in it."""
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("is no JSON") from None
    if not isinstance(parsed, dict):
        raise ValueError("is no JSON object")
    return parsed


Id = Annotated[str, AfterValidator(_id)]
"""An id as a caller gives it."""
JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(_object), WithJsonSchema({"type": "string"})]
"""A JSON object as a caller gives it: its text."""
Seconds = Annotated[float, BeforeValidator(_seconds)]
Moment = Annotated[datetime, PlainSerializer(_moment), WithJsonSchema({"type": "string"})]
Untrusted = Annotated[str, PlainSerializer(fence)]
"""Text of many lines that an Airflow user wrote."""
Names = Annotated[list[str], BeforeValidator(lambda value: [_name(item) for item in value or []])]
"""Tags: Airflow gives objects with a name."""


def _name(item: Any) -> Any:
    return item["name"] if isinstance(item, dict) else item
