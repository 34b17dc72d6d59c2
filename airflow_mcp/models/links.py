"""Links: the arguments and the answer of resolve_url."""

from __future__ import annotations

from pydantic import Field

from airflow_mcp.models.base import Arguments, Linked


class ResolveUrl(Arguments):
    """Arguments of resolve_url."""

    url: str = Field(max_length=4000, description="a page of this Airflow's UI")


class Resolved(Linked):
    """What a link is about, and how that is now."""

    dag_id: str
    is_paused: bool | None = None
    dag_run_id: str | None = None
    run_state: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    state: str | None = Field(None, description="of the task instance")
    try_number: int | None = None
    view: str | None = None
    next: str
