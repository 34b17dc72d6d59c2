"""Text that people outside wrote: made harmless to display, and marked as data."""

from __future__ import annotations

import re

_ESCAPE_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and line feed
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_FENCE = re.compile(r"<(?=\s*+(?:/\s*+)?untrusted)", re.IGNORECASE)


def clean(text: str) -> str:
    """Drop terminal escapes and control, zero-width and bidirectional characters; keep tab and line feed."""
    return _INVISIBLE.sub("", _ESCAPE_SEQUENCES.sub("", text.replace("\r\n", "\n")))


def fence(text: str) -> str:
    """Mark text of Airflow's users as data: cleaned, between fences that it cannot forge."""
    return f"<untrusted>\n{_FENCE.sub('&lt;', clean(text))}\n</untrusted>"
