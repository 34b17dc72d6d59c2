"""A task's log as Airflow gives it, text of Airflow 2 or events of Airflow 3, as lines of one form.

`14:38:16 WARNING load.py:78 slow answer`: the time (UTC), the level where it is not INFO, where it was logged, what was
logged. What was printed has no such place; what went to standard error has `stderr` there. The further lines of
a message stand as they are, blank ones left out.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

from airflow_mcp.text.clean import clean, without_colours
from airflow_mcp.text.tracebacks import traceback_lines
from airflow_mcp.text.whole import read_cut_json, whole_json

SOURCES = "::group::Log message source details"
SOURCES_END = "::endgroup::"
MOST_SOURCES = 20
NO_LOG = ("No logs available for this task.", "Task did not run because upstream task(s) failed.")
"""What Airflow 3 gives in place of a log."""
MORE_OF_A_STATUS = "For more information check: https://"
"""The second line of why a log was not served, of Airflow 2.7 and 2.8."""
KEPT_OF_ERROR = 300  # lines
LONGEST_OF_ERROR = 500

# [2026-11-29T14:38:16.251+0000] {load.py:78} WARNING - slow answer
_STAMPED = re.compile(r"\[(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\]]{0,20})\] \{([^}]{0,300})\} ([A-Z]{1,20}) - ")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[.,]?\d{0,9}(Z|[+-]\d\d:?\d\d)?")
_IN_UTC = (None, "Z", "+0000", "+00:00")
_PRINTED = "logging_mixin.py"
_AGAIN = "Failed to execute job "
_TOLD_AGAIN = "(the traceback above, once more)"

# What an event has that is no part of its message.
_ABOUT = frozenset(
    {"timestamp", "event", "level", "logger", "filename", "lineno", "error_detail", "chan"}
    | {"dag_id", "task_id", "run_id", "try_number", "map_index", "ti_id"}
)


class LogLines(Protocol):
    """Reads one log, line by line as it comes."""

    sources: list[str]
    """Where Airflow looked for the log, and what it met there: in its own words."""

    @property
    def date(self) -> str | None:
        """The day of the first line, in UTC. Times of other days stand with their date."""
        ...

    def read(self, line: str) -> Iterator[str]:
        """The lines that this one comes to."""
        ...


class TextLog:
    """Reads the text of Airflow 2."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self._days = _Days()
        self._begun = False
        self._is_host = True
        self._lists_sources = False
        self._error: deque[str] | None = None
        """The last lines of the task's exception."""
        self._skips = False

    @property
    def date(self) -> str | None:
        """The day of the first line."""
        return self._days.first

    def read(self, line: str) -> Iterator[str]:
        """The lines that this one comes to."""
        if not self._begun and self._is_about_sources(line):
            return
        self._begun = True
        stamped = _STAMPED.match(line) if line.startswith("[") else None
        if not stamped:
            yield from self._further(line)
            return
        self._skips = False
        moment, place, level = stamped.groups()
        message = line[stamped.end() :]
        yield from self._first(f"{self._days.time(moment)} {_head(level, _place(place, level))}", place, message)

    def _is_about_sources(self, line: str) -> bool:
        if self._is_host:
            self._is_host = False
            return not line.startswith("[")
        text = line.removeprefix(" INFO - ").removeprefix("*** ").strip()
        if text in (SOURCES, SOURCES_END):
            self._lists_sources = text == SOURCES
        elif text and (self._lists_sources or line.startswith("***")):
            _note(self.sources, text)
        else:
            return not text or text.startswith(MORE_OF_A_STATUS)
        return True

    def _first(self, head: str, place: str, message: str) -> Iterator[str]:
        yield _shown(head + message)
        if place.startswith("standard_task_runner.py") and message.startswith(_AGAIN) and self._was_told(message):
            self._skips = True
            yield _TOLD_AGAIN
        if message.startswith("Task failed with exception"):
            self._error = deque(maxlen=KEPT_OF_ERROR)

    def _further(self, line: str) -> Iterator[str]:
        if self._skips or not line.strip():
            return
        if self._error is not None:
            self._error.append(line[:LONGEST_OF_ERROR])
        yield _shown(line)

    def _was_told(self, message: str) -> bool:
        """Whether `Failed to execute job 6 for task t (no amount; 99)` is of the exception that was told."""
        text = message.partition(" (")[2]
        text = text.rpartition("; ")[0] if text.endswith(")") else text
        return any(text[: LONGEST_OF_ERROR // 2] in line for line in self._error or ())


class EventLog:
    """Reads the events of Airflow 3, each a line of JSON."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self._days = _Days()
        self._state = "before"

    @property
    def date(self) -> str | None:
        """The day of the first line."""
        return self._days.first

    def read(self, line: str) -> Iterator[str]:
        """The lines that this one comes to."""
        event = _event(line)
        if event is None:
            if line.strip():
                self._state = "begun"
                yield _shown(line)
            return
        if event.get("event") in NO_LOG and "logger" not in event:
            _note(self.sources, event["event"])
            return
        if self._state != "begun" and self._is_about_sources(event):
            return
        self._state = "begun"
        yield from self._lines(event)

    def _is_about_sources(self, event: dict[str, Any]) -> bool:
        text = event.get("event")
        if self._state == "before":
            self._state = "sources"
            listed = event.get("sources")
            for each in listed if isinstance(listed, list) else ():
                _note(self.sources, str(each))
            return bool(text == SOURCES)
        if text == SOURCES_END:
            self._state = "begun"
        else:
            _note(self.sources, str(text))
        return True

    def _lines(self, event: dict[str, Any]) -> Iterator[str]:
        level, logger = str(event.get("level") or "info").upper(), event.get("logger")
        name, number = event.get("filename"), event.get("lineno")
        if logger == "task.stdout":
            head = ""
        elif logger == "task.stderr" or (event.get("chan") == "stderr" and not name):  # the latter on Airflow 3.0
            head = "stderr "
        else:
            head = _head(level, f"{name}:{number}" if name and number else "")
        moment = event.get("timestamp")
        time = f"{self._days.time(moment)} " if isinstance(moment, str) else ""
        first, *rest = _message(event).split("\n")
        if first.strip():
            yield _shown(f"{time}{head}{first}")
        yield from (_shown(each) for each in rest if each.strip())
        if detail := event.get("error_detail"):
            yield from (_shown(each) for each in traceback_lines(detail) if each.strip())


class _Days:
    """Times in UTC, with the date where it is another day than at first."""

    def __init__(self) -> None:
        self.first: str | None = None
        self._last = "", ""

    def time(self, text: str) -> str:
        """The time of a moment, as it stands before a line."""
        told, time = self._last
        if text[:19] != told or text[-1:] != "Z":
            time = self._time(text)
            self._last = (text[:19], time) if text[-1:] == "Z" else ("", "")
        return time

    def _time(self, text: str) -> str:
        found = _MOMENT.match(text)
        if not found:
            return clean(text[:40])
        day, time, zone = found.groups()
        if zone not in _IN_UTC:
            try:
                moment = datetime.fromisoformat(f"{day}T{time}{zone}").astimezone(UTC)
            except (ValueError, OverflowError):
                return clean(text[:40])
            day, time = f"{moment:%Y-%m-%d}", f"{moment:%H:%M:%S}"
        self.first = self.first or day
        return time if day == self.first else f"{day} {time}"


def _place(place: str, level: str) -> str:
    if place.startswith(_PRINTED):
        return {"INFO": "", "WARNING": "stderr"}.get(level, place)
    return place


def _head(level: str, place: str) -> str:
    parts = [] if level == "INFO" or place == "stderr" else [level]
    return "".join(f"{part} " for part in (*parts, place) if part)


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(whole_json(line))
    except (ValueError, RecursionError):
        body, mark, length = line.rpartition("… (")  # of a line that is too long to be read whole
        event = read_cut_json(body, mark + length) if length.endswith(" bytes)") else read_cut_json(line)
    return event if isinstance(event, dict) else None


def _message(event: dict[str, Any]) -> str:
    """The event's text, with what the code gave besides."""
    parts = [_text(event.get("event"))]
    parts += [f"{name}={_text(value)}" for name, value in event.items() if name not in _ABOUT and value is not None]
    return " ".join(part for part in parts if part)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _note(sources: list[str], text: str) -> None:
    if len(sources) < MOST_SOURCES:
        sources.append(_shown(text.strip().removeprefix("* ")))


def _shown(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return clean(without_colours(text))
