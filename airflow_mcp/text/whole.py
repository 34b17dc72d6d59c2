"""JSON from outside, whose texts may hold half a character."""

from __future__ import annotations

import json
import re
from typing import Any

_HALF_ESCAPED = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # both halves of a character
    r"|\\[^u]|\\u(?![dD][89a-fA-F]))"  # what else begins with a backslash
    r"|\\u[0-9a-fA-F]{4}",
    re.DOTALL,
)


def whole_json(text: str) -> str:
    """The same JSON, U+FFFD in place of each half of a character: JSON can write one, and no other text can."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _HALF_ESCAPED.sub(lambda match: match[1] or r"\ufffd", text)


def read_json(content: bytes) -> Any:
    """JSON from outside, its texts and keys made whole. Raises ValueError, and RecursionError where it is too deep."""
    return json.loads(whole_json(content.decode("utf-8-sig")))
