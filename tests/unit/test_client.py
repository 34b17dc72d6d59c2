"""Which Airflow answers: found out once, found anew after an upgrade, and told by `airflow-mcp check`."""

from __future__ import annotations

import errno
import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from airflow_mcp.check import Finding, findings
from airflow_mcp.errors import (
    AirflowMcpError,
    ForbiddenError,
    MayHaveHappenedError,
    NeedsVersionError,
    NotAirflowError,
    NotSignedInError,
    OtherApiError,
    UnreachableError,
)
from airflow_mcp.instance import Instance
from tests.fakes import LOGIN, PAGE, URL, Airflow, Fake, OfRelease, Replay, connect_error, no_route
from tests.releases import LAST
from tests.replay import replayed

pytestmark = pytest.mark.anyio

MANY = 20
OTHER = {"2.11": "3.3", "3.3": "2.11"}

every_version = pytest.mark.parametrize("version", LAST)


class Server(Fake):
    """An Airflow of one version, which becomes the other one when told to, or before a request by this method."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.version = version
        self.upgrade_before: str | None = None
        self._replays = {each: Replay(each) for each in LAST}

    def upgrade(self) -> None:
        self.version = OTHER[self.version]

    def runs(self, version: str) -> dict[str, str]:
        return self._replays[version].runs

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == self.upgrade_before:
            self.upgrade_before = None
            self.upgrade()
        return no_route(request, self.version) or await self._replays[self.version].handle_async_request(request)


def version_lookups(requests: list[httpx.Request]) -> list[str]:
    """The look-ups of the version that were sent."""
    return [request.url.path for request in requests if request.url.path.endswith("/version")]


# -- finding out


@every_version
async def test_the_newer_api_is_asked_for_first(version: str) -> None:
    server = Server(version)
    airflow = Airflow(Instance(url=URL), server)
    assert (await airflow.api()).release.api == ("v1" if version < "3" else "v2")
    both = ["/api/v2/version", "/api/v1/version"]
    assert version_lookups(server.requests) == (both if version < "3" else both[:1])
    assert (await airflow.version()).startswith(version)


@every_version
async def test_the_version_is_found_once(version: str) -> None:
    server = Server(version)
    airflow = Airflow(Instance(url=URL), server)
    for _ in range(3):
        await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"})
    assert len(version_lookups(server.requests)) == (2 if version < "3" else 1)


@every_version
async def test_first_calls_at_the_same_time_look_once(version: str) -> None:
    server = Server(version)
    airflow = Airflow(Instance(url=URL, username="ana", password="pw"), server)
    answers: list[Any] = []

    async def one() -> None:
        answers.append(await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"}))

    async with anyio.create_task_group() as group:
        for _ in range(MANY):
            group.start_soon(one)
    assert [answer["dag_id"] for answer in answers] == ["sales_etl"] * MANY
    assert len(version_lookups(server.requests)) == (2 if version < "3" else 1)


@every_version
async def test_a_version_that_is_set_is_not_asked_for(version: str) -> None:
    server = Server(version)
    name = "v1" if version < "3" else "v2"
    airflow = Airflow(Instance.model_validate({"url": URL, "api_version": name}), server)
    await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"})
    assert server.paths("GET") == [f"/api/{name}/dags/sales_etl"]


@every_version
async def test_a_wrong_version_that_is_set_is_named(version: str) -> None:
    server = Server(version)
    name = "v2" if version < "3" else "v1"
    airflow = Airflow(Instance.model_validate({"url": URL, "api_version": name}), server)
    other = {"v1": "v2", "v2": "v1"}[name]
    told = (
        rf"^Airflow {version}\.\d at {URL} has REST API {other}, and AIRFLOW_MCP_API_VERSION={name} asks for the other"
    )
    with pytest.raises(OtherApiError, match=told):
        await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"})
    with pytest.raises(OtherApiError, match=rf"{told} one\. Set it to {other}, or to auto\.$"):
        await airflow.version()
    with_password = Airflow(
        Instance.model_validate({"url": URL, "api_version": name, "username": "ana", "password": "pw"}), Server(version)
    )
    with pytest.raises(OtherApiError, match=told):
        await with_password.read("dags/{dag_id}", {"dag_id": "sales_etl"})


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (PAGE, NotAirflowError, r"No Airflow API answers at http://airflow\.test: neither /api/v2/version nor /api/v1"),
        (
            httpx.Response(200, json={"status": "ok"}),
            NotAirflowError,
            "No Airflow API answers.*AIRFLOW_MCP_URL.*prefix",
        ),
        (httpx.Response(200, json=["3.3.2"]), NotAirflowError, "No Airflow API answers"),
        (httpx.Response(200, json={"version": 3}), NotAirflowError, "No Airflow API answers"),
        (httpx.Response(200, html="<html>"), NotAirflowError, "/api/v2/version answered text/html instead of JSON"),
        (
            httpx.Response(302, headers={"location": "/login"}),
            NotAirflowError,
            "redirects to http://airflow.test/login",
        ),
        (httpx.Response(401), NotSignedInError, "wants a sign-in for its version.*proxy.*AIRFLOW_MCP_API_VERSION"),
        (httpx.Response(403, html="no"), ForbiddenError, "wants a sign-in for its version.*AIRFLOW_MCP_API_VERSION"),
        (httpx.Response(500), AirflowMcpError, r"failed \(500\)"),
    ],
    ids=["404", "other JSON", "list", "number", "HTML", "redirect", "401", "403", "500"],
)
async def test_what_is_no_airflow_is_said_so(answer: httpx.Response, error: type[Exception], says: str) -> None:
    airflow = Airflow(Instance(url=URL, username="ana", password="s3cret"), httpx.MockTransport(lambda _: answer))
    with pytest.raises(error, match=says) as raised:
        await airflow.read("dags")
    assert "s3cret" not in str(raised.value)


async def test_a_failed_look_is_not_kept() -> None:
    server = Server("3.3")
    up = False

    async def starting(request: httpx.Request) -> httpx.Response:
        if not up:
            raise httpx.ConnectError("refused")
        return await server.handle_async_request(request)

    airflow = Airflow(Instance(url=URL), httpx.MockTransport(starting))
    with pytest.raises(UnreachableError):
        await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"})
    up = True
    assert (await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"}))["dag_id"] == "sales_etl"


async def test_no_credentials_go_with_the_look() -> None:
    server = Server("2.11")
    await Airflow(Instance(url=URL, username="ana", password="pw"), server).api()
    assert [request.headers.get("authorization") for request in server.requests] == [None, None]


async def test_what_a_version_does_not_have_is_refused_by_name() -> None:
    airflow = Airflow(Instance(url=URL), Server("2.11"))
    with pytest.raises(NeedsVersionError, match=r"^note needs Airflow 3\.3\. This is Airflow 2\.11\.2\.$"):
        await airflow.require(["only_failed", "note"])


# -- an upgrade in mid-life


@every_version
async def test_a_read_goes_on_after_an_upgrade(version: str) -> None:
    server = Server(version)
    async with replayed(server) as session:
        await session.ok("get_dag", dag_id="sales_etl")
        server.upgrade()
        server.requests.clear()
        assert (await session.ok("get_dag", dag_id="sales_etl"))["dag_id"] == "sales_etl"
        api = "/api/v1" if version > "3" else "/api/v2"
        assert server.paths("GET")[-1] == f"{api}/dags/sales_etl"
        server.requests.clear()
        await session.ok("get_dag", dag_id="sales_etl")
        assert server.paths("GET") == [f"{api}/dags/sales_etl"]


@every_version
async def test_a_dry_run_goes_on_after_an_upgrade(version: str) -> None:
    server = Server(version)
    run_id = server.runs(OTHER[version])["load_files"]
    async with replayed(server) as session:
        await session.ok("get_dag", dag_id="sales_etl")
        server.upgrade()
        preview = await session.ok("clear_task_instances", dag_id="load_files", dag_run_id=run_id, confirm=False)
    assert (preview["done"], preview["total"]) == (False, 2)


@every_version
async def test_a_change_is_made_once_when_the_upgrade_comes_just_before_it(version: str) -> None:
    server = Server(version)
    async with replayed(server) as session:
        server.upgrade_before = "PATCH"
        answer = await session.ok("patch_dag", dag_id="mapped_group", is_paused=False, confirm=True)
    assert answer["done"] is True
    first, then = ("/api/v1", "/api/v2") if version < "3" else ("/api/v2", "/api/v1")
    assert server.paths("PATCH") == [f"{first}/dags/mapped_group", f"{then}/dags/mapped_group"]


async def test_a_change_whose_outcome_is_unknown_is_not_sent_to_the_new_version() -> None:
    server = Server("2.11")

    async def dying(request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            server.requests.append(request)
            server.upgrade()
            return httpx.Response(502, html="Bad Gateway")
        return await server.handle_async_request(request)

    async with replayed(httpx.MockTransport(dying)) as session:
        message = await session.error("patch_dag", dag_id="mapped_group", is_paused=False, confirm=True)
    assert "it answered 502: it may or may not have happened" in message
    assert server.paths("PATCH") == ["/api/v1/dags/mapped_group"]


async def test_a_route_that_is_missing_on_the_same_version_is_an_error_and_not_a_loop() -> None:
    replay = Replay("3.3")

    async def without_routes(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/version"):
            return await replay.handle_async_request(request)
        replay.requests.append(request)
        return httpx.Response(404, json={"error": "API route not found"})

    async with replayed(httpx.MockTransport(without_routes), username=None, password=None) as session:
        message = await session.error("get_dag", dag_id="sales_etl")
    assert "No Airflow API answers at /api/v2/dags/sales_etl (404)" in message
    assert len(replay.sent("GET")) == 1


async def test_a_version_that_is_set_stays_after_an_upgrade() -> None:
    server = Server("2.11")
    airflow = Airflow(Instance(url=URL, api_version="v1"), server)
    await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"})
    server.upgrade()
    with pytest.raises(OtherApiError, match="AIRFLOW_MCP_API_VERSION=v1 asks for the other one"):
        await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"})
    assert version_lookups(server.requests) == ["/api/v1/version", "/api/v2/version"]
    assert {path for path in server.paths("GET") if "dags" in path} == {"/api/v1/dags/sales_etl"}


async def test_after_an_upgrade_the_sign_in_is_the_new_versions() -> None:
    server = Server("2.11")
    airflow = Airflow(Instance(url=URL, username="ana", password="pw"), server)
    await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"})
    server.upgrade()
    with pytest.raises(AirflowMcpError, match=r"Airflow is now 3\.3.*Nothing was changed\. Call again"):
        await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"})
    await airflow.read("dags/{dag_id}", {"dag_id": "sales_etl"})
    assert server.requests[-1].headers["authorization"] == "Bearer recorded"


# -- airflow-mcp check


class Checked(OfRelease):
    """An Airflow with one DAG, for one user, who may read, and more unless `viewer`."""

    def __init__(
        self, version: str, *, viewer: bool = False, password: str = "pw", none: bool = False, open_: bool = False
    ) -> None:
        super().__init__("2.11.2" if version < "3" else "3.3.2")
        self.old = version < "3"
        self.open = open_
        self.viewer = viewer
        self.password = password
        self.dags = [] if none else [{"dag_id": "отчёт", "is_paused": True}]

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == LOGIN and request.method == "GET":  # what `simple_auth_manager_all_admins` lets in
            return httpx.Response(201, json={"access_token": "t"}) if self.open else self._no(403, "Only if all admins")
        if path == LOGIN:
            right = json.loads(request.content)["password"] == self.password
            return httpx.Response(201, json={"access_token": "t"}) if right else self._no(401, "Invalid credentials")
        if not path.startswith("/api/v1/" if self.old else "/api/v2/"):
            return PAGE
        expected = httpx.BasicAuth("ana", self.password)._auth_header if self.old else "Bearer t"
        if request.headers.get("authorization") != expected:
            return self._no(401, None if self.old else "Not authenticated")
        if request.method != "GET" and self.viewer:
            return self._no(403, None if self.old else "Forbidden")
        if request.method == "PATCH":
            return self._no(400, "Only `is_paused` field can be updated through the REST API")
        if request.method == "POST":
            return self._no(404, "Dag Run id airflow-mcp-check not found in dag отчёт")
        if path.endswith("/tasks"):
            return httpx.Response(200, json={"tasks": [], "total_entries": 0})
        return httpx.Response(200, json={"dags": self.dags, "total_entries": len(self.dags)})

    def _no(self, status: int, detail: str | None) -> httpx.Response:
        if not self.old:
            return httpx.Response(status, json={"detail": detail})
        title = {401: "Unauthorized", 403: "Forbidden"}.get(status, "Not so")
        problem = {"detail": detail, "status": status, "title": title, "type": "https://airflow.apache.org/docs#x"}
        return httpx.Response(status, json=problem, headers={"content-type": "application/problem+json"})


async def check(transport: httpx.AsyncBaseTransport, **settings: Any) -> list[Finding]:
    given = Instance(**{"url": URL, "username": "ana", "password": "pw"} | settings)
    return [finding async for finding in findings(given, transport)]


def lines(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.verdict, finding.topic, finding.text) for finding in found]


def permissions(found: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """What was tried on the DAG that is there, each by its first word."""
    return [(verdict, topic, text.split()[0]) for verdict, topic, text in found if "отчёт" in text]


@every_version
async def test_check_of_an_airflow_that_is_fine(version: str) -> None:
    server = Checked(version)
    number, api = ("2.11.2", "v1") if version < "3" else ("3.3.2", "v2")
    found = lines(await check(server))
    assert found[:4] == [
        ("ok", "url", "http://airflow.test answers"),
        ("ok", "airflow", f"Airflow {number}, REST API {api}"),
        ("ok", "sign-in", "as ana, with a password"),
        ("ok", "may", "list DAGs: 1 seen"),
    ]
    assert permissions(found) == [("ok", "may", "read"), ("ok", "may", "pause"), ("ok", "may", "clear")]
    # What it tries can change nothing.
    for request in server.requests:
        if request.method == "PATCH":
            assert request.url.query == b"update_mask=dag_id"
            assert json.loads(request.content) == {"is_paused": True}
        elif request.method == "POST" and request.url.path != "/auth/token":
            assert json.loads(request.content)["dry_run"] is True


@every_version
async def test_check_works_in_read_only_mode(version: str) -> None:
    found = await check(Checked(version), read_only=True)
    assert {finding.verdict for finding in found} == {"ok"}
    assert lines(found)[-1] == ("ok", "changes", "none: this server is read-only (AIRFLOW_MCP_READ_ONLY)")
    assert not [finding for finding in found if "pause" in finding.text]


@every_version
@pytest.mark.parametrize("none", [True, False])
async def test_check_tells_that_changes_are_offered_and_how_to_have_none(version: str, none: bool) -> None:
    [told] = [line for line in lines(await check(Checked(version, none=none))) if line[1] == "changes"]
    assert told[2] == "offered, each made only with confirm=true; AIRFLOW_MCP_READ_ONLY=true offers none"


@every_version
async def test_check_of_a_viewer(version: str) -> None:
    found = lines(await check(Checked(version, viewer=True)))
    assert permissions(found) == [("ok", "may", "read"), ("no", "may not", "pause"), ("no", "may not", "clear")]


@every_version
async def test_check_of_a_wrong_password(version: str) -> None:
    found = lines(await check(Checked(version, password="another")))
    assert [each[:2] for each in found] == [("ok", "url"), ("ok", "airflow"), ("fail", "sign-in")]
    assert "401" in found[-1][2]
    assert "AIRFLOW_MCP_PASSWORD" in found[-1][2]


@every_version
async def test_check_of_no_sign_in(version: str) -> None:
    found = lines(await check(Checked(version), username=None, password=None))
    assert [each[:2] for each in found][-1] == ("fail", "sign-in")
    assert "AIRFLOW_MCP_USERNAME" in found[-1][2]


async def test_check_of_an_airflow_that_gives_everybody_a_token() -> None:
    """As 3.1 does with `simple_auth_manager_all_admins`; the releases around it ask for none."""
    found = lines(await check(Checked("3.3", open_=True), username=None, password=None))
    assert ("ok", "sign-in", "none is set, and Airflow asks for none") in found
    assert [each for each in found if each[0] != "ok"] == []


async def test_check_of_a_wrong_token_on_airflow_3() -> None:
    server = Checked("3.3")

    async def refusing(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/version"):
            return await server.handle_async_request(request)
        return httpx.Response(403, json={"detail": "Invalid JWT token"})

    found = lines(await check(httpx.MockTransport(refusing), username=None, password=None, token="s3cret"))
    assert [each[:2] for each in found][-1] == ("fail", "sign-in")
    assert "AIRFLOW_MCP_TOKEN" in found[-1][2]
    assert "s3cret" not in found[-1][2]


@every_version
async def test_check_where_no_dag_is(version: str) -> None:
    assert lines(await check(Checked(version, none=True)))[-3:-1] == [
        ("ok", "may", "list DAGs: 0 seen"),
        ("no", "may", "nothing else can be tried: there is no DAG to try it on"),
    ]


def refused(request: httpx.Request) -> httpx.Response:
    raise connect_error(ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"))


def untrusted(request: httpx.Request) -> httpx.Response:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    raise connect_error(error)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refused, ["Cannot reach Airflow at http://airflow.test: Connection refused", "AIRFLOW_MCP_URL"]),
        (untrusted, ["Cannot reach Airflow", "self-signed certificate", "AIRFLOW_MCP_CA_BUNDLE"]),
        (lambda _: PAGE, ["No Airflow API answers at http://airflow.test", "path prefix"]),
        (lambda _: httpx.Response(200, html="<html>Airflow</html>"), ["a web page, not Airflow's API", "prefix"]),
        (lambda _: httpx.Response(502, html="Bad Gateway"), ["(502)", "proxy"]),
    ],
    ids=["down", "certificate", "wrong path", "web page", "502"],
)
async def test_check_of_what_does_not_answer(answer: Any, says: list[str]) -> None:
    [finding] = await check(httpx.MockTransport(answer))
    assert (finding.verdict, finding.topic) == ("fail", "url")
    assert [part for part in says if part not in finding.text] == []
    assert str(finding).startswith("fail url       ")


async def test_check_of_an_https_address_where_http_is_spoken() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://127.0.0.1:{server.server_port}"
        [finding] = [each async for each in findings(Instance(url=url, timeout=5))]
        server.shutdown()
    assert finding.text == (
        f"Cannot reach Airflow at {url}: what answers there does not speak TLS (https). Begin AIRFLOW_MCP_URL with "
        "http://, or name its https port there."
    )


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, html="<title>400 The plain HTTP request was sent to HTTPS port</title>"),  # nginx
        httpx.RemoteProtocolError("Server disconnected without sending a response."),  # uvicorn
        httpx.RemoteProtocolError("illegal status line: bytearray(b'\x15\x03\x01\x00\x02\x02F')"),
    ],
    ids=["nginx", "hung up", "an alert"],
)
async def test_check_of_an_http_address_where_https_is_spoken(answer: httpx.Response | Exception) -> None:
    def tls(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    [finding] = await check(httpx.MockTransport(tls))
    assert "Begin AIRFLOW_MCP_URL with https://." in finding.text


@pytest.mark.parametrize(
    ("settings", "topic"),
    [
        ({"ca_bundle": __file__}, "settings"),
        ({"username": None, "password": None, "token_command": "/no/such/program"}, "sign-in"),
    ],
)
async def test_check_tells_what_a_failure_before_the_first_answer_is_about(
    settings: dict[str, Any], topic: str
) -> None:
    given = {"url": "https://127.0.0.1:1", "username": "ana", "password": "s3cret", **settings}
    [finding] = [each async for each in findings(Instance.model_validate(given))]
    assert (finding.verdict, finding.topic) == ("fail", topic)


@every_version
async def test_check_of_a_wrong_version_that_is_set(version: str) -> None:
    [finding] = await check(Checked(version), api_version="v2" if version < "3" else "v1")
    assert (finding.verdict, finding.topic) == ("fail", "url")
    assert "AIRFLOW_MCP_API_VERSION" in finding.text


async def test_a_change_of_a_set_of_instances_stops_where_the_answer_is_lost() -> None:
    """Airflow 2 sets mapped instances one by one: none is sent twice, and none after the lost one."""
    replay = Replay("2.11")

    async def losing(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and len(replay.sent("PATCH")) == 2:
            raise httpx.ReadError("reset")
        return None

    replay.fault = losing
    airflow = {"dag_id": "history", "dag_run_id": replay.runs["history"], "task_id": "part", "new_state": "success"}
    async with replayed(replay) as session:
        message = await session.error("set_task_instances_state", **airflow, include_downstream=True, confirm=True)
    paths = [request.url.path for request in replay.sent("PATCH")]
    assert len(paths) == len(set(paths)) == 2
    assert "1 of " in message
    assert "may or may not have happened" in message
    assert MayHaveHappenedError.__name__ not in message


SET_PARTS: dict[str, Any] = {"dag_id": "history", "task_id": "part", "new_state": "success", "confirm": True}


@pytest.mark.parametrize(
    ("refused", "effects"),
    [
        (1, "Nothing was changed."),
        (2, "1 of 3 were set: part[0] in {run}. The 1 after it were not tried."),
        (3, "2 of 3 were set: part[0] in {run}, part[1] in {run}."),
    ],
)
async def test_a_refusal_in_the_middle_tells_what_was_done(refused: int, effects: str) -> None:
    replay = Replay("2.11")

    async def refusing(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and len(replay.sent("PATCH")) == refused:
            return httpx.Response(403, json={"detail": "Forbidden", "status": 403, "title": "Forbidden"})
        return None

    replay.fault = refusing
    run = replay.runs["history"]
    async with replayed(replay) as session:
        message = await session.error("set_task_instances_state", **SET_PARTS, dag_run_id=run)
    assert message.startswith(f"part[{refused - 1}] in {run}: This user may not do that (403).")
    assert effects.format(run=run) in message
    assert message.count("Nothing was changed") == (refused == 1)
    assert len(replay.sent("PATCH")) == refused


async def test_an_upgrade_in_the_middle_of_a_change_is_no_reason_to_begin_anew() -> None:
    replay, upgraded = Replay("2.11"), Replay("3.3")

    async def upgrading(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and len(replay.sent("PATCH")) >= 2:
            return PAGE
        if len(replay.sent("PATCH")) >= 2:
            return no_route(request, "3.3") or await upgraded.handle_async_request(request)
        return None

    replay.fault = upgrading
    run = replay.runs["history"]
    async with replayed(replay) as session:
        message = await session.error("set_task_instances_state", **SET_PARTS, dag_run_id=run)
    assert message.startswith("Airflow is now 3.3")
    assert "1 of 3 were set: part[0]" in message
    assert "Nothing was changed" not in message
    assert len(replay.sent("PATCH")) == 2


@pytest.mark.parametrize(
    "detail",
    [
        "Dag Run id made up not found in dag history",
        "DAGRun with DAG ID: 'history' and DagRun ID: 'made up' not found",
        "The DagRun with dag_id: `history` and run_id: `made up` was not found",
    ],
)
async def test_who_gives_a_wrong_run_is_led_to_where_runs_are_listed(detail: str) -> None:
    missing = httpx.Response(404, json={"detail": detail})
    airflow = Airflow(Instance(url=URL, api_version="v2", token="t"), httpx.MockTransport(lambda _: missing))
    with pytest.raises(AirflowMcpError, match=r"Look the id up: get_dag_runs\."):
        await airflow.read("dags/{dag_id}/dagRuns/{dag_run_id}", {"dag_id": "history", "dag_run_id": "made up"})


async def test_a_change_that_finds_no_route_tells_so_even_if_nothing_answers_after_it() -> None:
    server = Server("3.3")
    gone = False

    async def going(request: httpx.Request) -> httpx.Response:
        nonlocal gone
        if gone:
            raise httpx.ConnectError("refused")
        if request.method == "PATCH":
            gone = True
            return httpx.Response(404, json={"error": "API route not found"})
        return await server.handle_async_request(request)

    async with replayed(httpx.MockTransport(going)) as session:
        message = await session.error("patch_dag", dag_id="mapped_group", is_paused=False, confirm=True)
    assert "No Airflow API answers at /api/v2/dags/mapped_group (404). Nothing was changed." in message
