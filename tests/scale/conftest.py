from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from airflow_mcp.demo.releases import StandaloneError
from benchmarks.scale import Figure, table
from tests import nginx, postgres
from tests.scale.site import Site, filled_site
from tests.session import Session

FIGURES = pytest.StashKey[list[Figure]]()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    missing = [*postgres.missing(), *nginx.missing()]
    try:
        if missing:
            raise StandaloneError(f"missing: {', '.join(missing)} (`make test-scale` as root brings them to a Debian)")
        with filled_site(tmp_path_factory.mktemp("nginx")) as found:
            yield found
    except StandaloneError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no Airflow on PostgreSQL behind nginx can run here: {error}")


@pytest.fixture
async def session(site: Site) -> AsyncIterator[Session]:
    async with site.connect() as connected:
        yield connected


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[Figure]:
    """Where figures are put that are to be shown at the end."""
    return request.config.stash.setdefault(FIGURES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if figures := config.stash.get(FIGURES, []):
        terminalreporter.section("figures")
        terminalreporter.write(table(figures))
