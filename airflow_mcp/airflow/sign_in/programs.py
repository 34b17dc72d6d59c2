"""One program, run for what it prints, within bounds of time and size."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import anyio
from anyio.abc import ByteReceiveStream, Process

from airflow_mcp.errors import TooLargeError

KEPT_ERRORS = 4096  # bytes, the last ones
LAST_WORDS = 0.5  # seconds for them to arrive once the program has ended


@dataclass(frozen=True)
class Ended:
    """What became of a program."""

    status: int
    output: bytes
    errors: bytes
    """The end of what it wrote to standard error."""


async def run_program(command: Sequence[str], patience: float, most: int) -> Ended:
    """Run a program to its end, without input.

    Raises OSError when it cannot be started, TimeoutError after `patience` seconds, TooLargeError when it prints
    over `most` bytes; it and what it started are then ended, as when the caller is cancelled.
    """
    process = await anyio.open_process(command, stdin=subprocess.DEVNULL, start_new_session=True)
    output, errors = bytearray(), bytearray()
    try:
        with anyio.fail_after(patience):
            async with anyio.create_task_group() as readers:
                readers.start_soon(_keep_end, process.stderr, errors, said := anyio.Event())
                whole = await _keep_all(process.stdout, output, most)
                if whole:
                    status = await process.wait()
                    with anyio.move_on_after(LAST_WORDS):  # what it left running, such as ssh's, may hold them open
                        await said.wait()
                readers.cancel_scope.cancel()
            if not whole:
                raise TooLargeError(f"more than {most} bytes")
    except BaseException:
        _kill(process)
        raise
    finally:
        with anyio.move_on_after(LAST_WORDS, shield=True), suppress(PermissionError):
            await process.aclose()
    return Ended(status, bytes(output), bytes(errors))


async def _keep_all(stream: ByteReceiveStream | None, kept: bytearray, most: int) -> bool:
    """Read to the end; False when that is over `most` bytes."""
    assert stream is not None  # noqa: S101 - a pipe was asked for
    async for chunk in stream:
        kept += chunk
        if len(kept) > most:
            return False
    return True


async def _keep_end(stream: ByteReceiveStream | None, kept: bytearray, ended: anyio.Event) -> None:
    assert stream is not None  # noqa: S101
    async for chunk in stream:
        kept += chunk
        del kept[:-KEPT_ERRORS]
    ended.set()


def _kill(process: Process) -> None:
    """End a process and what it started, which may run on when the process itself has ended."""
    # Not permitted: another user's program is in the group, such as sudo's.
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # Windows
            process.kill()
