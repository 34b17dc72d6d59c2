"""Which tasks are flaky: judged from runs and their task instances, and asks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from airflow_mcp.airflow.task_instance_lists import InstanceRow
from airflow_mcp.diagnosis.before import code_differs
from airflow_mcp.models.runs import DagRun

Task = tuple[str, str]
"""Its DAG's id and its own."""


@dataclass(frozen=True)
class Outcome:
    """The task instances of one task in one run: several of a mapped one."""

    run: DagRun
    rows: Sequence[InstanceRow]

    @property
    def failed(self) -> list[InstanceRow]:
        """Those that failed."""
        return [row for row in self.rows if row.state == "failed"]


Outcomes = Mapping[Task, Sequence[Outcome]]
"""Of each task, the newest run first."""


@dataclass(frozen=True)
class Flaky:
    """A task that failed and then succeeded."""

    task: Task
    runs: int
    later_try: Sequence[InstanceRow]
    """Of each run in which it was good at a later try, one that was: as it was when it failed last."""
    next_run: Sequence[InstanceRow]
    """Of each run in which it failed and was good in the next, one that failed."""

    @property
    def times(self) -> int:
        """In how many runs."""
        return len(self.later_try) + len(self.next_run)


def outcomes(runs: Sequence[DagRun], rows: Iterable[InstanceRow]) -> Outcomes:
    """By task what came of it in these runs, which are the newest first; of other runs nothing."""
    by_run: dict[tuple[str, str], dict[str, list[InstanceRow]]] = {}
    for row in rows:
        by_run.setdefault((row.dag_id, row.dag_run_id), {}).setdefault(row.task_id, []).append(row)
    found: dict[Task, list[Outcome]] = {}
    for run in runs:
        dag_id = run.dag_id or ""
        for task_id, its in by_run.get((dag_id, run.dag_run_id), {}).items():
            found.setdefault((dag_id, task_id), []).append(Outcome(run, its))
    return found


def several_tries(found: Outcomes) -> list[InstanceRow]:
    """The task instances that were good at a later try than the first, one a run: first the newest of each task."""
    columns = [
        [rows[0] for each in of_task if (rows := [row for row in each.rows if _tried_again(row)]) and not each.failed]
        for of_task in found.values()
    ]
    return [row for row in chain.from_iterable(zip_longest(*columns)) if row]


def _tried_again(row: InstanceRow) -> bool:
    return row.state == "success" and (row.try_number or 0) > 1


def flaky_tasks(found: Outcomes, failed_tries: Sequence[InstanceRow], *, all_runs: bool) -> list[Flaky]:
    """The tasks that failed and then succeeded, those first that did so most often.

    `failed_tries` are those of `several_tries` of which an earlier try failed, as they were then; `all_runs` tells
    that there is no older run.
    """
    tried: dict[Task, list[InstanceRow]] = {}
    for row in failed_tries:
        tried.setdefault((row.dag_id, row.task_id), []).append(row)
    flaky = [
        Flaky(task, len(of_task), tried.get(task, ()), _good_in_the_next(of_task, all_runs=all_runs))
        for task, of_task in found.items()
    ]
    return sorted((each for each in flaky if each.times), key=lambda each: (-each.times, each.runs))


def _good_in_the_next(of_task: Sequence[Outcome], *, all_runs: bool) -> list[InstanceRow]:
    """Where it failed alone: in the runs next to it, it did not, and the code was the same as far as is known.

    A task that fails in several runs, one after the other, is broken, and then mended.
    """
    found = []
    for place, each in enumerate(of_task):
        newer = of_task[place - 1] if place else None
        older = of_task[place + 1] if place + 1 < len(of_task) else None
        alone = all_runs if older is None else not older.failed
        if each.failed and newer and not newer.failed and alone and not code_differs(each.run, newer.run):
            found.append(each.failed[0])
    return found


def broken_tasks(found: Outcomes) -> list[str]:
    """The tasks that failed in every run, of two or more, in words."""
    return [
        f"{dag_id}.{task_id} ({len(of_task)} runs)"
        for (dag_id, task_id), of_task in found.items()
        if len(of_task) > 1 and all(each.failed for each in of_task)
    ]
