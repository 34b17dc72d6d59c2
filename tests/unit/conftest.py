from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import httpx
import pytest
from jsonschema import Draft202012Validator

from airflow_mcp import handlers
from airflow_mcp.airflow import http
from airflow_mcp.tools.sdk import to_mcp


@pytest.fixture(autouse=True, scope="module")
def tools_made_once() -> Iterator[None]:
    """Every test has a server of its own; its tools are the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handlers, "to_mcp", cache(to_mcp))
        yield


@pytest.fixture(autouse=True, scope="module")
def authorities_read_once() -> Iterator[None]:
    """Every test has a client of its own; the authorities that all trust are the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "create_ssl_context", cache(httpx.create_ssl_context))
        yield


@pytest.fixture(autouse=True, scope="module")
def schemas_checked_once() -> Iterator[None]:
    """Every test has a client of its own; the schemas that it checks first are the same."""
    check = Draft202012Validator.check_schema

    @cache
    def checked(schema: str) -> None:
        check(json.loads(schema))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draft202012Validator, "check_schema", lambda schema: checked(json.dumps(schema)))
        yield


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WAITS", (0.0, 0.0, 0.0))
