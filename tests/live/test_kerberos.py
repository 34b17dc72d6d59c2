"""Kerberos with a real Airflow 2.11 and a real KDC: every tool with a ticket, and what is said without a good one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client

from airflow_mcp.demo.releases import StandaloneError
from airflow_mcp.instance import Instance
from airflow_mcp.server import build_server
from airflow_mcp.settings import Policy, Settings
from tests.api_server import FabServer
from tests.fakes import Airflow
from tests.kdc import REALM, Realm, missing
from tests.oracle import Oracle
from tests.releases import KERBEROS
from tests.servers import DAG_IDS, DAGS, PATIENCE
from tests.session import Session, text_of

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("kerberos")]

BACKENDS = ("airflow.api.auth.backend.session", "airflow.providers.fab.auth_manager.api.auth.backend.kerberos_auth")
WEBSERVER = "AUTH_TYPE = 1\nAUTH_ROLE_PUBLIC = None\n"
PASSWORD = "kerber0s-secret"
ROLES = {"alice": "Admin", "vera": "Viewer", "robot": "Op"}
STRANGER = "bob"  # the realm knows him, Airflow does not


class Formal(Oracle):
    """An oracle that signs in with the web form, as Kerberos is what is tested."""

    def __post_init__(self) -> None:
        super().__post_init__()
        del self.http.headers["authorization"]
        form = f"{self.server.url}/login/"
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.http.get(form).text)
        assert token
        self.http.post(form, data={"username": "admin", "password": self.server.password, "csrf_token": token[1]})

    def add_user(self, principal: str, role: str) -> None:
        user = {"username": principal, "email": principal, "first_name": role, "last_name": role}
        self.call("POST", "users", json={**user, "password": "not-used", "roles": [{"name": role}]})


@dataclass
class Kerberized:
    """An Airflow, the realm it is in, and where the keytab and the tickets of people are."""

    oracle: Formal
    realm: Realm
    keytab: Path
    alice: Path
    vera: Path
    stranger: Path

    def instance(self, ccache: Path | None = None, **more: Any) -> Instance:
        where = {"kerberos_ccache": str(ccache)} if ccache else {}
        # The service is named after the URL's host, and the realm has airflow/localhost.
        url = self.oracle.server.url.replace("127.0.0.1", "localhost")
        return Instance(**{"url": url, "auth": "kerberos", **where, **more})

    @asynccontextmanager
    async def connect(self, ccache: Path | None = None, **more: Any) -> AsyncIterator[Session]:
        async with Client(build_server(Settings((self.instance(ccache, **more),), Policy()))) as client:
            yield Session(client)

    async def refusal(self, ccache: Path | None = None, **more: Any) -> str:
        """What a read and a change are told; both say the same, and nothing is changed."""
        self.oracle.pause("history", True)
        async with self.connect(ccache, **more) as session:
            message = await session.error("get_dags")
            change = await session.error("patch_dag", dag_id="history", is_paused=False, confirm=True)
        assert change.replace(" Nothing was changed.", "") == message
        assert self.oracle.dag("history")["is_paused"] is True
        assert PASSWORD not in message
        assert "Negotiate" not in message
        return message


@pytest.fixture(scope="module")
def kerberized(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kerberized]:
    lacking = missing()
    try:
        import gssapi  # noqa: F401
    except (ImportError, OSError):
        lacking.append("the extra `kerberos`")
    try:
        if lacking:
            raise StandaloneError(f"missing: {', '.join(lacking)} (`make debian kerberos` brings them to a Debian)")
        with ExitStack() as stack:
            yield started(stack, tmp_path_factory.mktemp("realm"), tmp_path_factory.mktemp("airflow-kerberos"))
    except StandaloneError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no Airflow with Kerberos can run here: {error}")


def started(stack: ExitStack, folder: Path, home: Path) -> Kerberized:
    realm = stack.enter_context(Realm(folder))
    monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
    for name in [name for name in os.environ if name.startswith("KRB5")]:
        monkeypatch.delenv(name)
    for name, value in realm.env.items():
        monkeypatch.setenv(name, value)
    for principal in ("airflow/localhost", "robot"):
        realm.add(principal)
    for principal in ("alice", "vera", STRANGER):
        realm.add(principal, PASSWORD)
    (home / "webserver_config.py").write_text(WEBSERVER)
    env = {
        "AIRFLOW__API__AUTH_BACKENDS": ",".join(BACKENDS),
        "AIRFLOW__KERBEROS__KEYTAB": str(realm.keytab("airflow/localhost")),
    }
    server = stack.enter_context(FabServer(KERBEROS, dags=DAGS, home=home, env=env, patience=PATIENCE))
    oracle = Formal(server)
    stack.callback(oracle.http.close)
    for principal, role in ROLES.items():
        oracle.add_user(f"{principal}@{REALM}", role)
    oracle.wait_for_dags(*DAG_IDS)
    tickets = {name: realm.tickets(name, PASSWORD) for name in ("alice", "vera", STRANGER)}
    return Kerberized(oracle, realm, realm.keytab("robot"), tickets["alice"], tickets["vera"], tickets[STRANGER])


@pytest.fixture
async def alice(kerberized: Kerberized) -> AsyncIterator[Session]:
    async with kerberized.connect(kerberized.alice) as session:
        yield session


# -- signed in


async def test_the_server_wants_a_ticket(kerberized: Kerberized) -> None:
    url = kerberized.oracle.server.url
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{url}/api/v1/dags")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Negotiate")
    async with Client(build_server(Settings.for_one(url=url))) as unsigned:
        assert "Not signed in (401)" in await Session(unsigned).error("get_dags")


async def test_the_reading_tools(alice: Session) -> None:
    assert (await alice.ok("get_dags"))["total"] == len(DAG_IDS)
    assert (await alice.ok("get_dag", dag_id="diamond"))["dag_id"] == "diamond"
    assert (await alice.ok("get_dag_details", dag_id="отчёт.v1"))["dag_id"] == "отчёт.v1"
    assert "def diamond" in str(await alice.ok("get_dag_source", dag_id="diamond"))
    tasks = await alice.ok("get_tasks", dag_id="diamond")
    assert tasks["tasks"][0]["task_id"] == "z_first"
    assert (await alice.ok("get_task", dag_id="diamond", task_id="a_last"))["retries"] == 2


async def test_pausing(alice: Session, kerberized: Kerberized) -> None:
    kerberized.oracle.pause("mapped_group", True)
    for paused in (False, True):
        preview, done = await alice.confirmed("patch_dag", dag_id="mapped_group", is_paused=paused)
        assert (preview["is_paused_before"], done["done"]) == (not paused, True)
        assert kerberized.oracle.dag("mapped_group")["is_paused"] is paused


async def test_setting_a_state_and_clearing_it(alice: Session, kerberized: Kerberized) -> None:
    oracle = kerberized.oracle
    oracle.pause("history", True)
    one = {"dag_id": "history", "dag_run_id": oracle.trigger("history")}
    state = {**one, "task_id": "first", "new_state": "failed"}
    _, done = await alice.confirmed("set_task_instances_state", **state)
    assert done["done"] is True
    assert oracle.states(one["dag_id"], one["dag_run_id"])["first"] == "failed"
    _, done = await alice.confirmed("clear_task_instances", **one, task_ids=["first"])
    assert done["done"] is True
    assert oracle.states(one["dag_id"], one["dag_run_id"])["first"] is None


async def test_many_calls_at_once(kerberized: Kerberized) -> None:
    """Also with a keytab, where the first of them has no ticket yet."""
    for instance in (kerberized.instance(kerberized.alice), kerberized.instance(kerberos_keytab=kerberized.keytab)):
        airflow = Airflow(instance)
        async with anyio.create_task_group() as calls:
            for _ in range(12):
                calls.start_soon(airflow.read, "dags")
        await airflow.aclose()


@pytest.mark.parametrize("principal", ["robot", f"robot@{REALM}", None])
async def test_a_keytab_needs_no_kinit(kerberized: Kerberized, principal: str | None) -> None:
    async with kerberized.connect(kerberos_keytab=kerberized.keytab, kerberos_principal=principal) as session:
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)
        kerberized.oracle.pause("mapped_group", True)
        await session.confirmed("patch_dag", dag_id="mapped_group", is_paused=False)
    assert kerberized.oracle.dag("mapped_group")["is_paused"] is False


@pytest.mark.parametrize("kind", ["", "FILE:"])
async def test_a_cache_by_its_name(kerberized: Kerberized, kind: str) -> None:
    ccache = f"{kind}{kerberized.alice}"
    async with kerberized.connect(kerberos_ccache=ccache, kerberos_principal="alice") as session:
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)


async def test_the_default_cache_is_looked_at_anew(kerberized: Kerberized, monkeypatch: pytest.MonkeyPatch) -> None:
    async with kerberized.connect() as session:
        message = await session.error("get_dags")
        assert message.startswith("No Kerberos ticket: ")
        assert message.endswith("Run `kinit`, or set AIRFLOW_MCP_KERBEROS_KEYTAB.")
        monkeypatch.setenv("KRB5CCNAME", str(kerberized.alice))
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)


async def test_the_host_may_be_another_than_the_address(kerberized: Kerberized) -> None:
    url = kerberized.oracle.server.url
    message = await kerberized.refusal(kerberized.alice, url=url)
    assert message.startswith("Kerberos knows no service airflow@127.0.0.1: ")
    async with kerberized.connect(kerberized.alice, url=url, kerberos_host="localhost") as session:
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)


def test_the_check_command(kerberized: Kerberized) -> None:
    def check(ccache: Path) -> tuple[int, str]:
        instance = kerberized.instance(ccache)
        given = {"URL": instance.url, "AUTH": "kerberos", "KERBEROS_CCACHE": str(ccache)}
        done = subprocess.run(
            [sys.executable, "-m", "airflow_mcp", "check"],
            env={**os.environ, **{f"AIRFLOW_MCP_{name}": value for name, value in given.items()}},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, " ".join(done.stdout.split())

    status, said = check(kerberized.alice)
    assert (status, "fail" in said) == (0, False)
    assert "ok sign-in with a Kerberos ticket" in said
    status, said = check(kerberized.vera)
    assert (status, "no may not pause and unpause" in said) == (0, True)
    status, said = check(kerberized.stranger)
    refused = f"fail sign-in Refused (403) without a reason: the ticket is good, but Airflow has no user {STRANGER}@"
    assert (status, refused in said) == (1, True), said


# -- refused


async def test_a_viewer_may_look_only(kerberized: Kerberized) -> None:
    oracle = kerberized.oracle
    oracle.pause("history", True)
    run = {"dag_id": "history", "dag_run_id": oracle.trigger("history")}
    changes: list[tuple[str, dict[str, Any]]] = [
        ("patch_dag", {"dag_id": "history", "is_paused": False}),
        ("clear_task_instances", {**run, "task_ids": ["first"], "only_failed": False}),
        ("set_task_instances_state", {**run, "task_id": "first", "new_state": "success"}),
    ]
    before = oracle.states(run["dag_id"], run["dag_run_id"])
    async with kerberized.connect(kerberized.vera) as session:
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)
        for tool, arguments in changes:
            message = await session.error(tool, **arguments, confirm=True)
            assert message.startswith("Refused (403) without a reason: "), message
            assert f"no user vera@{REALM}, or this user no role that allows it" in message
    assert oracle.states(run["dag_id"], run["dag_run_id"]) == before
    assert oracle.dag("history")["is_paused"] is True


async def test_a_principal_that_airflow_does_not_know(kerberized: Kerberized) -> None:
    message = await kerberized.refusal(kerberized.stranger)
    assert f"(403) without a reason: the ticket is good, but Airflow has no user {STRANGER}@{REALM}" in message


async def test_no_ticket(kerberized: Kerberized, tmp_path: Path) -> None:
    message = await kerberized.refusal(tmp_path / "none")
    assert message.startswith("No Kerberos ticket: ")
    assert f"Run `kinit -c {tmp_path / 'none'}`, or set AIRFLOW_MCP_KERBEROS_KEYTAB." in message


async def told_within(seconds: float, session: Session, tool: str) -> str:
    """The error of a tool that works until something runs out."""
    deadline = anyio.current_time() + seconds
    while anyio.current_time() < deadline:
        result = await session.call(tool, {})
        if result.is_error:
            return text_of(result)
        await anyio.sleep(0.2)
    raise AssertionError(f"{tool} still works after {seconds} s")


async def test_a_ticket_that_expires(kerberized: Kerberized) -> None:
    ccache = kerberized.realm.tickets("alice", PASSWORD)
    async with kerberized.connect(ccache) as session:
        assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)
        shutil.copy(kerberized.realm.tickets("alice", PASSWORD, lifetime="1s"), ccache)
        message = await told_within(30, session, "get_dags")
    assert message == f"The Kerberos ticket has expired. Run `kinit -c {ccache}`, or set AIRFLOW_MCP_KERBEROS_KEYTAB."


@pytest.mark.parametrize(
    ("settings", "service"),
    [
        ({"kerberos_service": "HTTP"}, "HTTP@localhost"),
        ({"kerberos_host": "elsewhere.example.com"}, "airflow@elsewhere.example.com"),
        ({"kerberos_host": "elsewhere"}, "airflow@elsewhere"),
    ],
)
async def test_a_service_that_kerberos_does_not_know(
    kerberized: Kerberized, settings: dict[str, str], service: str
) -> None:
    message = await kerberized.refusal(kerberized.alice, **settings)
    assert message.startswith(f"Kerberos knows no service {service}: ")
    assert "AIRFLOW_MCP_KERBEROS_SERVICE" in message
    assert "AIRFLOW_MCP_KERBEROS_HOST" in message


async def test_a_service_that_is_not_airflow(kerberized: Kerberized) -> None:
    kerberized.realm.add("other/localhost")
    message = await kerberized.refusal(kerberized.alice, kerberos_service="other")
    assert message.startswith("Not signed in (401).")
    assert f"the Kerberos ticket of alice@{REALM} for other@localhost" in message
    assert "AIRFLOW_MCP_KERBEROS_SERVICE" in message


async def test_a_keytab_without_the_principal(kerberized: Kerberized) -> None:
    message = await kerberized.refusal(kerberos_keytab=kerberized.keytab, kerberos_principal="alice")
    assert message.startswith("AIRFLOW_MCP_KERBEROS_KEYTAB: holds no key of alice.")


async def test_a_keytab_with_an_old_key(kerberized: Kerberized) -> None:
    kerberized.realm.add("rotated")
    keytab = kerberized.realm.keytab("rotated")
    kerberized.realm.change_key("rotated")
    message = await kerberized.refusal(kerberos_keytab=keytab, kerberos_principal="rotated")
    assert message.startswith("AIRFLOW_MCP_KERBEROS_KEYTAB: no ticket for rotated: ")
    assert message.endswith("make a new keytab.")


async def test_a_file_that_is_no_keytab(kerberized: Kerberized, tmp_path: Path) -> None:
    file = tmp_path / "keytab"
    file.write_text(PASSWORD)
    message = await kerberized.refusal(kerberos_keytab=file)
    assert message.startswith("AIRFLOW_MCP_KERBEROS_KEYTAB: holds no key ")


async def test_a_cache_of_somebody_else(kerberized: Kerberized) -> None:
    message = await kerberized.refusal(kerberized.alice, kerberos_principal="vera")
    assert message.startswith("No Kerberos ticket: Principal in credential cache does not match desired name.")
    assert f"kinit -c {kerberized.alice} vera" in message


async def test_no_kdc_answers(kerberized: Kerberized, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ccache = kerberized.realm.tickets("alice", PASSWORD)
    config = tmp_path / "krb5.conf"
    config.write_text(re.sub(r"kdc = .*", "kdc = 127.0.0.1:9", kerberized.realm.config.read_text()))
    monkeypatch.setenv("KRB5_CONFIG", str(config))
    message = await kerberized.refusal(ccache)
    assert message.startswith("Kerberos gave no ticket for airflow@localhost: ")
    assert "krb5.conf" in message
