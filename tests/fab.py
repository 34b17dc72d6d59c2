"""FAB's auth manager: an Airflow 3 that has it, and the users and roles of any Airflow that has it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from tests.api_server import FabServer
from tests.oracle import Oracle
from tests.releases import FAB, FAB_NAME
from tests.servers import DAG_IDS, DAGS, PATIENCE, hash_cheaply

ENV = {"AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"}


@contextmanager
def fab_airflow() -> Iterator[Oracle]:
    """A server with an administrator."""
    with FabServer(FAB, dags=DAGS, env=ENV, patience=PATIENCE) as server:
        oracle = Oracle(server, name=FAB_NAME)
        with closing(oracle.http):
            oracle.wait_for_dags(*DAG_IDS)
            yield oracle


def add_user(oracle: Oracle, name: str, role: str) -> None:
    """Add a user with one role, whom the oracle then knows."""
    oracle.passwords[name] = secrets.token_hex(8)
    user = {"username": name, "email": f"{name}@example.com", "first_name": name, "last_name": name}
    _add(oracle, "users", {**user, "password": oracle.passwords[name], "roles": [{"name": role}]})
    hash_cheaply(oracle.server.home, name, oracle.passwords[name])


def add_role(oracle: Oracle, name: str, permissions: Iterable[str]) -> None:
    """Add a role with permissions in the words of FAB's pages, for example `can edit on DAGs`."""
    pairs = [each.removeprefix("can ").split(" on ", 1) for each in permissions]
    actions = [{"action": {"name": f"can_{action}"}, "resource": {"name": resource}} for action, resource in pairs]
    _add(oracle, "roles", {"name": name, "actions": actions})


def _add(oracle: Oracle, what: str, body: object) -> None:
    api = "api/v1" if oracle.major == 2 else "auth/fab/v1"
    response = oracle.http.post(f"{oracle.server.url}/{api}/{what}", json=body)
    assert response.is_success, response.text
