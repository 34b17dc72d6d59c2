"""Real Airflows, 2.11 and 3.3 side by side unless told otherwise, with the demo's DAGs and the tests' own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import airflow_mcp.demo
from airflow_mcp.demo.releases import RELEASES
from airflow_mcp.demo.standalone import Standalone
from tests.oracle import Oracle

VERSIONS = ("2.11", "3.3")
"""The last of each line."""
RECORDED = (*VERSIONS, "3.0")
"""What the unit tests replay: 3.0 does what none after it does."""
RUN = tuple(os.environ.get("AIRFLOW", "").split()) or VERSIONS
"""What the live tests run: AIRFLOW="2.7 3.0", or `make test-matrix`, names others."""
DAGS = [Path(airflow_mcp.demo.__file__).parent / "dags", Path(__file__).parent / "dags"]
DAG_IDS = {
    **dict.fromkeys(("daily_report", "sales_etl", "load_files"), "2"),
    **dict.fromkeys(("diamond", "отчёт.v1", "history", "listed", "mapped_group"), "2"),
    **dict.fromkeys(("broken", "sometimes", "with_params", "slow", "hands_over"), "2"),
    **dict.fromkeys(("full_pool", "never_there", "at_limit", "on_the_past"), "2"),
    **dict.fromkeys(("makes_orders", "reads_orders", "reads_both"), "2"),
    **dict.fromkeys(("every_day", "every_day_slowly"), "2"),
    "decides": "3.1",
}
"""The DAGs, each with the first Airflow that loads it."""
VIEWER = "vera"
SIMPLE_ROLES = {VIEWER: "viewer", "uma": "user", "otto": "op"}


def _release(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))


def dag_ids(name: str) -> list[str]:
    """The DAGs that a release loads."""
    return [dag_id for dag_id, first in DAG_IDS.items() if _release(first) <= _release(name)]


@contextmanager
def real_airflows(names: Sequence[str] = RUN) -> Iterator[dict[str, Oracle]]:
    """The servers, by version, each with an administrator and a Viewer, a 3 with all of its roles."""
    servers = [Standalone(RELEASES[name], dags=DAGS, env=_settings(name)) for name in names]
    try:
        with ThreadPoolExecutor() as threads:
            for entered in [threads.submit(server.__enter__) for server in servers]:
                entered.result()
            oracles = [Oracle(server, passwords) for server, passwords in threads.map(_with_users, servers)]
            list(threads.map(lambda oracle: oracle.wait_for_dags(*dag_ids(oracle.server.release.name)), oracles))
        yield {oracle.server.release.name: oracle for oracle in oracles}
        for oracle in oracles:
            oracle.http.close()
    finally:
        for server in servers:
            server.stop()


def _settings(name: str) -> dict[str, str]:
    exposed = {f"AIRFLOW__{'WEBSERVER' if name < '3' else 'API'}__EXPOSE_CONFIG": "non-sensitive-only"}
    if name < "3":
        return exposed
    users = ",".join(f"{user}:{role}" for user, role in {"admin": "admin", **SIMPLE_ROLES}.items())
    return {**exposed, "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users}


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
    )
    return server, {VIEWER: password}
