"""Secrets that are known by the name that they are given to: `password=x`, `"api_key": "x"`, `--token x`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from airflow_mcp.text.secret_names import Secret, is_secret, secret_named
from airflow_mcp.text.secret_values import is_code, is_prose

# Most texts give nothing to a name.
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


def given(text: str) -> Iterator[tuple[int, int, str]]:
    """Where a text has a secret by its name, and the kind: `password=x`, `--token x`, `getenv("DB_PASSWORD", "x")`."""
    if not _GIVEN.search(text):
        return
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
        return None if in_xml is None or not is_secret(in_xml[1], secret) else in_xml.span(1)
    if opening := _OPENING.match(text, at):
        start = _BEHIND_SCHEME.match(text, opening.end()).end() if secret.kind == "authorization" else opening.end()  # type: ignore[union-attr]
        if (not quoted and text[start : start + 1] in _ENDS) or (sign == " " and text.startswith("-", start)):
            return None  # the name stands at the end of a text, and this is its end; or another option follows
        end = _closing(text, start, opening[1])
        value = text[start:end]
        if sign == "," and is_code(value, "", spaced=False):
            return None  # get("a_token", "its_token")
        known = end - start < _FARTHEST
        return None if known and not is_secret(value, secret) else (start, end)
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
    if not is_secret(value, secret):
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
