"""The SDK's spans: made where somebody set up a tracer, and not paid for elsewhere."""

from __future__ import annotations

import pytest
from mcp.server.lowlevel import Server
from opentelemetry import trace

from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings


def middleware(server: Server) -> list[str]:
    return [type(each).__name__ for each in server.middleware]


def test_there_are_no_spans_where_no_tracer_is_set_up() -> None:
    assert middleware(build_server(Settings.for_one())) == []


def test_there_are_spans_where_a_tracer_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "get_tracer_provider", trace.NoOpTracerProvider)
    assert middleware(build_server(Settings.for_one())) == ["OpenTelemetryMiddleware"]


def test_the_sdk_itself_has_nothing_else_that_would_go_with_them() -> None:
    assert middleware(Server("another")) == ["OpenTelemetryMiddleware"]
