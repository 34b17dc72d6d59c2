"""The body of an answer: unpacked while it is read, and never more of it than was agreed."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

import anyio.lowlevel
import httpx

from airflow_mcp.airflow.failures import packed_otherwise, undecodable
from airflow_mcp.airflow.secrets import LineMask
from airflow_mcp.errors import TooLargeError

CODING = "gzip"
"""The one content coding that is asked for, and unpacked."""

LONGEST_LINE = 64 * 1024  # bytes

_NAMES = (CODING, "x-gzip")  # the second is the first (RFC 9110, 8.4.1.3)
_NONE = ("", "identity")
_HEADER = zlib.MAX_WBITS | 16  # of gzip, for zlib
_MAGIC = b"\x1f\x8b"
_PIECE = 64 * 1024


async def read_body(response: httpx.Response, most: int) -> None:
    """Read and unpack a body of `most` bytes at most, and leave it in the response for all who look at it.

    Left to itself, httpx unpacks at once what has come, as often as the answer says, and an answer to a sign-in
    without a limit. Raises TooLargeError as soon as there is more, NotAirflowError for another coding and for
    what does not unpack.
    """
    body = bytearray()
    async with aclosing(_pieces(response, most)) as pieces:
        async for piece in pieces:
            body += piece
    await response.stream.aclose()  # type: ignore[union-attr] # the client is an asynchronous one
    response.stream = httpx.ByteStream(bytes(body))
    response.headers.pop("content-encoding", None)
    await response.aread()


async def read_lines(response: httpx.Response, most: int, mask: LineMask) -> AsyncGenerator[str]:
    """The lines of a body of `most` bytes at most, unpacked, masked and given as they come.

    A line of more than LONGEST_LINE bytes is cut, and says how long it was. Raises as read_body does.
    """
    kept = LONGEST_LINE + mask.longest
    line, length = bytearray(), 0
    async with aclosing(_pieces(response, most)) as pieces:
        async for piece in pieces:
            *ended, last = piece.split(b"\n")
            for end in ended:
                line += end[: max(kept - len(line), 0)]
                yield _line(line, length + len(end), mask)
                line, length = bytearray(), 0
            length += len(last)
            line += last[: max(kept - len(line), 0)]
    if length:
        yield _line(line, length, mask)


def _line(line: bytearray, length: int, mask: LineMask) -> str:
    text = mask.hide(line.decode(errors="replace").removesuffix("\r"))
    if length <= LONGEST_LINE:
        return text
    shown = text.encode(errors="replace")
    # Of a secret only the beginning may stand at the end of what was kept.
    room = LONGEST_LINE if len(line) == length else min(LONGEST_LINE, len(shown) - mask.longest)
    return f"{shown[:room].decode(errors='ignore')}… ({length} bytes)"


async def _pieces(response: httpx.Response, most: int) -> AsyncGenerator[bytes]:
    unpacking = _unpacking(response)
    begun = False
    came = unpacked = 0
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - the client is an asynchronous one
    async for chunk in stream:
        came += len(chunk)
        for piece in unpacking.pieces(chunk) if unpacking else (chunk,):
            if begun:
                await anyio.lowlevel.checkpoint()  # others go on, and the time limit holds
            begun = True
            unpacked += len(piece)
            if max(came, unpacked) > most:
                raise TooLargeError(
                    f"{response.request.url.path} answered with over {most / 2**20:g} MiB.",
                    "Ask for less: one run instead of a date range, fewer tasks, a filter.",
                )
            yield piece
    if unpacking and not unpacking.ended:
        raise undecodable("it ends early")


def _unpacking(response: httpx.Response) -> _Gzip | None:
    given = [coding.strip().lower() for coding in response.headers.get_list("content-encoding", split_commas=True)]
    codings = [coding for coding in given if coding not in _NONE]
    if not codings:
        return None
    if len(codings) > 1 or codings[0] not in _NAMES:
        raise packed_otherwise(codings, CODING)
    return _Gzip()


class _Gzip:
    """Unpacks gzip a piece at a time, of one member or of many, one after the other."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(_HEADER)
        self._begun = False

    @property
    def ended(self) -> bool:
        """Whether a member is whole, or none has begun: an answer may have no body."""
        return self._unpacker.eof or not self._begun

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What more is unpacked with this. Raises NotAirflowError for what is no gzip."""
        more = bool(data)
        while more:
            if self._unpacker.eof:
                if not data.startswith(_MAGIC):
                    return  # padding, which every other program leaves alone too
                self._unpacker = zlib.decompressobj(_HEADER)
            self._begun = True
            try:
                piece = self._unpacker.decompress(data, _PIECE)
            except zlib.error:
                raise undecodable(f"it does not unpack as {CODING}") from None
            yield piece
            data = self._unpacker.unconsumed_tail or self._unpacker.unused_data
            more = bool(data) or len(piece) == _PIECE  # without more to read there may be more to come out
