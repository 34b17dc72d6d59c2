"""find_flaky_tasks: which tasks fail and then succeed, how often, and with which errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.links import Links
from airflow_mcp.airflow.runs import find_runs
from airflow_mcp.airflow.task_instance_lists import InstanceRow, find_instances
from airflow_mcp.diagnosis.failure import Failure, last_failed_try, read_failures
from airflow_mcp.diagnosis.flaky_tasks import Flaky, Task, broken_tasks, flaky_tasks, outcomes, several_tries
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.diagnosis.room import that_fit
from airflow_mcp.diagnosis.words import counted, named
from airflow_mcp.models.flaky_tasks import FlakyTask, FlakyTaskList
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.states import RUN_ENDED

MOST_TRIES = 40
"""Task instances of which the tries are looked at."""
MOST_TASKS = 10
MOST_LOGS = 20
MOST_OF_A_TASK = 3
"""Logs, runs and errors of one task."""
CHARACTERS = 300
"""Of a log that are kept to name its error."""
LONGEST_ERROR = 160
MOST_CHARACTERS = 2000
"""Of the answer: tasks are left out until it has no more."""


async def find_flaky_tasks(api: Api, dag_id: str | None = None, runs: int = 50) -> FlakyTaskList:
    """The tasks that failed and then succeeded in the newest runs that have ended, of a DAG or of all.

    Routes: GET /dags/{dag_id}/dagRuns (`~` for all DAGs), POST /dags/~/dagRuns/~/taskInstances/list for 1,000 task
    instances of these at most, then those of tries and of logs for some. Raises NotFoundError for an unknown DAG.
    """
    ended, total = await find_runs(api, dag_id, {"state": sorted(RUN_ENDED), "limit": runs})
    if not ended:
        return FlakyTaskList(summary=f"No run{f' of {dag_id}' if dag_id else ''} has ended yet.")
    seen, rows, left_out = await _instances(api, ended)
    found, parts = outcomes(seen, rows), Parts()
    tried = several_tries(found)
    tries = await parts.look_at_some("tries", [partial(last_failed_try, api, row) for row in tried[:MOST_TRIES]])
    if len(tried) > MOST_TRIES:
        left_out.append(f"The tries of {len(tried) - MOST_TRIES} more task instances were not looked at.")
    if tried and api.release < (2, 10):
        left_out.append("This Airflow does not tell how earlier tries ended: some may have been cleared while good.")
    flaky = flaky_tasks(found, [row for row in tries if row], all_runs=total <= len(seen))
    shown = _shown(api.links, seen, flaky, await _errors(api, parts, flaky))
    return _told(seen, flaky, shown, broken_tasks(found), [*parts.not_seen, *left_out])


async def _instances(api: Api, runs: Sequence[DagRun]) -> tuple[Sequence[DagRun], list[InstanceRow], list[str]]:
    """The task instances of these runs that succeeded or failed, or of the newest of them where they are too many.

    Gives those runs, what there is, and in sentences what is left out.
    """
    left_out = []
    rows, total = await find_instances(api, _of(runs))
    if total > len(rows):
        newest = runs[: max(len(runs) * len(rows) * 4 // (total * 5), 1)]  # some have more than others
        left_out.append(f"{len(runs) - len(newest)} older runs were not looked at: all have {total} task instances.")
        runs = newest
        rows, total = await find_instances(api, _of(runs))
    if total > len(rows):
        left_out.append(f"{total - len(rows)} task instances of these runs were not looked at.")
    return runs, rows, left_out


def _of(runs: Sequence[DagRun]) -> dict[str, list[str]]:
    dag_ids = sorted({run.dag_id or "" for run in runs})
    return {"dag_ids": dag_ids, "dag_run_ids": [run.dag_run_id for run in runs], "state": sorted(RUN_ENDED)}


async def _errors(api: Api, parts: Parts, flaky: Sequence[Flaky]) -> dict[Task, list[str]]:
    """By task the errors of its last failures, each with how many logs have it; of the first MOST_TASKS."""
    shown = flaky[:MOST_TASKS]
    each_at_most = min(MOST_LOGS // max(len(shown), 1), MOST_OF_A_TASK)
    rows = [row for each in shown for row in (*each.later_try, *each.next_run)[:each_at_most]]
    logs: dict[Task, list[Failure]] = {}
    for each in await read_failures(api, parts, "a log", rows, CHARACTERS):
        logs.setdefault((each.row.dag_id, each.row.task_id), []).append(each)
    return {task: _named(failures) for task, failures in logs.items()}


def _named(failures: Sequence[Failure]) -> list[str]:
    """The errors, the most frequent first."""
    counts = Counter(each.signature for each in failures)
    errors = {each.signature: each.error[:LONGEST_ERROR] for each in reversed(failures)}
    of = counted(len(failures), "log")
    return [f"{errors[signature]} ({number} of {of})" for signature, number in counts.most_common()]


def _told(
    runs: Sequence[DagRun],
    flaky: Sequence[Flaky],
    rows: Sequence[FlakyTask],
    broken: Sequence[str],
    not_seen: Sequence[str],
) -> FlakyTaskList:
    told = FlakyTaskList(
        summary=_summary(runs, flaky),
        start_date=min((run.start_date for run in runs if run.start_date), default=None),
        broken=named(broken) or None,
        not_seen=list(not_seen) or None,
    )
    rows = that_fit(told, rows, MOST_CHARACTERS)
    more = len(flaky) - len(rows)
    left_out = [*not_seen, *([f"{more} more flaky tasks are not listed."] if more else [])]
    return told.model_copy(update={"tasks": rows or None, "not_seen": left_out or None})


def _shown(
    links: Links, runs: Sequence[DagRun], flaky: Sequence[Flaky], errors: Mapping[Task, Sequence[str]]
) -> list[FlakyTask]:
    """The first MOST_TASKS as they are told."""
    places = {(run.dag_id, run.dag_run_id): place for place, run in enumerate(runs)}
    found = []
    for each in flaky[:MOST_TASKS]:
        rows = sorted((*each.later_try, *each.next_run), key=lambda row: places[row.dag_id, row.dag_run_id])
        dag_id, task_id = each.task
        found.append(
            FlakyTask(
                dag_id=dag_id,
                task_id=task_id,
                runs=each.runs,
                good_at_a_later_try=len(each.later_try) or None,
                good_in_the_next_run=len(each.next_run) or None,
                last_run_ids=[row.dag_run_id for row in rows[:MOST_OF_A_TASK]],
                errors=list(errors.get(each.task, ())) or None,
                url=links.to(dag_id, task_id=task_id),
            )
        )
    return found


def _summary(runs: Sequence[DagRun], flaky: Sequence[Flaky]) -> str:
    dags = {run.dag_id for run in runs}
    last = f"{len(runs)} runs" if len(runs) > 1 else "run"
    where = f"the last {last} of {named(sorted(filter(None, dags)))}"
    if not flaky:
        return f"No task failed and then succeeded in {where}."
    first = flaky[0]
    most = f"{first.task[1]} most often, in {first.times} of {counted(first.runs, 'run')}"
    return f"{counted(len(flaky), 'task')} failed and then succeeded in {where}: {most}."
