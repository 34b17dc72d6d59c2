"""HTTP headers as a person writes them: one `Name: value` a line."""

from __future__ import annotations

import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110, 5.6.2

OURS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
"""Those that this server, or its HTTP library, sets itself."""


def parse_headers(text: str) -> dict[str, str]:
    """Headers by lower-case name. Raises ValueError for what is none, telling the line's number and not its value."""
    headers: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"line {number} has no colon: one `Name: value` a line")
        where = f"line {number}"
        name = checked_name(name, where)
        if name in headers:
            raise ValueError(f"{where} sets {name} again: keep one")
        headers[name] = checked_value(value, where)
    return headers


def checked_name(name: str, where: str) -> str:
    """A header's name in lower case. Raises ValueError for what is none, and for one that is not the caller's."""
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise ValueError(f"{where} has a name that no header can have")
    if name in OURS:
        raise ValueError(f"{where} sets {name}, which this server sets itself")
    return name


def checked_value(value: str, where: str) -> str:
    """A header's value without blanks around it. Raises ValueError for one that no header can hold."""
    value = value.strip()
    if not value:
        raise ValueError(f"{where} is empty")
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{where} holds a line break or another character that no header can hold")
    return value
