"""A log of 100 MB, from a real HTTP server: it costs this server little memory, and a model few tokens."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from scripts.generate import tokens

MIB = 1024 * 1024
MOST_MEMORY = 64 * MIB
MOST_TOKENS = 2000
AROUND = 120
"""Tokens of an answer that are not the log: its fields, the fence, the escapes."""
PIECE = 1 * MIB
LENGTH = 100 * MIB
LONG_LINE = 50 * MIB

MESSAGES = [f"order {n * 7919} of customer {n}: 19.90 EUR{', checked and loaded' * 20}" for n in range(40)]


def text(*, broken: bool) -> str:
    """What Airflow 2 gives, a piece of it: lines of text."""
    time = "[2026-11-22T13:46:02.408+0000] {sales.py:56}"
    lines = [f"{time} INFO - {message}" for message in MESSAGES]
    if broken:
        lines += [f"{time} ERROR - no exchange rate", "Traceback (most recent call last):"]
        lines += [f'  File "/opt/airflow/dags/sales.py", line {number}, in load' for number in range(50)]
        lines += ["KeyError: 'EUR'"]
    return "".join(f"{line}\n" for line in lines)


def events(*, broken: bool) -> str:
    """What Airflow 3 gives, a piece of it: an event a line."""
    info = {"timestamp": "2026-11-22T13:46:02.408Z", "level": "info"}
    told: list[dict[str, Any]] = [{**info, "event": message} for message in MESSAGES]
    if broken:
        frames = [{"filename": "/opt/airflow/dags/sales.py", "lineno": number, "name": "load"} for number in range(50)]
        error = {"exc_type": "KeyError", "exc_value": "'EUR'", "frames": frames}
        told += [{**info, "level": "error", "event": "no exchange rate", "error_detail": [error]}]
    return "".join(f"{json.dumps(event)}\n" for event in told)


def pieces(form: Any, long_line: int) -> Iterator[bytes]:
    """A log of LENGTH bytes: one long event if wanted, then many lines, with an error in each piece."""
    one = form(broken=False).encode()
    piece = one * (PIECE // len(one)) + form(broken=True).encode()
    sent = 0
    if long_line:
        yield b'{"event": "'
        for _ in range(long_line // PIECE):
            yield b"x" * PIECE
        yield b'"}\n'
        sent = long_line
    while sent < LENGTH:
        yield piece
        sent += len(piece)


class Handler(BaseHTTPRequestHandler):
    """An Airflow with one task instance whose log is big, and one whose log is small."""

    form: Any
    long_line: int

    def do_GET(self) -> None:
        if "/logs/" not in self.path:
            self.answer("application/json", [b'{"try_number": 1, "state": "failed"}'])
        elif "/small/" in self.path:
            self.answer("text/plain", [self.form(broken=True).encode()])
        else:
            self.answer("text/plain", pieces(self.form, self.long_line))

    def answer(self, kind: str, body: Any) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        for piece in body:
            self.wfile.write(piece)

    def log_message(self, *_: Any) -> None:
        """Not on the tests' output."""


@contextmanager
def serving(form: Any, long_line: int) -> Iterator[str]:
    handler = type("Of", (Handler,), {"form": staticmethod(form), "long_line": long_line})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process its peak")
@pytest.mark.parametrize(
    ("api_version", "form", "long_line"),
    [
        ("v1", text, 0),
        ("v2", events, LONG_LINE),
    ],
    ids=["text", "events with a long line"],
)
def test_a_log_of_100_mb(api_version: str, form: Any, long_line: int) -> None:
    task = {"dag_id": "sales", "dag_run_id": "r1", "task_id": "big", "max_tokens": MOST_TOKENS}
    with serving(form, long_line) as url:
        settings = {"url": url, "token": "t", "api_version": api_version, "timeout": 120}
        told = subprocess.run(
            [sys.executable, "-m", "tests.peak", json.dumps(settings), json.dumps(task)],
            capture_output=True,
            text=True,
            check=True,
            timeout=150,
        )
    answer = json.loads(told.stdout)
    assert not answer["failed"], answer["text"]
    assert answer["cost"] <= MOST_MEMORY
    assert MOST_TOKENS / 4 < tokens(answer["text"]) <= MOST_TOKENS + AROUND
    assert "KeyError: 'EUR'" in answer["text"]
