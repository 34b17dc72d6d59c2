"""Every way to sign in, against both real servers: what works, and what is said when it does not."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from airflow_mcp.airflow.sign_in.credential import bearer
from airflow_mcp.airflow.sign_in.password import PasswordLogin
from airflow_mcp.airflow.sign_in.renewed import RenewedAuth
from airflow_mcp.demo.releases import RELEASES
from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from airflow_mcp.tools.context import App, make_app
from tests.fakes import Airflow
from tests.oracle import Oracle
from tests.releases import RUN
from tests.servers import DAG_IDS, UNSCHEDULED
from tests.session import Session

pytestmark = pytest.mark.anyio

WRONG = "wr0ng-secret"


@asynccontextmanager
async def connect(oracle: Oracle, **sign_in: Any) -> AsyncIterator[Session]:
    async with Client(build_server(Settings.for_one(url=oracle.server.url, **sign_in))) as client:
        yield Session(client)


@asynccontextmanager
async def connect_with_login(oracle: Oracle) -> AsyncIterator[tuple[Session, RenewedAuth]]:
    """A session that has signed in, and what holds its token."""
    made: list[Airflow] = []

    @asynccontextmanager
    async def parts(settings: Settings) -> AsyncIterator[App]:
        made.append(Airflow(settings.instances[0]))
        yield make_app(settings, made[0])
        await made[0].aclose()

    async with Client(build_server(oracle.settings(), parts)) as client:
        session = Session(client)
        await session.ok("get_dags")
        assert made[0]._known
        auth = made[0]._known.auth
        assert isinstance(auth, RenewedAuth)
        yield session, auth


only_three = pytest.mark.parametrize("oracle", [name for name in RUN if RELEASES[name].major == 3], indirect=True)
"""Airflow 3 gives out tokens."""


@pytest.fixture
def logins(monkeypatch: pytest.MonkeyPatch) -> list[PasswordLogin]:
    """One for each time the password was sent: Airflow 3.0 gives the same token twice within a second."""
    found: list[PasswordLogin] = []
    build = PasswordLogin.request

    def counted(login: PasswordLogin) -> Any:
        found.append(login)
        return build(login)

    monkeypatch.setattr(PasswordLogin, "request", counted)
    return found


def names_the_sign_in(message: str, variable: str) -> bool:
    """Whether a message tells that the sign-in is at fault and which setting to look at, without its value."""
    return variable in message and WRONG not in message and "Traceback" not in message


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("get_dags", {}), ("patch_dag", {"dag_id": UNSCHEDULED, "is_paused": False, "confirm": True})],
)
async def test_a_wrong_password(oracle: Oracle, tool: str, arguments: dict[str, Any]) -> None:
    oracle.pause(UNSCHEDULED, True)
    async with connect(oracle, username="admin", password=WRONG) as session:
        message = await session.error(tool, **arguments)
    assert names_the_sign_in(message, "AIRFLOW_MCP_PASSWORD"), message
    assert oracle.dag(UNSCHEDULED)["is_paused"] is True


async def test_an_unknown_user(oracle: Oracle) -> None:
    async with connect(oracle, username="nobody", password=WRONG) as session:
        message = await session.error("get_dags")
        assert names_the_sign_in(message, "AIRFLOW_MCP_USERNAME"), message


async def test_no_sign_in_at_all(oracle: Oracle) -> None:
    async with connect(oracle) as session:
        message = await session.error("get_dags")
        assert names_the_sign_in(message, "AIRFLOW_MCP_USERNAME"), message
        assert names_the_sign_in(message, "AIRFLOW_MCP_TOKEN"), message


async def test_a_password_file_is_read_at_each_sign_in(oracle: Oracle, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{WRONG}\n")
    async with connect(oracle, username="admin", password_file=file) as session:
        message = await session.error("get_dags")
        assert names_the_sign_in(message, "AIRFLOW_MCP_PASSWORD"), message
        file.write_text(f"{oracle.password('admin')}\n")
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)


async def test_a_password_file_that_goes_away(oracle: Oracle, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(oracle.password("admin"))
    async with connect(oracle, username="admin", password_file=file) as session:
        file.unlink()
        message = await session.error("get_dags")
        assert message == "AIRFLOW_MCP_PASSWORD_FILE: cannot be read: No such file or directory. Check the file."


@only_three
async def test_a_token(oracle: Oracle) -> None:
    async with connect(oracle, token=oracle.token()) as session:
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)


@pytest.mark.parametrize("token", [WRONG, f"{WRONG}.{WRONG}.{WRONG}", f"{WRONG}-ü"])
async def test_a_garbage_token(oracle: Oracle, token: str) -> None:
    async with connect(oracle, token=token) as session:
        message = await session.error("get_dags")
        assert names_the_sign_in(message, "AIRFLOW_MCP_TOKEN"), message


@only_three
async def test_a_token_with_another_signature(oracle: Oracle) -> None:
    token = oracle.token()
    async with connect(oracle, token=tampered(token)) as session:
        message = await session.error("get_dags")
        assert names_the_sign_in(message, "AIRFLOW_MCP_TOKEN"), message
        assert token.rpartition(".")[0] not in message


@only_three
async def test_a_token_file_is_read_at_each_call(oracle: Oracle, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{WRONG}\n")
    async with connect(oracle, token_file=file) as session:
        message = await session.error("get_dags")
        assert names_the_sign_in(message, "AIRFLOW_MCP_TOKEN"), message
        file.write_text(f"{oracle.token()}\n")
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)
        file.write_text("")
        message = await session.error("get_dags")
        assert message == "AIRFLOW_MCP_TOKEN_FILE: the file is empty. Write the secret into it."


def token_of(auth: RenewedAuth) -> str:
    return auth._kept.headers["authorization"].removeprefix("Bearer ")


def tampered(token: str) -> str:
    """The same claims, signed with a key that this Airflow does not have."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[::-1]}"


@only_three
@pytest.mark.parametrize("break_it", [tampered, lambda _: WRONG, lambda token: token[:20]])
async def test_a_token_that_stops_to_work_is_renewed_and_the_call_goes_on(
    oracle: Oracle, logins: list[PasswordLogin], break_it: Any
) -> None:
    oracle.pause(UNSCHEDULED, True)
    async with connect_with_login(oracle) as (session, auth):
        broken = break_it(token_of(auth))
        auth._kept = bearer(broken, math.inf)
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)
        assert token_of(auth) != broken
        assert len(logins) == 2
        auth._kept = bearer(broken, math.inf)
        done = await session.ok("patch_dag", dag_id=UNSCHEDULED, is_paused=False, confirm=True)
        assert done["done"] is True
        assert len(logins) == 3
    assert oracle.dag(UNSCHEDULED)["is_paused"] is False
    oracle.pause(UNSCHEDULED, True)


@only_three
async def test_a_token_that_runs_out_soon_is_renewed_before(oracle: Oracle, logins: list[PasswordLogin]) -> None:
    async with connect_with_login(oracle) as (session, auth):
        auth._kept = bearer(token_of(auth), time.time() + 1)
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)
        assert len(logins) == 2
        assert time.time() + 60 < auth._kept.expires < math.inf


@only_three
async def test_many_calls_with_a_dead_token_share_one_sign_in(oracle: Oracle, logins: list[PasswordLogin]) -> None:
    async with connect_with_login(oracle) as (session, auth):
        logins.clear()
        auth._kept = bearer(WRONG, math.inf)
        async with anyio.create_task_group() as calls:
            for _ in range(8):
                calls.start_soon(session.ok, "get_dags")
    assert len(logins) == 1
