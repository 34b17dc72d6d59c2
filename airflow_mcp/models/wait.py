"""Waiting for a run: the arguments and the answer of wait_for_dag_run."""

from __future__ import annotations

from pydantic import Field

from airflow_mcp.models.base import Id, Linked
from airflow_mcp.models.dags import DagArguments


class WaitForDagRun(DagArguments):
    """Arguments of wait_for_dag_run."""

    dag_run_id: Id | None = Field(None, description="default: the latest")
    timeout_seconds: int = Field(45, ge=1, le=1800, description="many clients give up after 60")


class RunWait(Linked):
    """How far a run is."""

    dag_id: str
    dag_run_id: str
    state: str
    ended: bool
    waited_seconds: float = 0
    done: int = Field(description="task instances that ended")
    total: int
    to_come: list[str] | None = Field(None, description="the first of them, with their states")
    failed: list[str] | None = None
    next: str | None = None
