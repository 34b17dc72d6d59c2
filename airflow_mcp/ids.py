"""What an id of Airflow's can be, and any text that a caller gives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from heapq import nlargest

LONGEST = 250
LONGEST_TEXT = 4096
FEW = 5
_LIKELY = 20

_DAMAGED = re.compile(r"[\ud800-\udfff\ufffd]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def near(value: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Those of the known that are most like a value.

    difflib takes up to a square of their length for each, so it looks at those alone that share the most letters.
    """
    value = value[:LONGEST]
    letters = Counter(value)

    def shared(other: str) -> float:
        return (letters & Counter(other)).total() / (len(value) + len(other) + 1)

    return get_close_matches(value, nlargest(_LIKELY, known, key=shared), n=most, cutoff=cutoff)


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """That there is no such tool or prompt, with those that are like it, or all where they are few."""
    likely = near(name, known, most=3) if len(known) > FEW else []
    hint = f"Did you mean {' or '.join(likely)}?" if likely else f"There are: {', '.join(known) or 'none'}."
    return f"Unknown {what}: {name[:LONGEST]}. {hint}"


def text_problem(value: str) -> str | None:
    """What keeps a text from being sent, as the end of a sentence that begins with its name; None for nothing."""
    if len(value) > LONGEST_TEXT:
        return f"is {len(value)} characters long; {LONGEST_TEXT} are allowed"
    if _DAMAGED.search(value):
        return "contains a damaged character (U+FFFD, or half of a pair): write it again"
    return None


def id_problem(value: str, longest: int = LONGEST, *, slashes: bool = False) -> str | None:
    """What keeps a text from being an id, as the end of a sentence that begins with its name; None for nothing.

    `slashes` for an id that is not put into a path.
    """
    if not value.strip():
        return "is empty"
    if value in (".", ".."):
        return "must not be . or .."
    if len(value) > longest:
        return f"is {len(value)} characters long; Airflow allows {longest}"
    if not slashes and (sign := next((each for each in "/\\" if each in value), None)):
        return f'must not contain "{sign}"'
    if _CONTROL.search(value):
        return "must not contain a line break or another control character"
    return text_problem(value)
