"""Task logs: the arguments and the answer of get_task_log."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from airflow_mcp.models.base import Linked, Untrusted
from airflow_mcp.models.task_instances import TaskInstanceArguments


class GetTaskLog(TaskInstanceArguments):
    """Arguments of get_task_log."""

    try_number: int | None = Field(None, ge=1, description="default: the latest")
    show: Literal["errors", "tail", "head"] = "errors"
    grep: str | None = Field(None, description="regular expression: lines that match, with some around them")
    start_line: int | None = Field(None, ge=1, description="read on from this line")
    max_tokens: int = Field(2000, ge=100, le=20_000)

    @field_validator("grep")
    @classmethod
    def _pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.grep is not None and "show" in self.model_fields_set:
            raise ValueError("show and grep exclude each other")
        return self


class TaskLog(Linked):
    """A part of a task's log."""

    try_number: int
    state: str | None = None
    total_lines: int
    left_out: list[str] | None = Field(None, description="line numbers that are not shown")
    next_line: int | None = Field(None, description="start_line to read on")
    note: str | None = None
    log: Untrusted | None = Field(None, description="numbered lines, times in Airflow's zone")
