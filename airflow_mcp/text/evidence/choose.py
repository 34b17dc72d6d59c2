"""Of the lines that were found, those that tell most and fit together."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from airflow_mcp.text.evidence.blocks import ANCHOR, STRONG, Block, Blocks, Kept
from airflow_mcp.text.evidence.line import alike, shortened
from airflow_mcp.text.evidence.signs import LITTLE, Sign
from airflow_mcp.text.kept import KeptLine

NUMBER = 8  # characters that a line's number takes
LONGEST_ANCHOR = 400
LONGEST_CONTEXT = 200
PER_TOKEN = 4
LEAST, LEAST_AT_THE_END = 0.15, 0.5  # what a line must add, while there is room and when there is little
NEAR = 150  # lines
MOST_CANDIDATES = 3000
_WORD = re.compile(r"[A-Za-z]{3,}")
_TOKEN = re.compile(r"[A-Za-z]{1,7}|\d{1,3}|[!-/:-@\[-`{-~]{1,2}|[\x00-\x08\x0b-\x1f\x7f-\U0010ffff]")


class Candidate(NamedTuple):
    """A line that may be kept, what it is worth by itself, and the block that it stands in."""

    line: Kept
    worth: float
    block: int


class Chooser:
    """Takes the line that adds most for its length, until there is no more room."""

    def __init__(self, most: int) -> None:
        self._room = self.room = most
        self._tokens = self.tokens = most / PER_TOKEN
        self.kept: dict[int, tuple[Kept, str]] = {}
        self._keys: set[int] = set()
        self._words: set[str] = set()
        self._shapes: dict[str, int] = {}
        self._blocks: dict[int, int] = {}
        self._tails: dict[str, str] = {}

    def worth(self, candidate: Candidate) -> float:
        """What it would add now: less the more of it is kept already."""
        line = candidate.line
        if line.number in self.kept or line.key in self._keys:
            return 0
        words = _words(line.text)
        new = sum(word not in self._words for word in words) / max(len(words), 3) if words else 0.5
        new = max(new, 0.4) if line.sign is Sign.COMMAND else new
        alike = self._shapes.get(_shape(line), 0) if line.weight >= ANCHOR else 0
        size = len(self._text(line) if alike else line.text) + NUMBER
        worth = candidate.worth * (0.2 + 0.8 * new) / (1 + 0.3 * alike)
        worth /= 1 + 0.04 * self._blocks.get(candidate.block, 0)
        return worth / math.sqrt(size + 60)

    @property
    def least(self) -> float:
        """What a line must add to be taken: the more, the less room there is."""
        free = min(self.tokens / max(self._tokens, 1), self.room / max(self._room, 1))
        return LEAST * free + LEAST_AT_THE_END * (1 - free)

    def _text(self, line: Kept) -> str:
        """What is shown of a line: not what it ends with like those of its shape that are kept."""
        text = shortened(line.text, LONGEST_ANCHOR if line.weight >= ANCHOR else LONGEST_CONTEXT)
        shape = _shape(line)
        tail = _same_end(text, self._tails.get(shape, "")) if self._shapes.get(shape, 0) > 1 else 0
        return f"{text[:-tail]}…" if 40 <= tail < len(text) - 20 else text

    def take(self, candidate: Candidate) -> None:
        """Keep it, if it fits."""
        line = candidate.line
        if line.number in self.kept:
            return
        text = self._text(line)
        if not text.endswith("…"):
            self._tails[_shape(line)] = text
        tokens = _tokens(text)
        if len(text) + NUMBER > self.room or tokens > self.tokens:
            text = "" if self.kept else shortened(text, int(min(self.room - NUMBER, len(text) * self.tokens / tokens)))
            tokens = _tokens(text)
        if not text:
            return
        self.room -= len(text) + NUMBER
        self.tokens -= tokens
        self.kept[line.number] = line, text
        self._keys.add(line.key)
        self._words.update(_words(line.text))
        shape = _shape(line)
        self._shapes[shape] = self._shapes.get(shape, 0) + 1
        self._blocks[candidate.block] = self._blocks.get(candidate.block, 0) + 1


def choose(blocks: Blocks, most: int) -> list[KeptLine]:
    """The lines that tell most of the blocks, in the log's order.

    They are without colours and the date before them; `…` stands where one is cut. One stands for all those that differ
    from it in digits and hashes alone.
    """
    chooser = Chooser(most)
    candidates = _first_of_each(
        [candidate for place, block in enumerate(blocks.found()) for candidate in _candidates(block, place, blocks)]
    )
    candidates = heapq.nlargest(MOST_CANDIDATES, candidates, key=lambda candidate: candidate.worth)
    for line in _certain(blocks):
        chooser.take(Candidate(line, 100, -1))
    heap = [(-chooser.worth(candidate), place) for place, candidate in enumerate(candidates)]
    heapq.heapify(heap)
    while heap:
        _, place = heapq.heappop(heap)
        worth = chooser.worth(candidates[place])
        if worth < chooser.least:
            continue
        if heap and worth < -heap[0][0]:
            heapq.heappush(heap, (-worth, place))
            continue
        chooser.take(candidates[place])
    return _with_times(sorted(chooser.kept.values()), blocks.times)


def _with_times(lines: list[tuple[Kept, str]], times: dict[int, int]) -> list[KeptLine]:
    """The lines; the first of those that are alike stands for all that are not shown."""
    shown = Counter(line.key for line, _ in lines)
    found = []
    for line, text in lines:
        alike = times.get(line.key, 1) - shown.pop(line.key) + 1 if line.key in shown else 1
        found.append(KeptLine(line.number, text, max(alike, 1)))
    return found


def _candidates(block: Block, place: int, blocks: Blocks) -> list[Candidate]:
    lines = block.lines
    worths = [line.weight for line in lines]
    carried = 0.0
    for index, line in enumerate(lines):  # what follows a failure
        after = 0.3 if line.sign in {Sign.STATUS, Sign.SUMMARY} else 0.6
        carried = 0 if line.sign is Sign.VERDICT else max(carried * 0.86, _carried(line, after))
        if line.weight != LITTLE:
            worths[index] = max(worths[index], carried)
    carried = 0.0
    asked = False
    for index, line in reversed(list(enumerate(lines))):  # what was just before it
        carried = max(carried * 0.8, 50 if line.sign is Sign.VERDICT else _carried(line, 0.6))
        if line.weight != LITTLE:
            worths[index] = max(worths[index], carried)
        asked = asked or line.weight >= STRONG
        if line.sign is Sign.COMMAND and asked:
            worths[index], asked = max(worths[index], 55), False
    return [
        Candidate(line, _placed(worth, line, blocks), place)
        for line, worth in zip(lines, worths, strict=True)
        if any(character.isalnum() for character in line.text)
    ]


def _first_of_each(candidates: list[Candidate]) -> list[Candidate]:
    """Of lines that are alike, one: the first, unless a later one stands where it tells far more.

    The first of a kind tells more than those that follow, which are often its consequences.
    """
    best: dict[int, Candidate] = {}
    for candidate in candidates:
        known = best.get(candidate.line.key)
        if known is None or candidate.worth > 1.5 * known.worth:
            best[candidate.line.key] = candidate
    shapes: set[str] = set()
    found = []
    for candidate in best.values():
        shape = _shape(candidate.line)
        new = candidate.line.weight >= STRONG and shape not in shapes
        shapes.add(shape)
        found.append(candidate._replace(worth=candidate.worth * 1.5) if new else candidate)
    return found


def _carried(line: Kept, share: float) -> float:
    """What lines around this one are worth for its sake."""
    return line.weight * (share if line.weight >= STRONG else 0.4)


@lru_cache(4096)
def _words(text: str) -> list[str]:
    return _WORD.findall(alike(text))


def _certain(blocks: Blocks) -> list[Kept]:
    """What is shown whatever else there is: the final error, and the first and the last of those that are certain."""
    firsts = sorted(blocks.firsts.values(), key=lambda line: line.number)[:1]
    firsts += [blocks.firsts[sign] for sign in (Sign.EXCEPTION, Sign.VERDICT) if sign in blocks.firsts]
    return [*([blocks.final] if blocks.final else []), *blocks.lasts.values(), *firsts]


def _placed(worth: float, line: Kept, blocks: Blocks) -> float:
    """Just before the end a line tells more; after it, where things are cleaned up, and before the failed step less."""
    ends = {each.number for each in (blocks.firsts.get(Sign.VERDICT), blocks.final) if each}
    if not ends:
        return worth
    if line.number > max(ends):
        return worth * 0.4
    if any(end - NEAR < line.number <= end for end in ends):
        return worth * 1.4
    if line.number > blocks.step > 0:
        return worth
    return worth * (0.8 if line.weight >= STRONG else 0.45 if blocks.step else 0.6)


def _shape(line: Kept) -> str:
    first = _WORD.search(line.text)
    return f"{line.sign.name} {first[0] if first else ''}"


def _tokens(text: str) -> int:
    """About how many tokens a line is for a model, with its number."""
    rare = 0 if text.isascii() else sum(character > "\uffff" for character in text)
    return len(_TOKEN.findall(text)) + rare + 4


def _same_end(one: str, other: str) -> int:
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((place for place, (mine, its) in enumerate(pairs) if mine != its), min(len(one), len(other)))
