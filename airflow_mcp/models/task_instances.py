"""Task instances: the arguments and answers of get_task_instances."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, JsonValue, model_validator

from airflow_mcp.models.base import Answer, DisplayName, Id, MapIndex, Moment, Remark
from airflow_mcp.models.dags import DagArguments, DagVersion
from airflow_mcp.models.page import Page, PageArguments, WindowArguments
from airflow_mcp.models.states import TaskState
from airflow_mcp.release import Since

ROW = ("task_display_name", "state", "try_number", "start_date", "duration_seconds", "url")
"""The fields of a row of get_task_instances, unless others are asked for."""
SUMMED_UP = ("states", "failed_map_indexes")
"""Those of a mapped task, in place of its state."""


class GetTaskInstances(WindowArguments, PageArguments):
    """Arguments of get_task_instances. The window is of their start."""

    dag_id: Id | None = None
    dag_run_id: Id | None = None
    task_id: Id | None = None
    map_index: MapIndex = Field(None, ge=0)
    state: list[TaskState] | None = None
    operator: str | None = None
    pool: str | None = None
    queue: str | None = None
    min_duration_seconds: int | None = Field(None, ge=0)
    fields: list[str] | None = Field(None, description="only these: operator, hostname, note, …")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.dag_run_id and not self.dag_id:
            raise ValueError("dag_run_id: goes with dag_id")
        if self.map_index is not None and not (self.dag_run_id and self.task_id):
            raise ValueError("map_index: goes with dag_run_id and task_id")
        return self


class GetTaskInstance(DagArguments):
    """Arguments of get_task_instance."""

    dag_run_id: Id
    task_id: Id
    map_index: MapIndex = Field(None, ge=0)
    rendered_fields: bool = Field(False, description="also its templates as rendered")


class TaskInstanceRow(Answer):
    """A task instance, or in a run all of a mapped task."""

    dag_id: str | None = None
    dag_run_id: str | None = None
    task_id: str
    task_display_name: DisplayName = None
    map_index: MapIndex = None
    state: str | None = None
    states: dict[str, int] | None = Field(None, description="of a mapped task: how many in each")
    failed_map_indexes: str | None = None
    try_number: int | None = None
    start_date: Moment | None = None
    duration_seconds: float | None = Field(None, description="until now, if it runs")
    url: str | None = None
    end_date: Moment | None = None
    max_tries: int | None = None
    operator: str | None = None
    pool: str | None = None
    pool_slots: int | None = None
    queue: str | None = None
    priority_weight: int | None = None
    executor: Annotated[str | None, Since("2.10")] = None
    hostname: str | None = None
    queued_when: Moment | None = None
    scheduled_when: Annotated[Moment | None, Since("3")] = None
    rendered_map_index: Annotated[str | None, Since("2.9")] = None
    note: Remark | None = None


class Try(Answer):
    """One try of a task instance."""

    try_number: int
    state: str | None = None
    start_date: Moment | None = None
    duration_seconds: float | None = Field(None, validation_alias="duration")
    hostname: str | None = None


class Trigger(Answer):
    """What a deferred task instance waits for."""

    classpath: str
    created_date: Moment | None = None


class TaskInstanceDetails(TaskInstanceRow):
    """A task instance with its tries and links."""

    rest: ClassVar = "Airflow's UI has it all: url."

    tries: list[Try] | None = None
    extra_links: dict[str, str] | None = Field(None, description="the job behind it, such as of Spark")
    waits_for: list[str] | None = Field(None, description="if it has not started, as the scheduler says")
    trigger: Trigger | None = None
    rendered_fields: dict[str, JsonValue] | None = None
    dag_version: Annotated[DagVersion | None, Since("3")] = None


class TaskInstanceList(Page[TaskInstanceRow]):
    """A page of task instances."""

    rest: ClassVar = "A smaller limit leaves more room for each."
    rows: list[TaskInstanceRow] = Field(alias="task_instances")
