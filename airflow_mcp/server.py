"""The MCP server: its tools, prompts and instructions, put together for some settings."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import PromptArgument
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from airflow_mcp import __version__
from airflow_mcp.completion import completions
from airflow_mcp.prompts import PromptSpec, load_instructions, load_prompts
from airflow_mcp.resources import add_resources
from airflow_mcp.settings import Settings
from airflow_mcp.tools.ask import ask_for_evidence
from airflow_mcp.tools.context import App, open_app
from airflow_mcp.tools.sdk import to_mcp
from airflow_mcp.tools.spec import ToolSpec
from airflow_mcp.tools.toolsets import chosen_tools

NAME = "airflow-ops-mcp"

OpenApp = Callable[[Settings], AbstractAsyncContextManager[App]]


def offered_tools(settings: Settings) -> list[ToolSpec]:
    """The tools that these settings offer: of the chosen toolsets, none that changes anything in read-only mode.

    Raises SettingsError for a toolset that there is not.
    """
    return [spec for spec in chosen_tools(settings.toolsets) if not (spec.changes and settings.read_only)]


def offered_prompts(settings: Settings) -> list[PromptSpec]:
    """The prompts that need no tool but those offered."""
    offered = {spec.name for spec in offered_tools(settings)}
    return [
        prompt
        for prompt in load_prompts()
        if not _withheld(settings).search(prompt.text) and {each.tool for each in prompt.evidence} <= offered
    ]


def instructions(settings: Settings) -> str:
    """What every model is told at the start: about changes only where some are offered, and of no tool that is not."""
    lines = load_instructions(changes=any(spec.changes for spec in offered_tools(settings))).splitlines()
    return "\n".join(line for line in lines if not _withheld(settings).search(line))


def _withheld(settings: Settings) -> re.Pattern[str]:
    """Finds the name of a tool that is not offered."""
    names = {spec.name for spec in chosen_tools("all")} - {spec.name for spec in offered_tools(settings)}
    return re.compile(rf"\b({'|'.join(sorted(names))})\b" if names else r"(?!)")


def build_server(settings: Settings, open_parts: OpenApp = open_app) -> MCPServer[App]:
    """The server for these settings. Nothing is sent to Airflow before the first call of a tool.

    Raises SettingsError for a toolset that there is not.
    """

    opened: list[App] = []
    offered = {spec.name: spec for spec in offered_tools(settings)}

    @asynccontextmanager
    async def lifespan(_: MCPServer[App]) -> AsyncIterator[App]:
        async with open_parts(settings) as app:
            opened.append(app)
            try:
                yield app
            finally:
                opened.remove(app)

    server = MCPServer(
        NAME,
        title="Apache Airflow",
        instructions=instructions(settings),
        version=__version__,
        tools=[to_mcp(spec) for spec in offered.values()],
        lifespan=lifespan,
        log_level="WARNING",
    )
    for spec in offered_prompts(settings):
        server.add_prompt(_to_mcp(spec, offered))
    add_resources(server, offered)

    async def complete(
        _: PromptReference | ResourceTemplateReference, argument: CompletionArgument, context: CompletionContext | None
    ) -> Completion:
        given = (context and context.arguments) or {}
        values = await completions(opened[-1], argument.name, argument.value, given)
        return Completion(values=values, has_more=False)

    server.completion()(complete)  # type: ignore[no-untyped-call]

    server.custom_route("/health", methods=["GET"])(_health)
    return server


async def _health(_: Request) -> Response:
    """Tell that this process serves; it says nothing of Airflow."""
    return JSONResponse({"status": "ok", "version": __version__})


def _to_mcp(spec: PromptSpec, offered: Mapping[str, ToolSpec]) -> Prompt:
    async def render(ctx: Context[App, object], **arguments: str) -> str:
        app = ctx.request_context.lifespan_context
        evidence = {
            each.name: await ask_for_evidence(offered[each.tool], app, each.asked(arguments)) for each in spec.evidence
        }
        return spec.render(arguments, evidence)

    return Prompt(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        arguments=[
            PromptArgument(name=each.name, description=each.description, required=each.required)
            for each in spec.arguments
        ],
        fn=render,
        context_kwarg="ctx",
    )
