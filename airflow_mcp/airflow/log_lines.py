"""Task logs as they come from Airflow, text or events, turned into lines that read the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from airflow_mcp.excerpt import LONGEST_LINE, TRACEBACK, Excerpt, Line
from airflow_mcp.text import clean, shorten

MOST_OF_A_LINE = 64 * 1024
"""Bytes of one line that are looked at; what is more is dropped while it is read."""

# [2026-11-22T13:46:02.408+0000] {taskinstance.py:3315} ERROR - Task failed with exception
_V1 = re.compile(r"\[\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)[^\]]*\] \{[^}]*\} ([A-Z]+) - (.*)", re.DOTALL)
_TIME = re.compile(r"T(\d\d:\d\d:\d\d)")


class LogLines:
    """Takes a log piece by piece, in bounded memory, and gives each of its lines to an excerpt."""

    def __init__(self, excerpt: Excerpt, *, events: bool) -> None:
        self.excerpt = excerpt
        self.total = 0
        self._events = events
        self._line = bytearray()
        self._dropped = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next piece."""
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            self._keep(part)
            self._end_line()
        self._keep(rest)

    def end(self) -> None:
        """Nothing more comes."""
        if self._line:
            self._end_line()

    def _keep(self, part: bytes) -> None:
        room = MOST_OF_A_LINE - len(self._line)
        self._line += part[:room]
        self._dropped += max(len(part) - room, 0)

    def _end_line(self) -> None:
        text = self._line.decode(errors="replace").removesuffix("\r")
        cut = f"… ({self._dropped} more bytes)" if self._dropped else ""
        self._line, self._dropped = bytearray(), 0
        for level, line in _of_event(text) if self._events else _of_text(text):
            self.total += 1
            self.excerpt.add(Line(self.total, shorten(clean(line), LONGEST_LINE) + cut, level))


def _of_text(text: str) -> Iterator[tuple[str | None, str]]:
    """Airflow 2: a line of text, with a time and a level where a message begins."""
    if match := _V1.fullmatch(text):
        time, level, message = match.groups()
        yield level, _told(time, level, message)
    elif text.strip():
        yield None, text


def _of_event(text: str) -> Iterator[tuple[str | None, str]]:
    """Airflow 3: an event as JSON; its message may have many lines, and its error is told as Python tells it."""
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        if text.strip():
            yield None, text
        return
    first, *rest = str(event.get("event", "")).split("\n")
    level = str(event.get("level") or "info").upper()
    time = _TIME.search(str(event.get("timestamp") or ""))
    yield level, _told(time[1] if time else "", level, first)
    for line in (*rest, *_traceback(event.get("error_detail"))):
        yield None, line


def _told(time: str, level: str, message: str) -> str:
    """What most lines are goes without saying."""
    return " ".join(part for part in (time, "" if level == "INFO" else level, message) if part)


def _traceback(details: Any) -> Iterator[str]:
    errors = [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []
    for number, error in enumerate(reversed(errors)):
        if number:
            yield "The above exception led to this one:"
        frames = [frame for frame in error.get("frames") or () if isinstance(frame, Mapping)]
        if frames:
            yield TRACEBACK
        for frame in frames:
            yield f'  File "{frame.get("filename")}", line {frame.get("lineno")}, in {frame.get("name")}'
        yield from f"{error.get('exc_type')}: {error.get('exc_value')}".split("\n")
