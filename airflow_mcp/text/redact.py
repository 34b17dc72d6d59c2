"""Secrets in what Airflow tells, masked: known by the name of what holds them, by their shape, or by their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from airflow_mcp.text.private_keys import private_keys
from airflow_mcp.text.secret_names import Secret, secret_key, secret_named
from airflow_mcp.text.secret_places import placed
from airflow_mcp.text.secret_shapes import shaped
from airflow_mcp.text.secret_values import is_code, is_number, is_prose, is_reference, looks_secret

Span = tuple[int, int, str]
"""From where to where in a text, and the kind of secret that is there."""

# Most texts are a word, a date or a sentence, so each kind of search looks first whether it could find anything.
_SHORT = 15  # characters of the shortest secret that has none of these signs
_SIGNS = frozenset("=:>'\"(")
_LONG_WORD = re.compile(r"[A-Za-z0-9_-]{16}")
_GIVEN = re.compile(r"[=>]|--|[A-Za-z_\"'`\])][ \t]?:|[\"'],| is | was ")
_HINTS = ("pass", "pwd", "secret", "token", "key", "cred", "jwt", "cookie", "auth")
_FARTHEST = 4096
"""Characters after which a quotation that is still open is one no more, and all of its line is taken."""

_LONGEST_NAME = 80
_LONGEST_WORD = 500
"""Characters from which what is not quoted is a secret without a further look."""

_SIGN = re.compile(r"(\\{0,3}+[\"'`])?+[\])]?+[ \t]{0,20}+(:=|=>|={1,3}+|:(?![:/])|>)[ \t]{0,20}+")
_TYPE = re.compile(
    r"[A-Za-z_][\w.]{0,60}+(?:\[[\w., |\[\]]{0,100}+)?+"
    r"(?:[ \t]?\|[ \t]?[A-Za-z_][\w.]{0,60}+){0,5}+[ \t]{1,4}+=[ \t]{0,4}+"
)
_AFTER_OPTION = re.compile(r"(\\{0,3}+[\"'],)?+[ \t]{1,20}+(?!-)")
_CALL = re.compile(r"(?:get|getenv|setdefault|set|setenv|putenv)\([ \t]{0,4}+[\"']$")
_IN_CALL = re.compile(r"[\"'],[ \t]{0,4}+(?:default(?:_var)?[ \t]{0,2}+=[ \t]{0,2}+)?+(?=[\"'])")
_NAMED = re.compile(r"(?:name|key)\\{0,3}+[\"']?+[ \t]{0,4}+[:=][ \t]{0,4}+\\{0,3}+[\"']?+$")
_ITS_VALUE = re.compile(
    r"\\{0,3}+[\"']?+,?+(?:[ \t]{0,20}+\n[ \t]{0,8}+(?:[0-9]{1,9}+\|?+)?+)?+[ \t]{0,80}+"
    r"\\{0,3}+[\"']?+val(?:ue)?+\\{0,3}+[\"']?+[ \t]{0,4}+([:=])[ \t]{0,4}+"
)
_SAID = re.compile(r"[ \t]{1,4}+(?:is|was):?+[ \t]{1,4}+")
_ON = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
_OPENING = re.compile(r"[rbfuRBFU]{0,2}+(\\{0,3}+(?:\"\"\"|'''|[\"'`]))")
_QUOTED = {
    '"': re.compile(r'(?:[^"\\\n]|\\[^\n])*+(?=")'),
    "'": re.compile(r"(?:[^'\\\n]|\\[^\n])*+(?=')"),
}
_ENDS = (*" ,)]}+;:.%\n\t", "")
"""What follows the sign at the end of a quotation, and begins none."""
_REST = re.compile(r"\S*+")
_LINE = re.compile(r"[^\n]*+")
# A sign that closes something, or parts it from what follows, is not of the value.
_UNQUOTED = re.compile(
    r"[^\s\"'`,;&|()<>{}\[\]\\](?:[^\s\"'`,;&|()<>{}\[\]\\]|[,;|()<>{}\[\]](?!\s|[\"'`]|\Z|[\w-]{1,40}+\s?[=:])){0,499}+"
)
_CREDENTIALS = re.compile(
    r"(?:(?:Bearer|Basic|Token|Digest|Negotiate|ApiKey|bearer|basic)[ \t]{1,4}+)?+([^\s\"'`\\,;]{1,500}+)"
)
_BEHIND_SCHEME = re.compile(r"(?:(?:Bearer|Basic|Token|Digest|Negotiate|ApiKey|bearer|basic)[ \t]{1,4}+)?+")
_IN_XML = re.compile(r"([^<>\"\n]{1,500}+)(?=</)")
_COOKIES = re.compile(r"([\w.-]{1,100}+=[^\"'\n\\]{1,500}+)")

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
    return f"***{held.kind}***" if _is_secret(str(value), held) else value


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


def _is_secret(value: str, secret: Secret) -> bool:
    if is_reference(value) or (secret.kind == "token" and is_number(value)):
        return False
    return secret.certain or looks_secret(value)


def _ranked(text: str) -> list[tuple[int, int, int, str]]:
    """From where to where a text has a secret, how well it is known what it is, lowest first, and its kind."""
    found: list[tuple[int, Iterable[Span]]] = [(0, private_keys(text)), (2, placed(text))]
    if _LONG_WORD.search(text):
        found.append((1, shaped(text)))
    if _GIVEN.search(text):
        found.append((3, _named(text)))
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


def _named(text: str) -> Iterator[Span]:
    """What is given to a name: `password=x`, `"api_key": "x"`, `--token x`, `getenv("DB_PASSWORD", "x")`."""
    done = 0
    for start, end in _names(text):
        if start < done or not (secret := secret_named(text[start:end])):
            continue
        if span := _given(text, start, end, secret):
            yield (*span, secret.kind)
            done = span[1]


def _names(text: str) -> Iterator[tuple[int, int]]:
    """The words that have a part of which a secret's name has one, in their order."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = text  # a capital letter that is two small ones
    places: list[int] = []
    for hint in _HINTS:
        if hint in lower:
            places += _places_of(hint, lower)
    past = 0
    for at in sorted(places):
        if at < past:
            continue
        start = past = at
        while start > 0 and at - start < _LONGEST_NAME and text[start - 1] in _ON:
            start -= 1
        while past < len(text) and past - at < _LONGEST_NAME and text[past] in _ON:
            past += 1
        yield start, past


def _places_of(hint: str, text: str) -> Iterator[int]:
    at = text.find(hint)
    while at >= 0:
        yield at
        at = text.find(hint, at + len(hint))


def _given(text: str, start: int, end: int, secret: Secret) -> tuple[int, int] | None:
    """Where the secret is that is given to the name from `start` to `end`."""
    before = text[max(0, start - _LONGEST_NAME) : start]
    if "arn:" in before or before.lower().endswith(("unexpected ", "unknown ")):
        return None
    if found := _SIGN.match(text, end):
        at, sign = found.end(), found[2]
        if sign == ":" and (typed := _TYPE.match(text, at)):
            at, sign = typed.end(), "="
        return _value(text, at, sign, secret, before=before, quoted=bool(found[1]))
    if text.startswith("--", start) and (found := _AFTER_OPTION.match(text, end)):
        return _value(text, found.end(), " ", secret, before=before, quoted=bool(found[1]))
    if _CALL.search(before) and (found := _IN_CALL.match(text, end)):
        return _value(text, found.end(), ",", secret, before=before, quoted=True)
    return _told(text, end, secret, before)


def _told(text: str, end: int, secret: Secret, before: str) -> tuple[int, int] | None:
    """Where the secret is whose name ends here, and is itself the value of `name`, or the subject of a sentence."""
    if (found := _ITS_VALUE.match(text, end)) and _NAMED.search(before):
        return _value(text, found.end(), found[1], secret, before=before, quoted=True)
    if found := _SAID.match(text, end):
        return _value(text, found.end(), ":", secret._replace(certain=False), before=before, quoted=True)
    return None


def _value(text: str, at: int, sign: str, secret: Secret, *, before: str, quoted: bool) -> tuple[int, int] | None:
    """Where the secret is that begins here, if it is one; `quoted` if its name is, and `sign` stands between them."""
    if sign == ">":
        in_xml = _IN_XML.match(text, at) if before.endswith("<") else None
        return None if in_xml is None or not _is_secret(in_xml[1], secret) else in_xml.span(1)
    if opening := _OPENING.match(text, at):
        start = _BEHIND_SCHEME.match(text, opening.end()).end() if secret.kind == "authorization" else opening.end()  # type: ignore[union-attr]
        if (not quoted and text[start : start + 1] in _ENDS) or (sign == " " and text.startswith("-", start)):
            return None  # the name stands at the end of a text, and this is its end; or another option follows
        end = _closing(text, start, opening[1])
        value = text[start:end]
        if sign == "," and is_code(value, "", spaced=False):
            return None  # get("a_token", "its_token")
        known = end - start < _FARTHEST
        return None if known and not _is_secret(value, secret) else (start, end)
    if sign in ("==", "==="):  # a release, or two names that are compared
        return None
    return _unquoted(text, at, sign, secret, quoted)


def _unquoted(text: str, at: int, sign: str, secret: Secret, quoted: bool) -> tuple[int, int] | None:
    if secret.kind == "authorization":
        found = _CREDENTIALS.match(text, at)
    elif secret.kind == "cookie":
        found = _COOKIES.match(text, at)
    else:
        found = _UNQUOTED.match(text, at)
    if not found or text[at] in "({[":
        return None
    start, end = found.span(found.lastindex or 0)
    if end - start >= _LONGEST_WORD:
        return start, _REST.match(text, end).end()  # type: ignore[union-attr]
    value = _without_closers(text[start:end])
    end = start + len(value)
    after = text[end : end + 2]
    spaced = text[at - 1] in " \t"
    if not _is_secret(value, secret):
        return None
    if sign in (":", " ") and is_prose(value, after):
        return None
    if sign != " " and is_code(value, after, spaced=spaced and (sign != ":" or quoted)):
        return None
    return start, end


def _without_closers(value: str) -> str:
    """Without the signs at its end that are of the sentence, or close what began before it."""
    opened = any(sign in value for sign in "([{")
    return value.rstrip(".,;:" if opened else ".,;:)]}")


def _closing(text: str, start: int, quote: str) -> int:
    """Where a quotation ends: before its sign, or with its line."""
    line = text.find("\n", start, start + _FARTHEST)
    if quote in _QUOTED:
        found = _QUOTED[quote].match(text, start, start + _FARTHEST)
        end = found.end() if found else -1
    else:
        end = text.find(quote, start, start + _FARTHEST if line < 0 else line)
    if end >= 0:
        return end
    if line >= 0:
        return line
    whole = _LINE.match(text, start)
    return whole.end() if whole else start
