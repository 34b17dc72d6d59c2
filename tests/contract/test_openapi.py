"""Everything that is sent, checked against the OpenAPI document that each real Airflow ships in its package."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from airflow_mcp.demo.releases import RELEASES, StandaloneError, install
from tests.replay import FOLDER
from tests.servers import VERSIONS

SHIPPED = {
    "2.11": "airflow/api_connexion/openapi/v1.yaml",
    "3.3": "airflow/api_fastapi/core_api/openapi/v2-rest-api-generated.yaml",
}


class Specification:
    """An OpenAPI document: finds the operation of a request, and what it takes."""

    def __init__(self, document: dict[str, Any], prefix: str) -> None:
        self._document = document
        self._paths = [(self._pattern(prefix, path), item) for path, item in document["paths"].items()]
        self._paths.sort(key=lambda each: each[0].pattern.count("[^/]+"))  # the most literal route first

    @staticmethod
    def _pattern(prefix: str, path: str) -> re.Pattern[str]:
        full = path if path.startswith(prefix) else prefix + path
        return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(full)))

    def operation(self, method: str, path: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """The operation, and its parameters with those of its path."""
        found = [item for pattern, item in self._paths if pattern.fullmatch(path) and method.lower() in item]
        if not found:
            return None
        operation = found[0][method.lower()]
        parameters = [*found[0].get("parameters", []), *operation.get("parameters", [])]
        return operation, [self._resolved(each) for each in parameters]

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def body_errors(self, operation: dict[str, Any], body: Any) -> list[str]:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": self._document["components"]})
        known = self._resolved(schema)["properties"]
        unknown = [f"unknown field {name}" for name in body if name not in known]
        return unknown + [error.message for error in validator.iter_errors(body)]


def specification(version: str) -> Specification:
    try:
        venv = install(RELEASES[version], report=print)
    except StandaloneError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"Airflow {version} cannot be installed here: {error}")
    [shipped] = (venv / "lib").glob(f"python*/site-packages/{SHIPPED[version]}")
    prefix = f"/api/v{int(version[0]) - 1}"
    return Specification(yaml.load(shipped.read_text(), yaml.CSafeLoader), prefix)


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
