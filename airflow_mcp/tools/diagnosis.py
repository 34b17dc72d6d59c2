"""The toolset `diagnosis`: what is broken, why, and what holds what does not run."""

from airflow_mcp.diagnosis import compare, dag_state, failures, flaky, health, run, url
from airflow_mcp.models.dag_state import DagState, ExplainDagState
from airflow_mcp.models.diagnosis import DiagnoseDagRun, Diagnosis
from airflow_mcp.models.failures import FailureList, FindFailures
from airflow_mcp.models.flaky_tasks import FindFlakyTasks, FlakyTaskList
from airflow_mcp.models.health import GetHealth, Health
from airflow_mcp.models.resolved_url import ResolvedUrl, ResolveUrl
from airflow_mcp.models.run_comparison import CompareDagRuns, RunComparison
from airflow_mcp.tools.context import Call
from airflow_mcp.tools.spec import tool


@tool("Diagnose a DAG run")
async def diagnose_dag_run(call: Call, args: DiagnoseDagRun) -> Diagnosis:
    """Why a run failed, in one call: the first tasks that failed, errors, code, runs before, next step."""
    return await run.diagnose_dag_run(call.api, args.dag_id, args.dag_run_id, preview_tools=call.preview_tools)


@tool("Explain why something is not running")
async def explain_dag_state(call: Call, args: ExplainDagState) -> DagState:
    """Why a DAG, a run or a task is not running: what holds it, likeliest first, and what to do."""
    return await dag_state.explain_dag_state(call.api, **dict(args))


@tool("Find failures")
async def find_failures(call: Call, args: FindFailures) -> FailureList:
    """What failed since a time, across DAGs: by error, how often, first and last, and how each DAG stands now."""
    return await failures.find_failures(call.api, args.since, args.dag_id)


@tool("Compare two DAG runs")
async def compare_dag_runs(call: Call, args: CompareDagRuns) -> RunComparison:
    """What differs between two runs: conf, code, tasks, their states, tries and durations."""
    return await compare.compare_dag_runs(call.api, args.dag_id, args.dag_run_id, args.other_dag_run_id)


@tool("Find flaky tasks")
async def find_flaky_tasks(call: Call, args: FindFlakyTasks) -> FlakyTaskList:
    """Tasks that fail and then succeed, of a DAG or of all: how often, in which runs last, with which errors."""
    return await flaky.find_flaky_tasks(call.api, args.dag_id, args.runs)


@tool("Get the health of Airflow")
async def get_health(call: Call, args: GetHealth) -> Health:  # noqa: ARG001 - it takes none
    """What is wrong now, at a glance: components, failing DAGs, import errors, queues, full pools, long runs."""
    return await health.get_health(call.api)


@tool("Resolve a link")
async def resolve_url(call: Call, args: ResolveUrl) -> ResolvedUrl:
    """What a link to Airflow's UI, as pasted from an alert, names: its ids, state now, and which tool to call next."""
    return await url.resolve_url(call.api, args.url)
