"""The real process over standard input and output: what it reads and writes, and when it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import anyio
import pytest

from airflow_mcp.stdio import _Outgoing
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.unit.test_serving import COMMAND, environment

SECONDS = 40


def line(number: int, method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


HELLO = line(
    0, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "test", "version": "1"}
)
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
LIST = line(1, "tools/list")


def call(number: int, **more: Any) -> bytes:
    return line(number, "tools/call", name="get_dags", arguments={}, **more)


def ids(output: bytes) -> list[int | None]:
    return [json.loads(each)["id"] for each in output.splitlines()]


class SlowAirflow:
    """Answers nothing until it is let go; then that there is no DAG."""

    def __init__(self) -> None:
        self.asked, self.let_go = Event(), Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = {"version": "3.3.2", "dags": [], "total_entries": 0}
                if not self.path.endswith("/version"):
                    fake.asked.set()
                    fake.let_go.wait(SECONDS)
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def airflow() -> Iterator[SlowAirflow]:
    fake = SlowAirflow()
    serving = Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        yield fake
    finally:
        fake.let_go.set()
        fake.server.shutdown()
        serving.join()
        fake.server.server_close()


@contextmanager
def started(url: str = "http://127.0.0.1:9", **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The process, with pipes where nothing else is said."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(COMMAND, env=environment(url=url), **pipes | streams) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
def test_what_was_asked_before_the_input_ended_is_answered(era: str, airflow: SlowAirflow) -> None:
    calls = [call(number, **({"_meta": ENVELOPE} if era > "2026" else {})) for number in range(1, 6)]
    with started(airflow.url) as process:
        assert process.stdin
        process.stdin.write(b"".join([HELLO, *calls] if era < "2026" else calls))
        process.stdin.close()
        process.stdin = None
        assert airflow.asked.wait(SECONDS)
        airflow.let_go.set()
        output, _ = process.communicate(timeout=SECONDS)
    answers = [json.loads(each) for each in output.splitlines()]
    assert sorted(each["id"] for each in answers) == ([*range(6)] if era < "2026" else [*range(1, 6)])
    assert all(each["result"]["structuredContent"]["total"] == 0 for each in answers if each["id"])
    assert process.returncode == 0


def test_who_no_longer_wants_an_answer_is_not_waited_for(airflow: SlowAirflow) -> None:
    with started(airflow.url) as process:
        assert process.stdin
        process.stdin.write(HELLO + call(7))
        process.stdin.flush()
        assert airflow.asked.wait(SECONDS)
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "7"}}
        output, _ = process.communicate(json.dumps(cancel).encode(), timeout=SECONDS)
    assert (ids(output), process.returncode) == ([0], 0)


def test_a_line_that_is_no_message_is_answered_with_why() -> None:
    bad = {b"nonsense": -32700, b"\xff": -32700, b"[" * 9999: -32700, b'{"a":1}': -32600, b"[]": -32600}
    with started() as process:
        output, _ = process.communicate(b"\n".join([HELLO, b"  ", *bad, LIST]), timeout=SECONDS)
    answers = [json.loads(each) for each in output.splitlines()]
    assert [each["error"]["code"] for each in answers if each["id"] is None] == [*bad.values()]
    assert {each["id"] for each in answers if "result" in each} == {0, 1}


def test_a_line_may_be_long_and_answers_longer_than_a_pipe_are_whole() -> None:
    long = line(2, "tools/call", name="get_dag", arguments={"dag_id": "x" * 3_000_000})
    with started() as process:
        output, _ = process.communicate(HELLO + long + LIST * 50, timeout=SECONDS)
    answers = [json.loads(each) for each in output.splitlines()]
    assert sorted(each["id"] for each in answers) == [0, *[1] * 50, 2]
    assert "3000000 characters long" in str(answers)


# -- what standard input and output can be


def test_files(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(HELLO + LIST)
    with (
        (tmp_path / "in").open() as source,
        (tmp_path / "out").open("w") as sink,
        started(stdin=source, stdout=sink) as process,
    ):
        process.communicate(timeout=SECONDS)
    assert (ids((tmp_path / "out").read_bytes()), process.returncode) == ([0, 1], 0)


def test_a_socket() -> None:
    ours, theirs = socket.socketpair()
    with ours, started(stdin=theirs, stdout=theirs) as process:
        theirs.close()
        ours.settimeout(SECONDS)
        ours.sendall(HELLO + LIST * 50)
        ours.shutdown(socket.SHUT_WR)
        output = b"".join(iter(lambda: ours.recv(65_536), b""))
        process.wait(SECONDS)
    assert (ids(output), process.returncode) == ([0, *[1] * 50], 0)


@pytest.mark.anyio
async def test_requests_with_one_id_are_all_waited_for(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        outgoing = _Outgoing(file.fileno(), anyio.CancelScope())
        for _ in range(2):
            outgoing.expect(1)
        outgoing.forget(1)
        outgoing.forget("nothing that was asked for")
        with anyio.move_on_after(0.3) as waiting:
            await outgoing.finish()
        assert waiting.cancelled_caught
        outgoing.forget(1)
        await outgoing.finish()


def test_a_terminal_stays_as_it_was() -> None:
    ours, theirs = pty.openpty()
    with started(stdin=theirs, stdout=theirs) as process, os.fdopen(ours, "r+b", buffering=0) as terminal:
        terminal.write(HELLO + LIST)
        seen = b""
        last = f'"name":"{ALL_TOOLS[-1].name}"'.encode()  # the instructions name tools too
        while last not in seen or not seen.endswith(b"\n"):
            seen += terminal.read(65_536)
        assert os.get_blocking(theirs)
        terminal.write(b"\x04")
        process.wait(SECONDS)
    os.close(theirs)
    assert process.returncode == 0


def test_a_pipe_that_others_share_stays_as_it_was() -> None:
    source, sink = os.pipe()
    with started(stdout=sink) as process, os.fdopen(source, "rb") as output:
        assert process.stdin
        process.stdin.write(HELLO)
        process.stdin.flush()
        output.readline()
        assert os.get_blocking(sink)
        os.close(sink)


NOISY = """
import subprocess, sys
from contextlib import asynccontextmanager
from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from airflow_mcp.stdio import serve_stdio

@asynccontextmanager
async def parts(settings):
    print("printed", flush=True)
    subprocess.run(["sh", "-c", "echo said by a child; cat"])
    print(repr(sys.stdin.read()), flush=True)
    yield None

serve_stdio(build_server(Settings.for_one(), parts))
print("after it")
"""


def test_only_the_protocol_is_on_standard_output_and_nobody_else_reads_the_input() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOISY],
        env=environment(),
        input=HELLO + LIST,
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
    *protocol, after = done.stdout.splitlines()
    assert (ids(b"\n".join(protocol)), after) == ([0, 1], b"after it")
    assert done.stderr.decode().split("\n")[:3] == ["printed", "said by a child", "''"]


# -- when it ends


def test_it_ends_when_nobody_reads_its_answers() -> None:
    with started() as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(HELLO)
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(LIST)
        process.stdin.flush()
        assert process.wait(SECONDS) == 0
        log = process.stderr.read().decode()
    assert "nobody reads the answers" in log
    assert "Traceback" not in log


PARENT = f"""
import subprocess, sys, time
server = subprocess.Popen({COMMAND!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
server.stdin.write({HELLO + call(1)!r})
server.stdin.flush()
time.sleep(60)
"""


def test_it_ends_with_its_parent_though_airflow_has_not_answered(airflow: SlowAirflow) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], env=environment(url=airflow.url), stderr=subprocess.PIPE
    ) as parent:
        assert parent.stderr
        try:
            assert airflow.asked.wait(SECONDS)
        finally:
            parent.send_signal(signal.SIGKILL)
        before = time.monotonic()
        parent.stderr.read()  # which the server holds until it ends
    assert time.monotonic() - before < SECONDS / 2
