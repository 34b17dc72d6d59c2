"""Changes of DAG runs: what the tools that change them take, what they show first, and what they did."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue

from airflow_mcp.models.base import Answer, Id, JsonObject, Linked, Untrusted
from airflow_mcp.models.changes import Change, ChangeArguments
from airflow_mcp.models.dags import DagArguments


class TriggerDagRun(ChangeArguments, DagArguments):
    """Arguments of trigger_dag_run."""

    conf: JsonObject | None = Field(
        None, description='JSON object, e.g. {"day": "2026-01-31"}; get_dag_details has its params'
    )
    dag_run_id: Id | None = Field(None, description="default: Airflow names it")
    logical_date: AwareDatetime | None = None
    note: str | None = Field(None, max_length=1000)


class RunArguments(ChangeArguments, DagArguments):
    """What every change of a run takes."""

    dag_run_id: Id


class SetDagRunState(RunArguments):
    """Arguments of set_dag_run_state."""

    state: Literal["success", "failed", "queued"]


class SetDagRunNote(RunArguments):
    """Arguments of set_dag_run_note."""

    note: str = Field(max_length=1000, description="empty: no note")


class ClearDagRun(RunArguments):
    """Arguments of clear_dag_run."""

    only_failed: bool = False


class DeleteDagRun(RunArguments):
    """Arguments of delete_dag_run."""


class Triggered(Change, Linked):
    """A run that would start, or has."""

    dag_id: str
    dag_run_id: str | None = None
    state: str | None = None
    is_paused: bool
    conf: dict[str, JsonValue] | None = None
    unknown_params: list[str] | None = Field(None, description="in conf, and not among the DAG's params")


class Move(Answer):
    """Task instances that go from one state to another."""

    tasks: str
    state_before: str
    state_after: str


class RunStateChange(Change, Linked):
    """A run's change of state, and what it does to its task instances."""

    dag_id: str
    dag_run_id: str
    state_before: str
    state_after: str
    task_instances: list[Move] | None = None


class RunNoteChange(Change, Linked):
    """A run's change of note."""

    dag_id: str
    dag_run_id: str
    note_before: Untrusted | None = None
    note_after: Untrusted | None = None


class RunDeletion(Change):
    """A run that would be deleted, or was."""

    dag_id: str
    dag_run_id: str
    state: str
    task_instances: int = Field(description="deleted with it")
