"""A client of our server, whose Airflow is a fake one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from mcp import Client

from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from airflow_mcp.tools.context import App, make_app
from tests.fakes import URL, Airflow
from tests.session import Session


@asynccontextmanager
async def replayed(transport: httpx.AsyncBaseTransport, **settings: Any) -> AsyncIterator[Session]:
    """A client of our server, whose Airflow is this transport."""

    @asynccontextmanager
    async def parts(given: Settings) -> AsyncIterator[App]:
        airflow = Airflow(given.instances[0], transport)
        yield make_app(given, airflow)
        await airflow.aclose()

    signed_in = {"url": URL, "username": "admin", "password": "s3cret-pw"} | settings
    async with Client(build_server(Settings.for_one(**signed_in), parts)) as client:
        yield Session(client)
