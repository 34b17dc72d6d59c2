"""How the tasks that failed did in the runs before, and what has changed since the last good one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.runs import find_runs
from airflow_mcp.airflow.task_instance_lists import InstanceRow, all_of_run, find_instances
from airflow_mcp.diagnosis.task_differences import task_differences
from airflow_mcp.diagnosis.words import named
from airflow_mcp.models.base import in_short
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.states import RUN_ENDED

RUNS_BEFORE = 10
LOOKED_THROUGH = 25


async def runs_before(api: Api, run: DagRun) -> list[DagRun]:
    """The runs of its DAG that were made before a run and have ended, the newest first: RUNS_BEFORE at most.

    One that is not among the newest is looked for by its start. Route: GET /dags/{dag_id}/dagRuns.
    """
    runs, _ = await find_runs(api, run.dag_id, {"limit": LOOKED_THROUGH})
    ids = [each.dag_run_id for each in runs]
    if run.dag_run_id in ids:
        runs = runs[ids.index(run.dag_run_id) + 1 :]
    elif run.start_date:
        query = {"limit": LOOKED_THROUGH, "start_date_lte": run.start_date.isoformat()}
        found, _ = await find_runs(api, run.dag_id, query)
        runs = [each for each in found if each.dag_run_id != run.dag_run_id and each.start_date]
    return [each for each in runs if each.state in RUN_ENDED][:RUNS_BEFORE]


async def last_good_before(api: Api, run: DagRun) -> DagRun | None:
    """The run of its DAG that succeeded and of those that started before it did so last; None for none.

    Route: GET /dags/{dag_id}/dagRuns, once more where it is not among the newest. Raises NotFoundError for an unknown
    DAG.
    """
    query = {"state": ["success"], "limit": LOOKED_THROUGH}
    runs, total = await find_runs(api, run.dag_id, query)
    if good := _last_before(run, runs):
        return good
    if run.start_date is None or total <= len(runs):
        return None
    runs, _ = await find_runs(api, run.dag_id, {**query, "start_date_lte": run.start_date.isoformat()})
    return _last_before(run, runs)


def _last_before(run: DagRun, runs: Sequence[DagRun]) -> DagRun | None:
    """The first of these runs that started before a run; a run that has not started comes after all."""
    for each in runs:
        started_before = each.start_date and (run.start_date is None or each.start_date < run.start_date)
        if each.dag_run_id != run.dag_run_id and started_before:
            return each
    return None


async def failed_before(
    api: Api, dag_id: str, runs: Sequence[DagRun], task_ids: Sequence[str]
) -> dict[str, dict[str, list[InstanceRow]]]:
    """By task and run, the task instances that failed in these runs.

    Route: POST /dags/~/dagRuns/~/taskInstances/list.
    """
    if not runs or not task_ids:
        return {}
    body = {"dag_ids": [dag_id], "dag_run_ids": [each.dag_run_id for each in runs], "task_ids": [*task_ids]}
    rows, _ = await find_instances(api, {**body, "state": ["failed"]})
    found: dict[str, dict[str, list[InstanceRow]]] = {}
    for row in rows:
        found.setdefault(row.task_id, {}).setdefault(row.dag_run_id, []).append(row)
    return found


def told_of_before(runs: Sequence[DagRun], failed: Mapping[str, object], *, same_error: bool | None) -> str | None:
    """In a sentence, how a task did in the runs before, the newest first."""
    if not runs:
        return "No run before it has ended."
    streak = next((place for place, run in enumerate(runs) if run.dag_run_id not in failed), len(runs))
    if not streak:
        others = f"; it failed in {len(failed)} of the {len(runs)} before" if failed else ""
        return f"It did not fail in the run before ({runs[0].dag_run_id}){others}."
    first = runs[streak - 1]
    since = f" ({in_short(first.start_date)})" if first.start_date else ""
    error = "" if same_error is None else f", the last time with {'the same' if same_error else 'another'} error"
    at_least = "at least " if streak == RUNS_BEFORE else ""
    many = f"{at_least}{streak} runs before" if streak > 1 or at_least else "run before"
    return f"It failed in the {many} too, since {first.dag_run_id}{since}{error}."


async def what_changed(api: Api, run: DagRun, rows: Sequence[InstanceRow], runs: Sequence[DagRun]) -> str | None:
    """In a sentence, whether the DAG is another one than in the last good run; None where there is none.

    By its version, and on Airflow 2, which tells none, by the tasks of the two runs.
    Route, on Airflow 2: POST /dags/~/dagRuns/~/taskInstances/list.
    """
    good = next((each for each in runs if each.state == "success"), None)
    if good is None:
        return None
    earlier = f"the last good run, {good.dag_run_id}"
    if api.release < (3, 0):
        return tasks_compared(await all_of_run(api, run.dag_id or "", good.dag_run_id), rows, earlier)
    return code_compared(good, run, earlier)


def tasks_compared(then: Sequence[InstanceRow], now: Sequence[InstanceRow], earlier: str) -> str:
    """In a sentence, whether the DAG has other tasks than in an earlier run, where no version tells of its code."""
    found = task_differences(then, now)
    if not found.added and not found.removed:
        return f"The tasks are those of {earlier}; Airflow 2 tells of no other change of the code."
    changes = [f"{words} {named(ids)}" for words, ids in (("new:", found.added), ("gone:", found.removed)) if ids]
    return f"The DAG has changed since {earlier}: tasks {'; '.join(changes)}."


def code_compared(then: DagRun, now: DagRun, earlier: str) -> str | None:
    """In a sentence, whether the code is another one than in an earlier run; None where no version tells."""
    if now.bundle_version and then.bundle_version:
        if now.bundle_version == then.bundle_version:
            return f"The code is that of {earlier}: bundle version {now.bundle_version}."
        return f"The code has changed since {earlier}: bundle version {then.bundle_version}, now {now.bundle_version}."
    before, after = versions(then), versions(now)
    if not before or not after:
        return None
    if before != after:
        return f"The DAG has changed since {earlier}: its version was {_told(before)}, now {_told(after)}."
    return f"The DAG's structure is that of {earlier}; a change within a function would not show."


def code_differs(then: DagRun, now: DagRun) -> bool:
    """Whether the versions of two runs prove that the code is another one."""
    if now.bundle_version and then.bundle_version:
        return now.bundle_version != then.bundle_version
    before, after = versions(then), versions(now)
    return bool(before and after) and before != after


def versions(run: DagRun) -> list[int]:
    """The versions of the DAG in a run: several where tasks were cleared onto a later one."""
    return sorted({each.version_number for each in run.dag_versions or ()})


def _told(numbers: Sequence[int]) -> str:
    return " and ".join(map(str, numbers))
