"""What Airflow's event log has of a task instance."""

from __future__ import annotations

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import Route, may_read
from airflow_mcp.airflow.task_instance_lists import InstanceRow
from airflow_mcp.models.base import Answer

GET = Route("GET", "eventLogs", may_read("DAGs", "Audit Logs"))
OWN_WORDS = ("heartbeat timeout", "state mismatch", "stuck in queued")
"""How begin the events in which Airflow itself says why it let a task fail."""
LATEST = 50
SEE = " See http"
LEARN = " Learn more: http"


class _Event(Answer):
    event: str
    extra: str | None = None
    map_index: int | None = None
    try_number: int | None = None


class _Events(Answer):
    event_logs: list[_Event]


async def why_it_failed(api: Api, row: InstanceRow) -> str | None:
    """Why Airflow let the latest try of a task instance fail, in its words; None where it says nothing, or before 2.10.

    Route: GET /eventLogs.
    """
    if api.release < (2, 10):  # which log no such events
        return None
    query = {"dag_id": row.dag_id, "task_id": row.task_id, "run_id": row.dag_run_id, "order_by": "-when"}
    answer = await api.read(GET, _Events, query={**query, "limit": LATEST})
    said = [_told(each) for each in reversed(answer.event_logs) if _is_of(each, row)]
    return said[0] if said else None


def _is_of(event: _Event, row: InstanceRow) -> bool:
    index = -1 if row.map_index is None else row.map_index
    return (
        event.event.startswith(OWN_WORDS)
        and event.map_index in (None, index)
        and event.try_number in (None, row.try_number)
    )


def _told(event: _Event) -> str:
    words = (event.extra or "").partition(SEE)[0].partition(LEARN)[0]
    return f"{event.event}: {words}" if words else event.event
