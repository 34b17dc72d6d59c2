"""How task instances that a change affects are told: by run, in short, and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from airflow_mcp.airflow.mapped import ranges
from airflow_mcp.airflow.task_instances import TaskInstance
from airflow_mcp.models.changes import Affected, RunOfAffected

MOST_LISTED = 200
MOST_LEFT_OUT = 20


def by_run(instances: Iterable[TaskInstance], dag_id: str, place: Mapping[str, int]) -> list[RunOfAffected]:
    """Task instances as a preview lists them, those of one run together in the order in which they run."""
    listed = sorted(instances, key=lambda each: (each.dag_id, each.dag_run_id, *_as_they_run(each, place)))[
        :MOST_LISTED
    ]
    return [
        RunOfAffected(
            dag_id=None if of_dag == dag_id else of_dag,
            dag_run_id=run_id,
            task_instances=[
                Affected(
                    task_id=each.task_id,
                    map_index=None if each.map_index < 0 else each.map_index,
                    state=each.state,
                )
                for each in group
            ],
        )
        for (of_dag, run_id), group in groupby(listed, key=lambda each: (each.dag_id, each.dag_run_id))
    ]


def _as_they_run(each: TaskInstance, place: Mapping[str, int]) -> tuple[int, str, int]:
    return place.get(each.task_id, len(place)), each.task_id, each.map_index


def left_out(instances: Iterable[TaskInstance], reason: str, place: Mapping[str, int]) -> list[str]:
    """`extract: success, and only_failed is on`, the indexes of a mapped task on one line."""
    groups: dict[tuple[str, str], list[TaskInstance]] = {}
    for each in sorted(instances, key=lambda each: (*_as_they_run(each, place), each.state)):
        groups.setdefault((each.task_id, each.state), []).append(each)
    lines = []
    for (task_id, state), group in groups.items():
        indexes = sorted({each.map_index for each in group if each.map_index >= 0})
        runs = len({each.dag_run_id for each in group})
        name = f"{task_id}[{ranges(indexes, ',')}]" if indexes else task_id
        where = f" in {runs} runs" if runs > 1 else ""
        lines.append(f"{name}{where}: {state}, {reason}" if reason != "already" else f"{name}{where}: already {state}")
    if len(lines) > MOST_LEFT_OUT:
        lines[MOST_LEFT_OUT:] = [f"and {len(lines) - MOST_LEFT_OUT} more tasks"]
    return lines


def shortened(items: Sequence[object], separator: str = ", ") -> str:
    """The first ten of many, and how many there are."""
    text = separator.join(str(item) for item in items[:10])
    return text if len(items) <= 10 else f"{text}{separator}… ({len(items)})"


def count(instances: Sequence[TaskInstance]) -> str:
    """`3 task instances (2 failed, 1 upstream_failed) in 1 run`."""
    numbers = sorted(Counter(each.state for each in instances).items(), key=lambda each: (-each[1], each[0]))
    states = ", ".join(f"{number} {state}" for state, number in numbers)
    runs = len({(each.dag_id, each.dag_run_id) for each in instances})
    listed = f"; the first {MOST_LISTED} are listed" if len(instances) > MOST_LISTED else ""
    what = f"{len(instances)} task instance{'s' if len(instances) != 1 else ''} ({states}{listed})"
    return f"{what} in {runs} run{'s' if runs != 1 else ''}"
