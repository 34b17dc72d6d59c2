"""diagnose_dag_run: what of a run failed first, why, since when, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.asset_consumers import dags_waiting_for
from airflow_mcp.airflow.changes.clear import prepare_clear
from airflow_mcp.airflow.dags import get_dag, get_dag_details, source_lines
from airflow_mcp.airflow.mapped import label, ranges
from airflow_mcp.airflow.no_run import find_run
from airflow_mcp.airflow.run_details import usual_duration
from airflow_mcp.airflow.runs import find_runs, told
from airflow_mcp.airflow.task_instance_lists import InstanceRow, all_of_run
from airflow_mcp.airflow.tasks import all_tasks
from airflow_mcp.airflow.together import together
from airflow_mcp.diagnosis.before import failed_before, runs_before, told_of_before, what_changed
from airflow_mcp.diagnosis.code import around, in_file
from airflow_mcp.diagnosis.failure import Failure, last_failed_try, read_failures, read_try
from airflow_mcp.diagnosis.first_failed import FailedTasks, failed_tasks
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.diagnosis.reasons import gone_file
from airflow_mcp.diagnosis.retry import run_again
from airflow_mcp.diagnosis.run_timeout import told_of_timeout
from airflow_mcp.diagnosis.words import named
from airflow_mcp.errors import DagNotFoundError, NotFoundError
from airflow_mcp.models.changes import ClearTaskInstances
from airflow_mcp.models.dag_state import Reason
from airflow_mcp.models.dags import DagDetails
from airflow_mcp.models.diagnosis import Cause, Diagnosis
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.states import RUN_ENDED
from airflow_mcp.text.windows import numbered

MOST_TASKS = 6
"""Tasks that failed first of which the log is read."""
MOST_LOGS = 12
LOG_CHARACTERS = 1200
"""Of the lines of all logs together."""
LEAST_CHARACTERS = 250


@dataclass(frozen=True)
class Found:
    """What was seen of a run; what is None could not be."""

    run: DagRun
    usual_duration: float | None
    tasks: FailedTasks
    failures: Sequence[Failure]
    before: Sequence[DagRun]
    tries_before: Mapping[str, Failure]
    """By task, an earlier try that failed with another error."""
    failed_before: Mapping[str, Mapping[str, Sequence[InstanceRow]]]
    errors_before: Mapping[str, str]
    """By task, the signature of its error in the run before, if it failed there."""
    details: DagDetails | None
    gone: Reason | None
    """That the file of the DAG is gone."""
    source: Sequence[str] | None
    changed: str | None
    waiting_dags: Sequence[str]
    next: str | None
    not_seen: Sequence[str]
    unfinished: Sequence[str]
    """The tasks that were skipped at the end of the run."""
    tried_again: Sequence[str]
    """The tasks that succeeded, and not in their first try."""


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
    return _diagnosis(await _look(api, told(api, run), dag_id or "", preview_tools))


async def _look(api: Api, run: DagRun, dag_id: str, preview_tools: bool) -> Found:
    """Look at the task instances, then side by side at what goes along with those that failed first."""
    parts, run_id = Parts(), run.dag_run_id
    rows, dag = await together(
        partial(all_of_run, api, dag_id, run_id),
        partial(parts.look, {"the DAG": partial(_dag, api, dag_id)}),
    )
    details: DagDetails | None = dag["the DAG"]
    gone = gone_file(details) if details else None
    has_code = gone is None or api.release >= (3, 0)
    seen = await parts.look(
        {
            **({"the graph": lambda: all_tasks(api, dag_id)} if has_code else {}),
            "runs before": lambda: runs_before(api, run),
            "usual duration": lambda: usual_duration(api, dag_id),
        }
    )
    graph = {task.task_id: task.downstream_task_ids for task in seen.get("the graph") or ()}
    tasks, before = failed_tasks(rows, graph, ended=run.state in RUN_ENDED), seen["runs before"] or []
    logs = _logs_to_read(tasks)
    most = max(LOG_CHARACTERS // max(len({row.task_id for row in logs}), 1), LEAST_CHARACTERS)
    failures = await read_failures(api, parts, "a log", logs, most)
    more = await parts.look(
        {
            "the runs before": lambda: failed_before(api, dag_id, before, [*tasks.first][:MOST_TASKS]),
            **({"the source": lambda: source_lines(api, dag_id)} if has_code else {}),
            "what changed": lambda: what_changed(api, run, rows, before),
            "assets": lambda: dags_waiting_for(api, dag_id, {*tasks.first, *tasks.after, *tasks.blocked}),
            "the next step": lambda: _next_step(api, run, tasks, gone, preview_tools),
        }
    )
    failed = more["the runs before"] or {}
    return Found(
        run=run,
        usual_duration=seen["usual duration"],
        tasks=tasks,
        failures=failures,
        tries_before=await _tries_before(api, parts, failures),
        before=before,
        failed_before=failed,
        errors_before=await _errors_before(api, parts, before, failed),
        details=details,
        gone=gone,
        source=more.get("the source"),
        changed=more["what changed"],
        waiting_dags=more["assets"] or (),
        next=more["the next step"],
        not_seen=[*parts.not_seen, *_not_read(tasks, logs)],
        unfinished=_unfinished(run, rows),
        tried_again=[
            f"{label(row.task_id, row.map_index)} ({row.try_number})"
            for row in rows
            if row.state == "success" and (row.try_number or 0) > 1
        ],
    )


async def _dag(api: Api, dag_id: str) -> DagDetails:
    """The DAG's details, or what Airflow 2 still has of a DAG whose file is gone."""
    try:
        return await get_dag_details(api, dag_id)
    except DagNotFoundError:
        if api.release >= (3, 0):
            raise
        return DagDetails(**dict(await get_dag(api, dag_id)))


def _diagnosis(found: Found) -> Diagnosis:
    run, causes = found.run, _causes(found)
    return Diagnosis(
        summary=" ".join([_summary(found, causes), *([found.gone.fact] if found.gone else [])]),
        dag_id=run.dag_id,
        dag_run_id=run.dag_run_id,
        state=run.state,
        start_date=run.start_date,
        duration_seconds=run.duration_seconds,
        usual_duration_seconds=found.usual_duration,
        url=run.url,
        causes=causes or None,
        failed_after=named(found.tasks.after) or None,
        blocked=named(found.tasks.blocked) or None,
        waiting_dags=named(found.waiting_dags) or None,
        changed=found.changed,
        next=found.next,
        not_seen=found.not_seen or None,
    )


def _logs_to_read(tasks: FailedTasks) -> list[InstanceRow]:
    """Of the tasks that failed first some, and of each that is mapped the first map indexes."""
    chosen = list(tasks.first.values())[:MOST_TASKS]
    each_at_most = max(MOST_LOGS // max(len(chosen), 1), 1)
    return [row for rows in chosen for row in rows[:each_at_most]]


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


def _causes(found: Found) -> list[Cause]:
    groups: dict[tuple[str, str], list[Failure]] = {}
    for each in found.failures:
        groups.setdefault((each.row.task_id, each.signature), []).append(each)
    return [_cause(found, group) for group in groups.values()]


def _cause(found: Found, group: Sequence[Failure]) -> Cause:
    first = group[0]
    task_id = first.row.task_id
    failed = found.failed_before.get(task_id, {})
    earlier = found.errors_before.get(task_id)
    same = earlier == first.signature if earlier is not None and first.tells else None
    indexes = [each.row.map_index for each in group if each.row.map_index is not None]
    again = run_again(first.error if first.tells else None, as_before=bool(same))
    if found.gone:
        again = "cannot: no file defines the DAG."
    return Cause(
        task_id=task_id,
        map_indexes=ranges(indexes) or None,
        state=None if first.row.state == "failed" else first.row.state,
        tries=_tries(first.row, found.tries_before.get(task_id)),
        error=first.error,
        evidence=_evidence(found, first),
        before=told_of_before(found.before, failed, same_error=same),
        run_again=again,
    )


def _evidence(found: Found, failure: Failure) -> str | None:
    log = numbered(failure.lines, LOG_CHARACTERS)
    frames = in_file(failure.own_frames, found.details.fileloc if found.details else None)
    code = around(frames, found.source) if frames and found.source else ""
    when = "as it was last read" if found.gone else "as it is now"
    name = (found.details.fileloc or "").rpartition("/")[2] if found.details else ""
    return "\n".join(each for each in (log, f"{name}, {when}:\n{code}" if code else "") if each) or None


def _tries(row: InstanceRow, before: Failure | None) -> str | None:
    if not row.try_number:
        return None
    tries = f"{row.try_number} of {row.max_tries + 1}" if row.max_tries is not None else str(row.try_number)
    return f"{tries}; try {before.row.try_number} failed with {before.error}" if before else tries


def _summary(found: Found, causes: Sequence[Cause]) -> str:
    run = found.run
    which = f"{run.dag_id} {run.dag_run_id}"
    if causes:
        tasks = ", ".join(dict.fromkeys(each.task_id for each in causes))
        many = f" ({len(found.tasks.first)} tasks failed by themselves)" if len(found.tasks.first) > MOST_TASKS else ""
        return f"{which} is {run.state}: {tasks} failed first{many}."
    if found.tasks.first:
        return f"{which} is {run.state}: {named([*found.tasks.first])} failed; their logs could not be read."
    again = f" In a later try than the first succeeded: {named(found.tried_again)}." if found.tried_again else ""
    return f"{which} is {run.state}, and no task of it has failed.{_without_failed_task(found)}{again}"


def _unfinished(run: DagRun, rows: Sequence[InstanceRow]) -> list[str]:
    """The tasks that were skipped when the run ended, not before: Airflow sets no end_date, or that of the run."""
    end = run.end_date
    at_end = [
        row.task_id
        for row in rows
        if row.state == "skipped" and (row.end_date is None or (end and row.end_date >= end - timedelta(seconds=1)))
    ]
    return [*dict.fromkeys(at_end)]


def _without_failed_task(found: Found) -> str:
    """Why a run can have failed though no task did."""
    if found.run.state != "failed":
        return ""
    limit = found.details.dag_run_timeout_seconds if found.details else None
    if timeout := told_of_timeout(found.run, limit):
        unfinished = f"; not done by then: {named(found.unfinished)}" if found.unfinished else ""
        return f" {timeout[0].upper()}{timeout[1:]}{unfinished}."
    return (
        " A person or a program set it so, which get_event_logs shows, or its tasks could not go on: "
        "get_task_instances shows their states."
    )


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
