"""diagnose_dag_run: what of a run failed first, why, since when, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.asset_consumers import dags_waiting_for
from airflow_mcp.airflow.changes.clear import prepare_clear
from airflow_mcp.airflow.dags import get_dag, get_dag_details, source_lines
from airflow_mcp.airflow.no_run import find_run
from airflow_mcp.airflow.run_details import usual_duration
from airflow_mcp.airflow.runs import find_runs, told
from airflow_mcp.airflow.task_instance_lists import InstanceRow, all_of_run
from airflow_mcp.airflow.tasks import all_tasks
from airflow_mcp.airflow.together import together
from airflow_mcp.diagnosis.before import failed_before, runs_before, what_changed
from airflow_mcp.diagnosis.causes import LOG_CHARACTERS, MOST_TASKS, Found, diagnosis
from airflow_mcp.diagnosis.failure import Failure, last_failed_try, read_failures, read_try
from airflow_mcp.diagnosis.first_failed import FailedTasks, failed_tasks
from airflow_mcp.diagnosis.parts import Look, Parts
from airflow_mcp.diagnosis.reasons import gone_file
from airflow_mcp.errors import DagNotFoundError, NotFoundError
from airflow_mcp.models.changes import ClearTaskInstances
from airflow_mcp.models.dag_state import Reason
from airflow_mcp.models.dags import DagDetails
from airflow_mcp.models.diagnosis import Diagnosis
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.states import RUN_ENDED

MOST_LOGS = 12
LEAST_CHARACTERS = 250


async def diagnose_dag_run(
    api: Api, dag_id: str | None = None, dag_run_id: str | None = None, *, preview_tools: bool = True
) -> Diagnosis:
    """Why a run failed: that one, or the latest failed one of the DAG, or of all DAGs.

    The next step is a call of a preview's own tool, or of the change's with confirm=false where there are none.

    Routes: those for runs, task instances, tasks, logs, the source, and the dry run of a clear. Raises NotFoundError
    for an unknown DAG or run, and where its task instances cannot be read; what else cannot be looked at is named.
    """
    if dag_run_id is None:
        runs, _ = await find_runs(api, dag_id, {"state": ["failed"], "limit": 1})
        if not runs:
            url = api.links.to(dag_id) if dag_id else None
            return Diagnosis(summary=f"No run{f' of {dag_id}' if dag_id else ''} has failed.", dag_id=dag_id, url=url)
        dag_id, dag_run_id = dag_id or runs[0].dag_id, runs[0].dag_run_id
    run = await find_run(api, dag_id or "", dag_run_id)
    return diagnosis(await _look(api, told(api, run), dag_id or "", preview_tools))


async def _look(api: Api, run: DagRun, dag_id: str, preview_tools: bool) -> Found:
    """Look at the task instances and the DAG, then side by side at what goes along with those that failed first."""
    parts = Parts()
    rows, about = await together(
        partial(all_of_run, api, dag_id, run.dag_run_id),
        partial(parts.look, {"the DAG": partial(_dag, api, dag_id)}),
    )
    details: DagDetails | None = about["the DAG"]
    gone = gone_file(details) if details else None
    seen = await parts.look(
        {
            **_of_code(api, dag_id, gone),
            "runs before": partial(runs_before, api, run),
            "usual duration": partial(usual_duration, api, dag_id),
        }
    )
    graph = {task.task_id: task.downstream_task_ids for task in seen.get("the graph") or ()}
    tasks, before = failed_tasks(rows, graph, ended=run.state in RUN_ENDED), seen["runs before"] or []
    logs = _logs_to_read(tasks)
    failures = await _failures(api, parts, logs)
    more = await parts.look(
        {
            "the runs before": lambda: failed_before(api, dag_id, before, [*tasks.first][:MOST_TASKS]),
            "what changed": lambda: what_changed(api, run, rows, before),
            "assets": lambda: dags_waiting_for(api, dag_id, {*tasks.first, *tasks.after, *tasks.blocked}),
            "the next step": lambda: _next_step(api, run, tasks, gone, preview_tools),
        }
    )
    failed = more["the runs before"] or {}
    return Found(
        run=run,
        rows=rows,
        usual_duration=seen["usual duration"],
        tasks=tasks,
        failures=failures,
        tries_before=await _tries_before(api, parts, failures),
        before=before,
        failed_before=failed,
        errors_before=await _errors_before(api, parts, before, failed),
        details=details,
        gone=gone,
        source=seen.get("the source"),
        changed=more["what changed"],
        waiting_dags=more["assets"] or (),
        next=more["the next step"],
        not_seen=[*parts.not_seen, *_not_read(tasks, logs)],
    )


def _of_code(api: Api, dag_id: str, gone: Reason | None) -> dict[str, Look]:
    """The looks at a DAG's code, of which Airflow 2 has none once the file is gone."""
    if gone and api.release < (3, 0):
        return {}
    return {"the graph": partial(all_tasks, api, dag_id), "the source": partial(source_lines, api, dag_id)}


async def _dag(api: Api, dag_id: str) -> DagDetails:
    """The DAG's details, or what Airflow 2 still has of a DAG whose file is gone."""
    try:
        return await get_dag_details(api, dag_id)
    except DagNotFoundError:
        if api.release >= (3, 0):
            raise
        return DagDetails(**dict(await get_dag(api, dag_id)))


def _logs_to_read(tasks: FailedTasks) -> list[InstanceRow]:
    """Of the tasks that failed first some, and of each that is mapped the first map indexes."""
    chosen = list(tasks.first.values())[:MOST_TASKS]
    each_at_most = max(MOST_LOGS // max(len(chosen), 1), 1)
    return [row for rows in chosen for row in rows[:each_at_most]]


async def _failures(api: Api, parts: Parts, logs: Sequence[InstanceRow]) -> list[Failure]:
    """What these logs say, each with its part of the room for lines."""
    tasks = {row.task_id for row in logs}
    return await read_failures(api, parts, "a log", logs, max(LOG_CHARACTERS // max(len(tasks), 1), LEAST_CHARACTERS))


def _not_read(tasks: FailedTasks, logs: Sequence[InstanceRow]) -> list[str]:
    number = sum(map(len, tasks.first.values())) - len(logs)
    return [f"{number} more logs of what failed first were not read (get_task_log)."] if number else []


async def _errors_before(
    api: Api, parts: Parts, before: Sequence[DagRun], failed: Mapping[str, Mapping[str, Sequence[InstanceRow]]]
) -> dict[str, str]:
    if not before:
        return {}
    last = before[0].dag_run_id
    rows = [runs[last][0] for runs in failed.values() if last in runs]
    read = await read_failures(api, parts, "a log of the run before", rows, LEAST_CHARACTERS)
    return {each.row.task_id: each.signature for each in read if each.tells}


async def _tries_before(api: Api, parts: Parts, failures: Sequence[Failure]) -> dict[str, Failure]:
    """By task, the last try before the latest that failed too, where its error is another and its log is there."""
    first = {each.row.task_id: each for each in reversed(failures) if (each.row.try_number or 0) > 1}
    read = await parts.look_at_some(
        "the log of an earlier try", [partial(_try_before, api, each.row) for each in first.values()]
    )
    told = {each.row.task_id: each for each in read if each and each.tells}
    return {task_id: each for task_id, each in told.items() if each.signature != first[task_id].signature}


async def _try_before(api: Api, row: InstanceRow) -> Failure | None:
    failed = await last_failed_try(api, row)
    try:
        return await read_try(api, failed, failed.try_number or 0, LEAST_CHARACTERS) if failed else None
    except NotFoundError:  # of a number that Airflow has left out
        return None


async def _next_step(api: Api, run: DagRun, tasks: FailedTasks, gone: Reason | None, preview_tools: bool) -> str | None:
    """The clear that runs the failed tasks again, and how much it would touch; or what it needs before it."""
    if not tasks.first:
        return None
    dag_id, run_id = run.dag_id or "", run.dag_run_id
    tool, but = ("preview_clear_task_instances", "") if preview_tools else ("clear_task_instances", ", confirm=false")
    call = f'{tool}(dag_id="{dag_id}", dag_run_id="{run_id}"{but})'
    if gone:
        return f"{gone.remedy} Then, once the cause is mended: {call}."
    preview = (await prepare_clear(api, ClearTaskInstances(dag_id=dag_id, dag_run_id=run_id))).preview
    return f"Once the cause is mended: {call}. {preview.summary} {' '.join(preview.warnings or ())}".strip()
