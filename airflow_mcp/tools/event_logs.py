"""The toolset `event_logs`: who did what."""

from airflow_mcp.airflow.event_log_list import list_event_logs
from airflow_mcp.models.event_logs import EventLogList, GetEventLogs
from airflow_mcp.tools.context import Call
from airflow_mcp.tools.spec import tool


@tool("List event logs", since="2.9")
async def get_event_logs(call: Call, args: GetEventLogs) -> EventLogList:
    """Who cleared, triggered, paused, set or deleted what, latest first: attempts, be they refused or not."""
    return await list_event_logs(call.api, **dict(args))
