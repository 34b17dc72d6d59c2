"""A credential that comes back over the wire, on every route: what is broken is quoted by an HTTP library."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from urllib.parse import quote

import pytest

from airflow_mcp.airflow import http
from airflow_mcp.airflow.changes.side_effects import IN_GENERAL
from airflow_mcp.check import findings
from airflow_mcp.instance import Instance
from tests.hostile.airflow import RELEASES, USER, Request, airflow, answer, connected, outcome, ways

pytestmark = pytest.mark.anyio

KEY, COOKIE, TOKEN = "pr0xy-key-s3cret", "c00kie-s3cret", "l0gin-token-s3cret"
HEADERS = f"X-Proxy-Key: {KEY}\nX-Session: {COOKIE}"


def broken(head: str) -> bytes:
    return f"{head}\r\n\r\n".encode()


# By place, the answer that echoes a text there.
PLACES: dict[str, Callable[[str], bytes]] = {
    "status line": lambda text: broken(f"HTTP/1.1 {text}"),
    "no HTTP": lambda text: broken(f"{text}"),
    "reason": lambda text: broken(f"HTTP/1.1 400 {text}\r\nconnection: close"),
    "header line": lambda text: broken(f"HTTP/1.1 200 OK\r\n{text}"),
    "header name": lambda text: broken(f"HTTP/1.1 200 OK\r\nx {text}: x"),
    "header value": lambda text: broken(f"HTTP/1.1 200 OK\r\nx-echo: {text}\x00"),
    "content length": lambda text: broken(f"HTTP/1.1 200 OK\r\ncontent-length: {text}"),
    "transfer coding": lambda text: broken(f"HTTP/1.1 200 OK\r\ntransfer-encoding: {text}"),
    "chunk": lambda text: broken(f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{text}"),
    "content coding": lambda text: answer(200, b"x", b"content-encoding: " + text.encode()),
    "content type": lambda text: answer(200, {}, kind=b"text/" + text.encode()),
    "redirect": lambda text: answer(302, b"", b"location: http://login.test/" + quote(text).encode()),
    "redirect to nowhere": lambda text: answer(302, b"", f"location: http://{text}:{text}/".encode()),
    "detail": lambda text: answer(400, {"detail": text}),
    "page": lambda text: answer(403, f"<title>{text}</title>".encode(), kind=b"text/html"),
}


def echoed(request: Request) -> str:
    """All that signs the request in, its login's password too."""
    authorization = request.headers.get("authorization", "")
    scheme, _, bare = authorization.partition(" ")
    password = USER["password"] if scheme == "Basic" or request.step == "POST auth/token" else ""
    return " ".join(filter(None, [KEY, COOKIE, authorization, coded(bare), password]))


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode() if text else ""


RUNS = ("dagRuns/list", "/dagRuns", "/dagRuns/{dag_run_id}")
"""Routes that some calls only note as not read."""
NOT_SEEN = '"not_seen":["'
"""In a diagnosis, what it goes on without."""


def login(_: Request) -> bytes:
    return answer(201, {"access_token": TOKEN})


def told(text: str, echo: str) -> list[str]:
    return [part for part in echo.split(" ") if part not in ("Basic", "Bearer") and part.lower() in text.lower()]


@pytest.fixture(autouse=True)
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WAITS", ())


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("place", PLACES)
async def test_no_route_tells_what_is_echoed(release: str, place: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echoes: list[str] = []

    def echo(request: Request) -> bytes:
        echoes.append(echoed(request))
        return PLACES[place](echoes[-1])

    wrong = []
    found = await ways(release)
    async with airflow(release) as fake, connected(fake, headers=HEADERS) as session:
        for way in found:
            fake.map_index, fake.hostile = way.map_index, {"POST auth/token": login, way.step: echo}
            if way.step.endswith(("/version", "auth/token")):  # come to at the first call alone
                failed, said = await outcome(release, way, echo, headers=HEADERS)
            else:
                result = await session.call(way.tool, way.arguments)
                failed, said = bool(result.is_error), result.model_dump_json()
            leaks = [leak for each in echoes for leak in told(said + caplog.text, each)]
            notes = ("The last runs could not be read.", "Whether runs of it wait this user may not see.", IN_GENERAL)
            in_a_note = way.step.endswith(RUNS) and any(note in said for note in notes)
            any_text = way.step.endswith("/logs/{try_number}") and place == "content type"
            if leaks or not echoes or not (failed or in_a_note or any_text or NOT_SEEN in said):
                wrong.append((way.step, leaks, said))
            echoes.clear()
            caplog.clear()
    assert wrong == []


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("place", PLACES)
async def test_check_tells_nothing_that_is_echoed(release: str, place: str) -> None:
    version = f"GET api/{'v1' if release < '3' else 'v2'}/version"
    for step in (version, "GET dags"):
        echoes: list[str] = []

        def echo(request: Request, echoes: list[str] = echoes) -> bytes:
            echoes.append(echoed(request))
            return PLACES[place](echoes[-1])

        async with airflow(release) as fake:
            fake.hostile = {"POST auth/token": login, step: echo}
            instance = Instance(url=fake.url, headers=HEADERS, **USER)
            lines = "\n".join([str(line) async for line in findings(instance)])
        assert echoes
        assert [leak for each in echoes for leak in told(lines, each)] == []


# What a broken answer is said to be: in words that help, and are not the library's.
SAID = {
    "status line": "does not speak HTTP",
    "no HTTP": "does not speak HTTP",
    "header line": "its answer has a broken header",
    "header value": "its answer has a broken header",
    "content length": "its answer breaks the rules of HTTP",
    "redirect to nowhere": "its answer redirects to what is not a URL",
}


@pytest.mark.parametrize("place", SAID)
async def test_what_is_broken_is_said(place: str) -> None:
    [read] = [way for way in await ways("3.3") if way.step == "GET dags/{dag_id}/details"]
    [change] = [way for way in await ways("3.3") if way.step == "PATCH dags/{dag_id}"]
    for way, says in ((read, "Cannot reach Airflow at http://127.0.0.1:"), (change, "may or may not have happened")):
        failed, said = await outcome("3.3", way, lambda _: PLACES[place]("x"))
        assert failed
        assert says in said
        assert SAID[place] in said
