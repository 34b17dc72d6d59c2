"""What a log says went wrong: the exception, and the frames of it that are the user's own code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from airflow_mcp.excerpt import ERRORS, TRACEBACK, Line

MOST_AROUND = 3
LONGEST_ERROR = 300

_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>.+)')
_TIME_AND_LEVEL = re.compile(r"^\d\d:\d\d:\d\d (?:[A-Z]+ )?")
_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages|lib[/\\]python3\.\d+)[/\\]|^<frozen ")


@dataclass(frozen=True)
class Frame:
    """A place in a file of Python."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


@dataclass
class Cause:
    """The last error of a log."""

    error: str = ""
    """Type and message."""
    first_error: str = ""
    """The one that led to it, where it was raised while another was handled."""
    frames: list[Frame] = field(default_factory=list)
    """The user's own, the innermost last."""
    around: list[Line] = field(default_factory=list)
    """The lines of the log right before it, and right after: Airflow 3 may tell later what a task printed before."""

    @property
    def place(self) -> tuple[str, str]:
        """What errors that are the same have in common: the type, and where it was raised."""
        return self.error.partition(":")[0], str(self.frames[-1]) if self.frames else ""


def cause(lines: Sequence[Line]) -> Cause | None:
    """The last error among these lines of a log that has a traceback, else the last; None where there is none."""
    records = [_record(lines, index) for index, line in enumerate(lines) if line.level in ERRORS]
    with_traceback = [record for record in records if any(line.text.startswith(TRACEBACK) for line in record)]
    if not records:
        return None
    candidates = with_traceback or records
    record, found = candidates[-1], _read(candidates[-1])
    if len(candidates) > 1 and _read(candidates[-2]) == found:
        record = candidates[-2]  # Airflow 2 tells it again when the process of the task ends
    start = lines.index(record[0])
    end = start + len(record)
    around = [*lines[max(start - MOST_AROUND, 0) : start], *lines[end : end + MOST_AROUND]]
    found.around = [line for line in around if line.level not in ERRORS and _TIME_AND_LEVEL.match(line.text)]
    return found


def _record(lines: Sequence[Line], start: int) -> Sequence[Line]:
    """A message with all its lines."""
    end = next((index for index in range(start + 1, len(lines)) if lines[index].level is not None), len(lines))
    return lines[start:end]


def _read(record: Sequence[Line]) -> Cause:
    errors: list[str] = []
    frames: list[list[Frame]] = []
    for line in record:
        if line.text.startswith(TRACEBACK):
            errors.append("")
            frames.append([])
        elif match := _FRAME.match(line.text):
            if frames and not _LIBRARY.search(match["file"]):
                frames[-1].append(Frame(match["file"], int(match["line"]), match["function"]))
        elif errors and not errors[-1] and not line.text.startswith((" ", "\t")):
            errors[-1] = line.text[:LONGEST_ERROR]
    error = next((each for each in reversed(errors) if each), _message(record[0])[:LONGEST_ERROR])
    return Cause(
        error=error,
        first_error=errors[0] if errors and errors[0] != error else "",
        frames=next((each for each in reversed(frames) if each), []),
    )


def _message(line: Line) -> str:
    return _TIME_AND_LEVEL.sub("", line.text)
