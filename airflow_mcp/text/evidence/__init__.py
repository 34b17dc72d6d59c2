"""The lines of a log that tell why something failed."""

from __future__ import annotations

from airflow_mcp.text.evidence.blocks import Blocks
from airflow_mcp.text.evidence.choose import choose
from airflow_mcp.text.kept import KeptLine


class Evidence:
    """Reads a log line by line, in bounded memory, and keeps the lines that tell why it failed.

    `most` is how many characters the kept lines have together at most, with eight for the number of each.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._blocks = Blocks()

    def add(self, number: int, line: str) -> None:
        """The next line of the log, with its number."""
        self._blocks.add(number, line)

    @property
    def certain(self) -> bool:
        """Whether a line tells of a failure for certain, and not only by a word such as `failed`."""
        return self._blocks.final is not None

    def lines(self) -> list[KeptLine]:
        """What is kept so far, in the log's order."""
        return choose(self._blocks, self._most)
