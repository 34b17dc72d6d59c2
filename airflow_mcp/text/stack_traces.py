"""What the stack trace of an import error says: the line of a file, the error itself, and the lines around it."""

from __future__ import annotations

import re
from collections import deque

from airflow_mcp.text.redact import redacted

FRAMES = 2
"""Those shown before the error."""
MOST_LINES = 8
"""Lines shown of the error itself."""
MOST_BEFORE = 500
MOST_CHARACTERS = 1000
"""Of the error itself."""
AROUND = 2000
"""Characters around what is shown that are looked at for a secret that the cut goes through."""

_PLACE = re.compile(r'File "([^"\n]{1,2000}+)", line ([0-9]{1,9}+)')
_UNINDENTED = re.compile(r"\n(?=\S)")


def line_in(trace: str, filename: str) -> int | None:
    """The line of a file at which it failed: that of its last frame, or of its syntax error.

    Airflow 3 tells a path within a bundle, and has whole paths in its traces.
    """
    last = deque((place[2] for place in _PLACE.finditer(trace) if _is_file(place[1], filename)), 1)
    return int(last[0]) if last else None


def error_of(trace: str) -> str:
    """The line that names the error: `ModuleNotFoundError: No module named 'nope'`. Secrets in it are masked."""
    start = _start_of_error(trace)
    line = trace[start : start + MOST_CHARACTERS].partition("\n")[0]
    return _masked(trace, start, start + len(line)).strip(" |")


def end_of(trace: str) -> str:
    """The last frames and the error, within a bound: of a long error the beginning. Secrets in it are masked."""
    start = _start_of_error(trace)
    begins = [trace.rfind("\n", 0, place.start()) + 1 for place in _last_frames(trace)]
    first = next((begin for begin in begins if start - begin <= MOST_BEFORE), start)
    rest = trace.rstrip()
    shown = "\n".join(rest[start : start + MOST_CHARACTERS].split("\n")[:MOST_LINES])
    last = start + len(shown)
    more = f"\n… ({len(rest) - last} more characters)" if last < len(rest) else ""
    return _masked(trace, first, last) + more


def _last_frames(trace: str) -> deque[re.Match[str]]:
    return deque(_PLACE.finditer(trace), FRAMES)


def _start_of_error(trace: str) -> int:
    """Where the line begins that names the error: the first behind the last frame that is not indented.

    Without a frame it is the first line; of a group of errors, all of which is indented, the last one with a word.
    """
    frames = _last_frames(trace)
    if not frames:
        return len(trace) - len(trace.lstrip())
    if found := _UNINDENTED.search(trace, frames[-1].end()):
        return found.end()
    return trace.rstrip(" \n|+-").rfind("\n") + 1


def _masked(text: str, start: int, end: int) -> str:
    first = max(0, start - AROUND)
    return redacted(text[first : end + AROUND], start - first, end - first)


def _is_file(path: str, filename: str) -> bool:
    return path == filename or path.endswith(f"/{filename}")
