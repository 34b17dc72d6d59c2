"""An Airflow on a raw socket: a good one, but for what a test has it answer. Nothing here mends what it sends."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from mcp import Client

from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from airflow_mcp.tools.toolsets import TOOLSETS
from tests.examples import OTHER_RUN, Arguments, agreeable, examples
from tests.session import Session

DIAGNOSES = {tool.name for toolset in TOOLSETS if toolset.name == "diagnosis" for tool in toolset.tools}

IDS = {
    "dag_id": "history",
    "dag_run_id": "a run",
    "task_id": "first",
    "file_token": "a-token",
    "xcom_key": "return_value",
    "pool_name": "default_pool",
}
RELEASES = {"2.11": "2.11.2", "3.3": "3.3.2"}
USER = {"username": "admin", "password": "s3cret-pw"}


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def step(self) -> str:
        """`POST dags/{dag_id}/clearTaskInstances dry run`: the route, with a dry run told from the change."""
        names = {quote(value, safe=""): f"{{{name}}}" for name, value in IDS.items()}
        names |= {quote(OTHER_RUN): "{dag_run_id}", "3": "{map_index}", "8": "{try_number}", "9": "{try_number}"}
        path = self.target.partition("?")[0].removeprefix("/")
        if not path.endswith("/version"):
            path = re.sub("^api/v[12]/", "", path)
        route = "/".join(names.get(segment, segment) for segment in path.split("/"))
        route = "dags/{dag_id}/dagRuns" if route == "dags/~/dagRuns" else route  # those of all DAGs
        return f"{self.method} {route}{' dry run' if self.body and self.json.get('dry_run') else ''}"

    @property
    def changes(self) -> bool:
        """Whether a good Airflow has changed something when it has read this."""
        routes = ("PATCH ", "POST dags/{dag_id}/clearTaskInstances", "POST dags/{dag_id}/updateTaskInstancesState")
        return self.step.startswith(routes) and not self.step.endswith(("dry run", "/dry_run"))


Answer = bytes | Iterable[bytes | float]
"""What goes over the wire, just so; a number of seconds is waited."""


class Airflow:
    """Answers as `hostile` has it for the step of a request, and else as a good Airflow does."""

    def __init__(self, release: str) -> None:
        self.release = release
        self.url = ""
        self.map_index = -1
        self.hostile: dict[str, Callable[[Request], Answer]] = {}
        self.requests: list[Request] = []

    def good(self, request: Request) -> bytes:
        """What a good Airflow answers."""
        if self.release < "3" and request.step == "GET api/v2/version":
            return answer(404, {"title": "Not Found", "status": 404, "type": "about:blank"})
        status = 201 if request.step == "POST auth/token" else 200
        agreed = agreeable(IDS, RELEASES[self.release], self.map_index)
        wanted: list[str] = (request.json.get("state") or []) if request.body else []
        if "scheduled" in wanted:
            agreed["task_instances"][0]["state"] = "scheduled"
        if wanted == ["failed"]:
            agreed["task_instances"][0] |= {"state": "failed", "start_date": "2026-11-21T00:00:00Z"}
        return answer(status, agreed)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, and the connection ends."""
        try:
            request = await _request(reader)
            self.requests.append(request)
            given = self.hostile.get(request.step, self.good)(request)
            for piece in [given] if isinstance(given, bytes) else given:
                if isinstance(piece, bytes):
                    writer.write(piece)
                    await writer.drain()
                else:
                    await asyncio.sleep(piece)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other end has heard enough
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def answer(status: int, body: Any, *headers: bytes, kind: bytes = b"application/json") -> bytes:
    """A whole answer; a body that is no bytes is sent as JSON. Its length is not told: it ends with the connection."""
    lines = [b"HTTP/1.1 %d X" % status, b"content-type: " + kind, b"connection: close", *headers]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"\r\n".join([*lines, b"", content])


@asynccontextmanager
async def airflow(release: str) -> AsyncIterator[Airflow]:
    """An Airflow 2.11 or 3.3, on a port of its own."""
    fake, serving = Airflow(release), set[asyncio.Task[None]]()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.ensure_future(fake.serve(reader, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield fake
    finally:
        server.close()
        for each in serving:
            each.cancel()  # one that never ends, or waits
        ended = await asyncio.gather(*serving, return_exceptions=True)
    if faults := [each for each in ended if isinstance(each, Exception)]:
        raise faults[0]


@asynccontextmanager
async def connected(fake: Airflow, **settings: Any) -> AsyncIterator[Session]:
    """A client of our server, in memory, with this Airflow behind it."""
    async with Client(build_server(Settings.for_one(**{"url": fake.url} | USER | settings))) as client:
        yield Session(client)


# -- every route that the tools use


@dataclass(frozen=True)
class Way:
    """A call of a tool that comes to a step of its own: to a route, or to a route's dry run."""

    step: str
    tool: str
    arguments: Arguments
    map_index: int
    changes: bool


def calls(release: str) -> list[tuple[str, Arguments, int]]:
    """Calls that together come to every route, each with the map index of the task instance that is there."""
    given = examples(**{name: IDS[name] for name in ("dag_id", "dag_run_id", "task_id")})
    clear, state, log = (given[name] for name in ("clear_task_instances", "set_task_instances_state", "get_task_log"))
    date = "2026-11-21T00:00:00Z"
    undated = {name: value for name, value in state.items() if name != "dag_run_id"}
    more = [
        ("clear_task_instances", {**clear, "include_past": True}, -1),
        ("set_task_instances_state", {**undated, "logical_date": date}, -1),
        ("set_task_instances_state", {**state, "map_index": 3}, 3),
        ("get_task_log", {**log, "try_number": 8}, -1),
        ("get_task_log", {**log, "try_number": 8, "map_index": 3}, 3),
    ]
    more.append(("explain_dag_state", {"dag_id": IDS["dag_id"]}, -1))
    more.append(("get_task_instance", {**given["get_task_instance"], "map_index": 3}, 3))
    if release >= "3":
        more.append(("get_task_instances", {"dag_id": IDS["dag_id"], "operator": "BashOperator"}, -1))
    else:
        more.append(("get_dag_source", {"file_token": IDS["file_token"]}, -1))
    return [*((tool, arguments, -1) for tool, arguments in given.items()), *more]


_WAYS: dict[str, list[Way]] = {}


async def ways(release: str) -> list[Way]:
    """For each step that a tool takes, one call that comes there. They are looked for once."""
    if release not in _WAYS:
        _WAYS[release] = await _looked_for(release)
    return _WAYS[release]


async def _looked_for(release: str) -> list[Way]:
    found: dict[str, Way] = {}
    # A diagnosis goes on without a part, and names it: another tool fails for it.
    for tool, arguments, map_index in sorted(calls(release), key=lambda call: call[0] in DIAGNOSES):
        async with airflow(release) as fake, connected(fake) as session:
            fake.map_index = map_index
            await session.ok(tool, **arguments)
        for request in fake.requests:
            found.setdefault(request.step, Way(request.step, tool, arguments, map_index, request.changes))
    return [*found.values()]


async def outcome(release: str, way: Way, give: Callable[[Request], Answer], **settings: Any) -> tuple[bool, str]:
    """Whether a call failed that met a hostile answer at its step, and what it was answered with."""
    async with airflow(release) as fake, connected(fake, **settings) as session:
        fake.map_index, fake.hostile[way.step] = way.map_index, give
        result = await session.call(way.tool, way.arguments)
    assert way.step in [request.step for request in fake.requests]
    return bool(result.is_error), result.model_dump_json()
