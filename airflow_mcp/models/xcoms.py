"""XComs, the values that tasks hand over: the arguments and answers of get_xcom_entries and get_xcom."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from airflow_mcp.models.base import Answer, Id, Moment, Untrusted
from airflow_mcp.models.dags import DagArguments
from airflow_mcp.models.task_instances import MapIndex, TaskInstanceArguments


class GetXcomEntries(DagArguments):
    """Arguments of get_xcom_entries."""

    dag_run_id: Id
    task_id: Id | None = Field(None, description="default: all tasks of the run")
    map_index: int | None = Field(None, ge=0)
    limit: int = Field(25, ge=1, le=100)
    offset: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _index_of_a_task(self) -> Self:
        if self.map_index is not None and self.task_id is None:
            raise ValueError("map_index needs task_id")
        return self


class GetXcom(TaskInstanceArguments):
    """Arguments of get_xcom."""

    key: Id = "return_value"
    offset: int = Field(0, ge=0, description="characters to skip, to read on")
    max_tokens: int = Field(2000, ge=100, le=20_000)


class XcomEntry(Answer):
    """That a task handed something over, and under which key."""

    key: str
    task_id: str
    map_index: MapIndex = None
    timestamp: Moment | None = None


class XcomEntryList(Answer):
    """A page of XComs, without their values."""

    xcom_entries: list[XcomEntry]
    total: int
    returned: int
    next_offset: int | None = None
    note: str | None = Field(None, description="why it may be empty")


class Xcom(XcomEntry):
    """A value that a task handed over, or a part of it."""

    type: str | None = Field(None, description="of JSON")
    items: int | None = Field(None, description="of an array or an object")
    characters: int = Field(description="in all")
    left_out: str | None = None
    next_offset: int | None = None
    note: str | None = None
    value: Untrusted
