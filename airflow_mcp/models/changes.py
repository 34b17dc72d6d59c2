"""Changes: what the three changing tools take, what they show first, and what they did."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticKnownError

from airflow_mcp.models.base import Answer, Arguments, Date, Id, MapIndex, RunIdInBody
from airflow_mcp.models.dags import DagArguments
from airflow_mcp.release import Since, Until

NewState = Literal["success", "failed", "skipped"]


class ChangeArguments(Arguments):
    """What is to be changed, as the preview of a change takes it."""

    @field_validator("*", mode="before")
    @classmethod
    def _yes_or_no(cls, value: Any, info: ValidationInfo) -> Any:
        """Take what decides a change as true or false alone, and read it out of no other value."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        if bool in (annotation, *get_args(annotation)) and not isinstance(value, bool):
            raise PydanticKnownError("bool_type")
        return value


class ConfirmedArguments(ChangeArguments):
    """What a tool that makes a change takes besides."""

    confirm: bool = Field(description="true only after the person's yes to the preview; false: preview")
    plan: str | None = Field(None, description="from the preview")


class PatchDag(ChangeArguments, DagArguments):
    """What patch_dag changes."""

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
    """What clear_task_instances runs again."""

    dag_run_id: RunIdInBody | None = None
    start_date: Date | None = Field(None, description="logical dates from, instead of dag_run_id")
    end_date: Date | None = None
    task_ids: list[Id] | None = Field(None, min_length=1, description='default all; one index: "load_file[7]"')
    only_failed: bool = True
    only_running: bool = False
    reset_dag_runs: bool = Field(True, description="false: finished runs stay finished")
    include_subdags: Annotated[bool | None, Until("3")] = None
    include_parentdag: Annotated[bool | None, Until("3")] = None
    run_on_latest_version: Annotated[bool | None, Since("3.1")] = None
    prevent_running_task: Annotated[bool | None, Since("3.2")] = None
    note: Annotated[str | None, Since("3.3")] = Field(None, max_length=1000)

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
    """What set_task_instances_state sets."""

    task_id: Id
    new_state: Annotated[NewState, Since("2.9", value="skipped")]
    dag_run_id: RunIdInBody | None = None
    logical_date: Date | None = Field(None, description="instead of dag_run_id")
    map_index: MapIndex = Field(None, ge=0, description="default: all")

    @model_validator(mode="after")
    def _one_run(self) -> Self:
        if (self.dag_run_id is None) == (self.logical_date is None):
            raise ValueError("dag_run_id, logical_date: give exactly one")
        return self


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
    """A change: previewed, or made."""

    done: bool
    summary: str
    url: str
    warnings: list[str] | None = Field(None, description="what Airflow does besides, or what holds the runs")
    plan: str | None = None
    next: str | None = None


class TaskInstancesChange(Change):
    """A change of task instances."""

    rest: ClassVar = "total counts all, and the plan stands for all; name a run or tasks to see each."

    total: int = Field(description="task instances affected")
    runs: list[RunOfAffected]
    also_cleared: list[RunOfAffected] | None = Field(
        None, description="failed ones, downstream or setups, that run again"
    )
    left_out: list[str] | None = Field(None, description="asked for, not affected, and why")


class DagChange(Change):
    """A change of a DAG."""

    dag_id: str
    is_paused_before: bool
    is_paused_after: bool
