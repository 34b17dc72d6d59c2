"""The toolset `tasks`: what task instances did."""

from airflow_mcp.airflow import logs, xcoms
from airflow_mcp.airflow.one_task_instance import get_task_instance as one
from airflow_mcp.airflow.task_instance_page import list_task_instances
from airflow_mcp.models.logs import GetTaskLog, TaskLog
from airflow_mcp.models.task_instances import GetTaskInstance, GetTaskInstances, TaskInstanceDetails, TaskInstanceList
from airflow_mcp.models.xcoms import GetXCom, GetXComEntries, XCom, XComEntryList
from airflow_mcp.tools.context import Call
from airflow_mcp.tools.spec import tool


@tool("List task instances")
async def get_task_instances(call: Call, args: GetTaskInstances) -> TaskInstanceList:
    """Of a run, as they ran, a mapped task in one row; or across runs and DAGs, latest start first."""
    return await list_task_instances(call.api, **dict(args))


@tool("Get a task instance")
async def get_task_instance(call: Call, args: GetTaskInstance) -> TaskInstanceDetails:
    """One task instance: each try, links to the job behind it, what it waits for."""
    return await one(call.api, **dict(args))


@tool("Read a task's log")
async def get_task_log(call: Call, args: GetTaskLog) -> TaskLog:
    """A task's log: why it failed, the end, the start, from_line on, or around grep's texts."""
    return await logs.get_task_log(call.api, **dict(args))


@tool("List XComs")
async def get_xcom_entries(call: Call, args: GetXComEntries) -> XComEntryList:
    """Keys of what tasks of a run handed over."""
    return await xcoms.list_xcom_entries(call.api, **dict(args))


@tool("Get an XCom")
async def get_xcom(call: Call, args: GetXCom) -> XCom:
    """A value that a task handed over, or its beginning."""
    return await xcoms.get_xcom(call.api, **dict(args))
