"""Tasks that fail and then succeed: the arguments and answer of find_flaky_tasks."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from airflow_mcp.models.base import Answer, Arguments, Id, Moment, Remark


class FindFlakyTasks(Arguments):
    """Arguments of find_flaky_tasks."""

    dag_id: Id | None = None
    runs: int = Field(50, ge=2, le=100, description="how many of the newest")


class FlakyTask(Answer):
    """A task that failed and then succeeded, with nothing changed as far as Airflow tells."""

    dag_id: str
    task_id: str
    runs: int = Field(description="in which it succeeded or failed")
    good_at_a_later_try: int | None = Field(None, description="of these runs: by a retry, or cleared")
    good_in_the_next_run: int | None = Field(None, description="of these runs: it failed, alone")
    last_run_ids: list[str] = Field(description="in which it last did so")
    errors: list[Remark] | None = Field(None, description="of the last such failures")
    url: str


class FlakyTaskList(Answer):
    """The flaky tasks, the most often flaky first."""

    rest: ClassVar = "dag_id leaves more room for each."

    summary: str
    start_date: Moment | None = Field(None, description="of the oldest run that was looked at")
    tasks: list[FlakyTask] | None = None
    broken: str | None = Field(None, description="failed in every run, so not flaky")
    not_seen: list[str] | None = Field(None, description="what is left out, or could not be looked at")
