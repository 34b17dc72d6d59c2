"""The way to an Airflow that stands behind TLS of a private authority and a path prefix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_mcp.check import findings
from tests.scale.population import DAGS, SomeDag
from tests.scale.site import PREFIX, Site

pytestmark = pytest.mark.anyio


async def test_check_finds_all_in_order(site: Site) -> None:
    lines = [str(finding) async for finding in findings(site.settings().instances[0])]
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert f"ok   url       {site.proxy.url} answers" in lines
    assert f"ok   may       list DAGs: {DAGS} seen" in lines


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _: {"ca_bundle": None}, ("certificate", "set AIRFLOW_MCP_CA_BUNDLE")),
        (lambda url: {"url": url.replace("localhost", "127.0.0.1")}, ("host name", "AIRFLOW_MCP_URL")),
        (lambda url: {"url": url.removesuffix(PREFIX)}, ("a web page, not Airflow's API", "AIRFLOW_MCP_URL")),
        (lambda url: {"url": url.replace("https:", "http:")}, ("The plain HTTP request was sent to HTTPS port",)),
    ],
    ids=["unknown authority", "another host name", "no prefix", "plain HTTP"],
)
async def test_a_wrong_address_is_told(
    site: Site, change: Callable[[str], dict[str, Any]], says: tuple[str, ...]
) -> None:
    async with site.connect(**change(site.proxy.url)) as session:
        message = await session.error("get_dags")
    assert [part for part in says if part not in message] == [], message


async def test_a_wrong_password(site: Site) -> None:
    async with site.connect(password="wr0ng-secret") as session:
        message = await session.error("get_dag", dag_id=SomeDag(1).dag_id)
    assert "AIRFLOW_MCP_PASSWORD" in message
    assert "wr0ng-secret" not in message
