"""The toolset `dags`: the nine endpoints of Airflow's DAG API."""

from airflow_mcp.models.changes import (
    ClearTaskInstances,
    DagChange,
    PatchDag,
    SetTaskInstancesState,
    TaskInstancesChange,
)
from airflow_mcp.models.dags import Dag, DagDetails, DagList, DagSource, GetDag, GetDags, GetDagSource
from airflow_mcp.models.tasks import GetTask, GetTasks, TaskDetails, TaskList
from airflow_mcp.tools.context import App
from airflow_mcp.tools.spec import tool


@tool("List DAGs")
async def get_dags(app: App, args: GetDags) -> DagList:
    """Find DAGs: paused, schedule, next run, tags, owners, state of the last run."""
    return await app.dags.find(args)


@tool("Get a DAG", user_text=True)
async def get_dag(app: App, args: GetDag) -> Dag:
    """One DAG in short, with description, file and import errors."""
    return await app.dags.get(args)


@tool("Get all details of a DAG", user_text=True)
async def get_dag_details(app: App, args: GetDag) -> DagDetails:
    """Everything about a DAG: params and their schemas, default args, docs, timetable, limits, version."""
    return await app.dags.details(args)


@tool("Read a DAG's source", user_text=True)
async def get_dag_source(app: App, args: GetDagSource) -> DagSource:
    """Numbered lines of a DAG's Python file; 300 at most, next_line to read on."""
    return await app.dags.source(args)


@tool("List a DAG's tasks")
async def get_tasks(app: App, args: GetTasks) -> TaskList:
    """The tasks and their graph, in running order: operator, upstream, downstream, retries, pool."""
    return await app.dags.tasks(args)


@tool("Get a task", user_text=True)
async def get_task(app: App, args: GetTask) -> TaskDetails:
    """Everything about one task."""
    return await app.dags.task(args)


@tool("Pause or unpause a DAG", changes=True)
async def patch_dag(app: App, args: PatchDag) -> DagChange:
    """Pause or unpause a DAG."""
    return await app.guard.carry_out("patch_dag", args, await app.dags.prepare_patch(args))


@tool("Clear task instances", changes=True, destructive=True, idempotent=False)
async def clear_task_instances(app: App, args: ClearTaskInstances) -> TaskInstancesChange:
    """Run task instances again, only failed ones by default.

    The preview lists each with its state: the way to see what failed.
    """
    return await app.guard.carry_out("clear_task_instances", args, await app.clear.prepare(args))


@tool("Set the state of task instances", changes=True, destructive=True)
async def set_task_instances_state(app: App, args: SetTaskInstancesState) -> TaskInstancesChange:
    """Mark task instances success, failed or skipped without running them; failed ones downstream run again."""
    return await app.guard.carry_out("set_task_instances_state", args, await app.set_state.prepare(args))
