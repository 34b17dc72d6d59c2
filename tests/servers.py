"""Real Airflows with the demo's DAGs and the tests' own."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import airflow_mcp.demo
from airflow_mcp.demo.releases import RELEASES
from airflow_mcp.demo.standalone import Standalone
from tests.oracle import Oracle
from tests.releases import LAST

RECORDED = (*LAST, "3.0")
"""What the unit tests replay: 3.0 does what none after it does."""
DAGS = [Path(airflow_mcp.demo.__file__).parent / "dags", Path(__file__).parent / "dags"]
DAG_IDS = (
    "daily_report",
    "sales_etl",
    "load_files",
    "diamond",
    "failing",
    "отчёт.v1",
    "history",
    "mapped_group",
    "renamed",
    "setups",
    "passwords",
)
UNSCHEDULED = "отчёт.v1"
"""The DAG to unpause: it has no schedule and no test runs it, so the scheduler has nothing to move."""
PATIENCE = 120
"""Seconds for an Airflow to get ready: less than its first test may take."""
VIEWER = "vera"
SIMPLE_ROLES = {VIEWER: "viewer", "uma": "user"}


class Airflows:
    """Real Airflows by name, as many as are wanted: each starts when it is first asked for, and stops when told."""

    def __init__(self, kinds: Mapping[str, Callable[[], AbstractContextManager[Oracle]]]) -> None:
        self._kinds = kinds
        self._running: dict[str, tuple[Oracle, ExitStack]] = {}

    def get(self, name: str) -> Oracle:
        """One of them, started if it does not run. Raises StandaloneError if it does not start."""
        if name not in self._running:
            stack = ExitStack()
            self._running[name] = stack.enter_context(self._kinds[name]()), stack
        return self._running[name][0]

    def stop(self, name: str) -> None:
        """Stop one of them, if it runs."""
        if name in self._running:
            self._running.pop(name)[1].close()

    def stop_all(self) -> None:
        """Stop all that run."""
        for name in list(self._running):
            self.stop(name)


@contextmanager
def real_airflow(name: str) -> Iterator[Oracle]:
    """A server of this release, with an administrator and a Viewer, a 3 with all of its roles."""
    with Standalone(RELEASES[name], dags=DAGS, env=_settings(name), patience=PATIENCE) as server:
        oracle = Oracle(server, _passwords(server))
        with closing(oracle.http):
            oracle.wait_for_dags(*DAG_IDS)
            yield oracle


def _settings(name: str) -> dict[str, str]:
    # A DAG file that a test rewrites is known within seconds.
    fresh = {f"AIRFLOW__CORE__MIN_SERIALIZED_DAG_{each}_INTERVAL": "1" for each in ("UPDATE", "FETCH")}
    fresh["AIRFLOW__SCHEDULER__ALLOWED_RUN_ID_PATTERN"] = "^[A-Za-z0-9_.~:+/-]+$"  # a slash more than by default
    if name < "3":
        return fresh
    users = {"admin": "admin", **SIMPLE_ROLES}
    roles = ",".join(f"{user}:{role}" for user, role in users.items())
    return {**fresh, "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": roles}


def _passwords(server: Standalone) -> dict[str, str]:
    """Of the users that are not the administrator, by name; Airflow 3 has made them, on 2 one is made here."""
    if server.release.major == 3:
        generated: dict[str, str] = json.loads(
            (server.home / "simple_auth_manager_passwords.json.generated").read_text()
        )
        return generated
    password = "look-but-do-not-touch"
    subprocess.run(
        [
            *(server.venv / "bin/airflow", "users", "create", "--username", VIEWER, "--password", password),
            *("--role", "Viewer", "--firstname", "V", "--lastname", "V", "--email", "vera@example.com"),
        ],
        env={**os.environ, "AIRFLOW_HOME": str(server.home)},
        capture_output=True,
        check=True,
        timeout=60,
    )
    for user, its in (("admin", server.password), (VIEWER, password)):
        hash_cheaply(server.home, user, its)
    return {VIEWER: password}


def hash_cheaply(home: Path, user: str, password: str) -> None:
    """Store a user's password with a cheap hash: to check the usual one takes a tenth of a second a request."""
    salt = secrets.token_hex(8)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 1).hex()
    with closing(sqlite3.connect(home / "airflow.db", timeout=30)) as database, database:
        row = (f"pbkdf2:sha256:1${salt}${digest}", user)
        changed = database.execute("UPDATE ab_user SET password = ? WHERE username = ?", row)
    assert changed.rowcount == 1, user
