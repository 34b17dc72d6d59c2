"""Airflow's event log: the arguments and answer of get_event_logs."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import AliasChoices, Field, JsonValue, model_validator

from airflow_mcp.models.base import Answer, Id, MapIndex, Moment
from airflow_mcp.models.page import Page, PageArguments, WindowArguments


class GetEventLogs(WindowArguments, PageArguments):
    """Arguments of get_event_logs."""

    dag_id: Id | None = None
    dag_run_id: Id | None = None
    task_id: Id | None = None
    event: list[str] | None = Field(
        None, description="clear, set_state, trigger, pause, delete, variable, connection, pool, or Airflow's names"
    )
    owner: str | None = Field(None, description="the user")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        for name in ("dag_run_id", "task_id"):
            if getattr(self, name) and not self.dag_id:
                raise ValueError(f"{name}: goes with dag_id")
        return self


class EventLog(Answer):
    """What somebody asked Airflow to do, or what Airflow noted."""

    when: Moment
    event: str
    owner: str | None = Field(None, description="who did it; of what a task logs, who owns its DAG")
    dag_id: str | None = None
    dag_run_id: str | None = Field(None, validation_alias=AliasChoices("dag_run_id", "run_id"))
    task_id: str | None = None
    map_index: MapIndex = None
    dry_run: bool | None = Field(None, description="only asked what it would change")
    extra: JsonValue = Field(None, description="what was sent along")


class EventLogList(Page[EventLog]):
    """A page of the event log."""

    rest: ClassVar = "A smaller limit leaves more room for each."
    rows: list[EventLog] = Field(alias="event_logs")
