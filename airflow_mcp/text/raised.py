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
_HEADERS = ("Traceback (most recent call last):", "Exception Group Traceback (most recent call last):")
_JOINS = ("The above exception was the direct cause", "During handling of the above exception")
_PART = "+---------------- 1 ------"
"""What stands before the first exception of a group."""
_BEFORE_THE_TASK = "::group::Pre "
"""Of the lines that Airflow logs before the task's own code runs; an error among them did not end what ran later."""
_KILLED = ("Task exited with return code -", "Process terminated by signal")
"""What Airflow 2 and 3 say of a process that a signal ended: no exception that was logged before did."""
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
        self._frame_indent = 0
        self._joined = False
        self._part = False  # whether the next exception is the first one of the group before
        self._told = False  # whether the line before said that the task failed
        self._ends = False  # whether the chain is what it failed with
        self._is_before = False  # whether the task's own code has not begun

    def add(self, number: int, raw: str) -> None:
        """The next line of the log."""
        line = read(number, bounded(raw))
        text = line.message.strip()
        if not text:
            return
        told, self._told = self._told, FAILED_WITH in text
        if text.startswith(_HEADERS):
            self._begin(line.indent, told=told)
        elif self._indent is not None:
            self._in_traceback(text, line.indent)
        elif text.startswith(_JOINS):
            self._joined = True
        elif self._part or (told and not line.start):  # an exception without frames has no header
            self._begin(line.indent, told=told)
            self._in_traceback(text, line.indent)
        elif _PART in text:
            self._part = True
        else:
            self._part = False
            self._judge(text)

    def _judge(self, text: str) -> None:
        """Forget what did not end the task: what was raised before its own code began, or before it was killed."""
        if text.startswith(_KILLED):
            self._chain = []
        elif text.startswith(_BEFORE_THE_TASK):
            self._is_before = True
        elif self._is_before and text.startswith("::endgroup::"):
            self._is_before, self._chain = False, []

    def _begin(self, indent: int, *, told: bool) -> None:
        if not (self._joined or self._part):
            self._chain, self._ends = [], told
        self._joined, self._indent = False, indent
        self._frames.clear()

    def _in_traceback(self, text: str, indent: int) -> None:
        if indent > (self._indent or 0):
            if frame := _FRAME.match(text):
                self._frames.append(Frame(frame[1], int(frame[2]), frame[3].strip(), ""))
                self._frame_indent = indent
            elif self._frames and not self._frames[-1].code and self._is_code(text, indent):
                self._frames[-1] = self._frames[-1]._replace(code=text)
            return
        self._indent = None
        raised = Raised(text, tuple(self._frames))
        self._chain = [raised, *self._chain] if self._part else [*self._chain, raised][-MOST_CAUSES:]
        self._part = False
        if self._ends:
            self._ended_by = self._chain

    def _is_code(self, text: str, indent: int) -> bool:
        """Whether a line is the source of the frame above: not how many frames are left out, nor what marks a part."""
        return indent > self._frame_indent and any(each.isalnum() for each in text)

    @property
    def chain(self) -> list[Raised]:
        """The exceptions, the cause first and the one that was raised last; none where no traceback was logged.

        Of several chains it is the last of those that Airflow says the task failed with, else the last of all.
        """
        return self._ended_by or self._chain
