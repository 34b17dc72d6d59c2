"""The MCP server, put together for some settings; and the same as an HTTP application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from mcp.server.lowlevel import Server
from opentelemetry import trace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_mcp import __version__
from airflow_mcp.handlers import Handlers
from airflow_mcp.prompts import load_instructions
from airflow_mcp.settings import Settings
from airflow_mcp.tools.context import App, open_app
from airflow_mcp.tools.run import Runner

NAME = "airflow-ops-mcp"

OpenApp = Callable[[Settings], AbstractAsyncContextManager[App]]


def build_server(settings: Settings, open_parts: OpenApp = open_app) -> Server[Runner]:
    """The server for these settings. Nothing is sent to Airflow before something is asked of it."""
    handlers = Handlers(settings)

    @asynccontextmanager
    async def lifespan(_: Server[Runner]) -> AsyncIterator[Runner]:
        async with open_parts(settings) as app:
            yield Runner(handlers.specs, app)

    server = Server(
        NAME,
        title="Apache Airflow",
        instructions=load_instructions(changes=not settings.read_only),
        version=__version__,
        lifespan=lifespan,
        get_tool_input_schema={tool.name: tool.input_schema for tool in handlers.tools}.get,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_resource_templates,
        on_read_resource=handlers.read_resource,
        on_completion=handlers.complete,
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
