"""The toolset `diagnosis`: what an operator asks, each in one call."""

from airflow_mcp.models.changes import ClearTaskInstances
from airflow_mcp.models.diagnosis import (
    DagState,
    DiagnoseDagRun,
    ExplainDagState,
    GetHealth,
    Health,
    NextStep,
    RunDiagnosis,
)
from airflow_mcp.models.links import Resolved, ResolveUrl
from airflow_mcp.tools.context import App
from airflow_mcp.tools.spec import tool


@tool("Diagnose a failed DAG run", user_text=True)
async def diagnose_dag_run(app: App, args: DiagnoseDagRun) -> RunDiagnosis:
    """Why a run failed: first errors with their code, since when, what is blocked, and a rerun that is ready."""
    found = await app.diagnose_run.diagnose(args)
    return found.model_copy(update={"next": await _rerun(app, found)}) if found.failures else found


@tool("Explain why a DAG does not run", user_text=True)
async def explain_dag_state(app: App, args: ExplainDagState) -> DagState:
    """Why a DAG does not run: paused, limits, pools, sensors, upstream, import errors; the likeliest first."""
    return await app.explain_state.explain(args)


@tool("Get the instance's health", user_text=True)
async def get_health(app: App, args: GetHealth) -> Health:
    """The instance at a glance: components, import errors, failing DAGs, queues, full pools, longest tasks."""
    return await app.health.look(args)


@tool("Resolve a link")
async def resolve_url(app: App, args: ResolveUrl) -> Resolved:
    """A link from an alert: which DAG, run, task, map index and try it is about, and their states."""
    return await app.resolve.resolve(args)


async def _rerun(app: App, found: RunDiagnosis) -> NextStep | None:
    """What would run the failed tasks again, and no other; None where nothing may be changed."""
    args = ClearTaskInstances(dag_id=found.dag_id, dag_run_id=found.dag_run_id, confirm=False)
    return await app.guard.next_step("clear_task_instances", args, lambda: app.clear.prepare(args))
