"""FAB's auth manager: an Airflow 3 that has it, and the users and roles of any Airflow that has it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from airflow_mcp.demo.releases import RELEASES
from airflow_mcp.demo.standalone import Standalone
from tests.oracle import Oracle

RELEASE = replace(
    RELEASES["3.3"],
    variant="fab",
    # Flask-AppBuilder takes sqlalchemy-utils, which does not load with SQLAlchemy 2.1.
    more=(("apache-airflow-providers-fab==3.10.0", "sqlalchemy<2.1"),),
)
ENV = {
    "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
    "AIRFLOW__API__EXPOSE_CONFIG": "non-sensitive-only",
}
START = """
airflow db migrate && {
    airflow scheduler & airflow dag-processor &
    airflow users create --username admin --password "$0" --role Admin \
        --firstname A --lastname A --email admin@example.com &&
    exec airflow api-server
}
"""


class FabAirflow(Standalone):
    """Runs the parts of Airflow 3 by itself: `airflow standalone` has the simple auth manager, whatever is set."""

    def __init__(self, dags: Sequence[Path]) -> None:
        super().__init__(RELEASE, dags, env=ENV)
        self.password = secrets.token_hex(8)

    def command(self) -> Sequence[str]:
        return ["sh", "-c", START, self.password]

    def read_password(self) -> bool:
        return True


def add_user(oracle: Oracle, name: str, role: str) -> None:
    """Add a user with one role, whom the oracle then knows."""
    oracle.passwords[name] = secrets.token_hex(8)
    user = {"username": name, "email": f"{name}@example.com", "first_name": name, "last_name": name}
    _add(oracle, "users", {**user, "password": oracle.passwords[name], "roles": [{"name": role}]})


def add_role(oracle: Oracle, name: str, permissions: Iterable[str]) -> None:
    """Add a role with permissions in the words of FAB's pages, for example `can edit on DAGs`."""
    pairs = [each.removeprefix("can ").split(" on ", 1) for each in permissions]
    actions = [{"action": {"name": f"can_{action}"}, "resource": {"name": resource}} for action, resource in pairs]
    _add(oracle, "roles", {"name": name, "actions": actions})


def _add(oracle: Oracle, what: str, body: object) -> None:
    api = "api/v1" if oracle.major == 2 else "auth/fab/v1"
    response = oracle.http.post(f"{oracle.server.url}/{api}/{what}", json=body)
    assert response.is_success, response.text
