"""Kerberos without a realm: what is sent, what each error of the library becomes, and settings that do not fit."""

from __future__ import annotations

import base64
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest

from airflow_mcp.airflow.sign_in import kerberos, sign_in_to
from airflow_mcp.airflow.sign_in.kerberos import KRB5, SPNEGO, KerberosAuth
from airflow_mcp.check import findings
from airflow_mcp.errors import ForbiddenError, NotSignedInError, RejectedError, SettingsError
from airflow_mcp.instance import PREFIX, Instance
from airflow_mcp.settings import load_settings
from tests.fakes import Airflow

pytestmark = pytest.mark.anyio

URL = "http://airflow.test:8080/prefix"
TOKEN = b"\x60t0ken"
HEADER = f"Negotiate {base64.b64encode(TOKEN).decode()}"
MANY = 20

MISSING, EXPIRED, BAD_NAME, OTHER = "MissingCredentialsError", "ExpiredCredentialsError", "BadNameError", "GSSError"
UNREACHABLE = 2529639068
BAD_INTEGRITY = 2529638943
CLIENT_UNKNOWN = 2529638918


class GSSError(Exception):
    """As the library's: a number of SPNEGO's own, or Kerberos's, and what it means."""

    def __init__(self, code: int, says: str) -> None:
        super().__init__(f"Major (851968): Unspecified GSS failure, Minor ({code}): {says}")
        self.min_code = code
        self._says = says

    def get_all_statuses(self, code: int, is_maj: bool) -> list[str]:
        assert (code, is_maj) == (self.min_code, False)
        return [self._says]


class MissingCredentialsError(GSSError): ...


class ExpiredCredentialsError(GSSError): ...


class BadNameError(GSSError): ...


class Library(ModuleType):
    """A gssapi that gives a token, or fails as told, and notes how it was used."""

    def __init__(self) -> None:
        super().__init__("gssapi")
        errors = (GSSError, MissingCredentialsError, ExpiredCredentialsError, BadNameError)
        self.exceptions = SimpleNamespace(**{error.__name__: error for error in errors})
        self.OID = SimpleNamespace(from_int_seq=str)
        self.NameType = SimpleNamespace(kerberos_principal="principal", hostbased_service="service")
        self.RequirementFlag = SimpleNamespace(mutual_authentication="mutual")
        self.errors: dict[str, GSSError] = {}
        """By mechanism, what asking for a token ends with."""
        self.asked: list[dict[str, Any]] = []
        self.threads: list[int] = []
        self.at_once = self.most_at_once = 0
        self.wait: Callable[[], object] = lambda: None

    def Name(self, name: str, kind: str) -> str:  # noqa: N802 - the library's name
        return f"{kind} {name}"

    def Credentials(self, *, name: str | None, mechs: list[str], usage: str, store: Any) -> Any:  # noqa: N802
        return SimpleNamespace(name="alice@TEST", asked={"name": name, "mechs": mechs, "usage": usage, "store": store})

    def SecurityContext(self, *, creds: Any, **more: Any) -> Any:  # noqa: N802
        def step() -> bytes:
            self.threads.append(threading.get_ident())
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.wait()
            self.at_once -= 1
            if more["mech"] in self.errors:
                raise self.errors[more["mech"]]
            return TOKEN

        self.asked.append({"creds": creds.asked, **more})
        return SimpleNamespace(step=step)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    fake = Library()
    monkeypatch.setitem(sys.modules, "gssapi", fake)
    return fake


class Door:
    """An Airflow that answers so, and notes what it is sent."""

    def __init__(self, *answers: int) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status = self._answers.pop(0) if self._answers else 200
        return httpx.Response(status, json={} if status == 200 else {"title": "Forbidden", "status": status})

    def airflow(self, **settings: Any) -> Airflow:
        return Airflow(kerberized(**settings), httpx.MockTransport(self))

    @property
    def authorizations(self) -> list[str | None]:
        return [request.headers.get("authorization") for request in self.requests]


def kerberized(**settings: Any) -> Instance:
    return Instance(**{"url": URL, "auth": "kerberos", "api_version": "v1", **settings})


async def change(airflow: Airflow) -> Any:
    return await airflow.change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={"is_paused": True})


async def problem(library: Library, kind: str, code: int, says: str, **settings: Any) -> str:
    """What is told of an error: the same for a read and a change, but for its effects; nothing is sent."""
    library.errors[SPNEGO] = library.exceptions.MissingCredentialsError(100001, "SPNEGO cannot find mechanisms")
    library.errors[KRB5] = getattr(library.exceptions, kind)(code, says)
    door = Door()
    airflow = door.airflow(**settings)
    with pytest.raises(NotSignedInError) as read:
        await airflow.read("dags")
    with pytest.raises(NotSignedInError) as changing:
        await change(airflow)
    assert door.requests == []
    message = str(read.value)
    assert str(changing.value) == f"{message} Nothing was changed."
    assert "\n" not in message
    assert "SPNEGO" not in message
    return message


# -- what is sent


async def test_a_new_token_with_each_request(library: Library) -> None:
    door = Door()
    airflow = door.airflow()
    await airflow.read("dags")
    await change(airflow)
    assert door.authorizations == [HEADER, HEADER]
    assert len(library.asked) == 2
    assert threading.get_ident() not in library.threads, "made where nothing else can run meanwhile"


async def test_how_the_library_is_asked(library: Library) -> None:
    await Door().airflow().read("dags")
    assert library.asked == [
        {
            "creds": {"name": None, "mechs": [SPNEGO], "usage": "initiate", "store": None},
            "name": "service airflow@airflow.test",
            "mech": SPNEGO,
            "flags": ["mutual"],
            "usage": "initiate",
        }
    ]


@pytest.mark.parametrize(
    ("settings", "service"),
    [
        ({"kerberos_service": "HTTP"}, "HTTP@airflow.test"),
        ({"kerberos_host": "web.example.com"}, "airflow@web.example.com"),
        ({"url": "http://[::1]:8080"}, "airflow@::1"),
        ({"url": "https://Airflow.Example.com"}, "airflow@airflow.example.com"),
    ],
)
async def test_the_service(library: Library, settings: dict[str, str], service: str) -> None:
    await Door().airflow(**settings).read("dags")
    assert library.asked[0]["name"] == f"service {service}"


async def test_the_tickets(library: Library, tmp_path: Path) -> None:
    keytab = tmp_path / "keytab"
    keytab.touch()
    await Door().airflow(kerberos_ccache="KEYRING:x", kerberos_principal="ana").read("dags")
    headless = Door().airflow(kerberos_keytab=keytab, kerberos_principal="robot@TEST")
    await headless.read("dags")
    await headless.read("dags")
    await Door().airflow(kerberos_keytab=keytab).read("dags")
    cache, first, again, other = [asked["creds"] for asked in library.asked]
    assert (cache["name"], cache["store"]) == ("principal ana", {"ccache": "KEYRING:x"})
    assert (first["name"], first["store"]["client_keytab"]) == ("principal robot@TEST", str(keytab))
    assert first["store"]["ccache"].startswith("MEMORY:")
    assert again == first, "its tickets are kept"
    assert other["store"]["ccache"] != first["store"]["ccache"], "and nobody else's"


async def test_a_read_is_tried_again_with_a_new_token_and_a_change_is_sent_once(library: Library) -> None:
    door = Door(503, 503)
    airflow = door.airflow()
    await airflow.read("dags")
    assert (len(door.requests), len(library.asked)) == (3, 3)
    for status in (401, 403, 429):
        door = Door(status)
        with pytest.raises(Exception, match=f"{status}.*Nothing was changed"):
            await change(door.airflow())
        assert len(door.requests) == 1


async def test_many_calls_take_turns(library: Library) -> None:
    library.wait = lambda: time.sleep(0.005)
    door = Door()
    airflow = door.airflow()
    async with anyio.create_task_group() as calls:
        for _ in range(MANY):
            calls.start_soon(airflow.read, "dags")
    assert door.authorizations == [HEADER] * MANY
    assert library.most_at_once == 1


@pytest.fixture
def hung(library: Library) -> Iterator[Library]:
    """A library that waits for a Kerberos server which does not answer."""
    done = threading.Event()
    library.wait = lambda: done.wait(10)
    yield library
    done.set()


@pytest.mark.parametrize("call", [lambda airflow: airflow.read("dags"), change], ids=["read", "change"])
async def test_a_kerberos_server_that_hangs(hung: Library, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kerberos, "PATIENCE", 0.05)
    door = Door()
    airflow = door.airflow()
    for _ in range(2):  # nor does the first one stand in the way of the second
        with pytest.raises(NotSignedInError, match=r"gave no ticket within 0.05 s; nothing was sent.*krb5\.conf"):
            await call(airflow)
    assert door.requests == []


# -- what the library's errors become


async def test_no_ticket(library: Library) -> None:
    message = await problem(library, MISSING, 2529639053, "No Kerberos credentials available\0")
    assert message == (
        "No Kerberos ticket: No Kerberos credentials available. Run `kinit`, or set AIRFLOW_MCP_KERBEROS_KEYTAB."
    )


async def test_no_ticket_in_a_cache_or_of_a_principal(library: Library) -> None:
    told = await problem(library, MISSING, 2529639107, "No credentials cache found", kerberos_ccache="/x/cc")
    assert "Run `kinit -c /x/cc`" in told
    told = await problem(library, MISSING, 1, "Does not match", kerberos_ccache="/x/cc", kerberos_principal="ana")
    assert "Run `kinit -c /x/cc ana`" in told


@pytest.mark.parametrize(("kind", "code"), [(OTHER, kerberos.TICKET_EXPIRED), (EXPIRED, 100002)])
async def test_an_expired_ticket(library: Library, kind: str, code: int) -> None:
    message = await problem(library, kind, code, "Ticket expired")
    assert message == "The Kerberos ticket has expired. Run `kinit`, or set AIRFLOW_MCP_KERBEROS_KEYTAB."


async def test_an_unknown_service(library: Library) -> None:
    says = "Server HTTP/web@TEST not found in Kerberos database"
    message = await problem(
        library, OTHER, kerberos.SERVICE_UNKNOWN, says, kerberos_service="HTTP", kerberos_host="web"
    )
    assert message.startswith(f"Kerberos knows no service HTTP@web: {says}. ")
    assert "AIRFLOW_MCP_KERBEROS_SERVICE" in message
    assert "AIRFLOW_MCP_KERBEROS_HOST" in message


async def test_a_principal_that_cannot_be_one(library: Library) -> None:
    message = await problem(library, BAD_NAME, 1, "Malformed representation of principal", kerberos_principal="a@b@c")
    assert message.startswith("AIRFLOW_MCP_KERBEROS_PRINCIPAL is not a name that Kerberos takes: Malformed")


async def test_anything_else_is_told_in_the_words_of_the_library(library: Library) -> None:
    says = "Cannot contact any KDC\x1b[31m for realm\n'TEST'"
    message = await problem(library, OTHER, UNREACHABLE, says)
    assert message.startswith(
        "Kerberos gave no ticket for airflow@airflow.test: Cannot contact any KDC␛[31m for realm 'TEST'."
    )
    assert "krb5.conf" in message


async def test_an_error_that_kerberos_alone_does_not_have(library: Library) -> None:
    library.errors[SPNEGO] = library.exceptions.GSSError(100001, "SPNEGO alone fails")
    with pytest.raises(NotSignedInError, match="SPNEGO alone fails"):
        await Door().airflow().read("dags")
    assert [asked["mech"] for asked in library.asked] == [SPNEGO, KRB5]


@pytest.fixture
def keytab(tmp_path: Path) -> Path:
    path = tmp_path / "robot.keytab"
    path.write_bytes(b"s3cret")
    return path


@pytest.mark.parametrize(
    ("code", "says", "told"),
    [
        (kerberos.NO_CACHE, "No credentials cache found", "holds no key of robot. `klist -k "),
        (CLIENT_UNKNOWN, "Client 'robot@TEST' not found", "no ticket for robot: Client 'robot@TEST' not found."),
        (BAD_INTEGRITY, "Decrypt integrity check failed", "make a new keytab."),
        (UNREACHABLE, "Cannot contact any KDC", "no ticket for robot: Cannot contact any KDC."),
    ],
)
async def test_a_keytab_that_gives_no_ticket(library: Library, keytab: Path, code: int, says: str, told: str) -> None:
    message = await problem(library, MISSING, code, says, kerberos_keytab=keytab, kerberos_principal="robot")
    assert message.startswith("AIRFLOW_MCP_KERBEROS_KEYTAB: ")
    assert told in message
    assert "s3cret" not in message


async def test_a_keytab_that_cannot_be_read(library: Library, keytab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    message = await problem(library, MISSING, kerberos.NO_CACHE, "No cache", kerberos_keytab=keytab)
    assert message == "AIRFLOW_MCP_KERBEROS_KEYTAB: cannot be read: Permission denied. Check the file."


@pytest.mark.parametrize("how", ["missing", "broken"])
async def test_without_the_extra(how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "gssapi", raising=False)
    if how == "missing":
        monkeypatch.setitem(sys.modules, "gssapi", None)
    else:
        (tmp_path / "gssapi.py").write_text("raise OSError('libgssapi_krb5.so.2: cannot open')")
        monkeypatch.syspath_prepend(tmp_path)
    door = Door()
    with pytest.raises(NotSignedInError, match=r"needs the package gssapi \(.*run pip install gssapi in this server's"):
        await door.airflow().read("dags")
    assert door.requests == []


# -- what Airflow's refusals become


async def test_a_ticket_without_a_user_or_a_role(library: Library) -> None:
    with pytest.raises(ForbiddenError) as error:
        await Door(403).airflow().read("dags")
    assert "the ticket is good, but Airflow has no user alice@TEST, or this user no role" in str(error.value)


async def test_a_ticket_that_airflow_does_not_take(library: Library) -> None:
    with pytest.raises(NotSignedInError) as error:
        await Door(401).airflow().read("dags")
    message = str(error.value)
    assert message.startswith("Not signed in (401).")
    assert "ticket of alice@TEST for airflow@airflow.test" in message
    assert "AIRFLOW_MCP_PASSWORD" not in message
    assert HEADER.split()[1] not in message


# -- Airflow 3, and settings that do not fit


async def test_a_ticket_that_is_echoed_is_not_told(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(request: httpx.Request) -> httpx.Response:
        sent = request.headers["authorization"]
        return httpx.Response(400, json={"detail": f"no {sent}, or {quote(sent)}"}, headers={"x-echo": sent})

    airflow = Airflow(kerberized(), httpx.MockTransport(echo))
    for call in (airflow.read("dags"), change(airflow)):
        with pytest.raises(RejectedError, match=r"no \*\*\*, or \*\*\*") as error:
            await call
        assert HEADER.split()[1] not in "".join(traceback.format_exception(error.value)) + caplog.text


async def test_airflow_3_has_none(library: Library) -> None:
    door = Door()
    auth = sign_in_to(Instance(url=URL, auth="kerberos")).at("v2")
    assert isinstance(auth, KerberosAuth)
    async with httpx.AsyncClient(transport=httpx.MockTransport(door)) as client:
        with pytest.raises(NotSignedInError, match="needs Airflow 2: the API of Airflow 3 has no Kerberos"):
            await client.get(URL, auth=auth)
    assert (door.requests, library.asked) == ([], [])


async def test_check_tells_it_of_the_sign_in(library: Library) -> None:
    def three(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"version": "3.3.2"})

    lines = [line async for line in findings(Instance(url=URL, auth="kerberos"), httpx.MockTransport(three))]
    assert [(line.verdict, line.topic) for line in lines] == [("ok", "url"), ("ok", "airflow"), ("fail", "sign-in")]
    assert "Airflow 3 has no Kerberos" in lines[-1].text


def test_it_is_chosen_by_the_settings_alone() -> None:
    assert isinstance(sign_in_to(kerberized()).at("v1"), KerberosAuth)
    assert sign_in_to(Instance(url=URL)).at("v1") is None
    assert not isinstance(sign_in_to(Instance(url=URL, username="ana", password="x")).at("v1"), KerberosAuth)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"AUTH": "Kerberos"}, "AIRFLOW_MCP_AUTH: must be 'auto' or 'kerberos'"),
        ({"KERBEROS_SERVICE": "HTTP"}, "AIRFLOW_MCP_KERBEROS_SERVICE is set without AIRFLOW_MCP_AUTH=kerberos"),
        ({"KERBEROS_HOST": "h"}, "AIRFLOW_MCP_KERBEROS_HOST is set without AIRFLOW_MCP_AUTH=kerberos"),
        ({"KERBEROS_PRINCIPAL": "ana"}, "AIRFLOW_MCP_KERBEROS_PRINCIPAL is set without AIRFLOW_MCP_AUTH=kerberos"),
        ({"KERBEROS_KEYTAB": "file"}, "AIRFLOW_MCP_KERBEROS_KEYTAB is set without AIRFLOW_MCP_AUTH=kerberos"),
        ({"KERBEROS_CCACHE": "x"}, "AIRFLOW_MCP_KERBEROS_CCACHE is set without AIRFLOW_MCP_AUTH=kerberos"),
        ({"AUTH": "kerberos", "USERNAME": "ana"}, "AIRFLOW_MCP_AUTH=kerberos and AIRFLOW_MCP_USERNAME are both set"),
        ({"AUTH": "kerberos", "PASSWORD": "s3cret"}, "AUTH=kerberos and AIRFLOW_MCP_PASSWORD are both set"),
        ({"AUTH": "kerberos", "PASSWORD_FILE": "file"}, "AUTH=kerberos and AIRFLOW_MCP_PASSWORD_FILE are both set"),
        ({"AUTH": "kerberos", "TOKEN": "s3cret"}, "AUTH=kerberos and AIRFLOW_MCP_TOKEN are both set"),
        ({"AUTH": "kerberos", "TOKEN_FILE": "file"}, "AUTH=kerberos and AIRFLOW_MCP_TOKEN_FILE are both set"),
        ({"AUTH": "kerberos", "API_VERSION": "v2"}, "needs Airflow 2, and AIRFLOW_MCP_API_VERSION is v2"),
        ({"AUTH": "kerberos", "KERBEROS_KEYTAB": "file", "KERBEROS_CCACHE": "x"}, "KERBEROS_CCACHE are both set"),
        (
            {"AUTH": "kerberos", "KERBEROS_KEYTAB": "/nowhere"},
            "AIRFLOW_MCP_KERBEROS_KEYTAB: there is no such file (/nowhere)",
        ),
        ({"AUTH": "kerberos", "KERBEROS_SERVICE": "HTTP@web"}, "AIRFLOW_MCP_KERBEROS_SERVICE: must be a name alone"),
        ({"AUTH": "kerberos", "KERBEROS_SERVICE": "HTTP/web"}, "AIRFLOW_MCP_KERBEROS_SERVICE: must be a name alone"),
        ({"AUTH": "kerberos", "KERBEROS_HOST": "a b"}, "AIRFLOW_MCP_KERBEROS_HOST: must be a name alone"),
    ],
    ids=str,
)
def test_settings_that_do_not_go_together(variables: dict[str, str], says: str, keytab: Path) -> None:
    given = {PREFIX + name: str(keytab) if value == "file" else value for name, value in variables.items()}
    with pytest.raises(SettingsError) as error:
        load_settings(given)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert "s3cret" not in str(error.value)


def test_settings_that_go_together(keytab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(keytab.parent))
    more = {"KERBEROS_SERVICE": "HTTP", "KERBEROS_HOST": " web ", "KERBEROS_PRINCIPAL": "ana@TEST", "API_VERSION": "v1"}
    settings = load_settings(
        {f"{PREFIX}{name}": value for name, value in {**more, "AUTH": "kerberos"}.items()}
    ).instances[0]
    assert (settings.kerberos_service, settings.kerberos_host) == ("HTTP", "web")
    for name, value in {"KERBEROS_KEYTAB": "~/robot.keytab", "KERBEROS_CCACHE": "~/tickets"}.items():
        home = load_settings({f"{PREFIX}AUTH": "kerberos", f"{PREFIX}{name}": value}).instances[0]
        assert str(getattr(home, name.lower())).startswith(str(keytab.parent))
