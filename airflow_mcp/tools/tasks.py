"""The toolset `tasks`: what task instances did, what they handed over, and notes on them."""

from airflow_mcp.models.changes import SetTaskInstanceNote, TaskInstanceNote
from airflow_mcp.models.logs import GetTaskLog, TaskLog
from airflow_mcp.models.task_instances import (
    GetTaskInstance,
    GetTaskInstances,
    TaskInstanceDetails,
    TaskInstanceList,
)
from airflow_mcp.models.xcoms import GetXcom, GetXcomEntries, Xcom, XcomEntryList
from airflow_mcp.tools.context import App
from airflow_mcp.tools.spec import tool


@tool("List task instances")
async def get_task_instances(app: App, args: GetTaskInstances) -> TaskInstanceList:
    """Find task instances of a run, or across runs and DAGs: state, try, start, duration."""
    return await app.instances.find(args)


@tool("Get a task instance", user_text=True)
async def get_task_instance(app: App, args: GetTaskInstance) -> TaskInstanceDetails:
    """Everything about one task instance and its tries; of a mapped task, how many indexes are in which state."""
    return await app.instances.get(args)


@tool("Read a task's log", user_text=True)
async def get_task_log(app: App, args: GetTaskLog) -> TaskLog:
    """A task instance's log: its errors with their tracebacks, its end, its beginning, or what matches."""
    return await app.logs.read(args)


@tool("List XComs")
async def get_xcom_entries(app: App, args: GetXcomEntries) -> XcomEntryList:
    """What the tasks of a run, or one of them, handed over: the keys; get_xcom gives a value."""
    return await app.xcoms.find(args)


@tool("Get an XCom's value", user_text=True)
async def get_xcom(app: App, args: GetXcom) -> Xcom:
    """A value that a task handed over."""
    return await app.xcoms.get(args)


@tool("Set a task instance's note", changes=True, destructive=True, user_text=True)
async def set_task_instance_note(app: App, args: SetTaskInstanceNote) -> TaskInstanceNote:
    """Set the note of a task instance, in place of the one that is there."""
    return await app.guard.carry_out("set_task_instance_note", args, await app.instances.prepare_note(args))
