"""Text that people outside wrote: made harmless to display, and marked as data."""

from __future__ import annotations

import re

_ESCAPE_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and line feed
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ud800-\udfff"  # halves of a character, which no answer can be written with
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_PIECES = re.compile(r"[a-z]{1,3}|[A-Z][a-z]?|[0-9]{1,3}|[ \t]{0,16}[^A-Za-z0-9]", re.DOTALL)
_FENCE = re.compile(r"<(?=\s*/?\s*untrusted)", re.IGNORECASE)


def clean(text: str) -> str:
    """Drop terminal escapes, control, zero-width and bidirectional characters, and halves; keep tab and line feed."""
    if text.isascii() and text.isprintable():  # as most lines of a long log are, and it takes no time
        return text
    return _INVISIBLE.sub("", _ESCAPE_SEQUENCES.sub("", text.replace("\r\n", "\n")))


def shorten(text: str, most: int) -> str:
    """A text without its end where it is very long."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def beginning(text: str, most_tokens: int) -> str:
    """The beginning of a text that takes no more tokens than that in a JSON string, counted generously."""
    left = most_tokens
    for piece in _PIECES.finditer(text):
        # Beyond ASCII the bytes tell: a Cyrillic letter is one token at most, a Chinese one two, a smiley three.
        left -= max(len(piece[0].encode(errors="replace")) - 1, 1) if not piece[0].isascii() else 1
        if left < 0:
            return text[: piece.start()]
    return text


def fence(text: str) -> str:
    """Mark text of Airflow's users as data: cleaned, between fences that it cannot forge."""
    return f"<untrusted>\n{_FENCE.sub('&lt;', clean(text))}\n</untrusted>"
