"""What the tools work with: one connection for the life of the server, and a call's own view of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from airflow_mcp.airflow.api import Api, Server
from airflow_mcp.guard.confirm import Guard
from airflow_mcp.settings import Settings


@dataclass(frozen=True)
class Call:
    """What a tool's function gets, with its arguments."""

    api: Api
    preview_tools: bool = True
    """Whether previews are tools of their own."""


@dataclass(frozen=True)
class App:
    """Made once: the Airflow at hand, and the guard before its changes."""

    server: Server
    guard: Guard


def make_app(settings: Settings, server: Server) -> App:
    """Put the parts together. Nothing is sent."""
    return App(server, Guard(settings.policy, server))


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """The parts for these settings; the connections are closed at the end."""
    server = Server(settings.instances[0])
    try:
        yield make_app(settings, server)
    finally:
        await server.aclose()
