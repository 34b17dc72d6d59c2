"""Private keys over several lines, also where a part of one is shown, with a number or a time before each line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_BEGIN = re.compile(r"-{4,5} ?BEGIN ([A-Z0-9 ]{0,60}+)-{4,5}")
_END = re.compile(r"-{4,5} ?END ([A-Z0-9 ]{0,60}+)-{4,5}")
KIND = "private-key"
PRIVATE = "PRIVATE KEY"
"""Without it a text has no beginning or end of one."""
# The last word of a line, but for what ends a string of a program.
_BODY = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]++={0,2}+(?=(?:\\[rn]){0,2}[\"',+)\\ \t\r]{0,8}+$)")
_HEX = re.compile(r"[0-9a-fA-F]++")
_HEADER = re.compile(r"[A-Z][A-Za-z-]{1,30}+: ")
_ON_ONE_LINE = re.compile(r"(?: ?[A-Za-z0-9+/=\\]{16,}+)++(?: [A-Za-z0-9+/=]{1,64}+(?= -|…|\Z))?")

_LENGTHS = (64, 70)
"""Of a line in a PEM file, and in one of OpenSSH."""
_LONG = 16
"""Characters from which a word is no word of a sentence."""


class _Line(NamedTuple):
    """What may be a line of a key: where its characters stand in the text, and where in their line."""

    start: int
    end: int
    column: int
    full: bool
    """As long as a line of a key is but for the last, and of letters of both cases and digits."""

    def near(self, column: int) -> bool:
        return abs(self.column - column) <= 2  # 9| and 10|


def private_keys(text: str) -> Iterator[tuple[int, int, str]]:
    """Where a text shows a private key: each line of its inside by itself, so that the lines stay.

    Of a key whose beginning and end are not shown it takes lines as long as those of a key. Certificates and public
    keys stay where their beginning is shown.
    """
    lines = text.split("\n")
    named = PRIVATE in text
    if not named and not any(map(_may_be_full, lines)):
        return
    inside, column = "", 0
    loose: list[_Line] = []  # lines that follow each other, and may be the end or the middle of a key
    at = 0
    for line in lines:
        marked = "----" in line
        begin, end = (_BEGIN.search(line), _END.search(line)) if marked else (None, None)
        if begin or end:
            private = PRIVATE in (begin or end)[1]  # type: ignore[index]
            if private:
                yield from _on_one_line(line, begin, end, at)
            yield from _shown(loose, ended=private and not begin and not inside)
            loose = []
            inside, column = (begin[1], begin.start()) if begin and not end else ("", 0)
        else:
            body = _body(line, at) if named or loose or _may_be_full(line) else None
            if not inside:
                if loose and not (body and body.near(loose[-1].column)):
                    yield from _shown(loose)
                    loose = []
                loose += [body] if body else []
            elif body and (body.end - body.start >= _LONG or body.near(column)):
                if PRIVATE in inside:
                    yield body.start, body.end, KIND
            elif line.strip(" \t\r0123456789|") and not _HEADER.search(line):
                inside = ""
        at += len(line) + 1
    yield from _shown(loose)


def _may_be_full(line: str) -> bool:
    """Quickly: no blank where the last word of a full line would be."""
    return len(line) >= _LENGTHS[0] and " " not in line[-_LENGTHS[0] : -_LONG]


def _body(line: str, at: int) -> _Line | None:
    found = _BODY.search(line)
    if not found:
        return None
    word = found[0]
    kinds = (str.isupper, str.islower, str.isdigit)
    full = len(word) in _LENGTHS and not _HEX.fullmatch(word) and all(any(map(kind, word)) for kind in kinds)
    return _Line(at + found.start(), at + found.end(), found.start(), full)


def _shown(lines: list[_Line], *, ended: bool = False) -> Iterator[tuple[int, int, str]]:
    """Those of some lines that are of a key: all before its end, or those from the first full one on."""
    first = next((number for number, line in enumerate(lines) if line.full), None)
    if not ended and first is None:
        return
    for number, line in enumerate(lines):
        if ended or line.full or (first is not None and number and lines[number - 1].full):
            yield line.start, line.end, KIND


def _on_one_line(
    line: str, begin: re.Match[str] | None, end: re.Match[str] | None, at: int
) -> Iterator[tuple[int, int, str]]:
    """What stands behind the beginning and before the end in their own line, as in a string with \\n."""
    if begin and end and begin.end() <= end.start():
        yield at + begin.end(), at + end.start(), KIND
    elif begin and (rest := _ON_ONE_LINE.match(line, begin.end())):
        yield at + begin.end(), at + rest.end(), KIND
    elif end:
        body = _BODY.search(line[: end.start()])
        if body and (len(body[0]) >= _LONG or body[0].endswith("=")):
            yield at + body.start(), at + body.end(), KIND
