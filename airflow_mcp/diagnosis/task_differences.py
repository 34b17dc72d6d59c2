"""What differs between the task instances of two runs: judged, and asks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from airflow_mcp.airflow.durations import seconds_taken
from airflow_mcp.airflow.mapped import ranges
from airflow_mcp.airflow.task_instance_lists import InstanceRow
from airflow_mcp.diagnosis.words import lasted, named
from airflow_mcp.models.run_comparison import TaskDifference
from airflow_mcp.models.states import NO_STATUS

FACTOR = 2
LEAST_SECONDS = 5
"""A smaller difference of durations is none: on Airflow 3 a duration includes the start of a process."""
MOST_RANGES = 8
RAN = frozenset({"success", "failed", "running", "up_for_retry"})
ARROW = " → "

ByIndex = Mapping[int | None, InstanceRow]


@dataclass(frozen=True)
class Change:
    """What differs of one task instance; None for what does not."""

    state: str | None
    tries: str | None
    longer: bool | None

    def __bool__(self) -> bool:
        return self != Change(None, None, None)


@dataclass(frozen=True)
class Changed:
    """A change of one task: of it, or of those of its map indexes that have this change."""

    task_id: str
    change: Change
    pairs: Sequence[tuple[InstanceRow, InstanceRow]]
    indexes: str | None = None
    """How many map indexes there were and are, where that differs."""

    @property
    def alone(self) -> bool:
        """Whether it has something that no other task shares: map indexes, or a duration."""
        mapped = any(row.map_index is not None for _, row in self.pairs)
        return mapped or self.indexes is not None or self.change.longer is not None


@dataclass(frozen=True)
class TaskDifferences:
    """How two runs differ in their tasks."""

    rows: Sequence[TaskDifference]
    """What failed first, then other states, numbers of map indexes, tries and durations."""
    counts: Mapping[str, int]
    """How many tasks differ, by what."""
    added: Sequence[str]
    removed: Sequence[str]


def task_differences(earlier: Iterable[InstanceRow], later: Iterable[InstanceRow]) -> TaskDifferences:
    """What differs from one run's task instances to the other's."""
    before, after = _by_task(earlier), _by_task(later)
    changes = [each for task_id in after if task_id in before for each in _of_task(before[task_id], after[task_id])]
    return TaskDifferences(
        rows=_rows(changes),
        counts={
            "state": _tasks(each for each in changes if each.change.state),
            "number of map indexes": _tasks(each for each in changes if each.indexes),
            "tries": _tasks(each for each in changes if each.change.tries),
            "duration": _tasks(each for each in changes if each.change.longer is not None),
        },
        added=[task_id for task_id in after if task_id not in before],
        removed=[task_id for task_id in before if task_id not in after],
    )


def _by_task(rows: Iterable[InstanceRow]) -> dict[str, dict[int | None, InstanceRow]]:
    found: dict[str, dict[int | None, InstanceRow]] = {}
    for row in rows:
        found.setdefault(row.task_id, {})[row.map_index] = row
    return found


def _tasks(changes: Iterable[Changed]) -> int:
    return len({each.task_id for each in changes})


def _of_task(before: ByIndex, after: ByIndex) -> list[Changed]:
    task_id = next(iter(after.values())).task_id
    groups: dict[Change, list[tuple[InstanceRow, InstanceRow]]] = {}
    for index, row in after.items():
        if index in before and (change := _change(before[index], row)):
            groups.setdefault(change, []).append((before[index], row))
    found = [Changed(task_id, change, pairs) for change, pairs in groups.items()]
    if before.keys() != after.keys():
        numbers = f"{_number(before)}{ARROW}{_number(after)}"
        found.append(Changed(task_id, Change(None, None, None), (), numbers))
    return found


def _number(rows: ByIndex) -> str:
    return "not mapped" if None in rows else str(len(rows))


def _change(before: InstanceRow, after: InstanceRow) -> Change:
    states = before.state or NO_STATUS, after.state or NO_STATUS
    state = None if states[0] == states[1] else ARROW.join(states)
    if not RAN.issuperset(states):
        return Change(state, None, None)  # of what did not run, tries and durations say nothing
    tries = before.try_number or 0, after.try_number or 0
    return Change(state, None if tries[0] == tries[1] else ARROW.join(map(str, tries)), _longer(before, after))


def _longer(before: InstanceRow, after: InstanceRow) -> bool | None:
    """Whether it took FACTOR times as long, or as short; None for neither."""
    then, now = seconds_taken(before), seconds_taken(after)
    if then is None or now is None or abs(now - then) < LEAST_SECONDS or max(now, then) < FACTOR * min(now, then):
        return None
    return now > then


def _rows(changes: Sequence[Changed]) -> list[TaskDifference]:
    """Tasks with the same change are one row, unless they have something of their own."""
    ordered = sorted(changes, key=_weight)
    shared: dict[Change, list[Changed]] = {}
    rows: list[list[Changed]] = []
    for each in ordered:
        if each.alone:
            rows.append([each])
        elif each.change in shared:
            shared[each.change].append(each)
        else:
            rows.append(shared.setdefault(each.change, [each]))
    return [_row(group) for group in rows]


def _weight(each: Changed) -> int:
    change = each.change
    if change.state:
        return 0 if "failed" in change.state.split(ARROW) else 1
    return 2 if each.indexes else 3 if change.tries else 4


def _row(group: Sequence[Changed]) -> TaskDifference:
    first = group[0]
    indexes = [row.map_index for _, row in first.pairs if row.map_index is not None]
    return TaskDifference(
        tasks=named([each.task_id for each in group]),
        map_indexes=ranges(indexes, most=MOST_RANGES) or None,
        state=first.change.state,
        tries=first.change.tries,
        duration=_duration(first),
        number_of_indexes=first.indexes,
    )


def _duration(each: Changed) -> str | None:
    """Both durations, and how many times the one is the other; of several map indexes where that is most."""
    if each.change.longer is None:
        return None
    seconds = [(seconds_taken(before) or 0, seconds_taken(after) or 0) for before, after in each.pairs]
    then, now = max(seconds, key=_factor)
    most = "at most " if len(seconds) > 1 else ""
    how = "as long" if now > then else "as fast"
    return f"{most}{lasted(then)}{ARROW}{lasted(now)} ({_factor((then, now)):.3g} times {how})"


def _factor(seconds: tuple[float, float]) -> float:
    return max(seconds) / max(min(seconds), 0.1)
