"""The OpenAPI document that an Airflow ships in its package: what it says that it takes and gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

SHIPPED = {
    2: "airflow/api_connexion/openapi/v1.yaml",
    3: "airflow/api_fastapi/core_api/openapi/v2-rest-api-generated.yaml",
}


class Specification:
    """An OpenAPI document: finds the operation of a request, and what it takes."""

    def __init__(self, document: dict[str, Any], prefix: str) -> None:
        self._document = document
        self._prefix = prefix
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

    def has(self, method: str, route: str) -> bool:
        """Whether there is a route with these names of ids; `~` stands for any id."""
        pattern = re.compile(f"({self._prefix})?/" + "[^/]+".join(re.escape(part) for part in route.split("~")))
        return any(pattern.fullmatch(path) and method.lower() in item for path, item in self._document["paths"].items())

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

    def fields(self, method: str, path: str) -> set[str]:
        """What a route's query and body may hold, and what its answer has."""
        return self.taken(method, path) | self.given(method, path)

    def taken(self, method: str, path: str) -> set[str]:
        """What a route's query and body may hold."""
        operation, parameters = self._known(method, path)
        names = {each["name"] for each in parameters if each["in"] == "query"}
        return names | self._content(operation.get("requestBody"))

    def given(self, method: str, path: str) -> set[str]:
        """What a route's answer has."""
        return self._content(self._known(method, path)[0]["responses"]["200"])

    def _known(self, method: str, path: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        found = self.operation(method, path)
        assert found, (method, path)
        return found

    def _content(self, holder: dict[str, Any] | None) -> set[str]:
        content = self._resolved(holder or {}).get("content", {})
        return self._properties(content["application/json"]["schema"]) if content else set()

    def _properties(self, schema: dict[str, Any]) -> set[str]:
        schema = self._resolved(schema)
        inherited = [self._properties(each) for each in schema.get("allOf", ())]
        return set(schema.get("properties", ())).union(*inherited)


def shipped(venv: Path, major: int) -> Specification:
    """The document of the Airflow that is installed there."""
    [file] = (venv / "lib").glob(f"python*/site-packages/{SHIPPED[major]}")
    return Specification(yaml.load(file.read_text(), yaml.CSafeLoader), f"/api/v{major - 1}")
