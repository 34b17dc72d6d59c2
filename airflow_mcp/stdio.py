"""The protocol over standard input and output: one message a line, read and written in the event loop.

The SDK's own way takes two threads and four hops between them for a call, and drops what it cannot read.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import stat
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import anyio
from anyio import to_thread
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from airflow_mcp.text.whole import whole_json

READ_AT_ONCE = 65_536
LOOK_AGAIN = 0.05  # seconds

logger = logging.getLogger(__name__)


def serve_stdio(server: Server[Any]) -> None:
    """Serve until the input ends and what it asked for is answered, nobody reads the output, or a signal comes."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own waits for the calls that are under way
    anyio.run(_serve, server)


async def _serve(server: Server[Any]) -> None:
    with _kept_for_the_protocol() as (source, sink), anyio.CancelScope() as scope:
        outgoing = _Outgoing(sink, scope)
        incoming = _Incoming(source, outgoing)
        await server.run(incoming, outgoing, server.create_initialization_options())


@contextmanager
def _kept_for_the_protocol() -> Iterator[tuple[int, int]]:
    """Standard input and output as descriptors that no other code knows.

    Whoever else reads the input, a child process too, finds it empty; what else is printed goes to standard error.
    """
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    try:
        yield source, sink
    finally:
        for kept, standard in ((source, 0), (sink, 1)):
            os.dup2(kept, standard)
            os.close(kept)


def _can_be_waited_for(descriptor: int) -> bool:
    """Whether the event loop can: not for files and terminals, and for nothing on Windows."""
    mode = os.fstat(descriptor).st_mode
    return sys.platform != "win32" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


class _Stream:
    """What the SDK asks of a stream besides its messages. There is nothing to close: the descriptors are kept."""

    async def aclose(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class _Outgoing(_Stream):
    """Writes messages, and knows which requests have not been answered."""

    def __init__(self, sink: int, serving: anyio.CancelScope) -> None:
        self._sink = sink
        self._serving = serving
        self._waits = _can_be_waited_for(sink)
        self._lock = anyio.Lock(fast_acquire=True)
        self._unanswered: Counter[str] = Counter()  # some clients give several requests the same id

    async def send(self, item: SessionMessage, /) -> None:
        """Write a message, whole. When nobody reads it, the serving ends."""
        message = item.message
        line = message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
        async with self._lock:
            with anyio.CancelScope(shield=True):  # half a line would spoil the next one
                try:
                    await self._write(line)
                except OSError as error:
                    logger.warning("nobody reads the answers (%s): the server ends", error)
                    self._serving.cancel()
                    raise anyio.BrokenResourceError from error
        if isinstance(message, JSONRPCResponse | JSONRPCError):
            self.forget(message.id)

    async def _write(self, line: bytes) -> None:
        if not self._waits:
            await to_thread.run_sync(_write_all, self._sink, line)
            return
        # The descriptor stays a blocking one, since others may share it. So much is taken at once where any is.
        rest = memoryview(line)
        while rest:
            if not select.select([], [self._sink], [], 0)[1]:
                await anyio.wait_writable(self._sink)
            rest = rest[os.write(self._sink, rest[: select.PIPE_BUF]) :]

    def expect(self, request: object) -> None:
        """A request came in: it is to be answered."""
        self._unanswered[str(request)] += 1

    def forget(self, request: object) -> None:
        """A request is answered, or its client no longer wants it to be."""
        key = str(request)
        if self._unanswered[key] > 1:
            self._unanswered[key] -= 1
        else:
            self._unanswered.pop(key, None)

    async def finish(self) -> None:
        """Wait until every request is answered, or nobody is there to read it."""
        while self._unanswered and not self._is_broken():  # noqa: ASYNC110 - no event tells that a reader is gone
            await anyio.sleep(LOOK_AGAIN)

    def _is_broken(self) -> bool:
        if not self._waits:
            return False
        poll = select.poll()
        poll.register(self._sink, 0)  # which tells of errors alone
        return bool(poll.poll(0))


class _Incoming(_Stream):
    """Reads messages. It ends when the input has, and all that it asked for is answered."""

    def __init__(self, source: int, outgoing: _Outgoing) -> None:
        self._source = source
        self._outgoing = outgoing
        self._waits = _can_be_waited_for(source)
        self._lines = self._read_lines()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage:
        async for line in self._lines:
            if line.strip() and (message := await self._read_message(line)):
                return message
        await self._outgoing.finish()
        raise StopAsyncIteration

    async def receive(self) -> SessionMessage:
        """The next message. Raises EndOfStream."""
        try:
            return await anext(self)
        except StopAsyncIteration:
            raise anyio.EndOfStream from None

    async def _read_lines(self) -> AsyncIterator[bytes]:
        parts: list[bytes] = []
        while piece := await self._read():
            *ends, rest = piece.split(b"\n")
            for end in ends:
                yield b"".join([*parts, end])
                parts.clear()
            parts.append(rest)
        yield b"".join(parts)

    async def _read(self) -> bytes:
        if not self._waits:
            return await to_thread.run_sync(os.read, self._source, READ_AT_ONCE, abandon_on_cancel=True)
        await anyio.wait_readable(self._source)
        try:
            return os.read(self._source, READ_AT_ONCE)
        except ConnectionResetError:  # a socket whose other end is gone
            return b""

    async def _read_message(self, line: bytes) -> SessionMessage | None:
        """The message of a line. One that is none is answered with why, and gives None."""
        try:
            message = jsonrpc_message_adapter.validate_json(whole_json(line.decode(errors="replace")), by_name=False)
        except ValidationError as error:
            broken = error.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid"
            problem = (
                ErrorData(code=PARSE_ERROR, message="Parse error: the line is not JSON")
                if broken
                else ErrorData(code=INVALID_REQUEST, message="Invalid request: the line is not a JSON-RPC message")
            )
            await self._outgoing.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=None, error=problem)))
            return None
        if isinstance(message, JSONRPCRequest):
            self._outgoing.expect(message.id)
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            self._outgoing.forget((message.params or {}).get("requestId"))
        return SessionMessage(message)


def _write_all(sink: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(sink, rest) :]
