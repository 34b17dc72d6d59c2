"""The way to an Airflow that stands behind TLS of a private authority and a path prefix."""

from __future__ import annotations

import pytest

from airflow_mcp.check import findings
from airflow_mcp.settings import Settings
from tests.scale.population import DAGS, SomeDag
from tests.scale.site import PREFIX, Site

pytestmark = pytest.mark.anyio


async def test_check_finds_all_in_order(site: Site) -> None:
    lines = [str(finding) async for finding in findings(site.settings())]
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert f"ok   url       {site.proxy.url} answers" in lines
    assert f"ok   may       list DAGs: {DAGS} seen" in lines


async def test_an_authority_that_is_not_known(site: Site) -> None:
    async with site.connect(ca_bundle=None) as session:
        message = await session.error("get_dags")
    assert "certificate" in message
    assert "set AIRFLOW_MCP_CA_BUNDLE" in message


async def test_a_host_name_that_the_certificate_is_not_for(site: Site) -> None:
    async with site.connect(url=site.proxy.url.replace("localhost", "127.0.0.1")) as session:
        message = await session.error("get_dags")
    assert "host name" in message


async def test_the_prefix_left_out(site: Site) -> None:
    async with site.connect(url=site.proxy.url.removesuffix(PREFIX)) as session:
        message = await session.error("get_dags")
    assert "a web page, not Airflow's API" in message
    assert "AIRFLOW_MCP_URL" in message


async def test_plain_http_to_the_tls_port(site: Site) -> None:
    async with site.connect(url=site.proxy.url.replace("https:", "http:")) as session:
        message = await session.error("get_dags")
    assert "The plain HTTP request was sent to HTTPS port" in message


async def test_a_wrong_password(site: Site) -> None:
    async with site.connect(password="wr0ng-secret") as session:
        message = await session.error("get_dag", dag_id=SomeDag(1).dag_id)
    assert "AIRFLOW_MCP_PASSWORD" in message
    assert "wr0ng-secret" not in message


def test_no_setting_is_needed_but_these(site: Site) -> None:
    given = site.settings().model_dump(exclude_defaults=True).keys()
    assert given == {"url", "ca_bundle", "username", "password", "timeout"}
    assert isinstance(site.settings(), Settings)
