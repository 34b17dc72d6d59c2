"""Diagnoses: the arguments and answer of diagnose_dag_run."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from airflow_mcp.models.base import Answer, Arguments, Id, Moment, Remark, Untrusted


class DiagnoseDagRun(Arguments):
    """Arguments of diagnose_dag_run."""

    dag_id: Id | None = None
    dag_run_id: Id | None = Field(None, description="default: the latest that failed")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.dag_run_id and not self.dag_id:
            raise ValueError("dag_run_id: goes with dag_id")
        return self


class Cause(Answer):
    """A task that failed first, or those of its map indexes that failed with one error."""

    task_id: str
    map_indexes: str | None = None
    state: str | None = Field(None, description="where it is not failed: Airflow tries again")
    tries: Remark | None = None
    error: Remark
    evidence: Untrusted | None = Field(None, description="lines of its log, then of the DAG's file")
    before: str | None = Field(None, description="in the runs before")
    run_again: str = Field(description="whether that alone can help")


class Diagnosis(Answer):
    """Why a run failed, with the evidence, and what to do next."""

    rest: ClassVar = "get_task_instances and get_task_log show the rest."

    summary: str
    dag_id: str | None = None
    dag_run_id: str | None = None
    state: str | None = None
    start_date: Moment | None = None
    duration_seconds: float | None = None
    usual_duration_seconds: float | None = None
    url: str | None = None
    causes: list[Cause] | None = None
    failed_after: str | None = Field(None, description="downstream of a cause")
    blocked: str | None = Field(None, description="what did not run for it")
    waiting_dags: Remark | None = Field(None, description="wait on assets of these")
    changed: str | None = Field(None, description="since the last good run")
    next: str | None = None
    not_seen: list[str] | None = Field(None, description="what could not be looked at")
