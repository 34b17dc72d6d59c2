"""Which lines stand together: a line that tells of a failure, what was just before it, and what belongs to it."""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from airflow_mcp.text.evidence.line import Line, alike, bounded, read, shortened
from airflow_mcp.text.evidence.signs import LITTLE, Sign
from airflow_mcp.text.evidence.weigh import Signs

ANCHOR = 40  # a line that tells this much opens a block
STRONG = 75  # one that tells this much can be the final error
BEFORE = 12
AFTER = 8
LONGEST_BLOCK = 60
MOST_BLOCKS = 120
TWICE = 150  # lines within which an error is told again, and not met again
SAME = 3  # blocks opened by lines that are alike; of further ones only the last is kept
MOST_ALIKE = 20_000
LONGEST_ANCHOR = 500
LONGEST_CONTEXT = 240
OWN = 60  # what a frame of the user's own code tells

_LIBRARY = (
    *("site-packages/", "dist-packages/", "/lib/python3", "<frozen ", "node_modules/", "node:internal", "(internal/"),
    *("/usr/local/go/", "/pkg/mod/", "/rustc/", ".cargo/registry", "/gems/", "core::", "std::"),
    *("at java.", "at javax.", "at jdk.", "at sun.", "at scala.", "at org.apache.", "at org.springframework."),
    *("at org.junit.", "at org.gradle.", "at io.netty.", "at System.", "at Microsoft."),
)
_TRACEBACK = ("Traceback (most recent call last)", "Exception Group Traceback (most recent call last)")
# A runner lists the script and the variables of a step before it runs it: what stands there has not happened.
_LISTED = re.compile(r"##\[group\]Run ")
_LISTED_TO = re.compile(r"##\[")
LONGEST_LIST = 500  # lines


class Kept(NamedTuple):
    """A line of a block."""

    number: int
    text: str
    key: int
    """The same for lines that are alike."""
    sign: Sign
    weight: float


class Block:
    """Lines that stand together."""

    def __init__(self, before: list[Kept]) -> None:
        self.lines = before
        self.weight = 0.0

    @property
    def full(self) -> bool:
        """Whether it takes no more."""
        return len(self.lines) >= LONGEST_BLOCK

    def add(self, line: Kept) -> None:
        """The next line of it."""
        self.lines.append(line)
        self.weight = max(self.weight, line.weight)


class Blocks:
    """The blocks of a log, as it is read. Bounded: when there are too many, those in the middle that tell least go."""

    def __init__(self) -> None:
        self.times: dict[int, int] = {}
        """How many lines there were that are alike, by their key; only of those that tell of a failure."""
        self.firsts: dict[Sign, Kept] = {}
        """The first line of each sign that tells of a failure with certainty."""
        self.lasts: dict[Sign, Kept] = {}
        """The last of each."""
        self.step = 0
        """Where the step began that failed, as far as a runner tells."""
        self._told: dict[int, int] = {}  # where an error was met first
        self._blocks: list[Block] = []
        self._last: Block | None = None
        self._open: Block | None = None
        self._quiet = 0  # lines since the last one that tells anything
        self._indent = 0
        self._traceback: int | None = None
        self._logged = False  # whether a logger put something before each of its lines
        self._own = True  # whether a frame is of the user's own code
        self._listing = 0  # lines of a step's script that may follow
        self._step = 0
        self._signs = Signs()
        self._recent: deque[tuple[int, str] | Kept] = deque(maxlen=BEFORE)
        self._command: Kept | None = None

    @property
    def final(self) -> Kept | None:
        """The last line that tells of a failure with certainty: where a runner gives its verdict, that."""
        last = max(self.lasts.values(), key=lambda line: line.number, default=None)
        return self.lasts.get(Sign.VERDICT) or last

    def add(self, number: int, raw: str) -> None:
        """The next line."""
        raw = bounded(raw)
        if self._open is None and self._traceback is None and not self._listing and self._signs.silent(raw):
            self._recent.append((number, raw))
            return
        line = read(number, raw)
        message = line.message
        if not message.strip():
            return
        sign, weight = self._signs.weigh(line)
        if weight < 0 or self._listed(number, message):
            return
        if self._traceback is None:
            if sign is Sign.PLACE and of_a_library(message):
                weight = LITTLE
        else:
            sign, weight = self._in_traceback(line, sign, weight)
        if message.lstrip().startswith(_TRACEBACK):
            self._traceback, self._own, self._logged = line.indent, True, line.start > 0
        if sign is Sign.COMMAND:
            self._command = _kept(line, sign, weight)
        if weight >= ANCHOR:
            self._anchor(line, sign, weight)
        else:
            self._follow(line, sign, weight)

    def _in_traceback(self, line: Line, sign: Sign, weight: float) -> tuple[Sign, float]:
        """What a line of a Python traceback is: a frame, or its code, or after them the exception."""
        if self._traceback is not None and line.indent > self._traceback:
            if line.message.lstrip().startswith("File "):
                self._own = not of_a_library(line.message)
            return Sign.PLACE, OWN if self._own else LITTLE
        self._traceback = None
        if weight >= ANCHOR or self._logged != (line.start > 0):  # of another logger: it came in between
            return sign, weight
        return Sign.EXCEPTION, Sign.EXCEPTION.value

    def _listed(self, number: int, message: str) -> bool:
        """Whether it belongs to the script that a runner lists before it runs it."""
        listed = self._listing > 0 and not _LISTED_TO.match(message)
        self._listing = self._listing - 1 if listed else 0
        if _LISTED.match(message):
            self._listing, self._open, self._step = LONGEST_LIST, None, number
        return listed

    def _anchor(self, line: Line, sign: Sign, weight: float) -> None:
        kept = _kept(line, sign, weight)
        times = self.times.get(kept.key, 0)
        if times or len(self.times) < MOST_ALIKE:
            self.times[kept.key] = times + 1
        if weight >= STRONG:
            self.firsts.setdefault(sign, kept)
            told = self._told.setdefault(kept.key, kept.number) if len(self._told) < MOST_ALIKE else kept.number
            if told == kept.number or kept.number - told > TWICE:
                self.lasts[sign] = kept
            if sign is Sign.VERDICT:
                self.step = self._step
        if self._open and self._open.full and times < SAME:
            self._open = None
        if self._open is None:
            self._begin(times < SAME)
        if self._open and not self._open.full:
            self._open.add(kept)
        self._quiet, self._indent = 0, line.indent

    def _begin(self, new: bool) -> None:
        before = [line if isinstance(line, Kept) else self._unread(*line) for line in self._recent]
        if self._command and self._command not in before:
            before.insert(0, self._command)
        self._open = Block([line for line in before if line.weight >= 0])
        self._recent.clear()
        if new:
            self._blocks.append(self._open)
        else:
            self._last = self._open
        if len(self._blocks) > 2 * MOST_BLOCKS:
            self._prune()

    def _unread(self, number: int, raw: str) -> Kept:
        """A line that says nothing of a failure, as it is kept for what it stood before."""
        line = read(number, raw)
        return _kept(line, *self._signs.weigh(line))

    def _follow(self, line: Line, sign: Sign, weight: float) -> None:
        kept = _kept(line, sign, weight)
        self._quiet += 0 if line.indent > self._indent else 1
        if self._open is None or self._quiet > AFTER or self._open.full:
            self._open = None
            self._recent.append(kept)
        else:
            self._open.add(kept)

    def _prune(self) -> None:
        """Those at both ends stay, and of the others those that tell most."""
        end = MOST_BLOCKS // 4
        middle = sorted(self._blocks[end:-end], key=lambda block: -block.weight)[: MOST_BLOCKS - 2 * end]
        middle.sort(key=lambda block: block.lines[0].number)
        self._blocks = self._blocks[:end] + middle + self._blocks[-end:]

    def found(self) -> list[Block]:
        """Those that are kept."""
        return [*self._blocks, *([self._last] if self._last else [])]


def _kept(line: Line, sign: Sign, weight: float) -> Kept:
    longest = LONGEST_ANCHOR if weight >= ANCHOR else LONGEST_CONTEXT
    same = line.message if sign is Sign.PLACE else alike(line.message)  # other lines of a file are other places
    return Kept(line.number, shortened(line.text, longest), hash(same), sign, weight)


def of_a_library(message: str) -> bool:
    """Whether a frame is of a library, and not of the user's own code."""
    return any(part in message for part in _LIBRARY)
