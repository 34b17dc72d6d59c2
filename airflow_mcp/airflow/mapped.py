"""Map indexes in few words."""

from __future__ import annotations

from collections.abc import Iterable


def ranges(indexes: Iterable[int]) -> str:
    """`0-6, 8, 10-11` for the indexes from 0 to 11 without 7 and 9; empty for none."""
    found: list[list[int]] = []
    for index in sorted(indexes):
        if found and index == found[-1][1] + 1:
            found[-1][1] = index
        else:
            found.append([index, index])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in found)
