"""The words of diagnoses: some names of many, how long, how many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

MOST_NAMED = 3


def named(names: Sequence[str], total: int | None = None, most: int = MOST_NAMED) -> str:
    """The first of some names, and how many more there are, `total` in all where not all are given."""
    first = names[:most]
    more = (len(names) if total is None else total) - len(first)
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")


def lasting(since: datetime | None, now: datetime) -> str:
    """For how long, in one unit: `12 min`; `an unknown time` where it is not known."""
    if since is None:
        return "an unknown time"
    return lasted(max(int((now - since).total_seconds()), 0))


def lasted(seconds: float) -> str:
    """So many seconds in one unit: `12 min`, `0.8 s`."""
    units = ((172_800, 86_400, "days"), (7200, 3600, "h"), (120, 60, "min"))
    told = (f"{int(seconds // size)} {unit}" for most, size, unit in units if seconds >= most)
    return next(told, f"{round(seconds, 1):g} s")


def is_or_are(number: int) -> str:
    """The verb that goes with a number."""
    return "is" if number == 1 else "are"


def counted(number: int, what: str) -> str:
    """`1 run`, `3 runs`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
