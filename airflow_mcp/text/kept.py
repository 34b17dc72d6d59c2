"""A line of a log that is shown."""

from __future__ import annotations

from typing import NamedTuple


class KeptLine(NamedTuple):
    """A line that is shown; where there were several like it, in place of all of them."""

    number: int
    text: str
    times: int = 1
