"""Everything that is sent, checked against the OpenAPI document that each real Airflow ships in its package."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_mcp.airflow.permissions import PERMISSIONS
from airflow_mcp.demo.releases import RELEASES, StandaloneError, install
from tests.replay import FOLDER
from tests.servers import RECORDED, VERSIONS
from tests.specification import Specification, shipped

ONE = "dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}"
ONLY_LIVE = {
    # of tasks that wait in a running run: tests/live/test_diagnosis.py
    *(("GET", f"{ONE}/dependencies"), ("GET", f"{ONE}/{{map_index}}/dependencies")),
    # tests/live/test_backfills.py
    ("POST", "backfills"),
    *(("PUT", f"backfills/{{backfill_id}}/{action}") for action in ("pause", "unpause", "cancel")),
    # tests/live/test_assets.py
    ("POST", "assets/{asset_id}/materialize"),
    # tests/live/test_hitl.py
    ("PATCH", f"{ONE}/{{map_index}}/hitlDetails"),
}
"""Routes that no recording has, with the tests that call them."""


def specification(version: str) -> Specification:
    try:
        venv = install(RELEASES[version], report=print)
    except StandaloneError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"Airflow {version} cannot be installed here: {error}")
    return shipped(venv, RELEASES[version].major)


def requests(version: str) -> Iterator[dict[str, Any]]:
    recording = json.loads(Path(FOLDER / f"airflow-{version}.json").read_text(encoding="utf-8"))
    for exchange in recording["exchanges"]:
        yield exchange["request"]


@pytest.mark.parametrize("version", VERSIONS)
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


def test_permissions_are_of_routes_that_are_there() -> None:
    documents = [specification(version) for version in VERSIONS]
    assert [each for each in PERMISSIONS if not any(document.has(*each) for document in documents)] == []


def test_permissions_are_of_the_routes_that_are_called() -> None:
    called = {(each["method"], each["path"]) for version in RECORDED for each in requests(version)}
    called = {(method, path) for method, path in called if not path.endswith("/version")}  # which all may read
    used = {request: {route for route in PERMISSIONS if fits(request, route)} for request in called}
    assert [request for request in used if not used[request]] == []
    assert set(PERMISSIONS) - set().union(*used.values()) == ONLY_LIVE


def fits(request: tuple[str, str], route: tuple[str, str]) -> bool:
    pattern = r"/api/v\d/" + re.sub(r"\{\w+\}", "[^/]+", route[1])
    return request[0] == route[0] and re.fullmatch(pattern, request[1]) is not None
