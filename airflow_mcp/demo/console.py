"""What the demo prints while it works, and how it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

HEARTBEAT = 10  # seconds between two signs of life while something is installed or started


class DemoError(Exception):
    """A step did not do what it says."""


def require(holds: bool, problem: str) -> None:
    """Fail the demo unless something holds."""
    if not holds:
        raise DemoError(problem)


def say(text: str) -> None:
    """Print at once: what follows may take a while."""
    print(text, flush=True)


@contextmanager
def signs_of_life() -> Iterator[None]:
    """Say every few seconds that it goes on."""
    started, over = time.monotonic(), threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT):
            say(f"  … {time.monotonic() - started:.0f} s")

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
