"""The log of a task: the arguments and the answer of get_task_log."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from airflow_mcp.models.base import Answer, Id, MapIndex, Untrusted
from airflow_mcp.models.dags import DagArguments

Mode = Literal["errors", "tail", "head"]
MOST_TEXTS = 20
LEAST_CHARACTERS = 1000
MOST_CHARACTERS = 40_000


class GetTaskLog(DagArguments):
    """Arguments of get_task_log."""

    dag_run_id: Id
    task_id: Id
    map_index: MapIndex = Field(None, ge=0)
    try_number: int | None = None
    mode: Mode = "errors"
    grep: list[str] | None = None
    from_line: int | None = None
    max_characters: int = 6000

    @field_validator("grep")
    @classmethod
    def _few_texts(cls, value: list[str] | None) -> list[str] | None:
        if value and not all(value):
            raise ValueError("an empty text is in every line")
        if value and len(value) > MOST_TEXTS:
            raise ValueError(f"has {len(value)} texts; {MOST_TEXTS} are allowed")
        return value or None

    @field_validator("max_characters")
    @classmethod
    def _in_bounds(cls, value: int) -> int:
        if not LEAST_CHARACTERS <= value <= MOST_CHARACTERS:
            raise ValueError(f"is not from {LEAST_CHARACTERS} to {MOST_CHARACTERS}")
        return value

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        if self.from_line and self.mode == "tail" and "mode" in self.model_fields_set:
            raise ValueError("from_line: reads on from there; leave mode out, or give mode=head")
        return self


class TaskLog(Answer):
    """A part of the log of one try."""

    rest: ClassVar = "A smaller max_characters, and from_line to read on, show each line."

    state: str = Field(description="of the task instance")
    try_number: int
    try_state: str | None = Field(None, description="of an earlier try")
    total_lines: int
    next_line: int | None = Field(None, description="from_line to read on")
    date: str | None = Field(None, description="of times without one, in UTC")
    url: str | None = None
    note: str | None = None
    log: Untrusted | None = Field(None, description="line number|time level source message")
