"""A session cookie, headers and client certificates: what is sent, what `check` says, what excludes what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.check import findings
from airflow_mcp.errors import AirflowMcpError, ForbiddenError, NotSignedInError, SettingsError, UnreachableError
from airflow_mcp.settings import PREFIX, Settings, load_settings
from tests.tls import Certificates, tls_door

pytestmark = pytest.mark.anyio

URL = "http://airflow.test"
SECRET = "s3cret"
COOKIE = f"session={SECRET}.x-y"


class Wire(httpx.AsyncBaseTransport):
    """Notes what is sent, and answers with these in turn, the last one again."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers) or [httpx.Response(200, json={"version": "3.3.2", "dags": [], "total_entries": 0})]
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def sent(self, name: str) -> list[str | None]:
        return [request.headers.get(name) for request in self.requests]


def load(**variables: str) -> Settings:
    return load_settings({PREFIX + name: value for name, value in variables.items()})


async def read(settings: Settings, wire: Wire) -> None:
    airflow = Airflow(settings, wire)
    try:
        await airflow.read("dags")
    finally:
        await airflow.aclose()


# -- a cookie


async def test_a_cookie_goes_with_every_request_and_nothing_else_signs_in() -> None:
    wire = Wire()
    await read(load(URL=URL, COOKIE=COOKIE), wire)
    assert wire.sent("cookie") == [COOKIE, COOKIE]
    assert wire.sent("authorization") == [None, None]


async def test_a_cookie_file_is_read_at_each_call(tmp_path: Path) -> None:
    file = tmp_path / "cookie"
    file.write_text(f"{COOKIE}\n")
    wire = Wire()
    airflow = Airflow(load(URL=URL, COOKIE_FILE=str(file), API_VERSION="v2"), wire)
    await airflow.read("dags")
    file.write_text("session=other")
    await airflow.read("dags")
    assert wire.sent("cookie") == [COOKIE, "session=other"]
    file.write_text("")
    with pytest.raises(SettingsError, match="AIRFLOW_MCP_COOKIE_FILE: the file is empty"):
        await airflow.read("dags")
    file.unlink()
    with pytest.raises(SettingsError, match="AIRFLOW_MCP_COOKIE_FILE: cannot be read: No such file"):
        await airflow.read("dags")
    assert len(wire.requests) == 2


@pytest.mark.parametrize("status", [401, 403])
async def test_a_cookie_that_is_refused_is_named_and_not_shown(status: int) -> None:
    with pytest.raises((NotSignedInError, ForbiddenError), match="Check AIRFLOW_MCP_COOKIE: the session may") as error:
        await read(load(URL=URL, COOKIE=COOKIE), Wire(httpx.Response(status)))
    assert SECRET not in str(error.value)


async def test_a_cookie_does_not_follow_a_redirect() -> None:
    wire = Wire(httpx.Response(302, headers={"location": "https://elsewhere.test/login"}))
    with pytest.raises(AirflowMcpError, match="was not followed"):
        await read(load(URL=URL, COOKIE=COOKIE, API_VERSION="v2"), wire)
    assert [request.url.host for request in wire.requests] == ["airflow.test"]


@pytest.mark.parametrize("cookie", [f"{COOKIE}\r\nX: y", f"{COOKIE}ü"])
async def test_a_cookie_that_no_header_can_hold_is_refused_before_anything_is_sent(cookie: str) -> None:
    wire = Wire()
    with pytest.raises(SettingsError, match="AIRFLOW_MCP_COOKIE: it holds a line break") as error:
        await read(load(URL=URL, COOKIE=cookie), wire)
    assert (wire.requests, SECRET in str(error.value)) == ([], False)


# -- headers


async def test_headers_go_with_every_request_a_sign_in_too() -> None:
    wire = Wire(httpx.Response(200, json={"version": "3.3.2", "access_token": "t"}))
    settings = load(URL=URL, HEADERS="Proxy-Authorization: Bearer p\nX-Key: k", USERNAME="ana", PASSWORD=SECRET)
    await read(settings, wire)
    assert [request.url.path for request in wire.requests] == ["/api/v2/version", "/auth/token", "/api/v2/dags"]
    assert wire.sent("proxy-authorization") == ["Bearer p"] * 3
    assert wire.sent("x-key") == ["k"] * 3
    assert wire.sent("authorization") == [None, None, "Bearer t"]


async def test_headers_alone_may_sign_in() -> None:
    wire = Wire()
    await read(load(URL=URL, HEADERS=f"Authorization: Bearer {SECRET}"), wire)
    assert wire.sent("authorization") == [f"Bearer {SECRET}"] * 2


async def test_a_headers_file_is_read_at_each_call(tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text("X-Key: 1")
    wire = Wire()
    airflow = Airflow(load(URL=URL, HEADERS_FILE=str(file), API_VERSION="v2"), wire)
    await airflow.read("dags")
    file.write_text("X-Key: 2")
    await airflow.read("dags")
    assert wire.sent("x-key") == ["1", "2"]
    file.write_text(f"X-Key: {SECRET}\nHost: elsewhere.test")
    with pytest.raises(SettingsError, match="AIRFLOW_MCP_HEADERS_FILE: line 2 sets host, which this server") as error:
        await airflow.read("dags")
    assert (len(wire.requests), SECRET in str(error.value)) == (2, False)


# -- what excludes what

SIGN_INS = {
    "PASSWORD": {"USERNAME": "ana", "PASSWORD": SECRET},
    "TOKEN": {"TOKEN": SECRET},
    "TOKEN_COMMAND": {"TOKEN_COMMAND": f"print-token {SECRET}"},
    "COOKIE": {"COOKIE": COOKIE},
    "AUTH": {"AUTH": "kerberos"},
}
PAIRS = [(one, other) for one in SIGN_INS for other in SIGN_INS if one < other]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_sign_ins_are_refused_by_name(one: str, other: str) -> None:
    with pytest.raises(SettingsError, match="are both set: keep one sign-in") as error:
        load(**SIGN_INS[one], **SIGN_INS[other])
    named = str(error.value).partition(" are both set")[0].replace("USERNAME", "PASSWORD").replace("=kerberos", "")
    assert sorted(named.split(" and ")) == sorted([f"AIRFLOW_MCP_{one}", f"AIRFLOW_MCP_{other}"])
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("name", SIGN_INS)
def test_a_header_that_the_sign_in_sets_is_refused(name: str) -> None:
    taken = "cookie" if name == "COOKIE" else "authorization"
    with pytest.raises(SettingsError, match=f"AIRFLOW_MCP_HEADERS: {taken} is what the sign-in sets") as error:
        load(HEADERS=f"{taken.title()}: {SECRET}", **SIGN_INS[name])
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"TOKEN_COMMAND": "print 's3cret"}, "AIRFLOW_MCP_TOKEN_COMMAND: is no command line: no closing quotation"),
        ({"TOKEN_COMMAND": "'' s3cret"}, "AIRFLOW_MCP_TOKEN_COMMAND: is no command line: names no program"),
        ({"COOKIE": COOKIE, "COOKIE_FILE": __file__}, "AIRFLOW_MCP_COOKIE and AIRFLOW_MCP_COOKIE_FILE are both set"),
        (
            {"HEADERS": "X: 1", "HEADERS_FILE": __file__},
            "AIRFLOW_MCP_HEADERS and AIRFLOW_MCP_HEADERS_FILE are both set",
        ),
        ({"HEADERS": SECRET}, "AIRFLOW_MCP_HEADERS: line 1 has no colon"),
        ({"CLIENT_CERT": __file__}, "AIRFLOW_MCP_CLIENT_CERT needs an https address in AIRFLOW_MCP_URL"),
        ({"URL": "https://a", "CLIENT_KEY": __file__}, "AIRFLOW_MCP_CLIENT_KEY is set without AIRFLOW_MCP_CLIENT_CERT"),
        (
            {"URL": "https://a", "CLIENT_KEY_PASSWORD": SECRET},
            "AIRFLOW_MCP_CLIENT_KEY_PASSWORD is set without AIRFLOW_MCP_CLIENT_CERT",
        ),
        ({"URL": "https://a", "CLIENT_CERT": "/nowhere"}, "AIRFLOW_MCP_CLIENT_CERT"),
    ],
)
def test_what_is_wrong_stops_the_start_and_is_named(variables: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(**variables)
    assert says in str(error.value)
    assert SECRET not in str(error.value)


def test_no_secret_is_in_a_repr() -> None:
    for sign_in in SIGN_INS.values():
        settings = load(HEADERS=f"X-Key: {SECRET}", **sign_in)
        assert SECRET not in f"{settings!r} {settings} {settings.model_dump()}"


# -- a client certificate


@pytest.fixture
def certificates(tmp_path: Path) -> Iterator[Certificates]:
    yield Certificates(tmp_path)


async def shown(certificates: Certificates, **settings: Any) -> str:
    """What a read says through a door that wants a certificate, with nothing behind it."""
    async with tls_door(certificates, 9) as url:
        airflow = Airflow(Settings(**{"url": url, "ca_bundle": certificates.ca_bundle, "timeout": 5, **settings}))
        with pytest.raises(AirflowMcpError) as error:
            await airflow.read("dags")
        await airflow.aclose()
    assert SECRET not in str(error.value)
    return f"{type(error.value).__name__}: {error.value}"


@pytest.fixture
def locked_key(certificates: Certificates, tmp_path: Path) -> Path:
    key = load_pem_private_key(certificates.client_key.read_bytes(), None)
    file = tmp_path / "locked.key"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(SECRET.encode())))
    return file


async def test_a_key_that_is_not_the_certificates(certificates: Certificates, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Certificates(tmp_path / "other")
    message = await shown(certificates, client_cert=certificates.client_cert, client_key=other.client_key)
    assert message == "SettingsError: AIRFLOW_MCP_CLIENT_KEY: is not the key of the certificate in CLIENT_CERT."


@pytest.mark.parametrize("password", [None, "wrong"])
async def test_a_locked_key_without_its_password(
    certificates: Certificates, locked_key: Path, password: str | None
) -> None:
    given = {"client_cert": certificates.client_cert, "client_key": locked_key, "client_key_password": password}
    message = await shown(certificates, **given)
    assert message.startswith("SettingsError: AIRFLOW_MCP_CLIENT_CERT: no certificate in PEM form, or no key that")
    assert message.endswith("A locked key needs AIRFLOW_MCP_CLIENT_KEY_PASSWORD.")


async def test_a_locked_key_with_its_password_is_let_in(certificates: Certificates, locked_key: Path) -> None:
    given = {"client_cert": certificates.client_cert, "client_key": locked_key, "client_key_password": SECRET}
    message = await shown(certificates, **given)
    assert message.startswith("UnreachableError: ")  # by the door; nobody is behind it


async def test_a_file_that_holds_no_certificate(certificates: Certificates) -> None:
    message = await shown(certificates, client_cert=Path(__file__), client_key=certificates.client_key)
    assert message.startswith("SettingsError: AIRFLOW_MCP_CLIENT_CERT: no certificate in PEM form")


async def test_no_certificate_where_one_is_wanted(certificates: Certificates) -> None:
    message = await shown(certificates)
    assert message.startswith(f"{UnreachableError.__name__}: Cannot reach Airflow at https://127.0.0.1:")
    assert message.endswith("If a certificate of yours is wanted there, check AIRFLOW_MCP_CLIENT_CERT, or set it.")


# -- check


@pytest.mark.parametrize(
    ("sign_in", "how"),
    [
        ({"COOKIE": COOKIE}, "with a session cookie"),
        ({"COOKIE": COOKIE, "HEADERS": "X-Key: s3cret\nA: s3cret"}, "with a session cookie; more headers: a, x-key"),
        ({"HEADERS": "Authorization: s3cret"}, "none is set, and none was asked for; more headers: authorization"),
        ({"TOKEN_COMMAND": "sh -c 'echo s3cret'"}, "with what `sh` printed"),
        ({"TOKEN": SECRET}, "with the given token"),
    ],
)
async def test_check_tells_how_it_signed_in_and_not_with_what(sign_in: dict[str, str], how: str) -> None:
    lines = [str(finding) async for finding in findings(load(URL=URL, **sign_in), Wire())]
    assert f"ok   sign-in   {how}" in lines
    assert SECRET not in "\n".join(lines)
