"""What a link names: the arguments and answer of resolve_url."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from airflow_mcp.models.base import Answer, Arguments, MapIndex


class ResolveUrl(Arguments):
    """Arguments of resolve_url."""

    url: str = Field(description="of a page of this Airflow's UI")


class ResolvedUrl(Answer):
    """What a link names, and what to call next."""

    rest: ClassVar = "Call the tool that `next` names."

    shows: str = Field(description="dag, dag_run, task, task_instance, log, code, …")
    dag_id: str | None = None
    dag_run_id: str | None = None
    task_id: str | None = None
    task_group_id: str | None = None
    map_index: MapIndex = None
    try_number: int | None = None
    state: str | None = Field(None, description="now")
    url: str | None = None
    next: str
    not_there: str | None = Field(None, description="what it names and Airflow does not have")
    not_seen: list[str] | None = Field(None, description="what could not be looked at")
