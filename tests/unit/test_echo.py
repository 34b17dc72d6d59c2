"""A credential that comes back: each kind of secret, in each place where an answer may echo it, from both versions."""

from __future__ import annotations

import base64
import html
import json
import logging
import traceback
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest

from airflow_mcp.check import findings
from airflow_mcp.errors import AirflowMcpError, MayHaveHappenedError, NotSignedInError
from airflow_mcp.instance import Instance
from tests.examples import agreeable
from tests.fakes import LOGIN, URL, Airflow, Fake, Replay
from tests.replay import replayed

pytestmark = pytest.mark.anyio

TOKEN = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiIxIn0.c2/lnb+mF0dXJl=="
LOGIN_TOKEN = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiIyIn0.bG9naW4tdG9rZW4"
PASSWORD = 's3cret "pass" & <word>/\\'
COOKIE = "session=.eJw-c00kie_s3cret/%3D; other=an0ther-c00kie"
KEY = 'pr0xy-key "with" & <all>/\\'
BASIC = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
JSON = {"content-type": "application/json"}
VERSIONS = {"2.11": "v1", "3.3": "v2"}
every_version = pytest.mark.parametrize("version", VERSIONS)

USER = {"username": "admin", "password": PASSWORD}
GIVEN: dict[str, dict[str, Any]] = {
    "token": {"token": TOKEN},
    "command": {"token_command": f"echo {TOKEN}"},
    "cookie": {"cookie": COOKIE},
    "password": USER,
    "a proxy's key": {"token": "another", "headers": f"X-Proxy-Key: {KEY}"},
    "a proxy's password": {"headers": f"Authorization: Basic {BASIC}"},
    "a proxy's token": {"headers": f"Proxy-Authorization: Bearer {TOKEN}", **USER},
    "a proxy's cookie": {"headers": f"Cookie: {COOKIE}", **USER},
}
"""The settings, by the kind of secret."""


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def with_parts(value: str) -> list[str]:
    """A header's value, what is secret in it, and their base64."""
    bare = (
        [cookie.partition("=")[2] for cookie in value.split("; ")] if "=" in value[:10] else [value.split(" ", 1)[-1]]
    )
    return [value, *bare, *map(base64_of, (value, *bare))]


def secrets_of(kind: str, version: str) -> list[str]:
    """What may be echoed to a request that was signed in so."""
    if kind == "password":
        return [*with_parts(f"Bearer {LOGIN_TOKEN}" if version > "3" else f"Basic {BASIC}"), PASSWORD]
    return {
        "token": with_parts(f"Bearer {TOKEN}"),
        "command": with_parts(f"Bearer {TOKEN}"),
        "cookie": with_parts(COOKIE),
        "a proxy's key": [KEY, base64_of(KEY)],
        "a proxy's password": [*with_parts(f"Basic {BASIC}"), PASSWORD, f"admin:{PASSWORD}"],
        "a proxy's token": with_parts(f"Bearer {TOKEN}"),
        "a proxy's cookie": with_parts(COOKIE),
    }[kind]


def problem(status: int = 400, **fields: Any) -> httpx.Response:
    body = {"status": status, "type": "about:blank#x", **fields}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json"})


def page(title: str) -> httpx.Response:
    return httpx.Response(403, html=f"<html><head><title>{title}</title></head></html>")


def redirect(location: str) -> httpx.Response:
    return httpx.Response(302, headers=[(b"location", location.encode())])


def escaped(text: str) -> httpx.Response:
    """JSON that escapes all characters, as some writers do with some."""
    body = '{"detail": "' + "".join(f"\\u{ord(each):04x}" for each in text) + '"}'
    return httpx.Response(400, content=body.encode(), headers=JSON)


def detail(what: Any, status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"detail": what})


Echo = Callable[[str], httpx.Response | Exception]


def refusal(status: int) -> Echo:
    return lambda text: detail(f"bad {text}", status)


QUOTED: dict[str, Echo] = {
    **{f"detail of a {status}": refusal(status) for status in (400, 401, 403, 404, 406, 409, 422, 429, 500, 503)},
    "detail, escaped": escaped,
    "detail, slashes escaped": lambda text: httpx.Response(
        400,
        content=json.dumps({"detail": text}).replace("/", "\\/").encode(),
        headers=JSON,
    ),
    "detail, in a URL": lambda text: detail(f"no {URL}/x?a={quote(text, safe='')}&b=1"),
    "detail, with JSON in it": lambda text: detail(json.dumps({"you sent": text})),
    "detail with lines": lambda text: detail(f"bad\n\n  {text}\x00\u200b\n"),
    "detail that is a list": lambda text: detail([f"bad {text}"]),
    "detail that is an object": lambda text: detail({"headers": {text: [text]}}),
    "loc": lambda text: detail([{"loc": ["header", text], "msg": "Field required"}], 422),
    "msg": lambda text: detail([{"loc": ["body", "x"], "msg": f"Value error, {text}"}], 422),
    "detail of v1": lambda text: problem(title="Bad Request", detail=f"bad {text}"),
    "title of v1": lambda text: problem(title=f"bad {text}", detail=None),
    "error": lambda text: httpx.Response(400, json={"error": f"bad {text}"}),
    "page's title": lambda text: page(f"No {html.escape(text)}"),
    "page's title, otherwise escaped": lambda text: page(
        f"No {html.escape(text).replace('&#x27;', '&#39;').replace('&quot;', '&#34;')}"
    ),
    "content type": lambda text: httpx.Response(200, content=b"{}", headers={"content-type": f"text/{text}"}),
    "redirect's host": lambda text: redirect(f"http://{quote(text, safe='')}.test/"),
    "redirect's path": lambda text: redirect(f"/login/{quote(text, safe='')}/x"),
    "redirect's path, raw": lambda text: redirect(f"/login/{text}"),
    "redirect's path, twice encoded": lambda text: redirect(f"/login/{quote(quote(text, safe=''), safe='')}"),
}
"""Places that an error quotes: there, *** stands for it."""
NOT_QUOTED: dict[str, Echo] = {
    "detail that is cut": lambda text: detail("x" * (495 - len(text) // 2) + text),
    "redirect's query": lambda text: redirect(f"/login?token={quote(text)}"),
    "redirect's user": lambda text: redirect(f"http://{quote(text, safe='')}@login.test/"),
    "redirect's port": lambda text: redirect(f"http://login.test:{quote(text, safe='')}/"),
    "reason": lambda text: httpx.Response(400, extensions={"reason_phrase": text.encode()}),
    "JSON that is cut off": lambda text: httpx.Response(200, content=f'{{"a": "{text}'.encode(), headers=JSON),
    "text": lambda text: httpx.Response(500, text=text),
    "another header": lambda text: httpx.Response(400, headers=[(b"x-echo", text.encode())]),
    "a broken status line": lambda text: httpx.RemoteProtocolError(f"illegal status line: bytearray(b'{text}')"),
    "a broken header line": lambda text: httpx.RemoteProtocolError(f"illegal header line: bytearray(b'{text}')"),
    "a header that cannot be sent": lambda text: httpx.LocalProtocolError(f"Illegal header value b'{text}\\n'"),
    "an error in unpacking": lambda text: httpx.DecodingError(f"not gzip: {text}"),
    "a certificate": lambda text: httpx.ConnectError(f"[SSL] not valid for {text}"),
    "a lost connection": lambda text: httpx.ReadError(f"reset by {text}"),
    "a proxy's refusal": lambda text: httpx.ProxyError(f"407 {text}"),
}
PLACES = QUOTED | NOT_QUOTED


def forms(secret: str) -> list[str]:
    return [
        secret,
        json.dumps(secret)[1:-1],
        html.escape(secret),
        quote(secret, safe=""),
        quote(secret),
        repr(secret)[1:-1],
    ]


def told(text: str, secret: str) -> list[str]:
    """How a text tells a secret: in whole, or in half; the scheme, the user and a cookie's name are none."""
    for known in ("Bearer ", "Basic ", "admin:", "session="):
        secret = secret.removeprefix(known)
    return [form for form in forms(secret) if form[: max(10, len(form) // 2)].lower() in text.lower()]


class Echoing(Fake):
    """An Airflow that echoes: `give` is what it says to what is no login."""

    def __init__(self) -> None:
        super().__init__()
        self.give: Callable[[], httpx.Response | Exception] = lambda: httpx.Response(200, json={})

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == LOGIN:
            return httpx.Response(201, json={"access_token": LOGIN_TOKEN})
        answer = self.give()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def failed(airflow: Airflow, change: bool) -> AirflowMcpError:
    with pytest.raises(AirflowMcpError) as error:
        if change:
            await airflow.change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={})
        else:
            await airflow.read("dags")
    return error.value


@every_version
@pytest.mark.parametrize("kind", GIVEN)
async def test_no_error_or_log_tells_a_secret_that_is_echoed(
    kind: str, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echoing = Echoing()
    airflow = Airflow(Instance(**{"url": URL, "api_version": VERSIONS[version]} | GIVEN[kind]), echoing)
    wrong = []
    secrets = secrets_of(kind, version)
    for place, secret, change in [*product(PLACES, secrets, [False]), *product(PLACES, secrets[:1], [True])]:
        echoing.give = lambda place=place, secret=secret: PLACES[place](secret)  # type: ignore[misc]
        error = await failed(airflow, change)
        everything = "".join(traceback.format_exception(error)) + repr(vars(error)) + caplog.text
        caplog.clear()
        masked = "***" in str(error) or place in NOT_QUOTED or isinstance(error, MayHaveHappenedError)
        if (forms := told(everything, secret)) or not masked:
            wrong.append((place, secret, forms, str(error)))
    assert wrong == []
    await airflow.aclose()


# -- in good answers

IDS = {"dag_id": "etl", "dag_run_id": "r", "task_id": "t", "file_token": "f"}


def answering(version: str, **fields: Any) -> Replay:
    """An Airflow that agrees to all, with these fields in each answer."""

    async def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/auth/token":
            return httpx.Response(201, json={"access_token": LOGIN_TOKEN})
        release = "2.11.2" if version < "3" else "3.3.2"
        return httpx.Response(200, json={**agreeable(IDS, release), **fields})

    return Replay(version, answer)


@every_version
@pytest.mark.parametrize("kind", GIVEN)
async def test_no_good_answer_tells_a_header_that_was_sent(kind: str, version: str) -> None:
    given = {"username": None, "password": None} | GIVEN[kind]
    for secret in secrets_of(kind, version):
        if secret in (PASSWORD, f"admin:{PASSWORD}"):
            continue  # a password may be an ordinary word
        replay = answering(version, description=f"it is {secret}!", tags=[{"name": secret}], doc_md=f"# {secret}")
        async with replayed(replay, api_version=VERSIONS[version], **given) as session:
            result = await session.call("get_dag_details", {"dag_id": "etl"})
        assert result.structured_content
        assert result.structured_content["description"].startswith("it is ")
        assert "***" in result.structured_content["description"]
        assert told(json.dumps(result.structured_content), secret) == []
        assert told(result.model_dump_json(), secret) == []


@every_version
async def test_an_ordinary_word_in_a_header_stays_in_good_answers(version: str) -> None:
    headers = "X-Team: data-platform\nX-Stage: live\nX-Number: 7"
    replay = answering(version, description="by data-platform, live, 7 days", tags=[{"name": "data-platform"}])
    async with replayed(replay, api_version=VERSIONS[version], headers=headers, password="description") as session:
        answer = await session.ok("get_dag_details", dag_id="etl")
    assert answer["description"] == "by data-platform, live, 7 days"
    assert answer["tags"] == ["data-platform"]


async def test_a_number_is_left_a_number() -> None:
    replay = answering("3.3", max_active_tasks=12345678, description="12345678 of them")
    async with replayed(replay, api_version="v2", headers="X-Proxy-Key: 12345678") as session:
        answer = await session.ok("get_dag_details", dag_id="etl")
    assert (answer["max_active_tasks"], answer["description"]) == (12345678, "*** of them")


# -- renewed


async def test_the_token_before_the_one_in_use_is_not_told_either() -> None:
    tokens = [f"{LOGIN_TOKEN}-{number}" for number in range(3)]
    given = iter(tokens)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            return httpx.Response(201, json={"access_token": next(given)})
        if request.headers["authorization"] == f"Bearer {tokens[0]}":
            return httpx.Response(401)
        return detail(f"{tokens[0]} was renewed, {tokens[1]} is used by admin:{PASSWORD}")

    airflow = Airflow(Instance(url=URL, api_version="v2", **USER), httpx.MockTransport(answer))
    error = await failed(airflow, change=False)
    assert "Airflow says: *** was renewed, *** is used by admin:***." in str(error)


async def test_of_calls_at_once_each_has_its_own_token_masked(tmp_path: Path) -> None:
    """However often it was renewed before the answer came."""
    file, came, together = tmp_path / "token", 0, anyio.Event()
    errors: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal came
        came += 1
        file.write_text(f"t0ken-of-the-call-{came}")
        if came == 5:
            together.set()
        await together.wait()
        return detail(f"no {request.headers['authorization']}")

    async def call(airflow: Airflow) -> None:
        errors.append(str(await failed(airflow, change=False)))

    file.write_text("t0ken-of-the-call-0")
    airflow = Airflow(Instance(url=URL, api_version="v2", token_file=file), httpx.MockTransport(answer))
    async with anyio.create_task_group() as calls:
        for _ in range(5):
            calls.start_soon(call, airflow)
    assert errors == ["Airflow refused the request (400). Airflow says: no ***."] * 5


@pytest.mark.parametrize(("password", "says"), [("s3cret7", "no s3cret7."), ("s3cret-8", "no ***.")])
async def test_what_is_short_may_be_a_word(password: str, says: str) -> None:
    given = Instance(url=URL, api_version="v1", username="admin", password=password)
    error = await failed(Airflow(given, httpx.MockTransport(lambda _: detail(f"no {password}"))), change=False)
    assert str(error).endswith(says)


# -- a token that cannot be used

UNUSABLE = {
    "line feed": f"{LOGIN_TOKEN}\n",
    "line feed in it": f"{LOGIN_TOKEN[:30]}\r\nX-Evil: {LOGIN_TOKEN[30:]}",
    "blank": f"{LOGIN_TOKEN} {LOGIN_TOKEN}",
    "null": f"{LOGIN_TOKEN}\x00",
    "no ASCII": f"{LOGIN_TOKEN}\u00e9",
    "half a character": f"{LOGIN_TOKEN}\ud800",
    "too long": LOGIN_TOKEN * 500,
}


@pytest.mark.parametrize("token", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("login", [USER, {}], ids=["password", "for everybody"])
async def test_a_login_token_that_no_header_can_hold_is_not_used_and_not_told(
    login: dict[str, str], token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if request.url.path == "/auth/token":
            return httpx.Response(201, content=json.dumps({"access_token": token}), headers=JSON)
        return httpx.Response(200 if request.headers.get("authorization") else 401, json={})

    airflow = Airflow(Instance.model_validate({"url": URL, "api_version": "v2", **login}), httpx.MockTransport(answer))
    for change in (False, True):
        error = await failed(airflow, change)
        assert isinstance(error, NotSignedInError)
        assert "/auth/token gave a token that no header can hold" in str(error)
        assert "AIRFLOW_MCP_TOKEN" in str(error)
        assert told("".join(traceback.format_exception(error)) + caplog.text, LOGIN_TOKEN) == []
    assert not [request for request in requests if request.headers.get("authorization")]


# -- `airflow-mcp check`

CHECKED = ["a good answer", "detail of a 400", "detail of a 403", "page's title", "content type", "redirect's path"]


@every_version
@pytest.mark.parametrize("kind", GIVEN)
async def test_check_tells_none(kind: str, version: str) -> None:
    settings = Instance(**{"url": URL} | GIVEN[kind])
    for secret, place in product(secrets_of(kind, version), CHECKED):

        async def answer(request: httpx.Request, secret: str = secret, place: str = place) -> httpx.Response:
            if request.url.path == "/auth/token":
                return httpx.Response(201, json={"access_token": LOGIN_TOKEN})
            if request.url.path.endswith("/version"):
                release = "2.11.2" if version < "3" else "3.3.2"
                there = f"/{VERSIONS[version]}/" in request.url.path
                return httpx.Response(200, json={"version": release}) if there else httpx.Response(404)
            if place == "a good answer":
                return httpx.Response(200, json={"dags": [{"dag_id": secret, "is_paused": True}], "total_entries": 1})
            given = QUOTED[place](secret)
            assert isinstance(given, httpx.Response)
            return given

        lines = [str(line) async for line in findings(settings, httpx.MockTransport(answer))]
        assert len(lines) > 2
        if place == "a good answer" and secret in (PASSWORD, f"admin:{PASSWORD}"):
            continue
        assert told("\n".join(lines), secret) == [], place


# -- what nobody thought of


@pytest.mark.parametrize("kind", GIVEN)
async def test_the_log_of_a_bug_tells_none(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for secret in secrets_of(kind, "3.3"):

        def fail(*_: object, secret: str = secret) -> None:
            try:
                raise ValueError(f"cannot read {secret}")
            except ValueError as error:
                raise RuntimeError(f"that was {secret}") from error

        monkeypatch.setattr("airflow_mcp.airflow.http._decoded", fail)
        given = {"username": None, "password": None, "api_version": "v2"} | GIVEN[kind]
        async with replayed(answering("3.3"), **given) as session:
            message = await session.error("get_dag", dag_id="etl")
        assert "RuntimeError" in message
        assert "that was " in caplog.text
        assert "cannot read " in caplog.text
        assert told(message + caplog.text, secret) == []
        caplog.clear()
