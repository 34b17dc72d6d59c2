"""Secrets in what Airflow tells, masked: known by the name of what holds them, by their shape, or by their place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from airflow_mcp.text.private_keys import private_keys
from airflow_mcp.text.secret_given import given
from airflow_mcp.text.secret_names import Secret, is_secret, secret_key
from airflow_mcp.text.secret_places import placed
from airflow_mcp.text.secret_shapes import shaped

Span = tuple[int, int, str]
"""From where to where in a text, and the kind of secret that is there."""

# Most texts are a word, a date or a sentence, so each kind of search looks first whether it could find anything.
_SHORT = 15  # characters of the shortest secret that has none of these signs
_SIGNS = frozenset("=:>'\"(")
_LONG_WORD = re.compile(r"[A-Za-z0-9_-]{16}")
_HOLD = {"value", "val", "default", "const", "enum", "examples", "schema"}
_DESCRIBE = {"type", "schema", "__class", "$schema"}


def redacted(text: str, start: int = 0, end: int | None = None) -> str:
    """A text, or a part of it, with a sign in place of each secret: `AWS_SECRET = "***aws-secret-key***"`.

    What stands before `start` and behind `end` tells what a secret at the edge is, and is not given.
    """
    end = len(text) if end is None else end
    if len(text) < _SHORT and _SIGNS.isdisjoint(text) and "--" not in text:
        return text[start:end]
    spans = _ranked(text)
    if not spans:
        return text[start:end]
    parts, at = [], start
    for first, last, kind in _merged(spans):
        if last > start and first < end:
            parts += [text[at : max(at, first)], f"***{kind}***"]
            at = last
    return "".join([*parts, text[at:end]])


def redacted_by_name(value: Any, held: Secret | None = None) -> Any:
    """JSON data with a sign in place of what stands under the name of a secret; `held` is the name that it is under.

    Under such a name each text and number is one; of a JSON schema, or a param, its values alone. Of `key` and
    `value`, or `name` and `value`, the one names the other.
    """
    if isinstance(value, dict):
        return _object(value, held)
    if isinstance(value, list):
        return [redacted_by_name(item, held) for item in value]
    if held is None or isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    return f"***{held.kind}***" if is_secret(str(value), held) else value


def redacted_pair(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of an object, `value` masked where its `key` or `name` is that of a secret."""
    of_value = _of_value(fields) if "value" in fields else None
    return {**fields, "value": redacted_by_name(fields["value"], of_value)} if of_value else fields


def _of_value(fields: dict[str, Any]) -> Secret | None:
    name = fields.get("key") or fields.get("name")
    return secret_key(name) if isinstance(name, str) else None


def _object(fields: dict[str, Any], held: Secret | None) -> dict[str, Any]:
    of_value = _of_value(fields)
    described = not _DESCRIBE.isdisjoint(fields)

    def under(key: str) -> Secret | None:
        if of_value and key in ("value", "val"):
            return of_value
        return secret_key(key) or (held if not described or key in _HOLD else None)

    return {key: redacted_by_name(item, under(key)) for key, item in fields.items()}


def _ranked(text: str) -> list[tuple[int, int, int, str]]:
    """From where to where a text has a secret, how well it is known what it is, lowest first, and its kind."""
    found: list[tuple[int, Iterable[Span]]] = [(0, private_keys(text)), (2, placed(text)), (3, given(text))]
    if _LONG_WORD.search(text):
        found.append((1, shaped(text)))
    return [(start, end, rank, kind) for rank, spans in found for start, end, kind in spans if end > start]


def _merged(ranked: list[tuple[int, int, int, str]]) -> list[Span]:
    """The same in their order and apart: where they overlap they are one, of the kind known best."""
    merged: list[tuple[int, int, int, str]] = []
    for start, end, rank, kind in sorted(ranked):
        if merged and start < merged[-1][1]:
            first, last, known, known_kind = merged[-1]
            merged[-1] = (first, max(last, end), *min((known, known_kind), (rank, kind)))
        else:
            merged.append((start, end, rank, kind))
    return [(start, end, kind) for start, end, _, kind in merged]
