"""What the marks say of a release, against the OpenAPI document that this very release ships."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import BaseModel

from airflow_mcp.errors import NeedsVersionError
from airflow_mcp.models.page import row_of
from airflow_mcp.tools.releases import marked
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.fakes import MARKED, Airflow
from tests.oracle import Oracle
from tests.specification import Specification

pytestmark = pytest.mark.anyio

ROUTES = {
    "get_dags": [("get", "dags")],
    "get_dag_details": [("get", "dags/any/details")],
    "get_dag_source": [("get", "dagSources/any")],
    "get_dag_runs": [("get", "dags/any/dagRuns"), ("get", "dags/any/dagRuns/any")],
    "get_dag_run": [("get", "dags/any/dagRuns/any")],
    "get_task_instances": [("get", "dags/any/dagRuns/any/taskInstances/any")],
    "get_task_instance": [("get", "dags/any/dagRuns/any/taskInstances/any")],
    "get_import_errors": [("get", "importErrors"), ("get", "importErrors/any")],
    "clear_task_instances": [("post", "dags/any/clearTaskInstances")],
    "preview_clear_task_instances": [("post", "dags/any/clearTaskInstances")],
}
"""Of each tool, the routes whose documents name what some releases do not have."""
OUR_NAMES = {"dataset_expression": "asset_expression", "last_dag_run_state": "last_run_state"}


def unlike(model: type[BaseModel]) -> set[str]:
    """The fields that some releases do not have, but no single values: of those a document says little, or nothing."""
    return {each.name for each in marked(model) if each.mark.value is None}


ARGUMENTS = {spec.name: unlike(spec.arguments) for spec in ALL_TOOLS}
ANSWERS = {spec.name: unlike(row_of(spec.answer)) for spec in ALL_TOOLS}


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
    assert ROUTES.keys() == {tool for tool in ARGUMENTS if ARGUMENTS[tool] | ANSWERS[tool]}
    for tool, routes in ROUTES.items():
        refusals = {
            name for name in ARGUMENTS[tool] | ANSWERS[tool] if await refused(oracle, name, api if forced else "auto")
        }
        assert refusals == undocumented(oracle.document, oracle.major, tool, routes), tool


def undocumented(document: Specification, major: int, tool: str, routes: Sequence[tuple[str, str]]) -> set[str]:
    taken: set[str] = {"file_token"} if major == 2 else set()  # a part of the route
    given: set[str] = set()
    for method, path in routes:
        taken |= document.taken(method, f"/api/v{major - 1}/{path}")
        given |= document.given(method, f"/api/v{major - 1}/{path}")
    taken, given = ({OUR_NAMES.get(name, name) for name in names} for names in (taken, given))
    return (ARGUMENTS[tool] - taken) | (ANSWERS[tool] - given)


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
