"""Patterns by which ids, names and files are found: what they mean here, and to Airflow."""

from __future__ import annotations

from collections.abc import Mapping

ANYTHING = "%"
_SPECIAL = "|~\\"
"""Airflow 3 takes | for or, and ~ for everything; databases differ in what a backslash is."""


def wide(pattern: str) -> str:
    """A pattern by which each release finds all that this one means, and maybe more.

    A database may know of no case but that of ASCII letters, and takes _ for any sign.
    """
    return "".join(each if each.isascii() and each not in _SPECIAL else ANYTHING for each in pattern)


def matches(pattern: str, text: str) -> bool:
    """Whether a text has the parts of a pattern between its %, one after the other, in either case."""
    text, start = text.lower(), 0
    for part in pattern.lower().split(ANYTHING):
        found = text.find(part, start)
        if found < 0:
            return False
        start = found + len(part)
    return True


def any_sign(searched: Mapping[str, str | None]) -> str | None:
    """In a sentence, which of these patterns hold a _, which Airflow takes for any sign."""
    names = [name for name, pattern in searched.items() if "_" in (pattern or "")]
    return f"_ in {' and '.join(names)} stands for any sign." if names else None
