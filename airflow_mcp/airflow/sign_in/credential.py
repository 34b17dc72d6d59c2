"""What signs a request in, and how long it lasts."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST_TOKEN = 16 * 1024
"""Characters; servers take no header that is much longer."""
LARGEST_ANSWER = 64 * 1024
"""Bytes that one takes at most to be printed, by a command."""


@dataclass(frozen=True)
class Credential:
    """Headers, and when they run out: in seconds since 1970, infinite where that is not told."""

    headers: Mapping[str, str] = field(repr=False)
    expires: float = math.inf


_PRINTABLE = re.compile(r"[!-~]+")

NONE_YET = Credential({}, expires=0)


def sendable(token: str) -> bool:
    """Whether a header can hold this token: printable ASCII without blanks, and not too much of it."""
    return len(token) <= LONGEST_TOKEN and _PRINTABLE.fullmatch(token) is not None


def bearer(token: str, expires: float | None = None) -> Credential:
    """A bearer token, which may tell itself when it runs out."""
    return Credential({"authorization": f"Bearer {token}"}, _expiry(token) if expires is None else expires)


def _expiry(token: str) -> float:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        moment = float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError, binascii.Error):
        return math.inf  # no JWT, or one that does not say
    return moment if math.isfinite(moment) else math.inf
