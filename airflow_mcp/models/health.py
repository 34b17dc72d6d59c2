"""The instance at a glance: the arguments and answer of get_health."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from airflow_mcp.models.base import Answer, Arguments
from airflow_mcp.models.dag_state import Reason


class GetHealth(Arguments):
    """Arguments of get_health: none."""


class Health(Answer):
    """How Airflow stands now."""

    rest: ClassVar = "find_failures, get_import_errors and get_dag_runs show the rest."

    summary: str
    problems: list[Reason] = Field(description="the worst ones")
    components: dict[str, str] | None = None
    queued: int | None = Field(None, description="task instances that wait for a worker")
    scheduled: int | None = Field(None, description="task instances that wait for a slot")
    running_runs: int | None = None
    longest_running: list[str] | None = Field(None, description="usually: the median of the last 20 that succeeded")
    not_seen: list[str] | None = Field(None, description="what could not be looked at")
