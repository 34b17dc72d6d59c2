"""What every tool has at hand, made once for the life of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from airflow_mcp.airflow.clear import Clear
from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import Dags
from airflow_mcp.airflow.set_state import SetState
from airflow_mcp.guard.confirm import Guard
from airflow_mcp.settings import Settings


@dataclass(frozen=True)
class App:
    """The endpoints of the Airflow at hand, and the guard before its changes."""

    dags: Dags
    clear: Clear
    set_state: SetState
    guard: Guard
    hide: Callable[[str], str]
    """A text without the secrets that were sent to Airflow."""


def make_app(settings: Settings, airflow: Airflow) -> App:
    """Put the parts together. Nothing is sent."""
    dags, guard = Dags(airflow), Guard(settings.policy, airflow.instance)
    return App(dags, Clear(airflow, dags), SetState(airflow, dags), guard, airflow.hide)


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """The parts for these settings; the connections are closed at the end."""
    airflow = Airflow(settings.instances[0])
    try:
        yield make_app(settings, airflow)
    finally:
        await airflow.aclose()
