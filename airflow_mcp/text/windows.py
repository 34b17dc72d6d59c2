"""Which lines of a log are shown: those that tell why it failed, its beginning, its end, or what holds some words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from airflow_mcp.text.evidence import Evidence
from airflow_mcp.text.kept import KeptLine

SHARE_OF_A_LINE = 6
"""So many of the longest lines fit."""
ROOM_FOR_TIMES = 16


class Rest(NamedTuple):
    """How to see the lines that are not shown."""

    note: str | None = None
    next_line: int | None = None


class Reader(Protocol):
    """Takes the lines of a log one by one."""

    def add(self, number: int, line: str) -> None:
        """Take the next line."""
        ...


class Window(Reader, Protocol):
    """Keeps some of the lines; what it kept is asked for when there are no more."""

    def lines(self) -> list[KeptLine]:
        """What is kept, in order."""
        ...

    def rest(self, total: int) -> Rest:
        """How to see the rest of the lines that there were."""
        ...


class Errors:
    """The lines that tell why something failed; of a log without any error, the last ones."""

    def __init__(self, most: int) -> None:
        self._evidence, self._end = Evidence(most), Tail(most)

    def add(self, number: int, line: str) -> None:
        """Take the next line."""
        self._evidence.add(number, line)
        self._end.add(number, line)

    @cached_property
    def _found(self) -> list[KeptLine]:
        return self._evidence.lines()

    def lines(self) -> list[KeptLine]:
        """What is kept, in order. Takes up to a quarter of a second, where a log is full of errors."""
        return self._found or self._end.lines()

    def rest(self, total: int) -> Rest:
        """How to see the rest of the lines that there were."""
        if not self._found:
            before = self._end.rest(total).note
            return Rest(f"No error was found. {before}" if before else "No error was found.")
        some = f"{len(self._found)} of {total} lines"
        if not self._evidence.certain:
            return Rest(f"{some}: perhaps errors, none is certain. mode=tail shows the end.")
        return Rest(f"{some}; grep or from_line shows others." if len(self._found) < total else None)


class Head:
    """The lines from one on, as many as there is room for."""

    lost = 0

    def __init__(self, most: int, from_line: int = 1) -> None:
        self._most, self._from = most, from_line
        self._kept: list[KeptLine] = []
        self._size = 0
        self._next: int | None = None  # the first line that there was no room for

    def add(self, number: int, line: str) -> None:
        """Take the next line."""
        if number < self._from or self._next:
            return
        line = shortened(line, self._most // SHARE_OF_A_LINE)
        if self._kept and _repeats(last := self._kept[-1], number, line):
            self._kept[-1] = last._replace(times=last.times + 1)
            return
        size = _size(number, line)
        if self._size + size > self._most:
            self._next = number
            return
        self._size += size
        self._kept.append(KeptLine(number, line))

    def lines(self) -> list[KeptLine]:
        """What is kept, in order."""
        return self._kept

    def rest(self, total: int) -> Rest:
        """How to see the rest of the lines that there were."""
        past = f"The log has {total} lines: from_line={self._from} is past the end." if self._from > total else None
        return Rest(past, self._next)


class Tail:
    """The last lines, as many as there is room for."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: deque[KeptLine] = deque()
        self._size = 0
        self.lost = 0
        """How many lines there was no room for, at the beginning."""

    def add(self, number: int, line: str) -> None:
        """Take the next line."""
        line = shortened(line, self._most // SHARE_OF_A_LINE)
        if self._kept and _repeats(last := self._kept[-1], number, line):
            self._kept[-1] = last._replace(times=last.times + 1)
            return
        self._kept.append(KeptLine(number, line))
        self._size += _size(number, line)
        while self._size > self._most:
            gone = self._kept.popleft()
            self._size -= _size(gone.number, gone.text)
            self.lost += gone.times

    def lines(self) -> list[KeptLine]:
        """What is kept, in order."""
        return list(self._kept)

    def rest(self, total: int) -> Rest:
        """How to see the rest of the lines that there were."""
        if not self.lost:
            return Rest()
        first = self._kept[0].number
        before = max(1, 2 * first - total - 1)
        return Rest(f"These begin with line {first}; from_line={before} shows those before, grep finds texts.")


class Grep:
    """The lines that hold one of some texts, in any case, with those around them: as many as a window keeps."""

    def __init__(self, window: Head | Tail, texts: Iterable[str], context: int, most: int, from_line: int = 1) -> None:
        self._window, self._texts, self._from = window, [text.casefold() for text in texts], from_line
        self._longest = most // SHARE_OF_A_LINE
        self._context = context
        self._before: deque[tuple[int, str]] = deque(maxlen=context)
        self._after = 0
        self._matches = 0

    def add(self, number: int, line: str) -> None:
        """Take the next line."""
        if number < self._from:
            return
        folded = line.casefold()
        found = [place for text in self._texts if (place := folded.find(text)) >= 0]
        if found:
            self._matches += 1
            for before in self._before:
                self._window.add(*before)
            self._before.clear()
            self._window.add(number, shortened(line, self._longest, around=min(found)))
            self._after = self._context
        elif self._after:
            self._after -= 1
            self._window.add(number, shortened(line, self._longest))
        else:
            self._before.append((number, shortened(line, self._longest)))

    def lines(self) -> list[KeptLine]:
        """What is kept, in order."""
        return self._window.lines()

    def rest(self, total: int) -> Rest:
        """How to see the rest of the lines that there were."""
        if not self._matches:
            return Rest("No line holds any of these texts." if self._from == 1 else "From that line on none does.")
        found = "1 line holds one of them." if self._matches == 1 else f"{self._matches} lines hold one of them."
        cut = " There is room for the last ones only." if self._window.lost else ""
        return Rest(found + cut, self._window.rest(total).next_line)


def numbered(kept: Sequence[KeptLine], most: int) -> str:
    """Lines with their numbers, in `most` bytes: where they are too long together, the longest are cut."""
    rows = [_row(line) for line in kept]
    sizes = [len(row.encode()) + 1 for row in rows]
    if sum(sizes) > most:
        longest = _longest(sizes, most) - 1
        rows = [_within(line, longest) for line in kept]
    return "\n".join(rows)


def shortened(line: str, longest: int, around: int | None = None) -> str:
    """A line without its middle where it is long, or with what stands around a place; and how long it was."""
    if len(line) <= longest:
        return line
    told = f"… ({len(line)} characters) …"
    room = max(longest - len(told) - 1, 0)
    if around is None:
        end = room // 3
        return f"{line[: room - end]}{told}{line[len(line) - end :]}"
    start = max(0, min(around - room // 2, len(line) - room))
    return f"{told if start else ''}{line[start : start + room]}{'…' if start else told}"


def _row(line: KeptLine) -> str:
    return f"{line.number}|{line.text}{f' (x{line.times})' if line.times > 1 else ''}"


def _within(line: KeptLine, most: int) -> str:
    """A line with its number, in so many bytes."""
    row, longest = _row(line), len(line.text)
    while longest and (size := len(row.encode())) > most:
        longest = min(longest - 1, longest * most // size)
        row = _row(line._replace(text=shortened(line.text, longest)))
    return row


def _longest(sizes: Sequence[int], most: int) -> int:
    """What size lines may have at most, so that all together have `most`."""
    rest, left = most, len(sizes)
    for size in sorted(sizes):
        if size * left > rest:
            return rest // left
        rest, left = rest - size, left - 1
    return most


def _repeats(last: KeptLine, number: int, line: str) -> bool:
    """Whether a line is the one before it again, at another time."""
    if number != last.number + last.times or len(last.text) != len(line):
        return False
    start = _after_time(line)
    return last.text[start:] == line[start:] and start == _after_time(last.text)


def _after_time(line: str) -> int:
    """Where a line goes on after its time, `14:38:16 ` or `2026-11-30 14:38:16 `."""
    if line[2:3] == line[5:6] == ":" and line[8:9] == " ":
        return 9
    return 20 if line[13:14] == line[16:17] == ":" and line[19:20] == " " else 0


def _size(number: int, line: str) -> int:
    """In bytes, of which no tokeniser makes more tokens; with what may stand around it."""
    return (len(line) if line.isascii() else len(line.encode())) + len(str(number)) + ROOM_FOR_TIMES
