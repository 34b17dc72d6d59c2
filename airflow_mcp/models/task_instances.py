"""Task instances: the arguments and answers of get_task_instances and get_task_instance."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field, model_validator

from airflow_mcp.models.base import Answer, Arguments, Id, Linked, Moment, Untrusted
from airflow_mcp.models.dags import DagArguments, DagVersion
from airflow_mcp.text import shorten

ROW = ("task_id", "map_index", "state", "try_number", "start_date", "duration_seconds")
"""The fields of a row, unless more are asked for; across runs also their ids."""
LONGEST_FIELD = 1000
"""Characters of a rendered field."""

State = Literal[
    "no_status",
    "scheduled",
    "queued",
    "running",
    "success",
    "failed",
    "upstream_failed",
    "skipped",
    "up_for_retry",
    "up_for_reschedule",
    "deferred",
    "restarting",
    "removed",
]


class GetTaskInstances(Arguments):
    """Arguments of get_task_instances."""

    dag_id: Id | None = Field(None, description="default: all DAGs")
    dag_run_id: Id | None = Field(None, description="default: all runs")
    task_ids: list[Id] | None = None
    state: list[State] | None = None
    pool: list[str] | None = None
    queue: list[str] | None = None
    start_date_gte: AwareDatetime | None = Field(None, description="started since; with a zone")
    start_date_lte: AwareDatetime | None = None
    end_date_gte: AwareDatetime | None = None
    end_date_lte: AwareDatetime | None = None
    duration_gte: int | None = Field(None, ge=0, description="seconds")
    limit: int = Field(25, ge=1, le=100)
    offset: int = Field(0, ge=0)
    fields: list[str] | None = Field(None, description="also: end_date, pool, queue, operator, hostname, note")

    @model_validator(mode="after")
    def _run_of_a_dag(self) -> Self:
        if self.dag_run_id and not self.dag_id:
            raise ValueError("dag_run_id needs dag_id: runs of several DAGs may be called the same")
        return self


class TaskInstanceArguments(DagArguments):
    """One task instance."""

    dag_run_id: Id
    task_id: Id
    map_index: int | None = Field(None, ge=0)

    @property
    def label(self) -> str:
        """The task's id, with the map index of a mapped one."""
        return self.task_id if self.map_index is None else f"{self.task_id}[{self.map_index}]"


class GetTaskInstance(TaskInstanceArguments):
    """Arguments of get_task_instance."""

    try_number: int | None = Field(None, ge=1, description="default: the latest; Airflow 2.10")
    rendered_fields: bool = Field(False, description="also the templated fields as they were filled in")


def _index(value: Any) -> Any:
    return None if value == -1 else value


def _told(value: Any) -> Any:
    """What is empty says nothing."""
    return value or None


def _rendered(value: Any) -> Any:
    """Each field as text, cut where it is long; those without a value go."""
    if not isinstance(value, dict):
        return None
    texts = {
        name: field if isinstance(field, str) else json.dumps(field, ensure_ascii=False, sort_keys=True)
        for name, field in value.items()
        if field
    }
    return {name: shorten(text, LONGEST_FIELD) for name, text in texts.items()} or None


def _state(value: Any) -> Any:
    return "no_status" if value is None else value


Duration = Annotated[float | None, BeforeValidator(lambda value: round(value, 2) if value else value)]
MapIndex = Annotated[int | None, BeforeValidator(_index)]
"""None where Airflow says -1: of a task that is not mapped."""


class TaskInstanceRow(Linked):
    """A task instance, as it is at its latest try."""

    dag_id: str | None = None
    dag_run_id: str | None = None
    task_id: str
    map_index: MapIndex = None
    state: Annotated[str | None, BeforeValidator(_state)] = None
    try_number: int | None = None
    max_tries: int | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    duration_seconds: Duration = Field(None, validation_alias="duration")
    queued_when: Moment | None = None
    operator: str | None = Field(None, validation_alias=AliasChoices("operator_name", "operator"))
    pool: str | None = None
    pool_slots: int | None = None
    queue: str | None = None
    hostname: Annotated[str | None, BeforeValidator(_told)] = None
    rendered_map_index: str | None = None
    note: Annotated[Untrusted | None, BeforeValidator(_told)] = None


class TaskInstanceList(Linked):
    """A page of task instances."""

    task_instances: list[TaskInstanceRow]
    total: int
    returned: int
    next_offset: int | None = None
    note: str | None = Field(None, description="why it may be empty")


class Try(Answer):
    """One try of a task instance."""

    try_number: int
    state: Annotated[str | None, BeforeValidator(_state)] = None
    start_date: Moment | None = None
    duration_seconds: Duration = Field(None, validation_alias="duration")


class Trigger(Answer):
    """What a deferred task instance waits for."""

    classpath: str
    created_date: Moment | None = None


class Triggerer(Answer):
    """The process that runs its trigger."""

    hostname: str | None = None
    state: str | None = None
    latest_heartbeat: Moment | None = None


class MapIndexes(Answer):
    """The map indexes of a mapped task, in short."""

    total: int
    states: dict[str, int]
    failed: list[int] | None = Field(None, description="the first that failed")

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {state}" for state, number in self.states.items())
        first = f"; the first that failed: {', '.join(map(str, self.failed))}" if self.failed else ""
        return f"{self.total} map indexes ({counts or 'none yet'}{first})"


class TaskInstanceDetails(TaskInstanceRow):
    """A task instance with all that Airflow tells of it; or, of a mapped task without an index, what there are."""

    executor: str | None = None
    priority_weight: int | None = None
    dag_version: DagVersion | None = None
    trigger: Trigger | None = None
    triggerer: Triggerer | None = Field(None, validation_alias="triggerer_job")
    rendered_fields: Annotated[dict[str, Untrusted] | None, BeforeValidator(_rendered)] = None
    tries: list[Try] | None = Field(None, description="where there was more than one")
    map_indexes: MapIndexes | None = Field(None, description="of a mapped task, where none was named")
    next: str | None = None
