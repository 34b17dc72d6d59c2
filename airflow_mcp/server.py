"""The MCP server: its tools, prompts and instructions, put together for some settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import PromptArgument
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from airflow_mcp import __version__
from airflow_mcp.prompts import PromptSpec, load_instructions, load_prompts
from airflow_mcp.settings import Settings
from airflow_mcp.tools import dags
from airflow_mcp.tools.context import App, open_app
from airflow_mcp.tools.sdk import to_mcp
from airflow_mcp.tools.spec import ToolSpec, tools_of

NAME = "airflow-ops-mcp"

OpenApp = Callable[[Settings], AbstractAsyncContextManager[App]]


def offered_tools(settings: Settings) -> list[ToolSpec]:
    """The tools that these settings offer: none that changes anything in read-only mode."""
    return [spec for spec in tools_of(dags) if not (spec.changes and settings.read_only)]


def offered_prompts(settings: Settings) -> list[PromptSpec]:
    """The prompts that need no tool but those offered."""
    withheld = {spec.name for spec in tools_of(dags)} - {spec.name for spec in offered_tools(settings)}
    return [prompt for prompt in load_prompts() if not any(name in prompt.text for name in withheld)]


def build_server(settings: Settings, open_parts: OpenApp = open_app) -> MCPServer[App]:
    """The server for these settings. Nothing is sent to Airflow before the first call of a tool."""

    @asynccontextmanager
    async def lifespan(_: MCPServer[App]) -> AsyncIterator[App]:
        async with open_parts(settings) as app:
            yield app

    server = MCPServer(
        NAME,
        title="Apache Airflow",
        instructions=load_instructions(changes=not settings.read_only),
        version=__version__,
        tools=[to_mcp(spec) for spec in offered_tools(settings)],
        lifespan=lifespan,
        log_level="WARNING",
    )
    for spec in offered_prompts(settings):
        server.add_prompt(_to_mcp(spec))

    server.custom_route("/health", methods=["GET"])(_health)
    return server


async def _health(_: Request) -> Response:
    """Tell that this process serves; it says nothing of Airflow."""
    return JSONResponse({"status": "ok", "version": __version__})


def _to_mcp(spec: PromptSpec) -> Prompt:
    def render(**arguments: str) -> str:
        return spec.render(arguments)

    return Prompt(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        arguments=[
            PromptArgument(name=each.name, description=each.description, required=each.required)
            for each in spec.arguments
        ],
        fn=render,
    )
