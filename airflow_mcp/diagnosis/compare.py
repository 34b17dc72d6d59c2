"""compare_dag_runs: what differs between two runs of a DAG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dags import source_hash
from airflow_mcp.airflow.no_run import find_run
from airflow_mcp.airflow.runs import find_runs, told
from airflow_mcp.airflow.task_instance_lists import all_of_run
from airflow_mcp.diagnosis.before import code_compared, last_good_before, versions
from airflow_mcp.diagnosis.conf_differences import conf_differences
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.diagnosis.room import that_fit
from airflow_mcp.diagnosis.task_differences import FACTOR, TaskDifferences, task_differences
from airflow_mcp.diagnosis.words import counted, named
from airflow_mcp.errors import InvalidArgumentError, NotFoundError
from airflow_mcp.models.run_comparison import RunComparison
from airflow_mcp.models.runs import DagRun

OF_A_RUN = (
    *("dag_run_id", "state", "run_type", "logical_date", "data_interval_start", "data_interval_end"),
    *("start_date", "duration_seconds", "url", "conf"),
)
MOST_CHARACTERS = 2000
"""Of the answer: rows of tasks are left out until it has no more."""


@dataclass(frozen=True)
class Found:
    """What was seen of two runs; what is None could not be."""

    earlier: DagRun
    later: DagRun
    tasks: TaskDifferences | None
    code: str | None
    not_seen: Sequence[str]


async def compare_dag_runs(
    api: Api, dag_id: str, dag_run_id: str | None = None, other_dag_run_id: str | None = None
) -> RunComparison:
    """What differs between two runs: the latest that failed and the last good one before it, unless they are named.

    Routes: those for runs and task instances, and on Airflow 3 GET /dagSources/{dag_id}. Raises NotFoundError for an
    unknown DAG or run, and where there is none to take, InvalidArgumentError for one run twice. What else cannot be
    looked at is named.
    """
    run_id = dag_run_id or await _latest_failed(api, dag_id)
    if run_id == other_dag_run_id:
        raise InvalidArgumentError("other_dag_run_id", f"is {run_id} too; name another run, or none.")
    run = await find_run(api, dag_id, run_id)
    other = await (find_run(api, dag_id, other_dag_run_id) if other_dag_run_id else _last_good(api, run))
    earlier, later = sorted((other, run), key=_started)
    return _comparison(await _look(api, dag_id, told(api, earlier), told(api, later)))


async def _latest_failed(api: Api, dag_id: str) -> str:
    runs, _ = await find_runs(api, dag_id, {"state": ["failed"], "limit": 1})
    if not runs:
        raise NotFoundError(f"No run of {dag_id} has failed.", "Name two runs to compare: get_dag_runs lists them.")
    return runs[0].dag_run_id


async def _last_good(api: Api, run: DagRun) -> DagRun:
    good = await last_good_before(api, run)
    if good is None:
        what = f"No run of {run.dag_id} that started before {run.dag_run_id} has succeeded."
        raise NotFoundError(what, "Name one as other_dag_run_id: get_dag_runs lists them.")
    return good


def _started(run: DagRun) -> datetime:
    return run.start_date or datetime.max.replace(tzinfo=UTC)


async def _look(api: Api, dag_id: str, earlier: DagRun, later: DagRun) -> Found:
    parts = Parts()
    names = [f"task instances of {run.dag_run_id}" for run in (earlier, later)]
    seen = await parts.look(
        {
            names[0]: partial(all_of_run, api, dag_id, earlier.dag_run_id),
            names[1]: partial(all_of_run, api, dag_id, later.dag_run_id),
            "the source": partial(_sources, api, dag_id, earlier, later),
        }
    )
    before, after = (seen[name] for name in names)
    tasks = None if before is None or after is None else task_differences(before, after)
    code = code_compared(earlier, later, f"run {earlier.dag_run_id}")
    said = [each for each in (code, seen["the source"]) if each]
    return Found(earlier, later, tasks, " ".join(said) or None, parts.not_seen)


async def _sources(api: Api, dag_id: str, earlier: DagRun, later: DagRun) -> str | None:
    """What Airflow has of the DAG's file in the versions of the two runs, where these differ.

    It takes a file anew within a version: what ran may have been another.
    """
    numbers = sorted({*versions(earlier), *versions(later)})
    if versions(earlier) == versions(later) or len(numbers) != 2:
        return None
    first, second = [await source_hash(api, dag_id, number) for number in numbers]
    same = "the same" if first == second else f"not the same (SHA-256 {first}…, {second}…)"
    return f"The DAG's own file, as Airflow last read it in version {numbers[0]} and in {numbers[1]}, is {same}."


def _comparison(found: Found) -> RunComparison:
    before, after, keys = conf_differences(found.earlier.conf, found.later.conf)
    tasks = found.tasks
    told = RunComparison(
        summary=_summary(found, len(keys)),
        dag_id=found.later.dag_id or "",
        runs=[_run(found.earlier, before if keys else None), _run(found.later, after if keys else None)],
        code=found.code or "Airflow does not tell which code these runs had.",
        tasks_added=named(tasks.added) or None if tasks else None,
        tasks_removed=named(tasks.removed) or None if tasks else None,
    )
    rows = that_fit(told, tasks.rows, MOST_CHARACTERS) if tasks else []
    left_out = _left_out(len(tasks.rows) - len(rows) if tasks else 0, len(keys) - len(before | after))
    return told.model_copy(update={"tasks": rows or None, "not_seen": [*found.not_seen, *left_out] or None})


def _run(run: DagRun, conf: dict[str, object] | None) -> DagRun:
    return run.model_copy(update={"conf": conf}).pick(OF_A_RUN, always=())


def _left_out(rows: int, keys: int) -> list[str]:
    found = []
    if rows:
        found.append(f"{rows} more rows of tasks are not listed: get_task_instances has both runs'.")
    if keys:
        found.append(f"{keys} more keys of conf differ: get_dag_runs with fields=[conf] has them.")
    return found


def _summary(found: Found, keys: int) -> str:
    earlier, later, tasks = found.earlier, found.later, found.tasks
    which = f"{later.dag_run_id} ({later.state}) and {earlier.dag_run_id} ({earlier.state})"
    counts = {f"{what} of": number for what, number in tasks.counts.items() if number} if tasks else {}
    differ = [f"{what} {counted(number, 'task')}" for what, number in counts.items()]
    differ += [f"{counted(len(ids), 'task')} {how}" for how, ids in _moved(tasks).items() if ids]
    differ += [f"conf in {counted(keys, 'key')}"] if keys else []
    differ += ["run type"] if earlier.run_type != later.run_type else []
    if differ:
        return f"{which} differ: {', '.join(differ)}."
    if tasks is None:
        return f"{which} do not differ in run type and conf; their tasks could not be compared."
    same = f"run type, conf, tasks, their states and tries, and no task took {FACTOR} times as long"
    return f"No difference between {which}: the same {same}."


def _moved(tasks: TaskDifferences | None) -> dict[str, Sequence[str]]:
    return {"added": tasks.added, "removed": tasks.removed} if tasks else {}
