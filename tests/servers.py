"""Real Airflows, 2.11 and 3.3 side by side unless told otherwise, with the demo's DAGs and the tests' own."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import airflow_mcp.demo
from airflow_mcp.demo.releases import RELEASES
from airflow_mcp.demo.standalone import Standalone
from tests.oracle import Oracle
from tests.releases import LAST, RUN

RECORDED = (*LAST, "3.0")
"""What the unit tests replay: 3.0 does what none after it does."""
DAGS = [Path(airflow_mcp.demo.__file__).parent / "dags", Path(__file__).parent / "dags"]
DAG_IDS = ("daily_report", "sales_etl", "load_files", "diamond", "отчёт.v1", "history", "mapped_group")
VIEWER = "vera"
SIMPLE_ROLES = {VIEWER: "viewer", "uma": "user", "otto": "op"}


@contextmanager
def real_airflows(names: Sequence[str] = RUN) -> Iterator[dict[str, Oracle]]:
    """The servers, by version, each with an administrator and a Viewer, a 3 with all of its roles."""
    servers = [Standalone(RELEASES[name], dags=DAGS, env=_settings(name)) for name in names]
    try:
        with ThreadPoolExecutor() as threads:
            for entered in [threads.submit(server.__enter__) for server in servers]:
                entered.result()
            oracles = [Oracle(server, passwords) for server, passwords in threads.map(_with_users, servers)]
            list(threads.map(lambda oracle: oracle.wait_for_dags(*DAG_IDS), oracles))
        yield {oracle.server.release.name: oracle for oracle in oracles}
        for oracle in oracles:
            oracle.http.close()
    finally:
        for server in servers:
            server.stop()


def _settings(name: str) -> dict[str, str]:
    if name < "3":
        return {}
    users = {"admin": "admin", **SIMPLE_ROLES}
    return {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in users.items())}


def _with_users(server: Standalone) -> tuple[Standalone, dict[str, str]]:
    if server.release.major == 3:
        generated = server.home / "simple_auth_manager_passwords.json.generated"
        return server, json.loads(generated.read_text())
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
    return server, {VIEWER: password}


def hash_cheaply(home: Path, user: str, password: str) -> None:
    """Store a user's password with a cheap hash: to check the usual one takes a tenth of a second a request."""
    salt = secrets.token_hex(8)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 1).hex()
    with closing(sqlite3.connect(home / "airflow.db", timeout=30)) as database, database:
        row = (f"pbkdf2:sha256:1${salt}${digest}", user)
        changed = database.execute("UPDATE ab_user SET password = ? WHERE username = ?", row)
    assert changed.rowcount == 1, user
