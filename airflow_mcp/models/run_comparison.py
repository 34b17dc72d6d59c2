"""Two runs of a DAG beside each other: the arguments and answer of compare_dag_runs."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from airflow_mcp.models.base import Answer, Id
from airflow_mcp.models.dags import DagArguments
from airflow_mcp.models.runs import DagRun


class CompareDagRuns(DagArguments):
    """Arguments of compare_dag_runs."""

    dag_run_id: Id | None = Field(None, description="default: the latest that failed")
    other_dag_run_id: Id | None = Field(None, description="default: the last good one before it")


class TaskDifference(Answer):
    """What differs of some tasks, or of some map indexes of one, from the earlier run to the later."""

    tasks: str
    map_indexes: str | None = None
    state: str | None = None
    tries: str | None = Field(None, description="try numbers, of which Airflow 2 skips some")
    duration: str | None = None
    number_of_indexes: str | None = None


class RunComparison(Answer):
    """What differs between two runs of a DAG."""

    rest: ClassVar = "get_dag_run and get_task_instances show each run."

    summary: str
    dag_id: str
    runs: list[DagRun] = Field(description="the earlier first; of their conf what differs")
    code: str | None = None
    tasks: list[TaskDifference] | None = Field(None, description="earlier run → later run")
    tasks_added: str | None = None
    tasks_removed: str | None = None
    not_seen: list[str] | None = Field(None, description="what is left out, or could not be looked at")
