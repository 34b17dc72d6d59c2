"""Arguments as clients send them, read into a model or refused by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from airflow_mcp.errors import WrongArgumentsError, problem_of
from airflow_mcp.ids import LONGEST, near
from airflow_mcp.models.base import Arguments

MOST_PROBLEMS = 10

ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)


def read_arguments(model: type[ArgumentsT], given: Mapping[str, Any]) -> ArgumentsT:
    """The arguments of a tool or a prompt. Raises WrongArgumentsError, which names each that is wrong.

    Some clients send a list as its JSON text; nothing else is read out of a string, least of all null.
    """
    fields = model.model_fields
    parsed = {
        name: _list_parsed(value) if name in fields and _takes_list(fields[name].annotation) else value
        for name, value in given.items()
    }
    try:
        return model.model_validate(parsed)
    except ValidationError as error:
        raise WrongArgumentsError(_problems(error, model)) from error


def _takes_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_takes_list(part) for part in get_args(annotation))


def _list_parsed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


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
    message = problem_of(each["msg"])
    return f"{name}: {message[0].lower()}{message[1:]}." if name else f"{message}."
