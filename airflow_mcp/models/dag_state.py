"""Why a DAG, a run or a task is not running: the arguments and answer of explain_dag_state."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from airflow_mcp.models.base import Answer, Id, MapIndex
from airflow_mcp.models.dags import DagArguments


class ExplainDagState(DagArguments):
    """Arguments of explain_dag_state."""

    dag_run_id: Id | None = None
    task_id: Id | None = Field(None, description="goes with dag_run_id")
    map_index: MapIndex = Field(None, ge=0)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.task_id and not self.dag_run_id:
            raise ValueError("task_id: goes with dag_run_id")
        if self.map_index is not None and not self.task_id:
            raise ValueError("map_index: goes with task_id")
        return self


class Reason(Answer):
    """What holds it."""

    reason: str = Field(description="in a word: paused, pool_full, …")
    fact: str
    remedy: str


class DagState(Answer):
    """Why a DAG, a run or a task is not running."""

    rest: ClassVar = "Ask for the run or the task that it is about."

    summary: str
    dag_id: str
    dag_run_id: str | None = Field(None, description="of a DAG: its oldest active run")
    task_id: str | None = None
    map_index: MapIndex = None
    state: str
    url: str
    reasons: list[Reason] = Field(description="likeliest first")
    also: str | None = Field(None, description="further reasons, in a word each")
    not_seen: list[str] | None = Field(None, description="what could not be looked at")
