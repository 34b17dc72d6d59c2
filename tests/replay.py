"""A fake Airflow for speed and faults: answers what a real one once answered, or what a test puts in its way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from mcp import Client

from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from airflow_mcp.tools.context import App, make_app
from scripts.record import described
from tests.fakes import Airflow
from tests.recordings import load, recorded_runs
from tests.session import Session

URL = "http://airflow.test"

Fault = Callable[[httpx.Request], Awaitable[httpx.Response | None]]


class Replay(httpx.AsyncBaseTransport):
    """Gives the recorded answer to a recorded request, in order where there were several, the last one again.

    `fault`, if set, is asked first: it may answer itself, raise, or give None to let the recording answer.
    `requests` has all that was sent.
    """

    def __init__(self, version: str, fault: Fault | None = None) -> None:
        self.runs = recorded_runs(version)
        self.fault = fault
        self.requests: list[httpx.Request] = []
        self._answers: dict[str, list[dict[str, Any]]] = {}
        for exchange in load(version):
            self._answers.setdefault(_key(exchange["request"]), []).append(exchange)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        if self.fault and (answer := await self.fault(request)) is not None:
            return answer
        if request.url.path == "/auth/token":
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
            if request.method in methods and not request.url.path.endswith(("/auth/token", "/version"))
        ]


def connect_error(cause: OSError) -> httpx.ConnectError:
    """A connection that is not made, as the HTTP library tells it: the cause stands behind."""
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = cause
    return error


def _key(request: dict[str, Any]) -> str:
    return json.dumps(request, sort_keys=True)


@asynccontextmanager
async def replayed(transport: httpx.AsyncBaseTransport, **settings: Any) -> AsyncIterator[Session]:
    """A client of our server, whose Airflow is this transport."""

    @asynccontextmanager
    async def parts(given: Settings) -> AsyncIterator[App]:
        airflow = Airflow(given.instances[0], transport)
        yield make_app(given, airflow)
        await airflow.aclose()

    signed_in = {"url": URL, "username": "admin", "password": "s3cret-pw"} | settings
    async with Client(build_server(Settings.for_one(**signed_in), parts)) as client:
        yield Session(client)
