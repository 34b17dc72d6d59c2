"""Arguments as clients send them, read into a model or refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from airflow_mcp.errors import WrongArgumentsError, problem_of
from airflow_mcp.ids import LONGEST, near
from airflow_mcp.models.base import Arguments

MOST_PROBLEMS = 10

ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)


def read_arguments(model: type[ArgumentsT], given: Mapping[str, Any]) -> ArgumentsT:
    """The arguments of a tool or a prompt. Raises WrongArgumentsError, which names each that is wrong.

    They are taken as clients send them: null and "" of an optional argument mean that it is not given, and so does
    an empty list, unless it must have an item; a list may be its JSON text, and a list of one text that text.
    Nothing else is read out of a string, least of all null.
    """
    fields = model.model_fields
    read = {
        name: _as_list(value) if name in fields and _takes_list(fields[name].annotation) else value
        for name, value in given.items()
    }
    meant = {name: value for name, value in read.items() if name not in fields or _is_given(fields[name], value)}
    try:
        return model.model_validate(meant)
    except ValidationError as error:
        raise WrongArgumentsError(_problems(error, model)) from error


def _takes_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_takes_list(part) for part in get_args(annotation))


def _as_list(value: Any) -> Any:
    """The list that a text stands for; what stands for none is left for the refusal."""
    if not isinstance(value, str) or value == "null":
        return value
    if value.startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
        return value
    return [value] if value else []


def _is_given(field: FieldInfo, value: Any) -> bool:
    """Whether a value says anything. Where an empty list would mean more than some, it is there to be refused."""
    if field.is_required():
        return True
    if value == []:
        return any(getattr(each, "min_length", None) for each in field.metadata)
    return value is not None and value != ""


def _problems(error: ValidationError, model: type[BaseModel]) -> str:
    """What is wrong, without the values."""
    problems = error.errors(include_url=False, include_input=False)
    more = f" And {len(problems) - MOST_PROBLEMS} more." if len(problems) > MOST_PROBLEMS else ""
    return f"Nothing was done. {' '.join(_problem(each, model) for each in problems[:MOST_PROBLEMS])}{more}"


def _problem(each: Any, model: type[BaseModel]) -> str:
    name = ".".join(str(part) for part in each["loc"])
    name = name if len(name) <= LONGEST else f"{name[:LONGEST]}…"
    if each["type"] == "extra_forbidden":
        likely = near(name, model.model_fields)
        hint = f"Did you mean {likely[0]}?" if likely else f"It takes {', '.join(model.model_fields)}."
        return f"{name}: no such argument. {hint}"
    if each["type"] == "missing":
        description = model.model_fields[name].description
        return f"{name}: is required{f' ({description})' if description else ''}."
    if each["type"] == "too_short":
        return f"{name}: is an empty list; leave it out where all are meant."
    message = problem_of(each["msg"])
    return f"{name}: {message[0].lower()}{message[1:]}." if name else f"{message}."
