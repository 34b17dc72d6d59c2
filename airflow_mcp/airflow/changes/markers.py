"""Tasks as a caller names them: all of a task, or one map index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from airflow_mcp.airflow.mapped import label
from airflow_mcp.airflow.task_instances import TaskInstance
from airflow_mcp.errors import NotFoundError

_WITH_INDEX = re.compile(r"(?P<task_id>.+)\[(?P<index>\d+)\]")


@dataclass(frozen=True)
class Marker:
    """A task as a caller names it: all of it, or one map index."""

    task_id: str
    map_index: int | None = None

    @classmethod
    def parse(cls, text: str) -> Marker:
        """Read `load_file` or `load_file[7]`."""
        match = _WITH_INDEX.fullmatch(text)
        return cls(match["task_id"], int(match["index"])) if match else cls(text)

    def matches(self, instance: TaskInstance) -> bool:
        """Whether the task instance is one of those named."""
        return instance.task_id == self.task_id and self.map_index in (None, instance.map_index)


def absent(markers: Iterable[Marker], instances: Iterable[TaskInstance]) -> list[Marker]:
    """Those named that have no task instance among these."""
    known: set[Marker] = set()
    for each in instances:
        known |= {Marker(each.task_id), Marker(each.task_id, each.map_index)}
    return [marker for marker in markers if marker not in known]


def other_indexes(markers: Iterable[Marker], instances: Iterable[TaskInstance]) -> list[TaskInstance]:
    """The task instances of tasks of which other map indexes were named, and not these."""
    named = set(markers)
    tasks = {marker.task_id for marker in named}
    return [
        each
        for each in instances
        if each.task_id in tasks and named.isdisjoint({Marker(each.task_id), Marker(each.task_id, each.map_index)})
    ]


def require_present(markers: Sequence[Marker], instances: Sequence[TaskInstance], dag_id: str) -> None:
    """Refuse a task or map index that has no task instance among these. Raises NotFoundError."""
    for marker in absent(markers, instances):
        name = label(marker.task_id, marker.map_index)
        indexes = sorted({each.map_index for each in instances if each.task_id == marker.task_id})
        if not indexes:
            known = "the task was not part of it."
        elif indexes == [-1]:
            known = "the task has no map indexes there; leave the index out."
        else:
            known = f"its map indexes are {indexes[0]} to {indexes[-1]}."
        raise NotFoundError(f"{dag_id}: no task instance {name} in the runs that were asked for; {known}")
