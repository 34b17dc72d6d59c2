"""Which DAGs wait on the assets of tasks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.asset_consumers import dags_waiting_for
from airflow_mcp.instance import Instance
from tests.fakes import URL, Airflow, OfRelease

pytestmark = pytest.mark.anyio


def asset(uri: str, consumers: str, *producers: tuple[str, str], of_dags: str = "scheduled_dags") -> dict[str, Any]:
    tasks = [{"dag_id": dag_id, "task_id": task_id} for dag_id, task_id in producers]
    return {"uri": uri, of_dags: [{"dag_id": each} for each in consumers], "producing_tasks": tasks}


class WithAssets(OfRelease):
    """An Airflow with these assets."""

    def __init__(self, version: str, *assets: dict[str, Any]) -> None:
        super().__init__(version)
        self.assets = assets

    async def rest(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(("/assets", "/datasets")):
            assert request.url.params["dag_ids"] == "etl"
            return httpx.Response(200, json={request.url.path.rpartition("/")[2]: self.assets, "total_entries": 1})
        return httpx.Response(201, json={"access_token": "t"})


async def waiting(fake: OfRelease, *task_ids: str) -> list[str]:
    airflow = Airflow(Instance(url=URL, username="admin", password="pw"), fake)
    try:
        return await dags_waiting_for(await airflow.api(), "etl", task_ids)
    finally:
        await airflow.aclose()


async def test_those_scheduled_on_an_asset_of_these_tasks() -> None:
    assets = (
        asset("s3://a", "xy", ("etl", "load"), ("other", "t")),
        asset("s3://b", "x", ("etl", "load")),
        asset("s3://c", "z", ("etl", "early")),
        asset("s3://d", "z", ("other", "load")),
        asset("s3://e", "", ("etl", "load")),
    )
    assert await waiting(WithAssets("3.3.2", *assets), "load") == ["x (s3://a)", "y (s3://a)"]
    assert await waiting(WithAssets("3.3.2", *assets), "load", "early") == ["x (s3://a)", "y (s3://a)", "z (s3://c)"]


@pytest.mark.parametrize(("version", "found"), [("2.11.2", ["x (s3://a)"]), ("3.0.6", ["x (s3://a)"]), ("2.8.4", [])])
async def test_older_releases_call_them_consuming_dags(version: str, found: list[str]) -> None:
    assets = asset("s3://a", "x", ("etl", "load"), of_dags="consuming_dags")
    assert await waiting(WithAssets(version, assets), "load") == found
