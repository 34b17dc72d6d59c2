"""Ending all that `airflow standalone` has started: its processes make sessions and groups of their own."""

import contextlib
import os
import signal
import time
from pathlib import Path

from airflow_mcp.demo.releases import StandaloneError


def end_server(home: Path, leader: int) -> None:
    """End every process of the server with this Airflow home, whose first process is `leader`.

    Raises StandaloneError if one outlives SIGKILL.
    """
    # Not SIGINT: Airflow then waits ten seconds for its own threads.
    if not (_gone_after(signal.SIGTERM, 5, home, leader) or _gone_after(signal.SIGKILL, 10, home, leader)):
        raise StandaloneError(f"Airflow does not stop: {_living(home, leader)}")


def _gone_after(number: signal.Signals, patience: float, home: Path, leader: int) -> bool:
    deadline, signalled = time.monotonic() + patience, set[int]()
    while living := _living(home, leader):
        if time.monotonic() > deadline:
            return False
        for pid in set(living) - signalled:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        signalled.update(living)
        time.sleep(0.1)
    return True


def _living(home: Path, leader: int) -> list[int]:
    """The ids to signal: processes where the system tells whose they are, else their first one's group."""
    if Path("/proc/self/environ").exists():
        return _processes_with(f"AIRFLOW_HOME={home}")
    with contextlib.suppress(OSError):
        os.waitpid(leader, os.WNOHANG)  # unless reaped, it still looks alive
    with contextlib.suppress(OSError):
        os.killpg(leader, 0)
        return [-leader]
    return []


def _processes_with(variable: str) -> list[int]:
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # ended meanwhile, or another user's
            if variable.encode() in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
    return [pid for pid in found if pid != os.getpid()]
