"""Signing in without a user name: by command, cookie, header or certificate, and with nothing, on real servers."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client

from airflow_mcp.check import findings
from airflow_mcp.demo.releases import RELEASES, StandaloneError
from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from tests.api_server import ApiServer
from tests.oracle import Oracle
from tests.releases import RUN
from tests.servers import DAG_IDS, DAGS, PATIENCE, UNSCHEDULED
from tests.session import Session
from tests.tls import Certificates, tls_door

pytestmark = pytest.mark.anyio

WRONG = "wr0ng-secret"
CALLS: Mapping[str, dict[str, Any]] = {
    "get_dags": {},
    "patch_dag": {"dag_id": UNSCHEDULED, "is_paused": True, "confirm": True},
}


@asynccontextmanager
async def connect(oracle: Oracle, **sign_in: Any) -> AsyncIterator[Session]:
    async with Client(build_server(Settings.for_one(**{"url": oracle.server.url, **sign_in}))) as client:
        yield Session(client)


async def look_and_change(session: Session, oracle: Oracle) -> None:
    """Read something, and change something: both have to work."""
    oracle.pause(UNSCHEDULED, True)
    assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)
    assert (await session.ok("patch_dag", dag_id=UNSCHEDULED, is_paused=False, confirm=True))["done"] is True
    assert oracle.dag(UNSCHEDULED)["is_paused"] is False
    oracle.pause(UNSCHEDULED, True)


def session_cookie(oracle: Oracle) -> str:
    """What a browser holds after a sign-in."""
    if oracle.major == 3:
        return f"_token={oracle.token()}"
    with closing(oracle.browser()) as browser:
        return f"session={browser.cookies['session']}"


# -- a session cookie


async def test_a_session_cookie(oracle: Oracle) -> None:
    cookie = session_cookie(oracle)
    if oracle.server.release.name == "3.0":  # whose API looks at no cookie: what is in it is a token
        async with connect(oracle, cookie=cookie) as session:
            assert "Check AIRFLOW_MCP_COOKIE" in await session.error("get_dags")
        sign_in = {"token": cookie.partition("=")[2]}
    else:
        sign_in = {"cookie": cookie}
    async with connect(oracle, **sign_in) as session:
        await look_and_change(session, oracle)


async def test_a_cookie_that_no_longer_holds_and_then_a_new_one(oracle: Oracle, tmp_path: Path) -> None:
    file = tmp_path / "cookie"
    name, _, _ = session_cookie(oracle).partition("=")
    file.write_text(f"{name}={WRONG}")
    async with connect(oracle, cookie_file=file) as session:
        for tool, arguments in CALLS.items():
            message = await session.error(tool, **arguments)
            assert "Check AIRFLOW_MCP_COOKIE_FILE" in message
            assert WRONG not in message
        file.write_text(session_cookie(oracle))
        if oracle.server.release.name == "3.0":
            return
        await look_and_change(session, oracle)


# -- headers


async def test_a_header_from_a_file_that_changes(oracle: Oracle, tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text(f"X-Request-Source: airflow-mcp\nAuthorization: Basic {WRONG}\n")
    async with connect(oracle, headers_file=file) as session:
        message = await session.error("get_dags")
        assert WRONG not in message
        file.write_text(f"X-Request-Source: airflow-mcp\nAuthorization: {oracle.authorization('admin')}\n")
        await look_and_change(session, oracle)
        file.write_text("Authorization")
        message = await session.error("get_dags")
        assert message == "AIRFLOW_MCP_HEADERS_FILE: line 1 has no colon: one `Name: value` a line."


# -- a command


class Printer:
    """A command that prints the next of some texts at each run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        script = folder / "print-token"
        script.write_text(
            "import pathlib, sys\n"
            f"folder = pathlib.Path({str(folder)!r})\n"
            "runs = len(list(folder.glob('run-*')))\n"
            "(folder / f'run-{runs}').touch()\n"
            "texts = sorted(folder.glob('text-*'))\n"
            "print(texts[min(runs, len(texts) - 1)].read_text())\n"
        )
        self.command = shlex.join([sys.executable, str(script)])

    def will_print(self, *texts: str) -> None:
        for number, text in enumerate(texts):
            (self._folder / f"text-{number}").write_text(text)

    @property
    def runs(self) -> int:
        return len(list(self._folder.glob("run-*")))


def credential(oracle: Oracle, **more: Any) -> str:
    """As a command of this Airflow's would print it: a token of 3's own, a header for 2."""
    if oracle.major == 3:
        return json.dumps({"access_token": oracle.token(), **more})
    return json.dumps({"headers": {"Authorization": oracle.authorization("admin")}, **more})


def refused_credential(oracle: Oracle) -> str:
    if oracle.major == 3:
        return json.dumps({"access_token": WRONG})
    return json.dumps({"headers": {"Authorization": f"Basic {WRONG}"}})


def says_forbidden(oracle: Oracle) -> bool:
    """Whether a refused credential is answered with 403 rather than 401, as Airflow 2 with several backends does."""
    api = f"{oracle.server.url}/api/v{oracle.major - 1}"
    return httpx.get(f"{api}/dags", headers={"authorization": f"Basic {WRONG}"}).status_code == 403


@pytest.fixture
def printer(tmp_path: Path) -> Printer:
    return Printer(tmp_path)


async def test_a_command_is_run_once_while_its_credential_lasts(oracle: Oracle, printer: Printer) -> None:
    printer.will_print(credential(oracle, expires_in=3600))
    async with connect(oracle, token_command=printer.command) as session:
        await look_and_change(session, oracle)
    assert printer.runs == 1


async def test_a_command_is_run_again_before_its_credential_runs_out(oracle: Oracle, printer: Printer) -> None:
    printer.will_print(credential(oracle, expires_in=5))
    async with connect(oracle, token_command=printer.command) as session:
        await session.ok("get_dag", dag_id="history")
        before = printer.runs
        await session.ok("get_dag", dag_id="history")
    assert printer.runs == before + 1


async def test_a_refused_credential_is_renewed_in_the_same_call(oracle: Oracle, printer: Printer) -> None:
    oracle.pause(UNSCHEDULED, True)
    printer.will_print(refused_credential(oracle), credential(oracle))
    async with connect(oracle, token_command=printer.command) as session:
        if says_forbidden(oracle):
            # The same as of a missing permission, which is no reason to run a command again.
            message = await session.error("patch_dag", dag_id=UNSCHEDULED, is_paused=False, confirm=True)
            assert "AIRFLOW_MCP_TOKEN_COMMAND" in message
            assert oracle.dag(UNSCHEDULED)["is_paused"] is True
            return
        assert (await session.ok("patch_dag", dag_id=UNSCHEDULED, is_paused=False, confirm=True))["done"] is True
    assert printer.runs == 2
    assert oracle.dag(UNSCHEDULED)["is_paused"] is False
    oracle.pause(UNSCHEDULED, True)


async def test_a_new_credential_that_is_refused_too(oracle: Oracle, printer: Printer) -> None:
    printer.will_print(refused_credential(oracle))
    async with connect(oracle, token_command=printer.command) as session:
        message = await session.error("get_dags")
    assert "AIRFLOW_MCP_TOKEN_COMMAND" in message
    assert WRONG not in message


async def test_a_command_that_fails_says_why(oracle: Oracle) -> None:
    command = "sh -c 'echo no active account >&2; exit 3'"
    async with connect(oracle, token_command=command) as session:
        message = await session.error("get_dags")
    assert message.startswith("AIRFLOW_MCP_TOKEN_COMMAND: `sh` ended with status 3 and says: no active account.")


# -- a client certificate


@asynccontextmanager
async def guarded(oracle: Oracle, folder: Path) -> AsyncIterator[tuple[str, Certificates]]:
    """This Airflow behind a proxy that asks for a certificate: its address, and the certificates."""
    certificates = Certificates(folder)
    async with tls_door(certificates, int(oracle.server.url.rpartition(":")[2])) as url:
        yield url, certificates


async def test_a_client_certificate(oracle: Oracle, tmp_path: Path) -> None:
    async with guarded(oracle, tmp_path) as (url, certificates):
        shown = {"client_cert": certificates.client_cert, "client_key": certificates.client_key}
        user = {"username": "admin", "password": oracle.password("admin")}
        async with connect(oracle, url=url, ca_bundle=certificates.ca_bundle, **shown, **user) as session:
            await look_and_change(session, oracle)
        async with connect(oracle, url=url, ca_bundle=certificates.ca_bundle, **user) as session:
            message = await session.error("get_dags")
            assert "check AIRFLOW_MCP_CLIENT_CERT, or set it" in message
        async with connect(oracle, url=url, **shown, **user) as session:
            message = await session.error("get_dags")
            assert "set AIRFLOW_MCP_CA_BUNDLE" in message


async def test_a_client_certificate_of_another_authority(oracle: Oracle, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Certificates(tmp_path / "other")
    async with guarded(oracle, tmp_path) as (url, certificates):
        shown = {"client_cert": other.client_cert, "client_key": other.client_key}
        async with connect(oracle, url=url, ca_bundle=certificates.ca_bundle, **shown) as session:
            message = await session.error("get_dags")
    assert "AIRFLOW_MCP_CLIENT_CERT" in message


# -- no sign-in


class Open(ApiServer):
    """An Airflow that lets everyone do everything."""

    def _copy_dags(self) -> None:
        super()._copy_dags()
        if self.release.major == 2:
            (self.home / "webserver_config.py").write_text("AUTH_TYPE = 1\nAUTH_ROLE_PUBLIC = 'Admin'\n")

    def read_password(self) -> bool:
        return True  # there is none


OPEN = {
    2: {"AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.default"},
    3: {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True"},
}
"""By major version, the settings that leave out the sign-in."""


@pytest.fixture(scope="module")
def open_servers() -> Iterator[Mapping[str, Open]]:
    servers = {name: Open(RELEASES[name], dags=DAGS, env=OPEN[RELEASES[name].major], patience=PATIENCE) for name in RUN}
    try:
        with ThreadPoolExecutor() as threads:
            for entered in [threads.submit(server.__enter__) for server in servers.values()]:
                entered.result()
        yield servers
    except StandaloneError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no real Airflow can run here: {error}")
    finally:
        for server in servers.values():
            server.stop()


both_open = pytest.mark.xdist_group("open")


@both_open
@pytest.mark.parametrize("version", RUN)
async def test_no_sign_in_where_none_is_wanted(version: str, open_servers: Mapping[str, Open]) -> None:
    settings = Settings.for_one(url=open_servers[version].url)
    lines = [str(finding) async for finding in findings(settings.instances[0])]
    assert "ok   sign-in   none is set, and Airflow asks for none" in lines
    assert [line for line in lines if line.startswith("fail")] == []
    async with Client(build_server(settings)) as client:
        session = Session(client)
        [row] = (await session.ok("get_dags", dag_id_pattern=UNSCHEDULED))["dags"]
        changed = await session.ok("patch_dag", dag_id=UNSCHEDULED, is_paused=not row["is_paused"], confirm=True)
        assert changed["done"] is True
        [after] = (await session.ok("get_dags", dag_id_pattern=UNSCHEDULED))["dags"]
        assert after["is_paused"] is not row["is_paused"]


@both_open
@pytest.mark.skipif({RELEASES[name].major for name in RUN} != {2, 3}, reason="needs an Airflow 2 and an Airflow 3")
async def test_both_airflows_at_once_in_one_process(open_servers: Mapping[str, Open]) -> None:
    servers = open_servers[RUN[0]], open_servers[RUN[-1]]
    first, other = (Client(build_server(Settings.for_one(url=server.url))) for server in servers)
    async with first as one, other as two:
        for client, server in ((one, servers[0]), (two, servers[1]), (one, servers[0])):
            path = (await Session(client).ok("get_dag", dag_id="daily_report"))["fileloc"]
            assert path.startswith(str(server.dags_folder))
