"""For every test: how long it may take, and where it can be seen which one is running."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.leftovers import RUN_BY, end_airflows_of_this_run

ROOT = Path(__file__).parent.parent
RUNNING = ROOT / ".running"
SECONDS = {"live": 180, "scale": 900}
"""By folder, what a test may take, the servers that it starts included; others have what pyproject.toml says."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def end(*_: object) -> None:
    """Told to end, pytest stops its servers first, however often it is told."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGTERM, end)
    if not hasattr(config, "workerinput"):  # a worker's tests are told to the process that started it
        config.pluginmanager.register(RunningTests(RUNNING))
        os.environ[RUN_BY] = str(os.getpid())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        end_airflows_of_this_run()  # an interrupted worker has ten seconds to end, and an Airflow may take longer


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if seconds := SECONDS.get(item.path.parent.name):
            item.add_marker(pytest.mark.timeout(seconds))


class RunningTests:
    """Keeps a file with the names of the tests that have begun and not ended; `.ci/run` shows it when time is up."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._names: set[str] = set()
        file.unlink(missing_ok=True)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._names.add(nodeid)
        self._write()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._names.discard(nodeid)
        self._write()

    def _write(self) -> None:
        self._file.write_text("".join(f"{name}\n" for name in sorted(self._names)), encoding="utf-8")
