"""The graph of a DAG's tasks: who is upstream of whom, and in which order they run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


def upstream_of(downstream: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Turn each task's downstream ids into each task's upstream ids."""
    upstream: dict[str, list[str]] = {task_id: [] for task_id in downstream}
    for task_id, children in downstream.items():
        for child in children:
            upstream.setdefault(child, []).append(task_id)
    return upstream


def all_downstream(downstream: Mapping[str, Sequence[str]], task_ids: Iterable[str]) -> set[str]:
    """All tasks that are downstream of any of these; one of these only if it is downstream of another."""
    found: set[str] = set()
    waiting = list(task_ids)
    while waiting:
        new = set(downstream.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found


def related(
    graph: Mapping[str, Sequence[str]], task_ids: Iterable[str], *, upstream: bool, downstream: bool
) -> set[str]:
    """These tasks, and those upstream and downstream of them as wanted. The graph has each task's downstream ids."""
    found = set(task_ids)
    after = all_downstream(graph, found) if downstream else set()
    before = all_downstream(upstream_of(graph), found) if upstream else set()
    return found | after | before


def running_order(downstream: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Each task's place in the order in which they run; alphabetical where either could be first.

    A graph with a cycle, which Airflow would not load, stays as it came.
    """
    sorter = TopologicalSorter(upstream_of(downstream))
    order: list[str] = []
    try:
        sorter.prepare()
    except CycleError:
        return {task_id: place for place, task_id in enumerate(downstream)}
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return {task_id: place for place, task_id in enumerate(order)}
