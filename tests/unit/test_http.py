"""One request to Airflow: its path, its retries, its time limit, and what every odd answer means."""

from __future__ import annotations

import errno
import gc
import gzip
import json
import random
import re
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any
from urllib.parse import quote, unquote

import anyio
import httpx
import pytest

from airflow_mcp.airflow import http as http_module
from airflow_mcp.airflow.api import Server
from airflow_mcp.airflow.http import MAX_BODY, Http
from airflow_mcp.airflow.request import Request, build_path
from airflow_mcp.airflow.route import Route
from airflow_mcp.airflow.sign_in import sign_in_to
from airflow_mcp.errors import (
    AirflowMcpError,
    BusyError,
    InvalidArgumentError,
    MayHaveHappenedError,
    NotAirflowError,
    ReadOnlyError,
    RejectedError,
    ServerFaultError,
    TimedOutError,
    TooLargeError,
    UnreachableError,
    VersionChangedError,
)
from airflow_mcp.instance import Instance
from airflow_mcp.models.changes import ChangeArguments
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.examples import ID_ARGUMENTS, OTHER_RUN, agreeable, examples, with_id
from tests.fakes import URL, Airflow, Fake, Replay, connect_error
from tests.releases import LAST
from tests.replay import replayed
from tests.routes import ROUTES as ALL_ROUTES

pytestmark = pytest.mark.anyio

READ = Request("GET", "api/v2/dags")
CHANGE = Request("PATCH", "api/v2/dags/etl", body={"is_paused": True}, change=True)
Answer = Callable[[httpx.Request], Awaitable[httpx.Response]]
PASSWORD, TOKEN = "s3cret-pw", "s3cret-token"
JSON = {"content-type": "application/json"}

every_version = pytest.mark.parametrize("version", LAST)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been; none is waited."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(anyio, "sleep", note)
    return waits


class Chunks(httpx.AsyncByteStream):
    """A body that comes in pieces; a piece that is an error is raised, a number of seconds is waited."""

    def __init__(self, *pieces: bytes | Exception | float) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, float):
                await anyio.sleep(piece)
            else:
                yield piece


def answers(*given: httpx.Response | Exception | float) -> Answer:
    """Gives, raises or waits for these, one a request; the last one again."""
    left = list(given)

    async def answer(request: httpx.Request) -> httpx.Response:
        what = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(what, Exception):
            raise what
        if isinstance(what, float):
            await anyio.sleep(what)
            return httpx.Response(200, json={"late": True})
        return httpx.Response(what.status_code, headers=what.headers, stream=what.stream)

    return answer


def plain(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"status": status}, headers={k.replace("_", "-"): v for k, v in headers.items()})


def sender(*given: httpx.Response | Exception | float, **settings: Any) -> tuple[Http, Fake]:
    wire = Fake(answers(*given))
    return Http(Instance(**{"url": URL} | settings), wire), wire


FINE = httpx.Response(200, json={"fine": True})
HTML = httpx.Response(200, html="<html>Sign in</html>")
HALF = httpx.Response(200, headers=JSON, content=b'{"dags": [{"dag_id": "sal')
GARBAGE = httpx.Response(200, headers=JSON | {"content-encoding": "gzip"}, stream=Chunks(b"this is not gzip"))
DEEP = httpx.Response(200, headers=JSON, content=b'{"a":' * 200_000)
LONG_NUMBER = httpx.Response(200, headers=JSON, content=b'{"a": ' + b"1" * 5000 + b"}")
CUT = httpx.Response(
    200, headers=JSON, stream=Chunks(b'{"dags": [', httpx.RemoteProtocolError("peer closed connection without"))
)
HUGE = httpx.Response(200, headers=JSON, stream=Chunks(*[b" " * 2**20] * 17))
BROKEN = {"ReadError": httpx.ReadError("reset"), "RemoteProtocolError": httpx.RemoteProtocolError("closed")}
NOT_CONNECTED = {
    "ConnectError": connect_error(ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed")),
    "ConnectTimeout": httpx.ConnectTimeout("no answer"),
    "PoolTimeout": httpx.PoolTimeout("no free connection"),
}


# -- ids in paths

SEGMENTS = {
    "scheduled__2026-11-21T00:00:00+00:00": "scheduled__2026-11-21T00%3A00%3A00%2B00%3A00",
    "group.task": "group.task",
    "...": "...",
    ".hidden": ".hidden",
    "отчёт": "%D0%BE%D1%82%D1%87%D1%91%D1%82",
    "with space": "with%20space",
    "%2e%2e": "%252e%252e",
    "%2F": "%252F",
    "a?b=c&d": "a%3Fb%3Dc%26d",
    "a#b": "a%23b",
    "a;b": "a%3Bb",
    "a@b": "a%40b",
    "{dag_id}": "%7Bdag_id%7D",
    "x" * 250: "x" * 250,
}
REFUSED = {
    "empty": "",
    "blank": "  ",
    "dot": ".",
    "dots": "..",
    "slash": "../variables",
    "backslash": "..\\variables",
    "newline": "etl\nx",
    "carriage return": "etl\rx",
    "tab": "etl\tx",
    "null": "etl\x00",
    "delete": "etl\x7f",
    "line separator": "etl\u2028x",
    "half a character": "etl\ud800",
    "251 characters": "x" * 251,
}


@pytest.mark.parametrize(("value", "segment"), SEGMENTS.items(), ids=[*range(len(SEGMENTS))])
async def test_an_id_is_one_encoded_segment(value: str, segment: str) -> None:
    assert build_path("dags/{dag_id}/details", {"dag_id": value}) == f"dags/{segment}/details"
    wire = Fake(answers(FINE))
    airflow = Airflow(Instance(url=URL, api_version="v2"), wire)
    await airflow.read("dags/{dag_id}/tasks/{task_id}", {"dag_id": value, "task_id": value})
    [request] = wire.requests
    assert request.url.raw_path == f"/api/v2/dags/{segment}/tasks/{segment}".encode()


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
async def test_an_id_that_cannot_be_one_is_refused_by_name(value: str) -> None:
    airflow = Airflow(Instance(url=URL, api_version="v2"), wire := Fake(answers(FINE)))
    with pytest.raises(InvalidArgumentError, match=r"^run_id: ") as refused:
        await airflow.read("dags/{dag_id}/dagRuns/{run_id}", {"dag_id": "etl", "run_id": value})
    assert refused.value.field == "run_id"
    assert wire.requests == []


def test_a_file_token_may_be_longer_than_an_id() -> None:
    assert build_path("{file_token}", {"file_token": "x" * 4096}) == "x" * 4096
    with pytest.raises(InvalidArgumentError, match=r"^file_token: is 4097 characters long"):
        build_path("{file_token}", {"file_token": "x" * 4097})


# Each has what a path could trip over.
IDS = {
    "dag_id": "отчёт.v1;a=b?c#d",
    "dag_run_id": "scheduled__2026-11-21T00:00:00+00:00",
    "task_id": "%2e%2e группа.задача",
    "file_token": "IiUyZSUyZQ==.a+b",
    "xcom_key": "строки #1",
}
CALLS = examples(IDS["dag_id"], IDS["dag_run_id"], IDS["task_id"])
CALLS["set_task_instances_state"]["include_past"] = True
CALLS["get_xcom"]["xcom_key"] = IDS["xcom_key"]
CALLS["resolve_url"]["url"] = f"/airflow{CALLS['resolve_url']['url']}"
del CALLS["get_dags"], CALLS["get_health"]  # which take no id
DAG = "dags/{dag_id}"
ONE = DAG + "/dagRuns/{dag_run_id}/taskInstances/{task_id}"
ROUTES: dict[str, tuple[set[str], set[str]]] = {  # of those that go to more than one, or to another on Airflow 2
    "get_dag": ({DAG}, {DAG}),
    "get_dag_details": ({DAG + "/details"}, {DAG + "/details"}),
    "get_dag_source": ({DAG, "dagSources/{file_token}"}, {DAG, "dagSources/{dag_id}"}),
    "get_tasks": ({DAG + "/tasks"}, {DAG + "/tasks"}),
    "get_task": ({DAG + "/tasks", DAG + "/tasks/{task_id}"},) * 2,
    "patch_dag": ({DAG, DAG + "/dagRuns"},) * 2,
    "clear_task_instances": (
        {DAG, DAG + "/tasks", DAG + "/clearTaskInstances", "dags/~/dagRuns/~/taskInstances/list"},
        {DAG, DAG + "/tasks", DAG + "/clearTaskInstances"},
    ),
    "set_task_instances_state": (
        {
            DAG + "/tasks",
            DAG + "/dagRuns/{dag_run_id}",
            DAG + "/clearTaskInstances",
            "dags/~/dagRuns/~/taskInstances/list",
            DAG + "/updateTaskInstancesState",
        },
        {
            DAG + "/tasks",
            DAG + "/dagRuns/{dag_run_id}",
            DAG + "/clearTaskInstances",
            "dags/~/dagRuns/~/taskInstances/list",
            ONE,
            ONE + "/dry_run",
        },
    ),
}


async def obedient(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=agreeable(IDS, "2.11.2" if "/v1/" in request.url.path else "3.3.2"))


def route(request: httpx.Request) -> str:
    """The path of a request below the API, with the names of the ids in their place."""
    names = {quote(value, safe=""): f"{{{name}}}" for name, value in IDS.items()}
    names |= {"9": "{try_number}", quote(OTHER_RUN): "{dag_run_id}"}
    path = request.url.raw_path.decode().partition("?")[0]
    below = re.fullmatch(r"/airflow/api/v[12]/(.*)", path)
    assert below, path
    return "/".join(names.get(segment, segment) for segment in below[1].split("/"))


async def routes_of(tool: str, version: str) -> set[str]:
    """Where a call of a tool with odd ids comes to."""
    replay = Replay(version, obedient)
    async with replayed(replay, url=f"{URL}/airflow", api_version="v1" if version < "3" else "v2") as session:
        await session.ok(tool, **CALLS[tool])
    return {route(request) for request in replay.sent("GET", "POST", "PATCH")}


@every_version
@pytest.mark.parametrize("tool", CALLS)
async def test_every_id_of_every_tool_is_one_encoded_segment(tool: str, version: str) -> None:
    routes = await routes_of(tool, version)
    assert routes
    assert routes <= {each.path for each in ALL_ROUTES}


@every_version
@pytest.mark.parametrize("tool", ROUTES)
async def test_a_call_comes_to_these_routes_and_no_other(tool: str, version: str) -> None:
    assert await routes_of(tool, version) == ROUTES[tool][0 if version < "3" else 1]


async def test_a_file_token_is_one_encoded_segment() -> None:
    replay = Replay("2.11", obedient)
    async with replayed(replay, url=f"{URL}/airflow", api_version="v1") as session:
        await session.ok("get_dag_source", file_token=IDS["file_token"])
    assert [route(request) for request in replay.requests] == ["dagSources/{file_token}"]


async def test_a_map_index_is_one_segment() -> None:
    async def mapped(request: httpx.Request) -> httpx.Response:
        answer = (await obedient(request)).json()
        answer["task_instances"][0]["map_index"] = 3
        return httpx.Response(200, json=answer)

    replay = Replay("2.11", mapped)
    async with replayed(replay, url=f"{URL}/airflow", api_version="v1") as session:
        await session.ok("set_task_instances_state", **CALLS["set_task_instances_state"], map_index=3)
    assert [route(request) for request in replay.sent("PATCH")] == [ONE + "/3"]


def test_these_are_all_the_id_arguments() -> None:
    named = re.compile(r"(dag|task|run)_ids?|\w+_token|xcom_key")
    found = {(spec.name, name) for spec in ALL_TOOLS for name in spec.arguments.model_fields if named.search(name)}
    no_ids = {("get_dags", "dag_id_pattern"), ("clear_task_instances", "reset_dag_runs")}
    no_ids |= {("clear_task_instances", "prevent_running_task"), ("clear_task_instances", "include_parentdag")}
    assert found - no_ids == {*ID_ARGUMENTS}


@every_version
@pytest.mark.parametrize(("tool", "name"), ID_ARGUMENTS, ids=[" ".join(each) for each in ID_ARGUMENTS])
async def test_a_bad_id_is_refused_by_name_before_anything_is_sent(tool: str, name: str, version: str) -> None:
    replay = Replay(version, obedient)
    takes = next(spec.arguments for spec in ALL_TOOLS if spec.name == tool)
    fields = takes.model_fields
    wrong: list[tuple[str, str, int]] = []
    async with replayed(replay, api_version="v1" if version < "3" else "v2") as session:
        for value in (*REFUSED.values(), "../../variables/bait", "history/details", "etl\n", "x" * 4097):
            if value == REFUSED["251 characters"] and name == "file_token":
                continue  # which may be longer
            if not value and not fields[name].is_required():
                continue  # which is then not given
            if name == "dag_run_id" and issubclass(takes, ChangeArguments) and set(value) & set("/\\"):
                continue  # which a body carries: tests/live/test_previews.py
            replay.requests.clear()
            message = await session.error(tool, **with_id(CALLS[tool], name, value))
            named = re.search(rf"\b{name}\b", message) or (
                name == "file_token" and message.startswith("file_token needs")
            )
            if not named or replay.requests:
                wrong.append((value[:20], message, len(replay.requests)))
    assert wrong == []


@pytest.mark.parametrize("given", ["https://host/airflow", "https://host/airflow/", "https://host/airflow/api/v1/"])
async def test_the_path_prefix_comes_before_everything(given: str) -> None:
    wire = Fake(obedient)
    airflow = Airflow(Instance(url=given, username="ana", password="pw"), wire)
    await airflow.read("dags")
    assert [str(request.url) for request in wire.requests] == [
        "https://host/airflow/api/v2/version",
        "https://host/airflow/auth/token",
        "https://host/airflow/api/v2/dags",
    ]


# -- retries of reads


def status_name(value: Any) -> str:
    return str(value.status_code) if isinstance(value, httpx.Response) else type(value).__name__


RETRIED = [*BROKEN.values(), NOT_CONNECTED["ConnectError"], CUT, *map(plain, (429, 502, 503, 504))]


@pytest.mark.parametrize("what", RETRIED, ids=status_name)
async def test_a_read_is_tried_again(what: httpx.Response | Exception) -> None:
    http, wire = sender(what, what, FINE)
    assert await http.send(READ) == {"fine": True}
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("what", "error"),
    [
        *[(each, UnreachableError) for each in (*BROKEN.values(), NOT_CONNECTED["ConnectError"])],
        (plain(429), BusyError),
        *[(plain(status), ServerFaultError) for status in (502, 503, 504)],
    ],
    ids=status_name,
)
async def test_a_read_is_tried_four_times_at_most(
    what: httpx.Response | Exception, error: type[AirflowMcpError]
) -> None:
    http, wire = sender(what)
    with pytest.raises(error):
        await http.send(READ)
    assert len(wire.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 409, 422, 500, 501])
async def test_other_answers_are_final(status: int) -> None:
    http, wire = sender(plain(status), FINE)
    with pytest.raises(AirflowMcpError):
        await http.send(READ)
    assert len(wire.requests) == 1


async def test_the_waits_grow_and_are_not_all_alike(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    monkeypatch.setattr(http_module, "WAITS", (0.2, 0.6, 1.8))
    for _ in range(2):
        http, _ = sender(plain(503))
        with pytest.raises(ServerFaultError):
            await http.send(READ)
    for waited, least in zip(slept, (0.2, 0.6, 1.8) * 2, strict=True):
        assert least <= waited <= least * 1.3
    assert slept[:3] != slept[3:]


async def test_retry_after_is_waited_for(slept: list[float]) -> None:
    http, wire = sender(plain(429, retry_after="7"), plain(503, retry_after="3"), FINE)
    assert await http.send(READ) == {"fine": True}
    assert len(wire.requests) == 3
    for waited, asked in zip(slept, (7, 3), strict=True):
        assert asked <= waited <= asked * 1.3


async def test_a_retry_after_longer_than_the_time_out_is_not_waited_for(slept: list[float]) -> None:
    http, wire = sender(plain(429, retry_after="60"), timeout=5)
    with pytest.raises(BusyError, match=r"slow down \(429\).*Try again later"):
        await http.send(READ)
    assert (len(wire.requests), slept) == (1, [])


@pytest.mark.parametrize("value", ["", "soon", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "²"])
async def test_a_retry_after_that_is_no_number_of_seconds_leaves_our_own_wait(value: str, slept: list[float]) -> None:
    http, wire = sender(httpx.Response(503, headers=[(b"retry-after", value.encode("latin-1"))]), FINE)
    assert await http.send(READ) == {"fine": True}
    assert (len(wire.requests), slept) == (2, [0.0])


async def test_no_wait_goes_beyond_the_time_out(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    http, _ = sender(plain(429, retry_after="4"), timeout=5)
    with pytest.raises(BusyError):
        await http.send(READ)
    assert [wait for wait in slept if wait > 5] == []


async def test_an_airflow_that_is_down_is_said_to_be_down_within_a_short_time_out_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_module, "WAITS", (0.01, 0.02, 5.0))
    http, _ = sender(NOT_CONNECTED["ConnectError"], timeout=0.2)
    with pytest.raises(UnreachableError, match=f"Cannot reach Airflow at {URL}: Connection refused"):
        await http.send(READ)


# -- the time limit


@pytest.mark.parametrize(
    "slow",
    [5.0, httpx.Response(200, headers=JSON, stream=Chunks(*(b" ", 0.05) * 100)), httpx.ReadTimeout("slow")],
    ids=["no answer", "a trickle", "ReadTimeout"],
)
async def test_a_read_ends_with_the_time_out(slow: httpx.Response | Exception | float) -> None:
    http, wire = sender(slow, timeout=0.2)
    started = anyio.current_time()
    with pytest.raises(TimedOutError, match=f"{URL} did not answer within 0.2 s.*AIRFLOW_MCP_TIMEOUT"):
        await http.send(READ)
    assert anyio.current_time() - started < 1
    assert len(wire.requests) == 1


async def test_all_tries_together_end_with_the_time_out() -> None:
    async def slowly_failing(request: httpx.Request) -> httpx.Response:
        await anyio.sleep(0.2)
        return plain(503)

    wire = Fake(slowly_failing)
    with pytest.raises(TimedOutError):
        await Http(Instance(url=URL, timeout=0.5), wire).send(READ)
    assert len(wire.requests) == 3


# -- a change is sent once

UNKNOWN: dict[str, httpx.Response | Exception | float] = {
    **BROKEN,
    "WriteError": httpx.WriteError("reset"),
    "ReadTimeout": httpx.ReadTimeout("slow"),
    "no answer": 5.0,
    "500": plain(500),
    "502": plain(502),
    "503": plain(503),
    "504": plain(504, retry_after="0"),
    "half": HALF,
    "cut": CUT,
    "HTML": HTML,
    "gzip garbage": GARBAGE,
    "too large": HUGE,
    "empty": httpx.Response(200, headers=JSON),
    "deep": DEEP,
    "a number too long": LONG_NUMBER,
}


@pytest.mark.parametrize("what", UNKNOWN.values(), ids=UNKNOWN)
async def test_a_change_whose_answer_is_lost_may_have_happened(what: httpx.Response | Exception | float) -> None:
    http, wire = sender(what, FINE, timeout=0.2)
    with pytest.raises(MayHaveHappenedError) as error:
        await http.send(CHANGE)
    assert len(wire.requests) == 1
    for part in ("may or may not have happened", "was not sent again", "Look before trying again", "confirm=false"):
        assert part in str(error.value)


@pytest.mark.parametrize("what", NOT_CONNECTED.values(), ids=NOT_CONNECTED)
async def test_a_change_that_was_not_sent_did_not_happen(what: Exception) -> None:
    http, wire = sender(what, FINE)
    with pytest.raises(UnreachableError, match=r"Cannot reach Airflow.*Nothing was changed"):
        await http.send(CHANGE)
    assert len(wire.requests) == 1


async def test_a_change_that_is_told_to_wait_is_not_sent_again() -> None:
    http, wire = sender(plain(429, retry_after="0"), FINE)
    with pytest.raises(BusyError, match="Nothing was changed"):
        await http.send(CHANGE)
    assert len(wire.requests) == 1


async def test_read_only_sends_no_change() -> None:
    http, wire = sender(FINE, read_only=True)
    with pytest.raises(ReadOnlyError, match=r"Nothing was sent.*AIRFLOW_MCP_READ_ONLY"):
        await http.send(CHANGE)
    assert wire.requests == []
    assert await http.send(Request("POST", CHANGE.path, body={"dry_run": True})) == {"fine": True}


# -- answers that are none of Airflow's


@pytest.mark.parametrize(
    ("what", "error", "says", "tries"),
    [
        (HTML, NotAirflowError, "/api/v2/dags answered text/html instead of JSON: a web page.*AIRFLOW_MCP_URL", 1),
        (httpx.Response(204), NotAirflowError, "answered nothing instead of JSON", 1),
        (HALF, NotAirflowError, "25 bytes that are not whole JSON.*cut off.*Try again", 1),
        (httpx.Response(200, headers=JSON), NotAirflowError, "0 bytes that are not whole JSON", 1),
        (httpx.Response(200, headers=JSON, content=b'{"a": "\xff"}'), NotAirflowError, "not whole JSON", 1),
        (DEEP, NotAirflowError, "not whole JSON", 1),
        (LONG_NUMBER, NotAirflowError, "not whole JSON", 1),
        (httpx.Response(400, headers=JSON, content=DEEP.content), RejectedError, "refused the request .400", 1),
        (HUGE, TooLargeError, "over 16 MiB. Ask for less", 1),
        (CUT, UnreachableError, "its answer was cut off", 4),
        (GARBAGE, NotAirflowError, "decompress|gzip|not whole|cut off", 1),
    ],
    ids=[
        "HTML",
        "nothing",
        "half",
        "empty",
        "not UTF-8",
        "deep",
        "a long number",
        "deep 400",
        "too large",
        "cut",
        "gzip garbage",
    ],
)
async def test_an_odd_answer_to_a_read(
    what: httpx.Response, error: type[AirflowMcpError], says: str, tries: int
) -> None:
    http, wire = sender(what)
    with pytest.raises(error, match=says):
        await http.send(READ)
    assert len(wire.requests) == tries


@pytest.mark.parametrize("value", [b"na\xefve", "отчёт".encode()], ids=["latin-1", "utf-8"])
@pytest.mark.parametrize("call", [READ, CHANGE], ids=["read", "change"])
async def test_a_header_of_a_proxy_may_be_in_any_language(value: bytes, call: Request) -> None:
    headers = [(b"content-type", b"application/json"), (b"x-served-by", value)]
    http, _ = sender(httpx.Response(200, headers=headers, content=b'{"fine": true}'))
    assert await http.send(call) == {"fine": True}


async def test_an_answer_of_just_the_size_cap_is_read() -> None:
    text = b'"' + b"x" * (MAX_BODY - 2) + b'"'
    http, _ = sender(httpx.Response(200, headers=JSON, content=text))
    assert len(await http.send(READ)) == MAX_BODY - 2


REDIRECTS = {
    "/login/?next=%2Fapi": f"{URL}/login/, a sign-in page or another host",
    "https://airflow.test/api/v2/dags": "https://airflow.test/api/v2/dags. Set AIRFLOW_MCP_URL to that",
    "http://other.test:81/api/v2/dags": "http://other.test:81/api/v2/dags, a sign-in page or another host",
    "//other.test/x": "http://other.test/x, a sign-in page or another host",
    "https://me:pw@sso.test/authorize?client=1": "https://sso.test/authorize, a sign-in page or another host",
    "http://[": "redirects",
}


@pytest.mark.parametrize("call", [READ, CHANGE], ids=["read", "change"])
@pytest.mark.parametrize(("location", "says"), REDIRECTS.items(), ids=[*REDIRECTS])
async def test_a_redirect_is_named_and_not_followed(location: str, says: str, call: Request) -> None:
    http, wire = sender(httpx.Response(302, headers={"location": location}), FINE)
    with pytest.raises(NotAirflowError) as error:
        await http.send(call, sign_in_to(Instance(username="ana", password=PASSWORD)).at("v1"))
    assert says in f"{error.value.what} {error.value.advice}"
    assert error.value.effects == ("The change may or may not have happened." if call.change else "")
    assert [request.url.host for request in wire.requests] == ["airflow.test"]
    assert "client=1" not in str(error.value)
    assert "me:pw" not in str(error.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_kind_of_redirect_is_followed(status: int) -> None:
    http, wire = sender(httpx.Response(status, headers={"location": "/login"}), FINE)
    with pytest.raises(NotAirflowError):
        await http.send(READ)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("call", [READ, CHANGE], ids=["read", "change"])
@pytest.mark.parametrize("status", [302, 304])
async def test_only_a_2xx_is_success(status: int, call: Request) -> None:
    http, _ = sender(plain(status))
    with pytest.raises(AirflowMcpError):
        await http.send(call)


# -- what must not get out

ODD: list[httpx.Response | Exception | float] = [
    *UNKNOWN.values(),
    *NOT_CONNECTED.values(),
    *map(plain, (400, 401, 403, 404, 406, 409, 422, 429)),
    *[httpx.Response(302, headers={"location": location}) for location in [*REDIRECTS][:5]],
]


@pytest.mark.parametrize("call", [READ, CHANGE], ids=["read", "change"])
@pytest.mark.parametrize("token", [True, False], ids=["token", "password"])
async def test_no_error_tells_a_secret(call: Request, token: bool) -> None:
    settings = Instance(token=TOKEN) if token else Instance(username="ana", password=PASSWORD)
    auth = sign_in_to(settings).at("v1")
    for what in ODD:
        http, wire = sender(what, timeout=0.05)
        with pytest.raises(AirflowMcpError) as error:
            await http.send(call, auth)
        sent = wire.requests[0].headers["authorization"].split()[1]
        told = "".join(traceback.format_exception(error.value)) + repr(error.value)
        assert not {word for word in (PASSWORD, TOKEN, sent) if word in told}, what


async def test_a_session_cookie_is_not_sent_back() -> None:
    cookie = httpx.Response(200, json={}, headers={"set-cookie": "session=signed-in; Path=/; HttpOnly"})
    http, wire = sender(cookie)
    await http.send(READ)
    await http.send(READ)
    assert ["cookie" in request.headers for request in wire.requests] == [False, False]


async def test_query_and_headers_are_what_airflow_reads() -> None:
    http, wire = sender(FINE)
    await http.send(Request("GET", "api/v2/dags", query={"tags": ["a b", "c&d"], "paused": True, "limit": 5, "q": "ё"}))
    [request] = wire.requests
    assert unquote(request.url.query.decode().replace("+", " ")) == "tags=a b&tags=c&d&paused=true&limit=5&q=ё"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("airflow-ops-mcp/")


@pytest.mark.parametrize(
    ("status", "effects"),
    [
        (400, "Nothing was changed."),
        (404, "Nothing was changed."),
        (429, "Nothing was changed."),
        (303, "The change may or may not have happened."),
        (406, "The change may or may not have happened."),
        (408, "The change may or may not have happened."),
    ],
)
async def test_what_a_refused_change_did(status: int, effects: str) -> None:
    wire = Fake(answers(httpx.Response(status, headers={"location": f"{URL}/done"})))
    with pytest.raises(AirflowMcpError) as error:
        await Http(Instance(url=URL), wire).send(CHANGE)
    assert error.value.effects == effects
    assert effects in str(error.value)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "request_",
    [
        Request("PATCH", "api/v2/dags/etl", body={"is_paused": True}),
        Request("DELETE", "api/v2/dags/etl"),
        Request("POST", "api/v2/dags/etl/clearTaskInstances", body={"dry_run": False}),
        Request("POST", "api/v2/dags/etl/clearTaskInstances"),
    ],
)
async def test_what_is_not_marked_as_a_change_cannot_be_one(request_: Request) -> None:
    wire = Fake(answers(FINE))
    with pytest.raises(ValueError, match="is not marked as a change"):
        await Http(Instance(url=URL), wire).send(request_)
    assert wire.requests == []


async def test_a_delete_that_is_answered_with_nothing_is_made_once() -> None:
    wire = Fake(answers(httpx.Response(204)))
    assert await Http(Instance(url=URL), wire).send(Request("DELETE", "api/v2/dags/etl", change=True)) is None
    assert [request.method for request in wire.requests] == ["DELETE"]


# -- an answer that is read line by line

LOG = Request("GET", "api/v2/dags/etl/dagRuns/r/taskInstances/t/logs/1", needs="can read on Task Logs")
PLAIN = {"content-type": "text/plain"}


async def lines_of(*pieces: bytes, coding: str = "identity", **settings: Any) -> list[str]:
    headers = {**PLAIN, "content-encoding": coding}
    wire = Fake(lambda _: answered(httpx.Response(200, headers=headers, stream=Chunks(*pieces))))
    return [line async for line in Http(Instance(url=URL, **settings), wire).lines(LOG)]


async def answered(response: httpx.Response) -> httpx.Response:
    return response


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"one\ntwo\r\n", b"th", b"ree\n"], ["one", "two", "three"]),
        ([b"no end"], ["no end"]),
        ([b"\n\n"], ["", ""]),
        ([], []),
        (["zweimal ü".encode()[:-1], "ü\n".encode()[-2:]], ["zweimal ü"]),
        ([b"\xff\n"], ["\ufffd"]),
        ([b"x" * 100_000, b"x" * 100_000 + b"\nnext"], ["x" * 65536 + "… (200000 bytes)", "next"]),
    ],
    ids=["lines", "no line feed", "empty lines", "nothing", "half a character a piece", "no text", "a long line"],
)
async def test_lines_come_as_they_are(pieces: list[bytes], lines: list[str]) -> None:
    assert await lines_of(*pieces) == lines


async def test_lines_are_unpacked() -> None:
    packed = gzip.compress(b"one\ntwo\n")
    assert await lines_of(packed[:5], packed[5:], coding="gzip") == ["one", "two"]


async def test_of_a_log_without_end_no_more_is_read_than_is_taken() -> None:
    given = 0

    class Endless(httpx.AsyncByteStream):
        closed = False

        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal given
            while True:
                given += 1
                yield b"again\n"

        async def aclose(self) -> None:
            self.closed = True

    stream = Endless()
    http = Http(Instance(url=URL), Fake(lambda _: answered(httpx.Response(200, headers=PLAIN, stream=stream))))
    async with aclosing(http.lines(LOG)) as lines:
        assert await anext(lines) == "again"
    assert given <= 2
    assert stream.closed


async def test_a_secret_is_in_no_line() -> None:
    assert await lines_of(f"got {TOKEN}!\n".encode(), headers=f"X-Key: {TOKEN}") == ["got ***!"]


def escaped(text: str) -> str:
    """As JSON may write it, and need not."""
    return "".join(f"\\u{ord(character):04X}" for character in text)


SPELT = [TOKEN, escaped(TOKEN), f"{escaped(TOKEN[0])}{TOKEN[1:]}", TOKEN.replace("-", escaped("-"))]


@pytest.mark.parametrize("spelt", SPELT)
@pytest.mark.parametrize("before", ["", "ü\\n", "\\\\", "\\ud83d\\ude00"])
async def test_a_secret_is_in_no_line_of_json(spelt: str, before: str) -> None:
    line = f'{{"event": "{before}{spelt}!", "n": 1}}'
    [got] = await lines_of(line.encode(), headers=f"X-Key: {TOKEN}")
    assert json.loads(got) == {"event": json.loads(f'"{before}"') + "***!", "n": 1}


async def test_a_line_without_a_secret_keeps_its_escapes() -> None:
    lines = ['{"event":  "\\u0041\\/ü"}', "C:\\new \\u0041"]
    assert await lines_of("\n".join(lines).encode(), headers=f"X-Key: {TOKEN}") == lines


@pytest.mark.parametrize("after", [0, 1, 5, len(TOKEN), 1000])
@pytest.mark.parametrize("spelt", SPELT)
@pytest.mark.parametrize("often", [0, 40])
async def test_no_part_of_a_secret_is_left_where_a_line_is_cut(spelt: str, after: int, often: int) -> None:
    start = '{"event": "' + f"{spelt} " * often
    for inside in range(len(spelt) + 1):
        line = f"{start:<{65536 - inside}}{spelt}{'.' * after}"
        [got] = await lines_of(line.encode(), headers=f"X-Key: {TOKEN}")
        text = got.partition("… (")[0]
        assert len(text) <= 65536
        assert not re.search(r"s3|\\u", text)


async def test_of_a_cut_line_of_many_secrets_none_is_left() -> None:
    for shift in range(len(TOKEN)):
        [got] = await lines_of(b"." * shift + TOKEN.encode() * 10_000, headers=f"X-Key: {TOKEN}")
        assert set(got.partition("…")[0]) == {"*", "."} if shift else {"*"}


@pytest.mark.parametrize("kind", ["text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml"])
async def test_a_web_page_is_no_log(kind: str) -> None:
    page = httpx.Response(200, headers={"content-type": kind}, stream=Chunks(b"<html>\nSign in\n"))
    with pytest.raises(NotAirflowError, match=r"(?i)html.* a web page, not Airflow's API"):
        [line async for line in Http(Instance(url=URL), Fake(lambda _: answered(page))).lines(LOG)]


async def test_lines_of_an_airflow_that_became_another_say_so() -> None:
    releases = ["3.0.6", "3.3.2"]

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/version"):
            return httpx.Response(200, json={"version": releases.pop(0)})
        return httpx.Response(404, json={"detail": "Not Found", "status": 404})

    server = Server(Instance(url=URL), Fake(answer))
    api = await server.api()
    route = Route("GET", "dags/{dag_id}/log")
    with pytest.raises(VersionChangedError, match=r"3\.3\.2"):
        await anext(api.lines(route, dag_id="etl"))


async def test_who_stops_early_leaves_nothing_open() -> None:
    left: list[str] = []
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(finalizer=lambda generator: left.append(repr(generator)))
    try:
        response = httpx.Response(200, headers=PLAIN, stream=Chunks(b"one\ntwo\n", b"three\n"))
        server = Server(Instance(url=URL, api_version="v2"), Fake(lambda _: answered(response)))
        known = (await server.api()).known
        async with aclosing(server.lines(known, LOG, {})) as lines:
            assert await anext(lines) == "one"
        gc.collect()
    finally:
        sys.set_asyncgen_hooks(*hooks)
    assert not [each for each in left if re.search(r"\b(lines|read_lines|_pieces) at", each)]


@pytest.mark.parametrize(
    ("piece", "kind", "says"),
    [
        (httpx.ReadError("reset"), UnreachableError, URL),
        (httpx.ReadTimeout("late"), TimedOutError, "did not answer within 30 s"),
    ],
)
async def test_lines_that_break_off_are_an_error(piece: Exception, kind: type[AirflowMcpError], says: str) -> None:
    http = Http(Instance(url=URL), Fake(lambda _: answered(httpx.Response(200, stream=Chunks(b"one\n", piece)))))
    lines = http.lines(LOG)
    assert await anext(lines) == "one"
    with pytest.raises(kind, match=re.escape(says)):
        await anext(lines)


async def test_lines_that_are_refused_say_why() -> None:
    wire = Fake(answers(httpx.Response(403, json={"detail": "Forbidden"})))
    with pytest.raises(AirflowMcpError, match=r"may not do that \(403\).*Needed: can read on Task Logs"):
        [line async for line in Http(Instance(url=URL), wire).lines(LOG)]


async def test_lines_are_asked_for_again_before_the_first(slept: list[float]) -> None:
    wire = Fake(answers(httpx.Response(503), httpx.Response(200, headers=PLAIN, content=b"one\n")))
    assert [line async for line in Http(Instance(url=URL), wire).lines(LOG)] == ["one"]
    assert len(wire.requests) == 2
    assert wire.requests[0].headers["accept"] == "application/x-ndjson, text/plain"
