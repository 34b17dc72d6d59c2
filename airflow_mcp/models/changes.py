"""Changes: what the changing tools take, what they show first, and what they did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Self, TypeVar

from pydantic import AwareDatetime, Field, StrictBool, model_validator

from airflow_mcp.models.base import Answer, Arguments, Id, Linked, Untrusted
from airflow_mcp.models.dags import DagArguments
from airflow_mcp.models.task_instances import TaskInstanceArguments

NewState = Literal["success", "failed", "skipped"]


class ChangeArguments(Arguments):
    """What every changing tool takes."""

    confirm: StrictBool = Field(description="false: preview; true: do it")
    plan: str | None = Field(None, description="from the preview: refuse if it no longer holds")


class PatchDag(ChangeArguments, DagArguments):
    """Arguments of patch_dag."""

    is_paused: bool
    update_mask: list[str] | None = None

    @model_validator(mode="after")
    def _only_is_paused(self) -> Self:
        if self.update_mask not in (None, ["is_paused"]):
            raise ValueError('update_mask: Airflow lets only is_paused be changed; leave it out or ["is_paused"]')
        return self


class Relatives(Arguments):
    """Which other task instances a change takes along."""

    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False


class ClearTaskInstances(ChangeArguments, Relatives, DagArguments):
    """Arguments of clear_task_instances."""

    dag_run_id: Id | None = None
    start_date: AwareDatetime | None = Field(None, description="logical dates from, instead of dag_run_id")
    end_date: AwareDatetime | None = None
    task_ids: list[Id] | None = Field(None, min_length=1, description='default all; map index: "load_file[7]"')
    only_failed: bool = True
    only_running: bool = False
    reset_dag_runs: bool = Field(True, description="false: finished runs stay finished")
    include_subdags: bool | None = Field(None, description="Airflow 2")
    include_parentdag: bool | None = Field(None, description="Airflow 2")
    run_on_latest_version: bool | None = Field(None, description="Airflow 3")
    prevent_running_task: bool | None = Field(None, description="Airflow 3: refuse if one runs")
    note: str | None = Field(None, max_length=1000, description="Airflow 3")

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if (self.dag_run_id is None) == (self.start_date is None):
            raise ValueError("dag_run_id, start_date: give exactly one, a run or the first date of a range")
        if self.end_date and not self.start_date:
            raise ValueError("end_date: goes with start_date, not with dag_run_id")
        if self.start_date and self.end_date and self.end_date < self.start_date:
            raise ValueError("end_date: is before start_date")
        if self.only_failed and self.only_running:
            raise ValueError("only_running: set only_failed to false with it; a task is one or the other")
        return self


class SetTaskInstancesState(ChangeArguments, Relatives, DagArguments):
    """Arguments of set_task_instances_state."""

    task_id: Id
    new_state: NewState
    dag_run_id: Id | None = None
    logical_date: AwareDatetime | None = Field(None, description="instead of dag_run_id")
    map_index: int | None = Field(None, ge=0, description="default: all")

    @model_validator(mode="after")
    def _one_run(self) -> Self:
        if (self.dag_run_id is None) == (self.logical_date is None):
            raise ValueError("dag_run_id, logical_date: give exactly one")
        return self


class SetTaskInstanceNote(ChangeArguments, TaskInstanceArguments):
    """Arguments of set_task_instance_note."""

    note: str = Field(max_length=1000, description="empty: remove it")


class Affected(Answer):
    """A task instance and the state it was in before the change."""

    task_id: str
    map_index: int | None = None
    state: str


class RunOfAffected(Answer):
    """The affected task instances of one run."""

    dag_id: str | None = Field(None, description="when it is another DAG")
    dag_run_id: str
    task_instances: list[Affected]


class Change(Answer):
    """A change: previewed, or made. What it was before and would be then is told by the models of each change."""

    done: bool = False
    summary: str
    plan: str | None = None
    next: str | None = None


class TaskInstancesChange(Change, Linked):
    """A change of task instances: previewed, or made."""

    total: int = Field(description="task instances affected")
    runs: list[RunOfAffected]
    also_cleared: list[RunOfAffected] | None = Field(None, description="failed downstream tasks that run again")
    left_out: list[str] | None = Field(None, description="asked for, not affected, and why")


class DagChange(Change, Linked):
    """A change of a DAG: previewed, or made."""

    dag_id: str
    is_paused_before: bool
    is_paused_after: bool


class TaskInstanceNote(Change, Linked):
    """A change of a task instance's note: previewed, or made."""

    task_id: str
    map_index: int | None = None
    note_before: Untrusted | None = None
    note_after: Untrusted | None = None


ChangeT = TypeVar("ChangeT", bound=Change)


@dataclass(frozen=True)
class Prepared(Generic[ChangeT]):
    """A change that is known and not made."""

    preview: ChangeT
    items: tuple[str, ...]
    """Each thing that would change, with its present state: what a plan is bound to."""
    apply: Callable[[], Awaitable[Mapping[str, Any] | None]]
    """Makes the change, once; gives the fields of the answer that are known only then."""
