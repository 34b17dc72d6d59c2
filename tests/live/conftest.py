from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import partial
from typing import Any

import pytest
from mcp.types import CallToolResult

from airflow_mcp.demo.releases import StandaloneError
from tests.fab import fab_airflow
from tests.oracle import Oracle
from tests.releases import FAB_NAME, RUN
from tests.servers import Airflows, real_airflow
from tests.session import CALLED, Session, connect
from tests.unchanged import changed_as_told, unchanged

AIRFLOWS = pytest.StashKey[Airflows]()
GROUP = "xdist_group"


def pytest_configure(config: pytest.Config) -> None:
    kinds = {name: partial(real_airflow, name) for name in RUN}
    config.stash[AIRFLOWS] = Airflows({**kinds, FAB_NAME: fab_airflow})


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of one server together, in one worker, so that it starts once and is worked by one at a time."""
    for item in items:
        if isinstance(item, pytest.Function) and (name := getattr(item, "callspec", None) and _server(item)):
            item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=lambda item: (_group(item) == "", _group(item)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fail if the groups are not kept: two workers on one server would each move what the other looks at."""
    if hasattr(session.config, "workerinput"):
        lost = [item.nodeid for item in session.items if not item.nodeid.endswith(f"@{_group(item)}".rstrip("@"))]
        assert lost == [], "several workers need `--dist loadgroup`, and an xdist that fits this pytest"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Stop a server after the last of its tests."""
    yield
    if nextitem is None or _group(nextitem) != _group(item):
        item.config.stash[AIRFLOWS].stop(_group(item))


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.stash[AIRFLOWS].stop_all()  # what an interrupted test has left


def _server(item: pytest.Function) -> str:
    return str(item.callspec.params.get("oracle", ""))


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker(GROUP)
    return str(marker.args[0]) if marker else ""


@pytest.fixture(autouse=True)
def tools_called(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Notes in a JUnit report which tools a test called, for scripts/matrix.py."""
    CALLED.clear()
    yield
    record_property("tools", " ".join(sorted(CALLED)))


@pytest.fixture(autouse=True)
def previews_are_true(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks around each preview, and each change of task instances, so that no test can forget to."""
    if "oracle" not in request.fixturenames:
        return
    watched: Oracle = request.getfixturevalue("oracle")
    call = Session.call

    async def bracketed(self: Session, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        answers: list[Any] = []
        if arguments.get("confirm") is False or tool.startswith("preview_"):
            around = unchanged(watched)
        elif tool in ("clear_task_instances", "set_task_instances_state"):
            around = changed_as_told(watched, arguments, answers)
        else:
            return await call(self, tool, arguments)
        with around:
            result = await call(self, tool, arguments)
            answers += [result.structured_content] if (result.structured_content or {}).get("done") else []
        return result

    monkeypatch.setattr(Session, "call", bracketed)


@pytest.fixture(params=RUN)
def oracle(request: pytest.FixtureRequest) -> Oracle:
    """A real Airflow; a test that takes it runs against each, or against those that it is parametrized with."""
    try:
        return request.config.stash[AIRFLOWS].get(request.param)
    except StandaloneError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no real Airflow can run here: {error}")


@pytest.fixture
async def session(oracle: Oracle) -> AsyncIterator[Session]:
    async with connect(oracle) as connected:
        yield connected
