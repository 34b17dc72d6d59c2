"""A session cookie and further headers, as they go over the wire: with each request, and nowhere else."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_mcp.check import findings
from airflow_mcp.errors import (
    AirflowMcpError,
    ForbiddenError,
    MayHaveHappenedError,
    NotAirflowError,
    NotSignedInError,
    SettingsError,
)
from airflow_mcp.instance import Instance
from tests.fakes import LOGIN, URL, Airflow, Fault, OfRelease
from tests.releases import LAST
from tests.tls import Certificates

pytestmark = pytest.mark.anyio

COOKIE = "session=s3cret-c00kie; other=1"
HEADERS = "X-Team: data\nCF-Access-Client-Secret: s3cret-header"
SENT = {"x-team": "data", "cf-access-client-secret": "s3cret-header"}

every_version = pytest.mark.parametrize("version", LAST)


class Server(OfRelease):
    """An Airflow that begins a session with each answer, as Airflow 2 does, and gives out a token."""

    def __init__(self, version: str = "3.3", fault: Fault | None = None) -> None:
        super().__init__(version, fault)

    async def rest(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == LOGIN:
            return httpx.Response(201, json={"access_token": "given"})
        return httpx.Response(200, json={}, headers={"set-cookie": "session=another; Path=/"})


async def two_calls(settings: Instance, server: Server, between: Callable[[], object] = lambda: None) -> None:
    """A read and a change."""
    airflow = Airflow(settings, server)
    await airflow.read("dags")
    between()
    await airflow.change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={})
    await airflow.aclose()


# -- a cookie


@every_version
@pytest.mark.parametrize("source", ["cookie", "cookie_file"])
async def test_the_cookie_goes_with_each_request_and_alone(version: str, source: str, tmp_path: Path) -> None:
    (tmp_path / "cookie").write_text(f" {COOKIE}\n")
    server = Server(version)
    await two_calls(
        Instance.model_validate({"url": URL, source: COOKIE if source == "cookie" else tmp_path / "cookie"}), server
    )
    # The question for the version, too: what stands before a managed Airflow lets nothing else through.
    assert len(server.requests) == (4 if version < "3" else 3)
    for request in server.requests:
        assert request.headers.get_list("cookie") == [COOKIE]
        assert "authorization" not in request.headers


async def test_a_cookie_file_is_read_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "cookie"
    file.write_text("session=old")
    server = Server()
    settings = Instance(url=URL, api_version="v2", cookie_file=file)
    await two_calls(settings, server, lambda: file.write_text("session=new"))
    assert [request.headers["cookie"] for request in server.requests] == ["session=old", "session=new"]


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [(401, NotSignedInError, "Not signed in (401)"), (403, ForbiddenError, "Refused (403)")],
)
async def test_a_cookie_that_is_refused_is_named_and_not_told(
    status: int, error: type[AirflowMcpError], says: str, tmp_path: Path
) -> None:
    (tmp_path / "cookie").write_text(COOKIE)
    for variable, given in (("COOKIE", {"cookie": COOKIE}), ("COOKIE_FILE", {"cookie_file": tmp_path / "cookie"})):
        server = Server(fault=lambda _: httpx.Response(status))
        with pytest.raises(error) as raised:
            await Airflow(Instance.model_validate({"url": URL, **given}), server).read("dags")
        message = str(raised.value)
        assert message.startswith(says)
        assert f"AIRFLOW_MCP_{variable}:" in message
        assert "AIRFLOW_MCP_PASSWORD" not in message
        assert "s3cret" not in "".join(traceback.format_exception(raised.value))
        assert len(server.requests) == 1


@pytest.mark.parametrize("cookie", [f"{COOKIE}\r\nX-Evil: 1", f"{COOKIE}\u00e9"], ids=["line break", "no ASCII"])
async def test_a_cookie_that_no_header_can_hold_is_refused_before_anything_is_sent(cookie: str) -> None:
    server = Server()
    with pytest.raises(SettingsError, match=r"^AIRFLOW_MCP_COOKIE: it holds a line break") as error:
        await Airflow(Instance.model_validate({"url": URL, "cookie": cookie}), server).read("dags")
    assert "s3cret" not in str(error.value)
    assert server.requests == []


# -- headers


SIGN_INS: dict[str, dict[str, Any]] = {
    "none": {},
    "password": {"username": "ana", "password": "pw"},
    "token": {"token": "abc"},
    "command": {"token_command": "echo abc"},
    "cookie": {"cookie": COOKIE},
}


@every_version
@pytest.mark.parametrize("sign_in", SIGN_INS)
async def test_headers_go_with_each_request_next_to_the_sign_in(version: str, sign_in: str) -> None:
    """With the question for the version and with a login, too: all of them go through the proxy."""
    server = Server(version)
    await two_calls(Instance.model_validate({"url": URL, "headers": HEADERS, **SIGN_INS[sign_in]}), server)
    paths = [request.url.path for request in server.requests]
    assert ("/auth/token" in paths) == (sign_in == "password" and version > "3")
    for request in server.requests:
        assert {name: request.headers.get(name) for name in SENT} == SENT
        if request.url.path.endswith("/dags"):
            signed_in = {"none": None, "cookie": None, "token": "Bearer abc", "command": "Bearer abc"}
            signed_in["password"] = "Bearer given" if version > "3" else httpx.BasicAuth("ana", "pw")._auth_header
            assert request.headers.get("authorization") == signed_in[sign_in]
            assert request.headers.get("cookie") == (COOKIE if sign_in == "cookie" else None)


async def test_a_headers_file_is_read_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text("X-Team: old\nX-Gone: 1")
    server = Server()
    settings = Instance(url=URL, api_version="v2", headers_file=file)
    await two_calls(settings, server, lambda: file.write_text("X-Team: new\n"))
    assert [(request.headers["x-team"], request.headers.get("x-gone")) for request in server.requests] == [
        ("old", "1"),
        ("new", None),
    ]


@pytest.mark.parametrize("name", ["Authorization", "Cookie"])
async def test_without_a_sign_in_a_header_may_be_one(name: str) -> None:
    server = Server()
    await two_calls(Instance.model_validate({"url": URL, "headers": f"{name}: Basic s3cret"}), server)
    assert [request.headers[name] for request in server.requests] == ["Basic s3cret"] * 3


async def test_what_a_command_prints_goes_before_a_header_of_the_same_name() -> None:
    server = Server()
    command = """echo '{"headers": {"X-Team": "of the command", "Authorization": "Bearer abc"}}'"""
    await two_calls(Instance.model_validate({"url": URL, "headers": HEADERS, "token_command": command}), server)
    for request in server.requests:
        assert request.headers.get_list("x-team") == ["of the command"]
        assert request.headers["cf-access-client-secret"] == "s3cret-header"


@pytest.mark.parametrize("sign_in", ["password", "token", "command", "cookie"])
async def test_the_sign_ins_own_header_in_a_file_stops_the_request(sign_in: str, tmp_path: Path) -> None:
    (tmp_path / "headers").write_text(f"{'Cookie' if sign_in == 'cookie' else 'Authorization'}: s3cret")
    settings = Instance.model_validate(
        {"url": URL, "api_version": "v1", "headers_file": tmp_path / "headers", **SIGN_INS[sign_in]}
    )
    server = Server("2.11")
    for attempt in (
        Airflow(settings, server).read("dags"),
        Airflow(settings, server).change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={}),
    ):
        with pytest.raises(SettingsError, match=r"^AIRFLOW_MCP_HEADERS_FILE: .* is what the sign-in sets") as error:
            await attempt
        assert "s3cret" not in str(error.value)
    assert server.requests == []


@pytest.mark.parametrize("content", [None, "", "X-Team", "Host: other.test", "X-Team: s3cret\u00e9"])
async def test_a_headers_file_that_became_useless_stops_the_request(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text("X-Team: data")
    settings = Instance(url=URL, token="abc", headers_file=file)
    server = Server()
    airflow = Airflow(settings, server)
    await airflow.read("dags")
    sent = len(server.requests)
    file.unlink()
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError, match=r"^AIRFLOW_MCP_HEADERS_FILE: ") as error:
        await airflow.change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={})
    assert "s3cret" not in str(error.value)
    assert len(server.requests) == sent


# -- nowhere else


@pytest.mark.parametrize(
    "location",
    ["https://login.test/oauth", "http://airflow.test/login", "http://airflow.test:81/api/v2/version", "//evil.test/"],
)
@pytest.mark.parametrize("sign_in", ["cookie", "command"])
async def test_no_redirect_takes_them_along(location: str, sign_in: str) -> None:
    for status in (301, 302, 303, 307, 308):
        answer = httpx.Response(status, headers={"location": location})
        server = Server(fault=lambda _, answer=answer: answer)  # type: ignore[misc]
        for version in ("auto", "v2"):
            settings = {"url": URL, "headers": HEADERS, "api_version": version, **SIGN_INS[sign_in]}
            with pytest.raises(NotAirflowError, match="redirects to") as error:
                await Airflow(Instance.model_validate(settings), server).read("dags")
            assert "s3cret" not in str(error.value)
        assert [str(request.url) for request in server.requests] == [f"{URL}/api/v2/version", f"{URL}/api/v2/dags"]


@pytest.mark.parametrize("change", [False, True], ids=["read", "change"])
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"detail": "no"}),
        httpx.Response(403),
        httpx.Response(404, json={"detail": "no such DAG"}),
        httpx.Response(500, text="failed"),
        httpx.Response(200, html="<title>Sign in</title>"),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.LocalProtocolError("odd"),
    ],
    ids=lambda value: str(value.status_code) if isinstance(value, httpx.Response) else type(value).__name__,
)
@pytest.mark.parametrize("sign_in", ["cookie", "command"])
async def test_no_error_or_log_tells_them(
    answer: httpx.Response | Exception, change: bool, sign_in: str, caplog: pytest.LogCaptureFixture
) -> None:
    def give(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    caplog.set_level(logging.DEBUG)
    given = {"cookie": COOKIE} if sign_in == "cookie" else {"token_command": "echo s3cret-token"}
    settings = Instance.model_validate({"url": URL, "api_version": "v2", "headers": HEADERS, **given})
    airflow = Airflow(settings, Server(fault=give))
    with pytest.raises(AirflowMcpError) as error:
        if change:
            await airflow.change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={})
        else:
            await airflow.read("dags")
    for text in ("".join(traceback.format_exception(error.value)), repr(vars(error.value)), caplog.text):
        assert "s3cret" not in text
    assert not change or isinstance(error.value, MayHaveHappenedError) or "othing was" in str(error.value)


# -- airflow-mcp check


def no_dags(request: httpx.Request) -> httpx.Response | None:
    return httpx.Response(200, json={"dags": [], "total_entries": 0}) if request.url.path.endswith("/dags") else None


@every_version
@pytest.mark.parametrize(
    ("sign_in", "how"),
    [
        ({}, "none is set, and Airflow asks for none"),
        ({"username": "ana", "password": "s3cret"}, "as ana, with a password"),
        ({"token": "s3cret"}, "with the given token"),
        ({"token_command": "sh -c 'echo s3cret-token'"}, "with what `sh` printed"),
        ({"cookie": COOKIE}, "with a session cookie"),
        (
            {"cookie": COOKIE, "headers": HEADERS},
            "with a session cookie; more headers: cf-access-client-secret, x-team",
        ),
        ({"headers": "Authorization: s3cret"}, "none is set, and Airflow asks for none; more headers: authorization"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
async def test_check_tells_how_it_signed_in_and_not_with_what(version: str, sign_in: dict[str, str], how: str) -> None:
    given = Instance.model_validate({"url": URL, **sign_in})
    lines = [str(finding) async for finding in findings(given, Server(version, no_dags))]
    assert f"ok   sign-in   {how}" in lines
    assert "s3cret" not in "\n".join(lines)


@pytest.mark.parametrize("sign_in", ["password", "token", "command", "cookie"])
async def test_check_names_a_client_certificate_next_to_the_sign_in(sign_in: str, tmp_path: Path) -> None:
    Certificates(tmp_path)
    files = {"client_cert": tmp_path / "client.pem", "client_key": tmp_path / "client.key"}
    server = Server(fault=no_dags)
    given = Instance.model_validate(
        {"url": "https://airflow.test", "ca_bundle": tmp_path / "ca.pem", **files, **SIGN_INS[sign_in]}
    )
    lines = [str(finding) async for finding in findings(given, server)]
    assert (
        len([line for line in lines if line.startswith("ok   sign-in") and line.endswith(", a client certificate")])
        == 1
    )


@pytest.mark.parametrize(
    ("sign_in", "says"),
    [
        ({"cookie": COOKIE}, "Check AIRFLOW_MCP_COOKIE: the session may have run out"),
        ({"token": "s3cret"}, "Check AIRFLOW_MCP_TOKEN: a token may have expired"),
        ({"token_command": "echo s3cret-token"}, "`echo` printed (AIRFLOW_MCP_TOKEN_COMMAND)"),
        ({"token_command": "sh -c 'echo s3cret-token; exit 7'"}, "`sh` ended with status 7"),
    ],
    ids=["cookie", "token", "command", "command that fails"],
)
async def test_check_of_a_sign_in_that_is_refused(sign_in: dict[str, str], says: str) -> None:
    given = Instance.model_validate({"url": URL, **sign_in})
    [finding] = [finding async for finding in findings(given, Server(fault=lambda _: httpx.Response(401)))]
    assert finding.verdict == "fail"
    assert says in finding.text
    assert "s3cret" not in finding.text
