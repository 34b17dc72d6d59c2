"""The toolset `dags`: the nine endpoints of Airflow's DAG API, and the files that give no DAG."""

from airflow_mcp.airflow import dag_lists, dags, import_errors, tasks
from airflow_mcp.airflow.changes.clear import prepare_clear
from airflow_mcp.airflow.changes.pause import prepare_pause
from airflow_mcp.airflow.changes.prepared import Prepared
from airflow_mcp.airflow.changes.set_state import prepare_set_state
from airflow_mcp.models.changes import (
    ClearTaskInstances,
    DagChange,
    PatchDag,
    SetTaskInstancesState,
    TaskInstancesChange,
)
from airflow_mcp.models.dags import Dag, DagDetails, DagList, DagSource, GetDag, GetDags, GetDagSource
from airflow_mcp.models.import_errors import GetImportErrors, ImportErrorList
from airflow_mcp.models.tasks import GetTask, GetTasks, TaskDetails, TaskList
from airflow_mcp.tools.context import Call
from airflow_mcp.tools.spec import change, tool


@tool("List DAGs")
async def get_dags(call: Call, args: GetDags) -> DagList:
    """Find DAGs: paused, schedule, last and next run, tags, owners."""
    return await dag_lists.list_dags(call.api, **dict(args))


@tool("Get a DAG")
async def get_dag(call: Call, args: GetDag) -> Dag:
    """One DAG in short, with description, file and import errors."""
    return await dags.get_dag(call.api, args.dag_id, args.fields)


@tool("Get all details of a DAG")
async def get_dag_details(call: Call, args: GetDag) -> DagDetails:
    """Everything about a DAG: params, default args, docs, timetable, limits, version."""
    return await dags.get_dag_details(call.api, args.dag_id, args.fields)


@tool("Read a DAG's source")
async def get_dag_source(call: Call, args: GetDagSource) -> DagSource:
    """Numbered lines of a DAG's Python file, 300 at most."""
    return await dags.get_dag_source(call.api, **dict(args))


@tool("List import errors")
async def get_import_errors(call: Call, args: GetImportErrors) -> ImportErrorList:
    """Files that do not import, newest first: why a DAG is missing."""
    return await import_errors.list_import_errors(call.api, **dict(args))


@tool("List a DAG's tasks")
async def get_tasks(call: Call, args: GetTasks) -> TaskList:
    """The tasks and their graph, in running order: operator, upstream, downstream, retries, pool."""
    return await tasks.list_tasks(call.api, **dict(args))


@tool("Get a task")
async def get_task(call: Call, args: GetTask) -> TaskDetails:
    """Everything about one task."""
    return await tasks.get_task(call.api, args.dag_id, args.task_id)


@change("Pause or unpause a DAG")
async def patch_dag(call: Call, args: PatchDag) -> Prepared[DagChange]:
    """Pause or unpause a DAG."""
    return await prepare_pause(call.api, args.dag_id, is_paused=args.is_paused)


@change("Clear task instances", destructive=True, idempotent=False)
async def clear_task_instances(call: Call, args: ClearTaskInstances) -> Prepared[TaskInstancesChange]:
    """Run task instances again, only failed ones by default; the preview lists each with its state."""
    return await prepare_clear(call.api, args)


@change("Set the state of task instances", destructive=True)
async def set_task_instances_state(call: Call, args: SetTaskInstancesState) -> Prepared[TaskInstancesChange]:
    """Mark task instances success, failed or skipped without running them; failed ones downstream run again."""
    return await prepare_set_state(call.api, args)
