"""A tool asked by this server itself: for the evidence of a prompt, or the content of a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from airflow_mcp.errors import AirflowMcpError, InvalidArgumentError
from airflow_mcp.tools.context import App
from airflow_mcp.tools.present import as_data, as_text
from airflow_mcp.tools.spec import ToolSpec


async def ask(spec: ToolSpec, app: App, arguments: Mapping[str, Any]) -> str:
    """A tool's answer as a model reads it. Raises AirflowMcpError, for arguments that are wrong too."""
    try:
        args = spec.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        [first, *_] = error.errors(include_url=False)
        raise InvalidArgumentError(".".join(map(str, first["loc"])), f"{first['msg']}.") from None
    return as_text(as_data(await spec.call(app, args)))


async def ask_for_evidence(spec: ToolSpec, app: App, arguments: Mapping[str, Any]) -> str:
    """The same, with what failed in words: the rest of a prompt is of use without it."""
    try:
        return await ask(spec, app, arguments)
    except AirflowMcpError as error:
        return f"({spec.name} gave no answer: {error})"
