"""An exception as Airflow 3's logs tell it (`error_detail`), as the traceback that Python would print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

CAUSE = "The above exception was the direct cause of the following exception:"
CONTEXT = "During handling of the above exception, another exception occurred:"
MOST_IN_GROUP = 15  # as Python
DEEPEST_GROUP = 10  # as Python

Told = dict[str, Any]


def traceback_lines(error_detail: Any) -> Iterator[str]:
    """The lines of a traceback, causes first. Takes a list of exceptions, the raised one first.

    There are no source lines, since Airflow keeps none, and no blank lines, which Airflow 2 leaves out as well.
    """
    return _chain(_objects(error_detail), 0)


def _chain(chain: list[Told], depth: int) -> Iterator[str]:
    margin = _margin(depth)
    for place in reversed(range(len(chain))):
        if chain[place].get("is_group"):
            yield from _group(chain[place], depth)
        else:
            yield from (margin + line for line in _header_and_frames(chain[place], "Traceback"))
            yield from (margin + line for line in _only(chain[place]))
        if place:  # what it is to the exception that follows is told with it
            yield margin + (CAUSE if chain[place].get("is_cause") else CONTEXT)


def _group(group: Told, depth: int) -> Iterator[str]:
    depth, is_top = max(depth, 1), not depth
    margin = _margin(depth)
    if depth > DEEPEST_GROUP:
        yield f"{margin}... (max_group_depth is {DEEPEST_GROUP})"
        return
    for line in _header_and_frames(group, "Exception Group Traceback"):
        yield ("  + " if is_top and line.startswith("Exc") else margin) + line
    yield from (margin + line for line in _only(group))
    told = group.get("exceptions")
    chains = [_objects(each) for each in told] if isinstance(told, list) else []
    for number, chain in enumerate(chains[:MOST_IN_GROUP], 1):
        yield f"{'  ' * depth}{'+-' if number == 1 else '  '}+---------------- {number} ----------------"
        yield from _chain(chain, depth + 1)
    if len(chains) > MOST_IN_GROUP:
        yield f"{'  ' * depth}  +---------------- ... ----------------"
        yield f"{_margin(depth + 1)}and {len(chains) - MOST_IN_GROUP} more exceptions"
    if chains and (len(chains) > MOST_IN_GROUP or not _closes(chains[-1], depth)):
        yield f"{'  ' * depth}  +------------------------------------"


def _closes(last: list[Told], depth: int) -> bool:
    """Whether what stands last in a group of this depth ends with the line that closes a group."""
    return depth < DEEPEST_GROUP and any(each.get("is_group") for each in last)


def _margin(depth: int) -> str:
    return f"{'  ' * depth}| " if depth else ""


def _header_and_frames(told: Told, header: str) -> Iterator[str]:
    frames = _objects(told.get("frames"))
    if frames:
        yield f"{header} (most recent call last):"
    for frame in frames:
        if frame.get("lineno") == -1:  # "Skipped frames: 12"
            yield f"  [{frame.get('name')}]"
        else:
            yield f'  File "{frame.get("filename")}", line {frame.get("lineno")}, in {frame.get("name")}'


def _only(told: Told) -> Iterator[str]:
    """The exception itself, with its notes."""
    value = _text(told.get("exc_value"))
    syntax_error = told.get("syntax_error")
    if isinstance(syntax_error, dict):
        value = _text(syntax_error.get("msg"))
        yield from _syntax_error(syntax_error)
    name = _text(told.get("exc_type"))
    notes = told.get("exc_notes")
    texts = [f"{name}: {value}" if value else name, *(map(_text, notes) if isinstance(notes, list) else ())]
    yield from (line for text in texts for line in text.split("\n"))


def _syntax_error(told: Told) -> Iterator[str]:
    yield f'  File "{told.get("filename")}", line {told.get("lineno")}'
    line, offset = _text(told.get("line")).rstrip("\n"), told.get("offset")
    code = line.lstrip(" \n\f")
    if not code:
        return
    yield f"    {code}"
    before = offset - 1 - (len(line) - len(code)) if isinstance(offset, int) else -1
    if 0 <= before <= len(code):
        yield f"    {''.join(each if each.isspace() else ' ' for each in code[:before])}^"


def _objects(told: Any) -> list[Told]:
    return [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []


def _text(value: Any) -> str:
    return "" if value is None else str(value)
