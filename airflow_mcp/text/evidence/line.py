"""A line of a log, taken apart: what a logger put before the message, how far it is indented, what it is alike to."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST = 1000  # characters of a line that are kept: its beginning, and what is around the first word of failure
MOST_READ = 200_000  # characters of a line that are looked at: of a longer one half at its beginning, half at its end

_ESCAPE = re.compile(r"(?:\x1b|\^\[)\[[0-9;:?]*[A-Za-z]|[\r\x00\ufeff]")
_DATE = re.compile(
    r"\[?\d{4}[-/]\d\d[-/]\d\d(?:T|, | )\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
    r"(?: ?Z| ?[+-]\d\d(?::?\d\d)?| [A-Z]{3,4})?\]?(?: |$)"
)
_OTHER_DAY = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?=\S)")  # as a log's line says it: the time is wanted
# What loggers put before a message: a time, a source, a level; one logger's within another's.
_BEFORE = re.compile(
    r"^ {1,60}[|+] (?= |[\w.]{1,200}(?:: |$)|Exception Group |Traceback \()"  # the margin of a group of exceptions
    r"|\[?(?:\d\d/\d\d/\d\d )?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?Z?\]?(?: |$)"
    r"|\{{1,2}[\w.-]{1,80}:\d{1,6}\}{1,2} |(?<=[\w\]] )(?:[\w-]{1,80}\.py:\d{1,6}|stderr) (?=\S)"
    r"|[\[(<]?(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE)[\])>]?(?: {1,3}- |: | {1,3}(?=\S))"
)
_VARIABLE = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8,}|\d+|\s+")
_NEAR = re.compile(r"error|exception|fail|fatal|traceback|panic|denied|refused|killed", re.IGNORECASE)


class Line(NamedTuple):
    """One line, without colours and without the date that a logger put before it."""

    number: int
    text: str
    start: int
    """Where the message begins in the text, after a time, a source and a level; its indentation still counts to it."""
    level: str

    @property
    def message(self) -> str:
        """What was logged."""
        return self.text[self.start :]

    @property
    def indent(self) -> int:
        """Blanks before the message."""
        message = self.text[self.start :]
        return len(message) - len(message.lstrip())


def read(number: int, raw: str) -> Line:
    """Take a line apart."""
    text = raw
    if "\x1b" in text or "^[[" in text or "\r" in text or "\x00" in text or "\ufeff" in text:
        text = _ESCAPE.sub("", text)
    text = text.rstrip()
    while (date := _DATE.match(text)) and not _OTHER_DAY.match(text):
        text = text[date.end() :]
    start, level = 0, ""
    while before := _DATE.match(text, start) or _BEFORE.match(text, start):
        start = before.end()
        if before.re is _BEFORE:
            level = before[1] or level
    return Line(number, text, start, level)


def bounded(raw: str) -> str:
    """A line that is short enough for all that is done with it later to cost little."""
    if len(raw) <= LONGEST:
        return raw
    if len(raw) > MOST_READ:
        raw = f"{raw[: MOST_READ // 2]}…{raw[-MOST_READ // 2 :]}"
    return shortened(raw, LONGEST)


def shortened(text: str, most: int, place: int | None = None) -> str:
    """At most `most` characters of a text: its beginning, and what is around a place (the first word of failure)."""
    if len(text) <= most:
        return text
    if most < 40:
        return text[: max(most, 0)]
    if place is None:
        place = found.start() if (found := _NEAR.search(text)) else 0
    head = most // 3
    if place < most - 20:
        return text[: most - 1] + "…"
    start = min(max(head, place - most // 6), len(text))
    kept = text[start : start + most - head - 2]
    return f"{text[:head]}…{kept}" + ("…" if start + len(kept) < len(text) else "")


def alike(text: str) -> str:
    """The same for lines that differ in digits, times and hashes alone."""
    return _VARIABLE.sub("#", text)
