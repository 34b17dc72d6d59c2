"""The exception that ended a task, as its log tells it: what was raised, why, and where in which file."""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from airflow_mcp.text.evidence.line import bounded, read

FAILED_WITH = "Task failed with exception"
"""What Airflow logs before the traceback of the exception that ended the task."""
MOST_FRAMES = 200
MOST_CAUSES = 5
_HEADER = "Traceback (most recent call last):"
_JOINS = ("The above exception was the direct cause", "During handling of the above exception")
_FRAME = re.compile(r'File "([^"\n]{1,1000}+)", line ([0-9]{1,9}+), in (.{1,200})')


class Frame(NamedTuple):
    """A place in a traceback."""

    file: str
    line: int
    function: str
    code: str
    """The line of source, where the log has it: Airflow 3 keeps none."""


class Raised(NamedTuple):
    """An exception."""

    error: str
    """`ValueError: row 7 has no amount`, its first line."""
    frames: tuple[Frame, ...]


class RaisedReader:
    """Reads a log line by line, in bounded memory, and keeps the chain of exceptions that ended the task."""

    def __init__(self) -> None:
        self._chain: list[Raised] = []
        self._ended_by: list[Raised] = []
        self._frames: deque[Frame] = deque(maxlen=MOST_FRAMES)
        self._indent: int | None = None
        self._joined = False
        self._told = False  # whether the line before said that the task failed
        self._ends = False  # whether the chain is what it failed with

    def add(self, number: int, raw: str) -> None:
        """The next line of the log."""
        line = read(number, bounded(raw))
        text = line.message.strip()
        if not text:
            return
        if text.startswith(_HEADER):
            self._begin(line.indent)
        elif self._indent is not None:
            self._in_traceback(text, line.indent)
        elif text.startswith(_JOINS):
            self._joined = True
        else:
            self._told = FAILED_WITH in text

    def _begin(self, indent: int) -> None:
        if not self._joined:
            self._chain, self._ends = [], self._told
        self._joined, self._indent = False, indent
        self._frames.clear()

    def _in_traceback(self, text: str, indent: int) -> None:
        if indent > (self._indent or 0):
            if frame := _FRAME.match(text):
                self._frames.append(Frame(frame[1], int(frame[2]), frame[3].strip(), ""))
            elif self._frames and not self._frames[-1].code and any(each.isalnum() for each in text):
                self._frames[-1] = self._frames[-1]._replace(code=text)
            return
        self._indent = None
        self._chain = [*self._chain, Raised(text, tuple(self._frames))][-MOST_CAUSES:]
        if self._ends:
            self._ended_by = self._chain

    @property
    def chain(self) -> list[Raised]:
        """The exceptions, the cause first and the one that was raised last; none where no traceback was logged.

        Of several chains it is the last of those that Airflow says the task failed with, else the last of all.
        """
        return self._ended_by or self._chain
