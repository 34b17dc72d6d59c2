"""From a tool of ours to a tool of the MCP SDK."""

from __future__ import annotations

import json
import logging
import time
import traceback
from contextlib import suppress
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ValidationError

from airflow_mcp.errors import AirflowMcpError, VersionChangedError
from airflow_mcp.ids import LONGEST, near
from airflow_mcp.models.base import Answer, Arguments
from airflow_mcp.text.clean import clean
from airflow_mcp.tools.context import App
from airflow_mcp.tools.present import as_data, as_text
from airflow_mcp.tools.schema import input_schema, output_schema
from airflow_mcp.tools.spec import ToolSpec

MOST_PROBLEMS = 10

logger = logging.getLogger(__name__)


class _Metadata(FuncMetadata):
    """Hands the arguments to the function as the model that they are."""

    list_arguments: frozenset[str]

    def validate_arguments(self, arguments_to_validate: dict[str, Any]) -> dict[str, Any]:
        parsed = {name: self._list_parsed(name, value) for name, value in arguments_to_validate.items()}
        return {"args": self.arg_model.model_validate(parsed)}

    def _list_parsed(self, name: str, value: Any) -> Any:
        """Some clients send a list as its JSON text; nothing else is read out of a string, least of all null."""
        if name in self.list_arguments and isinstance(value, str) and value.startswith("["):
            with suppress(ValueError, RecursionError):
                return json.loads(value)
        return value


class _Tool(Tool):
    """Says what is wrong with arguments in our words."""

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        try:
            self.fn_metadata.validate_arguments(arguments)
        except ValidationError as error:
            raise ToolError(wrong_arguments(error, self.fn_metadata.arg_model)) from error
        return await super().run(arguments, context, convert_result)


def to_mcp(spec: ToolSpec) -> Tool:
    """The SDK's tool for one of ours, with exactly our schemas."""

    async def call(ctx: Context[App, Any], args: Any) -> CallToolResult:
        return await _call(spec, ctx.request_context.lifespan_context, args)

    base = Tool.from_function(
        call,
        name=spec.name,
        title=spec.title,
        description=spec.description,
        annotations=ToolAnnotations(
            read_only_hint=not spec.changes,
            destructive_hint=spec.destructive,
            idempotent_hint=spec.idempotent,
            open_world_hint=spec.user_text,
        ),
        structured_output=False,
    )
    parameters = input_schema(spec.arguments)
    lists = [name for name, part in parameters["properties"].items() if part["type"] == "array"]
    metadata = _Metadata(
        list_arguments=frozenset(lists),
        arg_model=type(spec.arguments.__name__, (spec.arguments, ArgModelBase), {}),
        output_model=spec.answer,
        output_schema=output_schema(spec.answer),
    )
    return _Tool(**{**dict(base), "parameters": parameters, "fn_metadata": metadata})


async def _call(spec: ToolSpec, app: App, args: Arguments) -> CallToolResult:
    started = time.monotonic()
    outcome = "error"
    try:
        data = as_data(await _answer(spec, app, args))
        outcome = "ok"
        return CallToolResult(content=[TextContent(text=as_text(data))], structured_content=data)
    except AirflowMcpError as error:
        outcome = type(error).__name__
        return _failed(str(error))
    except Exception as error:
        # What failed may quote what was sent: of a request, or of an answer to it.
        logger.error("%s failed\n%s", spec.name, app.hide("".join(traceback.format_exception(error))))
        return _failed(
            f"{spec.name} failed inside this server ({type(error).__name__}): a bug, or an Airflow version that it "
            "does not know. The log on its standard error tells more."
        )
    finally:
        logger.info("%s %s %d ms", spec.name, outcome, (time.monotonic() - started) * 1000)


async def _answer(spec: ToolSpec, app: App, args: Arguments) -> Answer:
    try:
        return await spec.function(app, args)
    except VersionChangedError:
        # The server did not know the route, so nothing happened: ask the version that is there now.
        return await spec.function(app, args)


def _failed(message: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=clean(message))], is_error=True)


def wrong_arguments(error: ValidationError, model: type[BaseModel]) -> str:
    """What is wrong with the arguments, by name and without their values."""
    problems = error.errors(include_url=False, include_input=False)
    more = f" And {len(problems) - MOST_PROBLEMS} more." if len(problems) > MOST_PROBLEMS else ""
    return clean(f"Nothing was done. {' '.join(_problem(each, model) for each in problems[:MOST_PROBLEMS])}{more}")


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
