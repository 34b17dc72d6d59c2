"""Which tasks of a run failed first, and which because of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from airflow_mcp.airflow.graph import all_downstream, running_order, upstream_of
from airflow_mcp.airflow.task_instance_lists import InstanceRow

FAILED = frozenset({"failed"})
FAILING = frozenset({"failed", "up_for_retry"})
"""Those of a run that still goes on: a try of theirs has failed."""


@dataclass(frozen=True)
class FailedTasks:
    """The task instances of a run that failed, by their tasks, and what they keep from running."""

    first: Mapping[str, Sequence[InstanceRow]]
    """Those that no failure came before, in running order."""
    after: Sequence[str]
    """The tasks that failed downstream of these."""
    blocked: Sequence[str]
    """The tasks that did not run for them (upstream_failed)."""


def failed_tasks(rows: Iterable[InstanceRow], graph: Mapping[str, Sequence[str]], *, ended: bool) -> FailedTasks:
    """Judge the task instances of a run by its graph (each task's downstream ids, empty where it is not known)."""
    failed: dict[str, list[InstanceRow]] = {}
    blocked: set[str] = set()
    for row in rows:
        if row.state in (FAILED if ended else FAILING):
            failed.setdefault(row.task_id, []).append(row)
        elif row.state == "upstream_failed":
            blocked.add(row.task_id)
    upstream, place = upstream_of(graph), running_order(graph)
    order = sorted(failed, key=lambda task_id: place.get(task_id, len(place)))
    first = [task_id for task_id in order if all_downstream(upstream, [task_id]).isdisjoint(failed)]
    return FailedTasks(
        {task_id: failed[task_id] for task_id in first},
        [task_id for task_id in order if task_id not in first],
        sorted(blocked - failed.keys(), key=lambda task_id: place.get(task_id, len(place))),
    )
