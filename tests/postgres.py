"""A PostgreSQL cluster of the tests' own, in a temporary folder: the machine's own clusters are left alone."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from airflow_mcp.demo.releases import tail
from airflow_mcp.demo.standalone import free_ports

DEBIAN = Path("/usr/lib/postgresql")
PROGRAMS = ("initdb", "postgres", "psql")
USER = "airflow"
ACCOUNT = "postgres"
"""Who runs it where we are root, whom PostgreSQL does not run for: Debian's package makes this account."""
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=4GB", "shared_buffers=256MB")
"""Nobody needs this cluster's data after a crash."""


def missing() -> list[str]:
    """What a cluster needs and this machine does not have."""
    return [program for program in PROGRAMS if _find(program) is None]


class Postgres:
    """A running cluster with one empty database, as a context manager. Gone on exit."""

    folder: Path
    port: int

    def __init__(self) -> None:
        self._password = secrets.token_urlsafe()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # Not pytest's folder: the account could not get into it, and a socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        [self.port] = free_ports(1)
        try:
            self._create()
            self._start()
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # ends those who are connected
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Where it is, as SQLAlchemy writes it with psycopg2."""
        return f"postgresql+psycopg2://{USER}:{self._password}@127.0.0.1:{self.port}/postgres"

    def run(self, sql: str) -> str:
        """Run statements, all or none. Raises AssertionError with PostgreSQL's message."""
        options = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--single-transaction")
        done = subprocess.run(
            [_program("psql"), *options, "--set=ON_ERROR_STOP=1", "--file=-"],
            input=sql,
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    @property
    def _environment(self) -> Mapping[str, str]:
        where = {"PGHOST": str(self.folder), "PGPORT": str(self.port), "PGDATABASE": "postgres"}
        return {**where, "PGUSER": USER, "PGPASSWORD": self._password}

    def _create(self) -> None:
        secret = self.folder / "password"
        secret.touch(0o600)
        secret.write_text(self._password)
        for path in (self.folder, secret):
            if os.geteuid() == 0:
                shutil.chown(path, ACCOUNT, ACCOUNT)
        created = subprocess.run(
            [
                *(_program("initdb"), f"--pgdata={self.folder / 'data'}", f"--username={USER}"),
                *("--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **_account(),
        )
        assert created.returncode == 0, created.stderr

    def _start(self) -> None:
        where = (f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}")
        with (self.folder / "log").open("wb") as out:
            self._process = subprocess.Popen(
                [_program("postgres"), "-D", self.folder / "data", *(f"--{each}" for each in (*where, *FAST))],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                **_account(),
            )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                self.run("SELECT 1")
            except AssertionError:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise AssertionError(f"PostgreSQL did not start:\n{tail(self.folder / 'log', 20)}") from None
                time.sleep(0.1)
            else:
                return


def _account() -> dict[str, Any]:
    return {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": []} if os.geteuid() == 0 else {}


def _program(name: str) -> str:
    found = _find(name)
    assert found, name
    return found


def _find(program: str) -> str | None:
    """Debian keeps each version's programs in a folder of its own, off the path; the newest one's are taken."""
    versions = sorted((path for path in DEBIAN.glob("*/bin")), key=lambda path: float(path.parent.name), reverse=True)
    return shutil.which(program, path=os.pathsep.join([*map(str, versions), os.environ.get("PATH", os.defpath)]))
