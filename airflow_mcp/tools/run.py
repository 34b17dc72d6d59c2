"""The one way in which a tool is called, whoever asks for it."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from airflow_mcp.errors import AirflowMcpError, UnknownNameError, VersionChangedError, WrongArgumentsError
from airflow_mcp.ids import LONGEST, near, unknown
from airflow_mcp.models.base import Answer, Arguments
from airflow_mcp.models.changes import ChangeArguments
from airflow_mcp.text.outgoing import as_message
from airflow_mcp.tools.context import App, Call
from airflow_mcp.tools.present import as_data, as_text
from airflow_mcp.tools.releases import api_for
from airflow_mcp.tools.spec import ToolSpec

MOST_PROBLEMS = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What a call came to: an answer as data and as text, or the text of an error."""

    text: str
    data: dict[str, Any] | None = None

    @property
    def is_error(self) -> bool:
        """Whether the call failed; then the text says why, and what to do next."""
        return self.data is None


class Runner:
    """Calls the tools that are offered, with what their functions need."""

    def __init__(self, specs: Sequence[ToolSpec], app: App) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._app = app

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """Call a tool with arguments as a client sends them. Whatever goes wrong in it is a result too.

        Raises UnknownNameError for a tool that is not offered.
        """
        spec = self._specs.get(name)
        if not spec:
            raise UnknownNameError(unknown("tool", name, self._specs))
        started = time.monotonic()
        outcome = "cancelled"
        try:
            data = as_data(await self._answer(spec, _arguments(spec, arguments)))
            outcome = "ok"
            return Result(as_text(data), data)
        except AirflowMcpError as error:
            outcome = type(error).__name__
            return Result(as_message(str(error)))
        except Exception as error:
            outcome = "error"
            # What failed may quote what was sent: of a request, or of an answer to it.
            logger.error("%s failed\n%s", name, self._app.server.hide("".join(traceback.format_exception(error))))
            return Result(
                f"{name} failed inside this server ({type(error).__name__}): a bug, or an Airflow version that it "
                "does not know. The log on its standard error tells more."
            )
        finally:
            logger.info("%s %s %d ms", name, outcome, (time.monotonic() - started) * 1000)

    async def _answer(self, spec: ToolSpec, args: Arguments) -> Answer:
        try:
            return await self._once(spec, args)
        except VersionChangedError:
            # The server did not know the route, so nothing happened: ask the version that is there now.
            return await self._once(spec, args)

    async def _once(self, spec: ToolSpec, args: Arguments) -> Answer:
        api = await api_for(self._app.server, spec, args)
        look = partial(spec.function, Call(api), args)
        made = self._app.guard.carry_out(spec.name, args, api, look) if isinstance(args, ChangeArguments) else look()
        answer: Answer = await made
        return answer


def _arguments(spec: ToolSpec, arguments: Mapping[str, Any]) -> Arguments:
    try:
        return read_arguments(spec, arguments)
    except ValidationError as error:
        raise WrongArgumentsError(wrong_arguments(error, spec.arguments)) from error


def read_arguments(spec: ToolSpec, arguments: Mapping[str, Any]) -> Arguments:
    """The arguments as the tool's function takes them. Raises pydantic's ValidationError.

    Some clients send a list as its JSON text; nothing else is read out of a string, least of all null.
    """
    fields = spec.arguments.model_fields
    return spec.arguments.model_validate(
        {
            name: _list_parsed(value) if name in fields and _takes_list(fields[name].annotation) else value
            for name, value in arguments.items()
        }
    )


def _takes_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_takes_list(part) for part in get_args(annotation))


def _list_parsed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def wrong_arguments(error: ValidationError, model: type[BaseModel]) -> str:
    """What is wrong with the arguments, by name and without their values."""
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
    message = each["msg"].removeprefix("Value error, ")
    return f"{name}: {message[0].lower()}{message[1:]}." if name else f"{message}."
