"""What stands in for a part of this project, or of Airflow, in the tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cache
from inspect import isawaitable
from typing import Any

import anyio.lowlevel
import httpx
from pydantic import RootModel

from airflow_mcp.airflow import logs
from airflow_mcp.airflow.api import Api, Server
from airflow_mcp.airflow.route import Method, Route
from airflow_mcp.airflow.writer import Writer
from airflow_mcp.instance import Instance
from airflow_mcp.models.logs import TaskLog
from airflow_mcp.models.page import row_of
from airflow_mcp.tools.releases import Marked, marked, require
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.recordings import Exchange, described, load, recorded_runs

MARKED: Mapping[str, Marked] = {
    str(each): each for spec in ALL_TOOLS for model in (spec.arguments, row_of(spec.answer)) for each in marked(model)
}
"""Everything that some releases of Airflow do not have, by its name in a refusal."""


class Anything(RootModel[Any]):
    """Any JSON."""


class Airflow(Server):
    """One Airflow, of which any path can be read or changed."""

    async def read(self, path: str, ids: Mapping[str, Any] | None = None) -> Any:
        return (await (await self.api()).read(Route("GET", path), Anything, **dict(ids or {}))).root

    async def change(self, method: Method, path: str, ids: Mapping[str, Any], *, body: Mapping[str, Any]) -> Any:
        return await Writer(self, await self.api()).send(Route(method, path), body=body, **dict(ids))

    async def require(self, names: Iterable[str]) -> Api:
        return await require(self, [MARKED[name] for name in names if name in MARKED])


# -- Airflows that answer without a network, given to the HTTP client as its transport

URL = "http://airflow.test"
LOGIN = "/auth/token"
PAGE = httpx.Response(404, html="<title>Airflow 404</title>")

Answer = httpx.Response | None
Fault = Callable[[httpx.Request], Answer | Awaitable[Answer]]


class Fake(httpx.AsyncBaseTransport):
    """Notes each request in `requests`, and answers as a kind of it does.

    `fault`, if set, is asked first: it may answer itself, raise, wait, or give None to leave the answer to the rest.
    """

    def __init__(self, fault: Fault | None = None) -> None:
        self.fault = fault
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        await anyio.lowlevel.checkpoint()  # other callers come in
        answer = self.fault(request) if self.fault else None
        answer = await answer if isawaitable(answer) else answer
        return await self.answer(request) if answer is None else answer

    async def answer(self, request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"nothing answers {request.method} {request.url}")

    def paths(self, *methods: str) -> list[str]:
        """What was sent by these methods, or by any."""
        return [request.url.path for request in self.requests if not methods or request.method in methods]


class OfRelease(Fake):
    """An Airflow that has the routes of its release's API, and tells its version; `rest` answers the rest."""

    def __init__(self, version: str, fault: Fault | None = None) -> None:
        super().__init__(fault)
        self.version = version

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if refusal := no_route(request, self.version):
            return refusal
        if request.url.path.endswith("/version"):
            return httpx.Response(200, json={"version": self.version})
        return await self.rest(request)

    async def rest(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, json={"error": "API route not found"})


def no_route(request: httpx.Request, version: str) -> httpx.Response | None:
    """What a server of this version says to the other one's routes."""
    if version < "3":
        return PAGE if request.url.path.startswith("/api/v2/") else None
    if not request.url.path.startswith("/api/v1/"):
        return None
    if request.method != "GET":
        # Airflow 3 has the routes that say so for GET alone.
        return httpx.Response(405, json={"detail": "Method Not Allowed"}, headers={"allow": "GET"})
    gone = "/api/v1 has been removed in Airflow 3, please use its upgraded version /api/v2 instead."
    return httpx.Response(404, json={"error": gone})


class TakesTokens(Fake):
    """An Airflow 3, whatever it is asked, that takes these tokens."""

    def __init__(self, *taken: str) -> None:
        super().__init__()
        self.taken = set(taken)
        self.refusal = httpx.Response(401, json={"detail": "Unauthorized"})
        self.sent: list[str] = []
        """The token of each request as it came: one that is sent again has another later."""

    async def answer(self, request: httpx.Request) -> httpx.Response:
        token = str(request.headers.get("authorization", "")).removeprefix("Bearer ")
        self.sent.append(token)
        if token in self.taken:
            return self.welcome(token)
        return httpx.Response(self.refusal.status_code, headers=self.refusal.headers, content=self.refusal.content)

    def welcome(self, token: str) -> httpx.Response:
        return httpx.Response(200, json={"version": "3.3.2"})


class GivesTokens(TakesTokens):
    """An Airflow 3 that gives out these tokens, one a login, the last one again, and takes those but what it revoked.

    It answers which token was used, by its digest: the token itself would be masked.
    """

    def __init__(self, *tokens: str) -> None:
        super().__init__()
        self._left = list(tokens)
        self.revoked: set[str] = set()
        self.login: httpx.Response | Exception | None = None
        """What a login gets instead of a token."""

    async def answer(self, request: httpx.Request) -> httpx.Response:
        return self._token() if request.url.path == LOGIN else await super().answer(request)

    def welcome(self, token: str) -> httpx.Response:
        return httpx.Response(200, json=signed_in_with(token))

    def _token(self) -> httpx.Response:
        if isinstance(self.login, Exception):
            raise self.login
        if self.login is not None:
            return self.login
        token = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        self.taken |= {token} - self.revoked
        return httpx.Response(201, json={"access_token": token})

    def revoke(self, token: str) -> None:
        self.revoked.add(token)
        self.taken.discard(token)

    @property
    def logins(self) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.path == LOGIN]

    @property
    def calls(self) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.path != LOGIN]


def signed_in_with(token: str) -> dict[str, str]:
    """What `GivesTokens` answers to who has this token."""
    return {"signed in with": hashlib.sha256(token.encode()).hexdigest()}


class Replay(Fake):
    """Gives the recorded answer to a recorded request, in order where there were several, the last one again."""

    def __init__(self, version: str, fault: Fault | None = None) -> None:
        super().__init__(fault)
        self.runs = recorded_runs(version)
        self._answers = {key: list(exchanges) for key, exchanges in _by_request(version).items()}

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == LOGIN:
            return httpx.Response(201, json={"access_token": "recorded"})
        answers = self._answers.get(_key(described(request)))
        if not answers:
            raise AssertionError(f"not recorded: {described(request)}; `make record` records tests/scenarios.py")
        recorded = answers.pop(0) if len(answers) > 1 else answers[0]
        body = recorded["body"] if isinstance(recorded["body"], str) else json.dumps(recorded["body"])
        return httpx.Response(recorded["status"], headers={"content-type": recorded["type"]}, content=body.encode())

    def sent(self, *methods: str) -> list[httpx.Request]:
        """What was sent by these methods, sign-ins and version look-ups aside."""
        return [
            request
            for request in self.requests
            if request.method in methods and not request.url.path.endswith((LOGIN, "/version"))
        ]


@cache
def _by_request(version: str) -> dict[str, list[Exchange]]:
    found: dict[str, list[Exchange]] = {}
    for exchange in load(version):
        found.setdefault(_key(exchange["request"]), []).append(exchange)
    return found


def _key(request: dict[str, Any]) -> str:
    return json.dumps(request, sort_keys=True)


def connect_error(cause: OSError) -> httpx.ConnectError:
    """A connection that is not made, as the HTTP library tells it: the cause stands behind."""
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = cause
    return error


ONE: dict[str, Any] = {"dag_id": "etl", "dag_run_id": "r", "task_id": "load"}
ITS_PATH = "dags/etl/dagRuns/r/taskInstances/load"


class WithLog(OfRelease):
    """Has one task instance, its tries (or map indexes), and a log; `sent` is what was asked for."""

    def __init__(
        self,
        version: str,
        log: str | Callable[[], httpx.AsyncByteStream] = "",
        state: str | None = "failed",
        tries: Mapping[int, str | None] | None = None,
        try_number: int = 1,
        missing: tuple[str, ...] = (),
    ) -> None:
        super().__init__(version)
        self._log, self._state, self._number = log, state, try_number
        self._tries = {try_number: state} if tries is None else tries
        self._missing = missing
        self.sent: list[str] = []

    async def rest(self, request: httpx.Request) -> httpx.Response:
        rest = request.url.path.removeprefix("/api/v1/").removeprefix("/api/v2/")
        self.sent.append(f"{rest.removeprefix(ITS_PATH)}?{request.url.params}".rstrip("?"))
        if rest.endswith(self._missing):
            more = {"status": 404, "type": "https://airflow.test/NotFound"} if self.version < "3" else {}
            return httpx.Response(404, json={"detail": "TaskInstance not found", **more})
        if "/logs/" in rest:
            kind = "text/plain" if self.version < "3" else "application/x-ndjson"
            stream = httpx.ByteStream(self._log.encode()) if isinstance(self._log, str) else self._log()
            return httpx.Response(200, headers={"content-type": kind}, stream=stream)
        if rest.endswith(("/tries", "/list")):
            key, more = ("try_number", {}) if rest.endswith("/tries") else ("map_index", ONE)
            rows = [{**more, key: number, "state": state} for number, state in self._tries.items()]
            return httpx.Response(200, json={"task_instances": rows, "total_entries": len(rows)})
        instance = {"state": self._state, "try_number": self._number, "map_index": -1}
        return httpx.Response(200, json={**instance, "dag_run_id": "r", "logical_date": None})


async def read_log(airflow: WithLog, **arguments: Any) -> TaskLog:
    """What get_task_log makes of it."""
    server = Server(Instance(url=URL), airflow)
    try:
        return await logs.get_task_log(await server.api(), **ONE, **arguments)
    finally:
        await server.aclose()
