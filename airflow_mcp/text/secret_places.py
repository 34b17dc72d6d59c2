"""Secrets that are known by where they stand: in a URL, behind a scheme of HTTP, in a command or a statement of SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from airflow_mcp.text.secret_values import is_reference, looks_secret

# Up to the last at sign of a host; to the end where that was cut. Each begins with characters that are quick to find.
_IN_URL = re.compile(r"://[^\s/:@\"'<>|\[]{0,200}+:([^\s\"'<>@]{1,500}+(?:@[^\s\"'<>@/]{1,300}+(?=@)){0,5}+)(@|…|\Z)")
_PORT = re.compile(r"[0-9]{1,5}+(?!\w)")
_USER_IN_URL = re.compile(r"://([A-Za-z0-9_-]{16,200}+)(?=@)")
_IN_SQL = ("IDENTIFIED BY", "identified by", "PASSWORD", "password")
_CREDENTIALS = (
    ("earer", "bearer-token", re.compile(r"earer(?<![\w-].earer)[ \t]{1,4}+([A-Za-z0-9._~+/-]{8,}+={0,2}+)")),
    ("asic", "basic-credentials", re.compile(r"asic(?<![\w-].asic)[ \t]{1,4}+([A-Za-z0-9._~+/-]{8,}+={0,2}+)")),
)
_PASSWORDS = (
    (
        "-u",
        re.compile(
            r"-u(?:(?<![\w-]-u)|(?<=--u)ser|(?<=-proxy-u)ser)[ \t=]{1,4}+[\"']?[\w.@+-]{1,100}+:([^\s\"']{1,200}+)"
        ),
    ),
    ("sshpass", re.compile(r"sshpass[ \t]{1,4}+-p[ \t]{0,4}+[\"']?([^\s\"']{1,200}+)")),
    ("login", re.compile(r"login(?:[ \t][^\s|;&]{1,200}+){0,8}?[ \t]-p[ \t]{1,4}+[\"']?([^\s\"']{1,200}+)")),
    *(
        (hint, re.compile(rf"{hint}(?:[ \t][^\s|;&]{{1,200}}+){{0,8}}?[ \t]-p([^\s\"']{{1,200}}+)"))
        for hint in ("mysql", "mysqldump")
    ),
    *((hint, re.compile(rf"{hint}[ \t]{{1,4}}+'([^'\n]{{1,500}}+)'")) for hint in _IN_SQL),
    (
        "auth",
        re.compile(
            r"auth[ \t]{0,4}+=[ \t]{0,4}+(?:HTTPBasicAuth)?+\([ \t]{0,4}+[\"'][^\"'\n]{0,200}+[\"'],[ \t]{0,4}+"
            r"[\"']([^\"'\n]{1,500}+)[\"']"
        ),
    ),
)
_LONG = 32
"""Characters of a credential that is one even without a digit."""


_HINT = re.compile("|".join(["://", *(hint for hint, _, _ in _CREDENTIALS), *(hint for hint, _ in _PASSWORDS)]))


def placed(text: str) -> Iterator[tuple[int, int, str]]:
    """Where a text has a secret by its place, and the kind."""
    if not _HINT.search(text):
        return
    if "://" in text:
        yield from _in_urls(text)
    for hint, kind, pattern in _CREDENTIALS:
        if hint in text:
            for found in pattern.finditer(text):
                if looks_secret(found[1]) or len(found[1]) >= _LONG:
                    yield *found.span(1), kind
    for hint, pattern in _PASSWORDS:
        if hint in text:
            for found in pattern.finditer(text):
                if not is_reference(found[1]):
                    yield *found.span(1), "password"


def _in_urls(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _IN_URL.finditer(text):
        if not (is_reference(found[1]) or _is_port(found[1], ended=found[2] == "@")):
            yield *found.span(1), "password"
    for found in _USER_IN_URL.finditer(text):
        if looks_secret(found[1]):
            yield *found.span(1), "token"


def _is_port(password: str, *, ended: bool) -> bool:
    """Whether it is none: a port, with or without a path or more hosts; or, where no at sign ends it, has a path."""
    port = _PORT.match(password)
    if ended:
        return port is not None and password[port.end() :].startswith("/")
    return port is not None or "/" in password
