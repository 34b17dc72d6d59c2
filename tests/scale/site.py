"""Airflow 3.3 on PostgreSQL behind nginx: its API server alone, so that nothing moves but what a test moves."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mcp import Client

from airflow_mcp.demo.releases import RELEASES, StandaloneError, tail
from airflow_mcp.demo.standalone import Standalone
from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from tests.nginx import Nginx
from tests.oracle import Oracle
from tests.postgres import Postgres
from tests.scale.fill import fill
from tests.session import Session

AIRFLOW = replace(RELEASES["3.3"], variant="postgres", more=(("psycopg2-binary", "asyncpg"),))
PREFIX = "/data/airflow"
TEMPLATES = Path(__file__).parent / "dags"


class ApiServer(Standalone):
    """Without a scheduler, which would run what is to stand still, and a DAG processor, which would drop copies."""

    vital = "metadatabase"

    def command(self) -> Sequence[str]:
        return [str(self.venv / "bin/airflow"), "api-server"]

    def prepare(self) -> None:
        """Make the tables, and load the DAG files once."""
        self._run("db", "migrate")
        self._run("dags", "reserialize")

    def _run(self, *arguments: str) -> None:
        """Run an `airflow` command as the server would. Raises StandaloneError, with the end of its output."""
        command = [str(self.venv / "bin/airflow"), *arguments]
        log = self.home / f"{'-'.join(arguments)}.log"
        with log.open("wb") as out:
            done = subprocess.run(
                command,
                cwd=self.home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                check=False,
            )
        if done.returncode != 0:
            raise StandaloneError(f"airflow {' '.join(arguments)} failed:\n{tail(log, 30)}")


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
