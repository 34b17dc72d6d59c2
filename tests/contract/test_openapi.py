"""Everything that is sent, checked against the OpenAPI document that each real Airflow ships in its package."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_mcp.airflow.route import Route
from airflow_mcp.demo.releases import RELEASES, StandaloneError, install
from tests.fakes import MARKED
from tests.recordings import load
from tests.releases import LAST
from tests.routes import ROUTES
from tests.servers import RECORDED
from tests.specification import Specification, shipped


def specification(version: str) -> Specification:
    try:
        venv = install(RELEASES[version], report=print)
    except StandaloneError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"Airflow {version} cannot be installed here: {error}")
    return shipped(venv, RELEASES[version].major)


def requests(version: str) -> Iterator[dict[str, Any]]:
    return (exchange["request"] for exchange in load(version))


@pytest.mark.parametrize("version", LAST)
def test_every_request_is_in_the_document(version: str) -> None:
    document = specification(version)
    routes = set()
    for request in requests(version):
        if request["path"].endswith("/api/v2/version") and version == "2.11":
            continue  # how the version is found out: Airflow 2 answers 404
        operation = document.operation(request["method"], request["path"])
        assert operation is not None, request
        details, parameters = operation
        known = {each["name"] for each in parameters if each["in"] == "query"}
        sent = {name for name, _ in request["query"]}
        assert sent <= known, (request["path"], sent - known)
        if request["body"] is not None:
            assert document.body_errors(details, request["body"]) == [], request
        routes.add(details["operationId"])
    assert len(routes) >= 12, routes


def test_every_route_is_in_a_document() -> None:
    documents = [specification(version) for version in LAST]
    assert [each for each in ROUTES if not any(document.has(each.method, each.path) for document in documents)] == []


def test_every_route_is_called() -> None:
    called = {(each["method"], each["path"]) for version in RECORDED for each in requests(version)}
    called = {(method, path) for method, path in called if not path.endswith("/version")}  # which all may read
    used = {request: {route for route in ROUTES if fits(request, route)} for request in called}
    assert [request for request in used if not used[request]] == []
    assert set(ROUTES) - set().union(*used.values()) == set()


def fits(request: tuple[str, str], route: Route) -> bool:
    pattern = r"/api/v\d/" + re.sub(r"\{\w+\}", "[^/]+", route.path)
    return request[0] == route.method and re.fullmatch(pattern, request[1]) is not None


def test_the_orders_of_dags_are_those_of_the_document() -> None:
    """Airflow 3.3 lists them; older ones are tried on real servers."""
    operation = specification("3.3").operation("GET", "/api/v2/dags")
    assert operation
    [told] = [each["description"] for each in operation[1] if each["name"] == "order_by"]
    supported = set(re.search(r"Supported attributes: `([^`]+)`", told)[1].split(", "))  # type: ignore[index]
    marked = {name.partition("=")[2] for name in MARKED if name.startswith("order_by=")}
    assert marked
    assert marked <= supported
