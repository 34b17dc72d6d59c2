"""The lines of a DAG's file that an error went through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from airflow_mcp.text.raised import Frame

AROUND = 1
MOST_FRAMES = 3
LONGEST_LINE = 160
CHANGED = "# The file has changed since: line {} was then `{}`."


def in_file(frames: Sequence[Frame], fileloc: str | None) -> list[Frame]:
    """The last frames that are in a DAG's file, MOST_FRAMES at most, in the order of its lines."""
    if not fileloc:
        return []
    # A worker may have the folder at another place.
    end = PurePosixPath(fileloc).parts[-2:]
    found = [frame for frame in frames if PurePosixPath(frame.file).parts[-2:] == end]
    return sorted(found[-MOST_FRAMES:], key=lambda frame: frame.line)


def around(frames: Sequence[Frame], source: Sequence[str]) -> str:
    """The lines of these frames with those around them, each with its number."""
    wanted = sorted(
        {
            number
            for frame in frames
            for number in range(frame.line - AROUND, frame.line + AROUND + 1)
            if 1 <= number <= len(source)
        }
    )
    rows = [f"{number}|{source[number - 1][:LONGEST_LINE]}" for number in wanted if source[number - 1].strip()]
    for frame in frames:
        now = source[frame.line - 1].strip() if frame.line <= len(source) else ""
        if frame.code and not frame.code.startswith(now[:LONGEST_LINE] or "\n"):
            rows.append(CHANGED.format(frame.line, frame.code[:LONGEST_LINE]))
    return "\n".join(rows)
