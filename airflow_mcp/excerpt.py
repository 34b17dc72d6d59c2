"""What is kept of a long log while it passes by: its errors, its end, its beginning, or what matches."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

ERRORS = frozenset({"ERROR", "CRITICAL", "FATAL"})
TRACEBACK = "Traceback (most recent call last):"
FRAME = re.compile(r'\s*File "')
LIBRARY_FRAME = re.compile(r'\s*File ".*[/\\\\](?:site|dist)-packages[/\\\\]')
BEFORE, AFTER = 3, 2
"""Lines around an error, or a match."""
MOST_BLOCKS = 40
"""Errors that are kept in memory: half of them the first, half the last."""
BLOCK_HEAD, BLOCK_TAIL = 12, 30
"""Lines of one error: of a long traceback the middle goes, for its end says what happened."""
LONGEST_LINE = 1000


@dataclass(frozen=True)
class Line:
    """A line of a log. One without a level goes on with the message of the line before."""

    number: int
    text: str
    level: str | None = None

    @property
    def size(self) -> int:
        """How many characters it takes in an answer."""
        return len(self.text) + len(str(self.number)) + 2

    def __str__(self) -> str:
        return f"{self.number}|{self.text}"


class Excerpt(Protocol):
    """Takes the lines of a log one by one, and keeps a bounded part of them."""

    def add(self, line: Line) -> None:
        """Take the next line."""

    def kept(self) -> list[Line]:
        """The lines to show, by number; some may be missing between them."""


class Head:
    """The lines from a number on, as many as fit."""

    def __init__(self, budget: int, start: int = 1) -> None:
        self._left, self._start = budget, start
        self._lines: list[Line] = []

    def add(self, line: Line) -> None:
        """Take the next line."""
        if line.number < self._start or self._left < 0:
            return
        self._left -= line.size
        if self._left >= 0 or not self._lines:
            self._lines.append(line)

    def kept(self) -> list[Line]:
        """The lines to show."""
        return self._lines


class Tail:
    """The last lines, as many as fit."""

    def __init__(self, budget: int) -> None:
        self._budget, self._size = budget, 0
        self._lines: deque[Line] = deque()

    def add(self, line: Line) -> None:
        """Take the next line."""
        self._lines.append(line)
        self._size += line.size
        while self._size > self._budget and len(self._lines) > 1:
            self._size -= self._lines.popleft().size

    def kept(self) -> list[Line]:
        """The lines to show."""
        return list(self._lines)


class Matches:
    """The lines that hold a text or match a pattern, with some around them, from a number on, as many as fit."""

    def __init__(self, pattern: re.Pattern[str], budget: int, start: int = 1) -> None:
        self._pattern, self._start = pattern, start
        self._head = Head(budget)
        self._before: deque[Line] = deque(maxlen=BEFORE)
        self._after = 0
        self.found = 0

    def add(self, line: Line) -> None:
        """Take the next line."""
        if line.number < self._start:
            return
        if self._pattern.search(line.text):
            self.found += 1
            self._after = AFTER
            for each in (*self._before, line):
                self._head.add(each)
            self._before.clear()
        elif self._after:
            self._after -= 1
            self._head.add(line)
        else:
            self._before.append(line)

    def kept(self) -> list[Line]:
        """The lines to show."""
        return self._head.kept()


@dataclass
class _Block:
    """One error: its lines, the traceback with it, and some around."""

    head: list[Line] = field(default_factory=list)
    tail: deque[Line] = field(default_factory=lambda: deque(maxlen=BLOCK_TAIL))
    times: int = 1

    def add(self, line: Line) -> None:
        (self.head if len(self.head) < BLOCK_HEAD else self.tail).append(line)

    @property
    def lines(self) -> list[Line]:
        return [*self.head, *self.tail]

    @property
    def size(self) -> int:
        return sum(line.size for line in self.lines)

    def within(self, budget: int) -> list[Line]:
        """Its lines, without those of its middle for which there is no room."""
        lines = self.lines
        while len(lines) > 1 and sum(line.size for line in lines) > budget:
            del lines[(len(lines) - 1) // 2]
        return lines


class Errors:
    """Each error with its traceback and the lines around it; the last one always, then the first, then the others.

    Of a traceback the frames in libraries go, but for the last one before what was raised.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._first: list[_Block] = []
        self._last: deque[_Block] = deque(maxlen=MOST_BLOCKS // 2)
        self._before: deque[Line] = deque(maxlen=BEFORE)
        self._open: _Block | None = None
        self._library_frame: list[Line] = []
        self._after = 0
        self.found = 0

    def add(self, line: Line) -> None:
        """Take the next line."""
        error = line.level in ERRORS or line.text.startswith(TRACEBACK)
        if error and not (self._open and line.level is None):
            self.found += 1
            if self._open is None:
                self._start()
        if self._open is None:
            self._before.append(line)
            return
        self._add_to_open(self._open, line)
        if error or line.level is None:
            self._after = AFTER
        else:
            self._after -= 1
            if self._after <= 0:
                self._open = None

    def _add_to_open(self, block: _Block, line: Line) -> None:
        if line.level is None and LIBRARY_FRAME.match(line.text):
            self._library_frame = [line]
        elif self._library_frame and line.level is None and line.text.startswith("    "):
            self._library_frame.append(line)  # its line of code
        else:
            for each in () if FRAME.match(line.text) else self._library_frame:
                block.add(each)
            self._library_frame = []
            block.add(line)

    def _start(self) -> None:
        self._open = _Block()
        for each in self._before:
            self._open.add(each)
        self._before.clear()
        (self._first if len(self._first) < MOST_BLOCKS // 2 else self._last).append(self._open)

    def kept(self) -> list[Line]:
        """The lines to show."""
        blocks = [*self._first, *self._last]
        if not blocks:
            return []
        lines = blocks[-1].within(self._budget)
        left = self._budget - sum(line.size for line in lines)
        for block in (*blocks[:1], *reversed(blocks[1:-1])) if len(blocks) > 1 else ():
            if block.size <= left:
                lines += block.lines
                left -= block.size
        return sorted(lines, key=lambda line: line.number)


def gaps(lines: Iterable[Line], total: int) -> list[str]:
    """The ranges of line numbers that are not shown."""
    missing: list[str] = []
    expected = 1
    for number in [*(line.number for line in lines), total + 1]:
        if number > expected:
            missing.append(str(expected) if number - 1 == expected else f"{expected}-{number - 1}")
        expected = number + 1
    return missing
