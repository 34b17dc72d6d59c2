"""Text that people outside wrote: made whole, harmless to display, and marked as data."""

from __future__ import annotations

import json
import re
from typing import Any

_ESCAPE_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and line feed
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_FENCE = re.compile(r"<(?=\s*+(?:/\s*+)?untrusted)", re.IGNORECASE)

_HALF = re.compile(r"[\ud800-\udfff]")
_HALF_ESCAPED = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # both halves of a character
    r"|\\[^u]|\\u(?![dD][89a-fA-F]))"  # what else begins with a backslash
    r"|\\u[0-9a-fA-F]{4}",
    re.DOTALL,
)
_REPLACEMENT = "\ufffd"


def whole_json(text: str) -> str:
    """The same JSON, U+FFFD in place of each half of a character: JSON can write one, and no other text can."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _HALF_ESCAPED.sub(lambda match: match[1] or r"\ufffd", text)


def read_json(content: bytes) -> Any:
    """JSON from outside, its texts and keys made whole. Raises ValueError, and RecursionError where it is too deep."""
    return json.loads(whole_json(content.decode("utf-8-sig")))


def clean(text: str) -> str:
    """Drop terminal escapes and control, zero-width and bidirectional characters; keep tab and line feed.

    Half a character, which no stream of text takes, becomes U+FFFD.
    """
    whole = _HALF.sub(_REPLACEMENT, text)
    return _INVISIBLE.sub("", _ESCAPE_SEQUENCES.sub("", whole.replace("\r\n", "\n")))


def fence(text: str) -> str:
    """Mark text of Airflow's users as data: cleaned, between fences that it cannot forge."""
    return f"<untrusted>\n{_FENCE.sub('&lt;', clean(text))}\n</untrusted>"
