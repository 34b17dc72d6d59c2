"""The toolset `runs`: the runs of DAGs."""

from airflow_mcp.models.changes import ClearTaskInstances, TaskInstancesChange
from airflow_mcp.models.run_changes import (
    ClearDagRun,
    DeleteDagRun,
    RunDeletion,
    RunNoteChange,
    RunStateChange,
    SetDagRunNote,
    SetDagRunState,
    TriggerDagRun,
    Triggered,
)
from airflow_mcp.models.runs import DagRun, DagRunList, GetDagRun, GetDagRuns
from airflow_mcp.models.wait import RunWait, WaitForDagRun
from airflow_mcp.tools.context import App
from airflow_mcp.tools.spec import tool


@tool("List DAG runs")
async def get_dag_runs(app: App, args: GetDagRuns) -> DagRunList:
    """Find runs, newest first, of one DAG or of all: state, type, dates, duration."""
    return await app.runs.find(args)


@tool("Get a DAG run", user_text=True)
async def get_dag_run(app: App, args: GetDagRun) -> DagRun:
    """Everything about one run, the latest if none is named: conf, note, who triggered it, DAG version."""
    return await app.runs.get(args)


@tool("Wait for a DAG run")
async def wait_for_dag_run(app: App, args: WaitForDagRun) -> RunWait:
    """Wait until a run has ended, or the time is up: which tasks failed, or are still to come."""
    return await app.wait.until_ended(args, app.progress)


@tool("Trigger a DAG run", changes=True, destructive=False, idempotent=False)
async def trigger_dag_run(app: App, args: TriggerDagRun) -> Triggered:
    """Start a new run. The conf is checked against the DAG's params first."""
    return await app.guard.carry_out("trigger_dag_run", args, await app.trigger.prepare(args))


@tool("Set the state of a DAG run", changes=True, destructive=True)
async def set_dag_run_state(app: App, args: SetDagRunState) -> RunStateChange:
    """End a run as success or failed, which stops its tasks, or queue it."""
    return await app.guard.carry_out("set_dag_run_state", args, await app.run_changes.prepare_state(args))


@tool("Set the note of a DAG run", changes=True, user_text=True)
async def set_dag_run_note(app: App, args: SetDagRunNote) -> RunNoteChange:
    """Replace a run's note."""
    return await app.guard.carry_out("set_dag_run_note", args, await app.run_changes.prepare_note(args))


@tool("Clear a DAG run", changes=True, destructive=True, idempotent=False)
async def clear_dag_run(app: App, args: ClearDagRun) -> TaskInstancesChange:
    """Run all tasks of a run again, or only its failed ones."""
    whole = ClearTaskInstances.model_validate(args.model_dump())
    return await app.guard.carry_out("clear_dag_run", args, await app.clear.prepare(whole))


@tool("Delete a DAG run", changes=True, destructive=True)
async def delete_dag_run(app: App, args: DeleteDagRun) -> RunDeletion:
    """Delete a run that is not running, with its task instances, for good."""
    return await app.guard.carry_out("delete_dag_run", args, await app.run_changes.prepare_deletion(args))
