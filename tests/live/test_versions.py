"""What the marks say of a release, against the OpenAPI document that this very release ships."""

from __future__ import annotations

import pytest

from airflow_mcp.errors import NeedsVersionError
from tests.fakes import MARKED, Airflow
from tests.oracle import Oracle

pytestmark = pytest.mark.anyio

ROUTES = {
    "get": ("dags/any/details", "dagSources/any"),
    "post": ("dags/any/clearTaskInstances",),
}
V1_NAMES = {"dataset_expression": "asset_expression"}


async def refused(oracle: Oracle, name: str, api_version: str) -> bool:
    airflow = Airflow(oracle.settings(api_version=api_version).instances[0])
    try:
        await airflow.require([name])
    except NeedsVersionError as error:
        assert str(error).startswith(f"{name} needs Airflow ")
        return True
    finally:
        await airflow.aclose()
    return False


@pytest.mark.parametrize("forced", [False, True])
async def test_exactly_what_is_not_in_the_document_is_refused(oracle: Oracle, forced: bool) -> None:
    api = f"v{oracle.major - 1}"
    documented: set[str] = set()
    for method, paths in ROUTES.items():
        for path in paths:
            documented |= {V1_NAMES.get(name, name) for name in oracle.document.fields(method, f"/api/{api}/{path}")}
    if oracle.major == 2:
        documented.add("file_token")  # which is a part of the route
    else:
        documented.discard("file_token")  # which the answers still have
    # Of values a document says nothing, or what is not so: 2.7 and 2.8 have new_state=skipped in it.
    names = {name for name, each in MARKED.items() if each.mark.value is None}
    found = {name for name in names if await refused(oracle, name, api if forced else "auto")}
    assert found == names - documented


@pytest.mark.parametrize("forced", [False, True])
async def test_a_state_that_cannot_be_set_is_refused(oracle: Oracle, forced: bool) -> None:
    api = f"v{oracle.major - 1}" if forced else "auto"
    assert await refused(oracle, "new_state=skipped", api) is not oracle.sets_skipped
    assert await refused(oracle, "new_state=failed", api) is False


ORDERS = [name.partition("=")[2] for name in MARKED if name.startswith("order_by=")]


@pytest.mark.parametrize("forced", [False, True])
async def test_exactly_the_orders_are_refused_that_the_server_refuses(oracle: Oracle, forced: bool) -> None:
    api = f"v{oracle.major - 1}" if forced else "auto"
    assert len(ORDERS) >= 3
    for order in ORDERS:
        status = oracle.http.get("dags", params={"order_by": order}).status_code
        assert status in (200, 400)
        assert await refused(oracle, f"order_by={order}", api) is (status == 400), order
