"""JSON from outside, whose texts may hold half a character."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

_HALF_ESCAPED = re.compile(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # both halves of a character
    r"|\\[^u]|\\u(?![dD][89a-fA-F]))"  # what else begins with a backslash
    r"|\\u[0-9a-fA-F]{4}",
    re.DOTALL,
)
_OPENS_OR_CLOSES = re.compile(r'"[^"\\]*+(?:\\(?:u[0-9a-fA-F]{4}|[^u])[^"\\]*+)*+(?P<end>")?|[\[\]{}]', re.DOTALL)


def whole_json(text: str) -> str:
    """The same JSON, U+FFFD in place of each half of a character: JSON can write one, and no other text can."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _HALF_ESCAPED.sub(lambda match: match[1] or r"\ufffd", text)


def read_json(content: bytes) -> Any:
    """JSON from outside, its texts and keys made whole. Raises ValueError, and RecursionError where it is too deep."""
    return json.loads(whole_json(content.decode("utf-8-sig")))


def read_cut_json(text: str, told: str = "") -> Any:
    """JSON of which the end is missing, as if all that is open in it ended there; None where that makes no JSON.

    `told` then stands at the end of the string that was cut.
    """
    closing: list[str] = []
    open_string = None
    for token in _OPENS_OR_CLOSES.finditer(text):
        open_string = token.end() if token[0].startswith('"') and not token["end"] else None
        if token[0] in "{[":
            closing.append("}" if token[0] == "{" else "]")
        elif token[0] in "}]" and closing:
            closing.pop()
    ends = "".join(reversed(closing))
    # Half an escape goes; what ends as a key has no value yet.
    body = text.rstrip(", ") if open_string is None else f'{text[:open_string]}{told}"'
    for more in ("", ":null", "null"):
        with suppress(ValueError, RecursionError):
            return json.loads(whole_json(body + more + ends))
    return None
