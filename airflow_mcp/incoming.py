"""What a client sends, made whole before the SDK reads it.

A surrogate without its other half is good JSON and no text. The SDK gives no answer to a line with one over
stdio, refuses it over HTTP without saying what for, and ends where it is to write one.
"""

from __future__ import annotations

import io
from typing import BinaryIO, TextIO

from mcp.server.transport_security import DEFAULT_MAX_REQUEST_BODY_SIZE, RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_mcp.text.whole import whole_json


def whole_lines(stdin: TextIO) -> TextIO:
    """The same input, each line of it made whole."""
    return io.TextIOWrapper(_WholeLines(stdin.buffer), encoding="utf-8")


def whole_bodies(app: ASGIApp) -> ASGIApp:
    """The same application, the body of each request made whole. One that is too large for the SDK is refused."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def whole() -> Message:
            message = await receive()
            return {**message, "body": _whole(message["body"])} if message["type"] == "http.request" else message

        await app(scope, whole, send)

    return RequestBodyLimitMiddleware(call, DEFAULT_MAX_REQUEST_BODY_SIZE)  # which gives a body as one message


class _WholeLines(io.BufferedIOBase):
    """Has no descriptor, so the SDK reads from here and not from the one below."""

    name = "<stdin>"

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1, /) -> bytes:  # noqa: ARG002 - a line, of whatever length
        return _whole(self._source.readline())


def _whole(json: bytes) -> bytes:
    return whole_json(json.decode(errors="replace")).encode()
