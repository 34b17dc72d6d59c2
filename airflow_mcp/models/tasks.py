"""Tasks of a DAG: the arguments and answers of get_tasks and get_task."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AliasChoices, Field, JsonValue, field_validator

from airflow_mcp.models.base import Answer, DisplayName, Id, Moment, Seconds, Untrusted
from airflow_mcp.models.dags import DagArguments
from airflow_mcp.models.page import Page, PageArguments, ordered_by


class GetTasks(PageArguments, DagArguments):
    """Arguments of get_tasks."""

    order_by: Annotated[str | None, ordered_by("task_id", "pool", "queue", "retries", "trigger_rule")] = Field(
        None, description="a task field, - for descending"
    )


class GetTask(DagArguments):
    """Arguments of get_task."""

    task_id: Id


class Task(Answer):
    """A task and its place in the graph."""

    task_id: str
    task_display_name: DisplayName = None
    operator: str | None = Field(None, validation_alias=AliasChoices("operator", "operator_name"))
    upstream_task_ids: list[str] | None = Field(default_factory=list)
    downstream_task_ids: list[str] = Field(default_factory=list)
    trigger_rule: str | None = None
    is_mapped: bool | None = None
    retries: int | None = None
    retry_delay_seconds: Seconds | None = Field(None, validation_alias="retry_delay")
    execution_timeout_seconds: Seconds | None = Field(None, validation_alias="execution_timeout")
    pool: str | None = None
    queue: str | None = None


class TaskDetails(Task):
    """A task with all that Airflow tells of it."""

    rest: ClassVar = "get_dag_source shows the DAG's file."

    url: str | None = None
    owner: str | None = None
    pool_slots: int | None = None
    priority_weight: int | None = None
    weight_rule: str | None = None
    depends_on_past: bool | None = None
    wait_for_downstream: bool | None = None
    retry_exponential_backoff: bool | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    doc_md: Untrusted | None = None
    params: dict[str, JsonValue] | None = None
    template_fields: list[str] | None = None
    note: str | None = Field(None, description="what is missing")

    @field_validator("retry_exponential_backoff", mode="before")
    @classmethod
    def _backoff(cls, value: Any) -> Any:
        """Airflow 3.2 and newer give the factor, zero for none."""
        return bool(value) if isinstance(value, int | float) else value


class TaskList(Page[Task]):
    """A page of a DAG's tasks."""

    rest: ClassVar = "A smaller limit leaves more room for each; get_task shows one."
    dag_id: str
    url: str
    rows: list[Task] = Field(alias="tasks")
