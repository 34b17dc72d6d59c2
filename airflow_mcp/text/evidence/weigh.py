"""How much a line tells of a failure."""

from __future__ import annotations

from airflow_mcp.text.evidence import signs
from airflow_mcp.text.evidence.line import Line
from airflow_mcp.text.evidence.signs import LITTLE, Sign

MOST_KNOWN = 10_000


class Signs:
    """Tells what lines say.

    What was found of a line is kept for those that differ from it in digits alone, where those mean nothing.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Sign, float]] = {}

    def silent(self, raw: str) -> bool:
        """Whether a line says nothing of a failure, as most do."""
        key = hash(raw.encode("utf-8", "surrogatepass").translate(None, b"0123456789"))
        if key in self._known:
            return True
        lowered = raw.lower()
        for stem in signs.STEMS:
            if stem in lowered:
                return False
        if signs.MARKS.search(raw):
            return False
        self._learn(key, (Sign.NONE, 0))
        return True

    def weigh(self, line: Line) -> tuple[Sign, float]:
        """What a line is, and how much it tells of a failure, from 0 to 100; below 0, that something went well."""
        key = hash((line.level, line.message.translate(signs.DIGITS)))
        if key not in self._known:
            self._learn(key, _weigh(line.message, line.level))
        return self._known[key]

    def _learn(self, key: int, what: tuple[Sign, float]) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[key] = what


def _weigh(message: str, level: str) -> tuple[Sign, float]:
    text = message.lstrip()
    if signs.PASSED.match(text) or signs.PASSED_AT_THE_END.search(text[-80:]):
        return Sign.NONE, -1
    if signs.ROUTINE.match(text):
        return Sign.NONE, LITTLE
    sign = _sign(signs.NOTHING_WRONG.sub("", text) if any(each in text.lower() for each in signs.WELL) else text)
    by_level = signs.LEVELS.get(level, Sign.NONE)
    if by_level.value > sign.value:
        sign = by_level
    weight: float = sign.value
    if sign is Sign.FAILURE and by_level is Sign.WARNING:
        weight *= 0.8
    if level in {"signs.DEBUG", "TRACE"} or signs.DEBUG.search(text):
        weight *= 0.3
    elif weight < Sign.TEST.value and signs.QUIET.search(text):
        weight *= 0.6
    return sign, weight


def _sign(text: str) -> Sign:
    found = next((sign for sign, pattern in signs.AT_START if pattern.match(text)), Sign.NONE)
    if found in {Sign.COMMAND, Sign.CHAIN}:
        return found
    lowered = text.lower()
    for sign, stems, pattern in signs.ANYWHERE:
        if sign.value <= found.value:
            break
        if any(stem in lowered for stem in stems) and pattern.search(text):
            return sign
    return found
