"""XComs, the values that tasks hand over: the arguments and answers of get_xcom_entries and get_xcom."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, JsonValue

from airflow_mcp.models.base import Answer, Id, MapIndex, Moment, Untrusted
from airflow_mcp.models.dags import DagArguments
from airflow_mcp.models.page import Page, PageArguments


class GetXComEntries(PageArguments, DagArguments):
    """Arguments of get_xcom_entries."""

    dag_run_id: Id
    task_id: Id | None = None
    map_index: MapIndex = Field(None, ge=0)


class GetXCom(DagArguments):
    """Arguments of get_xcom."""

    dag_run_id: Id
    task_id: Id
    xcom_key: Id = "return_value"
    map_index: MapIndex = Field(None, ge=0)


class XComEntry(Answer):
    """An XCom, without its value."""

    task_id: str
    map_index: MapIndex = None
    key: str
    timestamp: Moment | None = None


class XComEntryList(Page[XComEntry]):
    """A page of XComs."""

    rest: ClassVar = "A smaller limit leaves more room for each."
    url: str
    rows: list[XComEntry] = Field(alias="xcom_entries")


class XCom(Answer):
    """A value that a task handed over."""

    rest: ClassVar = "The whole value is in Airflow's UI, on the page of the task."

    key: str
    type: str = Field(description="of JSON, or the Python class that Airflow wrote")
    value: JsonValue = Field(None, description="whole")
    value_start: Untrusted | None = Field(None, description="of a long value")
    characters: int = Field(description="of the whole value as JSON")
    timestamp: Moment | None = None
    url: str
    note: str | None = None
