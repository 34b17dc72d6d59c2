"""The real command as a process, over stdio and over Streamable HTTP, before both real servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from airflow_mcp import __version__
from airflow_mcp.demo.walk import client_environment
from airflow_mcp.prompts import load_instructions
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.oracle import Oracle
from tests.releases import RUN
from tests.servers import DAG_IDS
from tests.session import Session, unfenced

COMMAND = [sys.executable, "-m", "airflow_mcp"]
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
HEADERS = {"accept": "application/json, text/event-stream"}
BOTH_ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


def environment(oracle: Oracle) -> dict[str, str]:
    return {**os.environ, **client_environment(oracle.server)}


async def use(client: Client, oracle: Oracle) -> None:
    """What a client does first: look around, read, preview."""
    assert client.server_info
    assert (client.server_info.name, client.server_info.version) == ("airflow-ops-mcp", __version__)
    assert client.instructions == load_instructions(changes=True)
    assert len((await client.list_tools()).tools) == len(ALL_TOOLS)
    session = Session(client)
    assert (await session.ok("get_dags"))["total"] == len(DAG_IDS)
    assert (await session.ok("get_dag", dag_id="отчёт.v1"))["dag_id"] == "отчёт.v1"
    details = await session.ok("get_dag_details", dag_id="setups", fields=["doc_md"])
    assert unfenced(details["doc_md"]) == "bad \ufffd end" if oracle.major == 2 else "doc_md" not in details
    oracle.pause("history", True)
    preview = await session.ok("patch_dag", dag_id="history", is_paused=False, confirm=False)
    assert preview["plan"]
    assert "no_such_dag" in await session.error("get_dag", dag_id="no_such_dag")
    assert oracle.dag("history")["is_paused"] is True


def check_log(text: str, oracle: Oracle) -> list[dict[str, Any]]:
    """Each line of the log is a JSON object, and none holds the password. Gives the entries."""
    assert oracle.password("admin") not in text
    assert "Traceback" not in text
    entries = [json.loads(line) for line in text.splitlines()]
    assert all({"time", "level", "logger", "message"} <= entry.keys() for entry in entries)
    return entries


# -- stdio


@pytest.mark.anyio
@BOTH_ERAS
async def test_over_stdio(oracle: Oracle, mode: str, tmp_path: Path) -> None:
    server = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=environment(oracle))
    complaints: list[object] = []

    async def receive(message: object) -> None:
        if isinstance(message, Exception):  # a line that is no message of the protocol
            complaints.append(message)

    with (tmp_path / "log").open("w") as log:
        async with Client(stdio_client(server, errlog=log), mode=mode, message_handler=receive) as client:
            await use(client, oracle)
    assert complaints == []
    messages = [entry["message"] for entry in check_log((tmp_path / "log").read_text(), oracle)]
    assert any(message.startswith("get_dags ok ") for message in messages)
    assert any(message.startswith("get_dag DagNotFoundError ") for message in messages)


def test_standard_output_holds_only_the_protocol(oracle: Oracle) -> None:
    calls = [
        {"name": "get_dags", "arguments": {}},
        {"name": "get_dag", "arguments": {"dag_id": "no_such_dag"}},
        {"name": "no_such_tool", "arguments": {}},
        {"name": "get_dag", "arguments": {"dag": "print this"}},
    ]
    with subprocess.Popen(
        COMMAND, env=environment(oracle), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            first = exchange(process, HELLO)
            assert first["result"]["serverInfo"]["name"] == "airflow-ops-mcp"
            send(process, {"jsonrpc": "2.0", "method": "notifications/initialized"})
            for number, params in enumerate(calls, start=2):
                call = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
                answer = exchange(process, call)
                assert answer["id"] == number
                assert answer["jsonrpc"] == "2.0"
            output, log = process.communicate(timeout=10)  # closes its input, which ends it
        finally:
            process.kill()
    assert output == b""
    assert process.returncode == 0
    check_log(log.decode(), oracle)


def send(process: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def exchange(process: subprocess.Popen[bytes], message: dict[str, Any]) -> Any:
    send(process, message)
    assert process.stdout
    return json.loads(process.stdout.readline())


# -- Streamable HTTP


@contextmanager
def serving(oracle: Oracle, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The command serving over HTTP, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*COMMAND, "--transport", "http", "--port", str(port)],
            env=environment(oracle),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        deadline = time.monotonic() + 30
        while not healthy(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield process, url
    finally:
        process.kill()
        process.wait(10)


def healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


class Served:
    """Our server before each Airflow that a test asks for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._found: dict[str, tuple[str, Path]] = {}

    def before(self, oracle: Oracle) -> tuple[str, Path]:
        """Its address, and its log."""
        name = oracle.server.release.name
        if name not in self._found:
            log = self._folder / name
            _, url = self._stack.enter_context(serving(oracle, log))
            self._found[name] = url, log
        return self._found[name]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with ExitStack() as stack:
        yield Served(tmp_path_factory.mktemp("http"), stack)


newest = pytest.mark.parametrize("oracle", RUN[-1:], indirect=True)


@pytest.fixture
def url(oracle: Oracle, served: Served) -> str:
    return served.before(oracle)[0]


@pytest.mark.anyio
@BOTH_ERAS
async def test_over_http(oracle: Oracle, served: Served, mode: str) -> None:
    url, log = served.before(oracle)
    async with Client(f"{url}/mcp", mode=mode) as client:
        await use(client, oracle)
    entries = check_log(log.read_text(), oracle)
    assert any(entry["message"] == f"serving at {url}/mcp" for entry in entries)


@newest
def test_health(url: str) -> None:
    answer = httpx.get(f"{url}/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": __version__})


@newest
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:8765"}, 200),
        ({"origin": "http://127.0.0.1:3000"}, 200),
        ({"host": "airflow.example.com"}, 421),
        ({"host": "127.0.0.1.example.com:8765"}, 421),
        ({"host": "localhost.example.com"}, 421),
        ({"origin": "https://example.com"}, 403),
        ({"origin": "http://localhost.example.com"}, 403),
        ({"origin": "http://127.0.0.1.example.com:8765"}, 403),
        ({"origin": "null"}, 403),
        ({"content-type": "text/plain"}, 400),
    ],
)
def test_only_this_machine_is_let_in(url: str, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(f"{url}/mcp", json=HELLO, headers={**HEADERS, **headers})
    assert answer.status_code == status, answer.text
    assert ("airflow-ops-mcp" in answer.text) is (status == 200)


@newest
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_a_signal(oracle: Oracle, tmp_path: Path, number: signal.Signals) -> None:
    with serving(oracle, tmp_path / "log") as (process, _):
        process.send_signal(number)
        process.wait(5)
    check_log((tmp_path / "log").read_text(), oracle)


@newest
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_a_signal_while_a_client_listens(oracle: Oracle, tmp_path: Path, number: signal.Signals) -> None:
    with serving(oracle, tmp_path / "log") as (process, url), httpx.Client(headers=HEADERS) as client:
        answer = client.post(f"{url}/mcp", json=HELLO)
        client.headers["mcp-session-id"] = answer.headers["mcp-session-id"]
        with client.stream("GET", f"{url}/mcp") as listening:
            assert listening.status_code == 200
            process.send_signal(number)
            process.wait(5)
    check_log((tmp_path / "log").read_text(), oracle)


@pytest.mark.anyio
@newest
async def test_many_clients_share_one_server(url: str) -> None:
    async with Client(f"{url}/mcp") as one, Client(f"{url}/mcp", mode="legacy") as other:
        plan = (await Session(one).ok("patch_dag", dag_id="history", is_paused=False, confirm=False))["plan"]
        again = await Session(other).ok("patch_dag", dag_id="history", is_paused=False, confirm=False)
        assert again["plan"] == plan
