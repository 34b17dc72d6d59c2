"""Signing in: each kind, secrets from files, and one login for many calls, however they come."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpcore
import httpx
import pytest

from airflow_mcp import __version__
from airflow_mcp.airflow.http import MAX_BODY
from airflow_mcp.errors import (
    AirflowMcpError,
    ForbiddenError,
    MayHaveHappenedError,
    NotSignedInError,
    SettingsError,
    TimedOutError,
    TooLargeError,
)
from airflow_mcp.instance import Instance
from airflow_mcp.settings import load_settings
from tests.fakes import Airflow, Fake, GivesTokens, signed_in_with

pytestmark = pytest.mark.anyio

URL = "http://airflow.test"
USER: dict[str, Any] = {"url": URL, "username": "ana", "password": "s3cret-pw", "api_version": "v2"}
NOW = 1_800_000_000.0
MANY = 20
INVALID = httpx.Response(403, json={"detail": "Invalid JWT token"})
EXPIRED = httpx.Response(401, json={"detail": "Token Expired"})


def jwt(exp: object = None, name: str = "") -> str:
    """A token as Airflow makes them; nobody here checks its signature."""
    claims = {"sub": "1", "name": name} | ({"exp": exp} if exp is not None else {})
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS512"}, claims)]
    return b".".join([*parts, b"c2lnbmF0dXJl"]).decode()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time of day; NOW to begin with."""
    now = [NOW]
    monkeypatch.setattr(time, "time", lambda: now[0])

    def set_to(moment: float) -> None:
        now[0] = moment

    return set_to


async def authorizations(settings: Instance, between: Callable[[], object] = lambda: None) -> list[str | None]:
    """The authorization that two calls send."""
    fake = Fake(lambda _: httpx.Response(200, json={"dags": [], "total_entries": 0}))
    airflow = Airflow(settings, fake)
    await airflow.read("dags")
    between()
    await airflow.read("dags")
    return [request.headers.get("authorization") for request in fake.requests]


def basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


# -- what is sent


async def test_basic() -> None:
    settings = Instance(url=URL, api_version="v1", username="ана", password="p:w ё")
    assert await authorizations(settings) == [basic("ана:p:w ё")] * 2


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_bearer(version: str) -> None:
    settings = Instance.model_validate({"url": URL, "api_version": version, "token": "abc.def"})
    assert await authorizations(settings) == ["Bearer abc.def"] * 2


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_no_sign_in_at_all(version: str) -> None:
    assert await authorizations(Instance.model_validate({"url": URL, "api_version": version})) == [None, None]


async def test_a_password_file_is_read_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("old\n")
    settings = Instance(url=URL, api_version="v1", username="ana", password_file=file)
    assert await authorizations(settings, lambda: file.write_text("new\n")) == [basic("ana:old"), basic("ana:new")]


async def test_a_token_file_is_read_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(" old\n")
    settings = Instance(url=URL, api_version="v2", token_file=file)
    assert await authorizations(settings, lambda: file.write_text("new")) == ["Bearer old", "Bearer new"]


async def test_a_login_uses_the_password_of_the_moment(tmp_path: Path, clock: Callable[[float], None]) -> None:
    file = tmp_path / "password"
    file.write_text("old\n")
    fake = GivesTokens(jwt(NOW + 100), jwt(NOW + 9999))
    airflow = Airflow(Instance(url=URL, api_version="v2", username="ana", password_file=file), fake)
    await airflow.read("dags")
    file.write_text("new\n")
    clock(NOW + 200)
    await airflow.read("dags")
    assert [json.loads(request.content) for request in fake.logins] == [
        {"username": "ana", "password": "old"},
        {"username": "ana", "password": "new"},
    ]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", ["password_file", "token_file"])
@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read: No such file or directory. Check the file"), (b" \n", "is empty"), (b"\xff\xfe", "")],
    ids=["missing", "empty", "not text"],
)
async def test_a_secret_file_that_cannot_be_used(
    tmp_path: Path, name: str, version: str, content: bytes | None, says: str
) -> None:
    file = tmp_path / "secret"
    file.write_text("fine")
    who = {"username": "ana"} if name == "password_file" else {}
    settings = Instance.model_validate({"url": URL, "api_version": version, name: file, **who})
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    fake = Fake(lambda _: httpx.Response(200, json={"dags": [], "total_entries": 0}))
    airflow = Airflow(settings, fake)
    with pytest.raises(SettingsError, match=rf"^AIRFLOW_MCP_{name.upper()}: .*{says}"):
        await airflow.change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={})
    assert fake.requests == []


def real_wire() -> httpx.AsyncHTTPTransport:
    """The real HTTP stack, which refuses headers that cannot be sent, before a network that is none."""
    answer = [b"HTTP/1.1 200 OK\r\n", b"Content-Type: application/json\r\n", b"Content-Length: 2\r\n", b"\r\n", b"{}"]
    transport = httpx.AsyncHTTPTransport()
    transport._pool = httpcore.AsyncConnectionPool(network_backend=httpcore.AsyncMockBackend(answer))
    return transport


async def test_a_token_with_a_line_end_works_as_its_file_does() -> None:
    settings = load_settings({"AIRFLOW_MCP_TOKEN": "s3cret-token\n", "AIRFLOW_MCP_API_VERSION": "v2"})
    assert await Airflow(settings.instances[0], real_wire()).read("dags") == {}


@pytest.mark.parametrize("secret", ["s3cret\ntoken", "s3cret\x00token"], ids=["line break", "null"])
async def test_a_token_that_no_header_can_hold_is_not_told(secret: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(secret)
    for source in ({"AIRFLOW_MCP_TOKEN": secret}, {"AIRFLOW_MCP_TOKEN_FILE": str(file)}):
        with pytest.raises(AirflowMcpError, match="AIRFLOW_MCP_TOKEN") as error:
            settings = load_settings({**source, "AIRFLOW_MCP_API_VERSION": "v2"})
            await Airflow(settings.instances[0], real_wire()).read("dags")
        assert "s3cret" not in str(error.value)


# -- one login for many calls


async def test_one_login_for_many_calls() -> None:
    fake = GivesTokens(token := jwt(time.time() + 86_400))
    airflow = Airflow(Instance(**USER), fake)
    for _ in range(5):
        assert await airflow.read("dags") == signed_in_with(token)
    [login] = fake.logins
    assert (login.method, str(login.url)) == ("POST", f"{URL}/auth/token")
    assert json.loads(login.content) == {"username": "ana", "password": "s3cret-pw"}
    assert "authorization" not in login.headers


@pytest.mark.parametrize(("left", "logins"), [(61, 1), (59, 2), (-5, 2)])
async def test_a_token_is_renewed_before_it_runs_out(left: int, logins: int, clock: Callable[[float], None]) -> None:
    fake = GivesTokens(jwt(NOW + 3600), second := jwt(NOW + 7200))
    airflow = Airflow(Instance(**USER), fake)
    await airflow.read("dags")
    clock(NOW + 3600 - left)
    answer = await airflow.read("dags")
    assert (len(fake.logins), len(fake.calls)) == (logins, 2)
    if logins == 2:
        assert answer == signed_in_with(second)


@pytest.mark.parametrize("token", [jwt(), jwt("soon"), jwt([]), "opaque", "a.b.c", "a.eyJ.c", "a.W10.c"], ids=range(7))
async def test_a_token_that_does_not_say_when_it_ends_is_kept(token: str, clock: Callable[[float], None]) -> None:
    fake = GivesTokens(token)
    airflow = Airflow(Instance(**USER), fake)
    await airflow.read("dags")
    clock(NOW + 10**9)
    await airflow.read("dags")
    assert len(fake.logins) == 1


@pytest.mark.parametrize("change", [False, True], ids=["read", "change"])
@pytest.mark.parametrize("refusal", [EXPIRED, INVALID], ids=["401", "403 Invalid JWT token"])
async def test_a_refused_token_is_renewed_once_and_the_call_goes_on(refusal: httpx.Response, change: bool) -> None:
    fake = GivesTokens(first := jwt(time.time() + 3600, "1"), second := jwt(time.time() + 3600, "2"))
    fake.refusal = refusal
    airflow = Airflow(Instance(**USER), fake)
    await airflow.read("dags")
    fake.revoke(first)
    if change:
        answer = await airflow.change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={"is_paused": True})
        assert fake.calls[-1].content == b'{"is_paused":true}'
    else:
        answer = await airflow.read("dags")
    assert answer == signed_in_with(second)
    assert (len(fake.logins), len(fake.calls)) == (2, 3)


@pytest.mark.parametrize("refusal", [EXPIRED, INVALID], ids=["401", "403 Invalid JWT token"])
async def test_a_new_token_that_is_refused_too_ends_it(refusal: httpx.Response) -> None:
    fake = GivesTokens(token := jwt(time.time() + 3600))
    fake.refusal = refusal
    fake.revoke(token)
    with pytest.raises(AirflowMcpError) as error:
        await Airflow(Instance(**USER), fake).read("dags")
    assert (len(fake.logins), len(fake.calls)) == (2, 2)
    assert isinstance(error.value, NotSignedInError), error.value


async def test_a_missing_permission_is_no_reason_to_sign_in_again() -> None:
    fake = GivesTokens(token := jwt(time.time() + 3600))
    fake.refusal = httpx.Response(403, json={"detail": "Forbidden"})
    fake.revoke(token)
    with pytest.raises(ForbiddenError, match="This user may not do that"):
        await Airflow(Instance(**USER), fake).read("dags")
    assert (len(fake.logins), len(fake.calls)) == (1, 1)


async def all_at_once(airflow: Airflow) -> list[Any]:
    answers: list[Any] = []

    async def one() -> None:
        answers.append(await airflow.read("dags"))

    async with anyio.create_task_group() as group:
        for _ in range(MANY):
            group.start_soon(one)
    return answers


async def test_first_calls_at_the_same_time_share_one_login() -> None:
    fake = GivesTokens(token := jwt(time.time() + 3600))
    assert await all_at_once(Airflow(Instance(**USER), fake)) == [signed_in_with(token)] * MANY
    assert (len(fake.logins), len(fake.calls)) == (1, MANY)


async def test_calls_with_a_token_that_ran_out_share_one_renewal(clock: Callable[[float], None]) -> None:
    fake = GivesTokens(jwt(NOW + 3600), second := jwt(NOW + 7200))
    airflow = Airflow(Instance(**USER), fake)
    await airflow.read("dags")
    clock(NOW + 3600)
    assert await all_at_once(airflow) == [signed_in_with(second)] * MANY
    assert (len(fake.logins), len(fake.calls)) == (2, 1 + MANY)


@pytest.mark.parametrize("refusal", [EXPIRED, INVALID], ids=["401", "403 Invalid JWT token"])
async def test_calls_whose_token_is_refused_share_one_renewal(refusal: httpx.Response) -> None:
    fake = GivesTokens(first := jwt(time.time() + 3600, "1"), second := jwt(time.time() + 3600, "2"))
    fake.refusal = refusal
    airflow = Airflow(Instance(**USER), fake)
    await airflow.read("dags")
    fake.revoke(first)
    assert await all_at_once(airflow) == [signed_in_with(second)] * MANY
    assert len(fake.logins) == 2
    assert len(fake.calls) <= 1 + 2 * MANY


# -- logins that fail


async def test_a_wrong_password() -> None:
    fake = GivesTokens("never")
    fake.login = httpx.Response(401, json={"detail": "Invalid credentials"})
    with pytest.raises(NotSignedInError) as error:
        await Airflow(Instance(**USER), fake).read("dags")
    for part in ("refused the user name or the password (401)", "AIRFLOW_MCP_USERNAME", "AIRFLOW_MCP_PASSWORD"):
        assert part in str(error.value)
    assert "s3cret" not in str(error.value)
    assert (len(fake.logins), fake.calls) == (1, [])


@pytest.mark.parametrize(("version", "status"), [("v1", 401), ("v1", 403), ("v2", 401)])
async def test_a_wrong_password_of_a_file_is_told_by_the_setting_of_the_file(
    version: str, status: int, tmp_path: Path
) -> None:
    (file := tmp_path / "password").write_text("s3cret")
    instance = Instance.model_validate({"url": URL, "api_version": version, "username": "ana", "password_file": file})
    airflow = Airflow(instance, httpx.MockTransport(lambda _: httpx.Response(status)))
    with pytest.raises((NotSignedInError, ForbiddenError), match="AIRFLOW_MCP_USERNAME and AIRFLOW_MCP_PASSWORD_FILE"):
        await airflow.read("dags")


@pytest.mark.parametrize(
    "login",
    [
        httpx.Response(200, html="<html>Welcome</html>"),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(405, json={"detail": "Method Not Allowed"}),
        httpx.Response(500, text="Internal Server Error"),
        httpx.Response(302, headers={"location": "https://sso.test/login"}),
        httpx.Response(201, json={"token": "abc"}),
        httpx.Response(201, json={"access_token": None}),
        httpx.Response(201, json=["abc"]),
        httpx.Response(201, content=b'{"access_to'),
    ],
    ids=["HTML", "404", "405", "500", "redirect", "no token", "null token", "a list", "half"],
)
async def test_a_login_that_gives_no_token(login: httpx.Response) -> None:
    fake = GivesTokens("never")
    fake.login = login
    with pytest.raises(NotSignedInError) as error:
        await Airflow(Instance(**USER), fake).read("dags")
    for part in ("user name and a password did not work", f"/auth/token answered {login.status_code}", "MCP_TOKEN"):
        assert part in str(error.value)
    assert len(fake.logins) == 1
    # Where there is no such route, another version may answer: that alone is looked at.
    looked_at = {"/api/v2/version", "/api/v1/version"} if login.status_code == 404 else set()
    assert {request.url.path for request in fake.calls} <= looked_at


@pytest.mark.parametrize(
    "stumble", [httpx.ConnectError("refused"), httpx.Response(503, text="starting")], ids=["ConnectError", "503"]
)
async def test_a_login_of_a_read_is_tried_again_like_the_read(stumble: Exception | httpx.Response) -> None:
    class Starting(GivesTokens):
        def _token(self) -> httpx.Response:
            self.login = stumble if len(self.logins) < 3 else None
            return super()._token()

    fake = Starting(token := jwt(time.time() + 3600))
    assert await Airflow(Instance(**USER), fake).read("dags") == signed_in_with(token)
    assert (len(fake.logins), len(fake.calls)) == (3, 1)


async def test_a_login_that_hangs_does_not_lock_out_the_next_call() -> None:
    class Hanging(GivesTokens):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if not self.requests:
                self.requests.append(request)
                await anyio.sleep(5)
            return await super().handle_async_request(request)

    fake = Hanging(token := jwt(time.time() + 3600))
    airflow = Airflow(Instance(**USER, timeout=0.1), fake)
    with pytest.raises(TimedOutError):
        await airflow.read("dags")
    assert await airflow.read("dags") == signed_in_with(token)


@pytest.mark.parametrize(
    "lost", [httpx.ReadError("reset"), httpx.ReadTimeout("slow")], ids=["ReadError", "ReadTimeout"]
)
async def test_a_change_whose_login_is_lost_was_not_sent(lost: Exception) -> None:
    fake = GivesTokens("never")
    fake.login = lost
    with pytest.raises(AirflowMcpError, match="Nothing was changed") as error:
        await Airflow(Instance(**USER), fake).change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={})
    assert not isinstance(error.value, MayHaveHappenedError)
    assert fake.calls == []


class Endless(httpx.AsyncByteStream):
    """A body that is far over the cap; counts what is taken of it."""

    def __init__(self) -> None:
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.taken < 4 * MAX_BODY:
            self.taken += 2**20
            yield b" " * 2**20


@pytest.mark.parametrize("path", ["/auth/token", "/api/v2/dags"])
async def test_what_a_sign_in_reads_is_capped_too(path: str) -> None:
    body = Endless()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == path:
            return httpx.Response(201 if "token" in path else 403, stream=body)
        return httpx.Response(201, json={"access_token": jwt()})

    with pytest.raises((TooLargeError, NotSignedInError, ForbiddenError)):
        await Airflow(Instance(**USER), httpx.MockTransport(answer)).read("dags")
    assert body.taken <= MAX_BODY + 2**20


async def test_a_login_tells_who_sends_it_as_each_request_does() -> None:
    fake = GivesTokens(jwt())
    airflow = Airflow(Instance(**USER), fake)
    await airflow.read("dags")
    assert [len(fake.logins), len(fake.calls)] == [1, 1]
    assert {request.headers["user-agent"] for request in fake.requests} == {f"airflow-ops-mcp/{__version__}"}
    await airflow.aclose()
