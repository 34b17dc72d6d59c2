"""What stands for Airflow here comes to every route that the tools use."""

from __future__ import annotations

import pytest

from tests.hostile.airflow import RELEASES, ways
from tests.routes import ROUTES

pytestmark = pytest.mark.anyio


async def test_every_route_is_reached() -> None:
    steps = {way.step.removesuffix(" dry run") for release in RELEASES for way in await ways(release)}
    versions = {"GET api/v1/version", "GET api/v2/version"}
    assert steps >= versions | {"POST auth/token"}
    one = "PATCH dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}"
    assert one in steps
    assert {f"{route.method} {route.path}" for route in ROUTES} == steps - versions - {"POST auth/token"}
