"""What failed across DAGs: the arguments and answer of find_failures."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from airflow_mcp.models.base import Answer, Arguments, Date, Id, Moment, Remark


class FindFailures(Arguments):
    """Arguments of find_failures."""

    since: Date | None = Field(None, description="default: 24 hours ago")
    dag_id: Id | None = None


class FailureGroup(Answer):
    """Tasks of a DAG whose latest failures have one error, and all that failed of them."""

    dag_id: str
    tasks: list[str]
    error: Remark | None = Field(None, description="of the latest; not there where its log was not read")
    runs: int
    task_instances: int
    first: Moment | None = None
    last: Moment | None = None
    last_run_id: str = Field(description="for diagnose_dag_run")
    now: str = Field(description="state of the DAG's last run")
    url: str = Field(description="of the latest")


class FailureList(Answer):
    """What failed since a time, what failed last first."""

    rest: ClassVar = "A later since, or dag_id, leaves more room for each."

    summary: str
    since: Moment
    failures: list[FailureGroup] | None = None
    not_seen: list[str] | None = Field(None, description="what could not be looked at")
