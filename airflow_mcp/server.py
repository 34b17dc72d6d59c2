"""The MCP server: its tools, prompts and instructions, put together for some settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListToolsResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)
from opentelemetry import trace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_mcp import __version__
from airflow_mcp.errors import UnknownNameError, WrongArgumentsError
from airflow_mcp.ids import unknown
from airflow_mcp.prompts import PromptSpec, load_instructions, load_prompts
from airflow_mcp.settings import Settings
from airflow_mcp.text.outgoing import as_message
from airflow_mcp.tools.context import App, open_app
from airflow_mcp.tools.run import Runner
from airflow_mcp.tools.sdk import to_mcp, to_result
from airflow_mcp.tools.spec import ToolSpec
from airflow_mcp.tools.toolsets import ALL_TOOLS

NAME = "airflow-ops-mcp"

OpenApp = Callable[[Settings], AbstractAsyncContextManager[App]]
Context = ServerRequestContext[Runner, Any]


def offered_tools(settings: Settings) -> list[ToolSpec]:
    """The tools that these settings offer: none that changes anything in read-only mode."""
    return [spec for spec in ALL_TOOLS if not (spec.changes and settings.read_only)]


def offered_prompts(settings: Settings) -> list[PromptSpec]:
    """The prompts that need no tool but those offered."""
    offered = {spec.name for spec in offered_tools(settings)}
    return [prompt for prompt in load_prompts() if prompt.tools <= offered]


def build_server(settings: Settings, open_parts: OpenApp = open_app) -> Server[Runner]:
    """The server for these settings. Nothing is sent to Airflow before the first call of a tool."""
    specs = offered_tools(settings)
    tools = [to_mcp(spec) for spec in specs]
    prompts = {spec.name: spec for spec in offered_prompts(settings)}

    @asynccontextmanager
    async def lifespan(_: Server[Runner]) -> AsyncIterator[Runner]:
        async with open_parts(settings) as app:
            yield Runner(specs, app)

    async def list_tools(_: Context, __: object) -> ListToolsResult:
        return ListToolsResult(tools=tools)

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        try:
            return to_result(await context.lifespan_context.call(params.name, params.arguments or {}))
        except UnknownNameError as error:
            raise _invalid_params(error) from error

    async def list_prompts(_: Context, __: object) -> ListPromptsResult:
        return ListPromptsResult(prompts=[_to_mcp(spec) for spec in prompts.values()])

    async def get_prompt(_: Context, params: GetPromptRequestParams) -> GetPromptResult:
        spec = prompts.get(params.name)
        if not spec:
            raise _invalid_params(UnknownNameError(unknown("prompt", params.name, prompts)))
        try:
            text = spec.render(params.arguments or {})
        except WrongArgumentsError as error:
            raise _invalid_params(error) from error
        message = PromptMessage(role="user", content=TextContent(text=text))
        return GetPromptResult(description=spec.description, messages=[message])

    server = Server(
        NAME,
        title="Apache Airflow",
        instructions=load_instructions(changes=not settings.read_only),
        version=__version__,
        lifespan=lifespan,
        get_tool_input_schema={tool.name: tool.input_schema for tool in tools}.get,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
    )
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        server.middleware.clear()  # which makes spans, of each message, that nobody set up a tracer for
    return server


def http_app(server: Server[Runner], host: str) -> Starlette:
    """The server as an HTTP application at /mcp of this host, and /health beside it."""
    return server.streamable_http_app(host=host, custom_starlette_routes=[Route("/health", _health)])


async def _health(_: Request) -> Response:
    """Tell that this process serves; it says nothing of Airflow."""
    return JSONResponse({"status": "ok", "version": __version__})


def _invalid_params(error: Exception) -> MCPError:
    return MCPError(INVALID_PARAMS, as_message(str(error)))


def _to_mcp(spec: PromptSpec) -> Prompt:
    return Prompt(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        arguments=[
            PromptArgument(name=each.name, description=each.description, required=each.required)
            for each in spec.arguments
        ],
    )
