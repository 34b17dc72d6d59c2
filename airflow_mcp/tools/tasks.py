"""The toolset `tasks`: what task instances did."""

from airflow_mcp.airflow import logs
from airflow_mcp.models.logs import GetTaskLog, TaskLog
from airflow_mcp.tools.context import Call
from airflow_mcp.tools.spec import tool


@tool("Read a task's log", user_text=True)
async def get_task_log(call: Call, args: GetTaskLog) -> TaskLog:
    """Lines of a task instance's log: the end, the start, from_line on, or around grep's texts."""
    return await logs.get_task_log(call.api, **dict(args))
