"""Map indexes, and the task instances that have one, in few words."""

from __future__ import annotations

from collections.abc import Iterable


def label(task_id: str, map_index: int | None) -> str:
    """The task's id, with the map index of a mapped one: `load_file[7]`."""
    return task_id if map_index is None or map_index < 0 else f"{task_id}[{map_index}]"


MOST_RANGES = 40


def ranges(indexes: Iterable[int], separator: str = ", ", most: int = MOST_RANGES) -> str:
    """`0-6, 8, 10-11` for the indexes from 0 to 11 without 7 and 9; empty for none. Of very many the first."""
    found: list[list[int]] = []
    for index in sorted(indexes):
        if found and index == found[-1][1] + 1:
            found[-1][1] = index
        else:
            found.append([index, index])
    told = [f"{first}-{last}" if last > first else str(first) for first, last in found[:most]]
    more = sum(last - first + 1 for first, last in found[most:])
    return separator.join([*told, *([f"and {more} more"] if more else [])])
