"""Backfills: the arguments and answers of the tools that find, make and steer them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AwareDatetime, Field, JsonValue, StrictInt, model_validator

from airflow_mcp.models.base import Answer, JsonObject, Moment
from airflow_mcp.models.changes import Change, ChangeArguments
from airflow_mcp.models.dags import DagArguments

State = Literal["active", "paused", "completed"]


class GetBackfills(DagArguments):
    """Arguments of get_backfills."""

    limit: int = Field(25, ge=1, le=100)
    offset: int = Field(0, ge=0)


class CreateBackfill(ChangeArguments, DagArguments):
    """Arguments of create_backfill."""

    from_date: AwareDatetime = Field(description="first logical date, with a zone")
    to_date: AwareDatetime = Field(description="last one, itself included")
    reprocess_behavior: Literal["none", "failed", "completed"] = Field(
        "none", description="which runs that ended already run again"
    )
    max_active_runs: int = Field(10, ge=1)
    run_backwards: bool = False
    dag_run_conf: JsonObject | None = Field(None, description="JSON object")
    run_on_latest_version: bool | None = Field(None, description="Airflow 3.1")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.to_date < self.from_date:
            raise ValueError("to_date: is before from_date")
        return self


class SteerBackfill(ChangeArguments):
    """Arguments of pause_backfill, unpause_backfill and cancel_backfill."""

    backfill_id: StrictInt = Field(ge=0)


class Backfill(Answer):
    """A backfill of a DAG."""

    id: int
    dag_id: str
    from_date: Moment
    to_date: Moment
    is_paused: bool
    reprocess_behavior: str
    max_active_runs: int
    created_at: Moment
    completed_at: Moment | None = None
    dag_run_conf: dict[str, JsonValue] | None = None

    @property
    def state(self) -> State:
        """In one word. Airflow completes a backfill that is cancelled, too."""
        return "completed" if self.completed_at else "paused" if self.is_paused else "active"


class BackfillList(Answer):
    """A page of backfills."""

    backfills: list[Backfill]
    total: int
    returned: int
    next_offset: int | None = None
    note: str | None = Field(None, description="why it may be empty")


class NewBackfill(Change):
    """A new backfill: previewed, or made."""

    dag_id: str
    backfill_id: int | None = None
    total: int = Field(description="runs it would make or run again")
    first: str | None = None
    last: str | None = None
    logical_dates: list[str] = Field(description="the first of them")
    left_out: list[str] | None = Field(None, description="dates whose run is there already, with its state")
    warnings: list[str] | None = None


class BackfillChange(Change):
    """A change of a backfill: previewed, or made."""

    backfill_id: int
    dag_id: str
    state_before: State
    state_after: State
    queued_runs: int = Field(description="not started yet")
