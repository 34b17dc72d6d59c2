from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from airflow_mcp.demo.releases import StandaloneError
from tests.oracle import Oracle
from tests.servers import RUN, real_airflows
from tests.session import CALLED, Session, connect


@pytest.fixture(autouse=True)
def tools_called(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Notes in a JUnit report which tools a test called, for scripts/matrix.py."""
    CALLED.clear()
    yield
    record_property("tools", " ".join(sorted(CALLED)))


@pytest.fixture(scope="session")
def oracles() -> Iterator[dict[str, Oracle]]:
    try:
        with real_airflows() as found:
            yield found
    except StandaloneError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no real Airflow can run here: {error}")


@pytest.fixture(params=RUN)
def oracle(request: pytest.FixtureRequest, oracles: dict[str, Oracle]) -> Oracle:
    """One of them; a test that takes it runs against each."""
    return oracles[request.param]


@pytest.fixture
async def session(oracle: Oracle) -> AsyncIterator[Session]:
    async with connect(oracle) as connected:
        yield connected


@pytest.fixture(scope="session")
def failed_runs(oracles: dict[str, Oracle]) -> dict[tuple[str, str], str]:
    """By version and DAG, a run that really failed, for tests that mend it: see `broken_runs` for others."""
    return fail(oracles)


@pytest.fixture(scope="session")
def broken_runs(oracles: dict[str, Oracle]) -> dict[tuple[str, str], str]:
    """The same, for tests that only look."""
    return fail(oracles)


def fail(oracles: dict[str, Oracle]) -> dict[tuple[str, str], str]:
    """A chain that fails in its second task, a mapped task that fails in one index."""
    runs = {}
    for version, oracle in oracles.items():
        for dag_id in ("sales_etl", "load_files"):
            oracle.pause(dag_id, False)
            runs[version, dag_id] = oracle.trigger(dag_id)
    for (version, dag_id), run_id in runs.items():
        assert oracles[version].wait_for_run(dag_id, run_id) == "failed"
    return runs
