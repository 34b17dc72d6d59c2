"""Airflow 3.3 on PostgreSQL behind nginx: its API server alone, so that nothing moves but what a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mcp import Client

from airflow_mcp.demo.releases import RELEASES
from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from tests.api_server import ApiServer
from tests.nginx import Nginx
from tests.oracle import Oracle
from tests.postgres import Postgres
from tests.scale.fill import fill
from tests.session import Session

AIRFLOW = replace(RELEASES["3.3"], variant="postgres", more=(("psycopg2-binary", "asyncpg"),))
PREFIX = "/data/airflow"
TEMPLATES = Path(__file__).parent / "dags"


@dataclass
class Site:
    """The servers: the oracle speaks to Airflow itself, our client to the proxy."""

    oracle: Oracle
    database: Postgres
    proxy: Nginx

    def settings(self, **other: Any) -> Settings:
        """For the proxy, trusting its authority; patient, for the machine may be busy."""
        given = {
            "url": self.proxy.url,
            "ca_bundle": self.proxy.certificates.ca_bundle,
            "username": self.oracle.server.username,
            "password": self.oracle.server.password,
            "timeout": 120,
        }
        return Settings.for_one(**given | other)

    @asynccontextmanager
    async def connect(self, **other: Any) -> AsyncIterator[Session]:
        """A client of our server."""
        async with Client(build_server(self.settings(**other))) as client:
            yield Session(client)


@contextmanager
def filled_site(folder: Path) -> Iterator[Site]:
    """Everything up, and the population in it."""
    with ExitStack() as stack:
        database = stack.enter_context(Postgres())
        proxy = stack.enter_context(Nginx(folder, PREFIX))
        env = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database.url, "AIRFLOW__API__BASE_URL": proxy.url}
        server = stack.enter_context(ApiServer(AIRFLOW, dags=[TEMPLATES], env=env))
        proxy.start(server.url)
        server.url += PREFIX  # Airflow itself answers below it; its sign-in, only there
        oracle = Oracle(server)
        stack.callback(oracle.http.close)
        fill(database, oracle)
        yield Site(oracle, database, proxy)
