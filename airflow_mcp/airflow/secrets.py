"""The secrets that went to Airflow, masked in what comes back: a server, or a proxy, may echo them."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Self
from urllib.parse import quote, quote_plus, unquote

import httpx

from airflow_mcp.headers import OURS

MASK = "***"
BARE = "airflow_mcp_secrets"
"""The extension of a request by which a sign-in tells the secrets that stand in its body."""

SENDER = "airflow_mcp_sender"
"""The extension of a request with what it tells of its sender, as it went out."""

LEAST = 8  # characters; what is shorter is found in any text
KEPT = 2  # values of one header: the one in use, and the one before it
LAYERS = 3  # of percent-encoding, in a redirect's location

_SIGNING_IN = ("authorization", "proxy-authorization", "cookie")
_CODE = re.compile("%..")  # percent-encoded
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\[\"\\/])+")  # in a string of JSON
_LONGEST_ESCAPE = 6  # for one character
_ESCAPES = re.compile(rb"\\u00[2-7]|\\/|\\\\")  # of what some JSON writers escape needlessly, or of JSON in JSON


class Secret(NamedTuple):
    """A text that must not come back; `sure` for one that is no ordinary word, which a DAG may hold too."""

    value: str
    sure: bool


class LineMask(NamedTuple):
    """What takes secrets out of a line, and how many bytes one may take in it."""

    hide: Callable[[str], str]
    longest: int


class Secrets:
    """Those that went to one Airflow lately."""

    def __init__(self) -> None:
        self._sent: dict[str, dict[str, None]] = {}
        self._masks: dict[bool, _Mask] = {}

    def note(self, request: httpx.Request) -> None:
        """Remember the secrets of a request that goes out."""
        request.extensions[SENDER] = _of_sender(request)
        for name, value in request.extensions[SENDER]:
            values = self._sent.setdefault(name, {})
            if value not in values:
                self._masks.clear()
            values.pop(value, None)
            values[value] = None
            for old in [*values][:-KEPT]:
                del values[old]

    def mask_headers(self, response: httpx.Response) -> None:
        """Mask them in an answer's headers."""
        mask = self._mask(good=False, request=response.request)
        # Raw, since a header may hold what no text decodes.
        raw = response.headers.raw
        if mask.may_be_in(b"\n".join(value for _, value in raw)):
            response.headers = httpx.Headers([(name, mask.header(value)) for name, value in raw])

    def masked(self, response: httpx.Response) -> httpx.Response:
        """An answer, read and with masked headers, without them in its body; a good one keeps ordinary words."""
        good = response.is_success and "json" in response.headers.get("content-type", "")
        body = self._mask(good, response.request).body(response.content)
        if body is response.content:
            return response
        headers = response.headers.raw
        return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)

    def line_mask(self, response: httpx.Response) -> LineMask:
        """What takes them out of each line of a good answer, which keeps ordinary words."""
        mask = self._mask(good=True, request=response.request)
        return LineMask(mask.line, mask.longest)

    def hide(self, text: str) -> str:
        """A text of our own, such as a traceback, without them."""
        return self._mask(good=False).text(text)

    def _mask(self, good: bool, request: httpx.Request | None = None) -> _Mask:
        known = [(name, value) for name, values in self._sent.items() for value in values]
        # Many calls at once: what this one sent may have been renewed twice since.
        late = [pair for pair in (request.extensions.get(SENDER, ()) if request else ()) if pair not in known]
        if late:
            return _Mask.of([*known, *late], good)
        if good not in self._masks:
            self._masks[good] = _Mask.of(known, good)
        return self._masks[good]


class _Mask:
    """Puts *** in place of secrets, in each form in which an echo may carry them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._forms = [(form, form.encode()) for form in forms]  # the whole before its parts
        self._lower = [form.lower() for form in forms]
        self._lower_coded = [form.encode() for form in self._lower]

    @property
    def longest(self) -> int:
        """How many bytes one of them may take, each of its characters escaped."""
        return _LONGEST_ESCAPE * max((len(coded) for _, coded in self._forms), default=0)

    @classmethod
    def of(cls, sent: Iterable[tuple[str, str]], good: bool) -> Self:
        """For what was sent, by the headers' names; `good` for an answer that is no error."""
        secrets = {secret for name, value in sent for secret in _secrets(name, value)}
        return cls(secret.value for secret in secrets if secret.sure or not good)

    def text(self, text: str) -> str:
        for form, _ in self._forms:
            text = text.replace(form, MASK)
        return text

    def line(self, line: str) -> str:
        """As JSON where escapes hide one; where that is cut, and can be read no more, without its escapes."""
        line = self.text(line)
        if "\\" not in line or not _ESCAPED.search(line):
            return line
        plain = _ESCAPED.sub(_unescaped, line)
        if (hidden := self.text(plain)) == plain:
            return line
        try:
            return json.dumps(_walked(json.loads(line), self.text))
        except (ValueError, RecursionError):
            return hidden

    def may_be_in(self, headers: bytes) -> bool:
        """Whether headers hold a secret, or what may hide one: a percent-encoding, or letters with two cases."""
        lower = headers.lower()
        return b"%" in lower or not lower.isascii() or any(form in lower for form in self._lower_coded)

    def header(self, value: bytes) -> bytes:
        """In any case, since a host's name has none, and with every percent-encoding undone that may hide one."""
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        found = False
        for layer in range(LAYERS + 1 if "%" in text else 1):
            plain = (unquote(text) if layer else text).lower()
            text = plain
            for form in self._lower:
                text = text.replace(form, MASK)
            found = found or text != plain
        return text.encode() if found else value

    def body(self, body: bytes) -> bytes:
        """As JSON where it is JSON, whose strings may be escaped."""
        if not (any(coded in body for _, coded in self._forms) or _ESCAPES.search(body)):
            return body
        try:
            return json.dumps(_walked(json.loads(body), self.text)).encode()
        except (ValueError, RecursionError):  # no JSON, or none that Python reads
            for _, coded in self._forms:
                body = body.replace(coded, MASK.encode())
            return body


def _unescaped(match: re.Match[str]) -> str:
    # Halves of a character too, which make a whole one where both are there.
    return str(json.loads(f'"{match[0]}"'))


def _walked(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, list):
        return [_walked(item, hide) for item in value]
    if isinstance(value, dict):
        return {hide(name): _walked(item, hide) for name, item in value.items()}
    return value


def _of_sender(request: httpx.Request) -> list[tuple[str, str]]:
    """What a request tells of its sender: each header that is not the HTTP library's, and what stands in its body."""
    headers = [(name, value) for name, value in request.headers.items() if name not in OURS]
    return [*headers, *(("", value) for value in request.extensions.get(BARE, ()))]


def _secrets(name: str, value: str) -> list[Secret]:
    found = _of_header(name, value.strip()) if name else [Secret(value, sure=False)]
    return [secret for secret in found if len(secret.value) >= LEAST]


def _of_header(name: str, value: str) -> Iterator[Secret]:
    """The whole, and its parts: a scheme's credential, a password, each cookie's value."""
    scheme, _, bare = value.partition(" ")
    parts = [value, bare.strip()]
    if name == "cookie":
        parts = [value, *(cookie.partition("=")[2].strip(' "') for cookie in value.split(";"))]
    for part in parts:
        # A team's name, say, goes into a header too.
        yield Secret(part, sure=name in _SIGNING_IN or any(map(str.isdigit, part)))
    if scheme.lower() == "basic":
        yield from _of_pair(bare.strip())


def _of_pair(coded: str) -> Iterator[Secret]:
    try:
        pair = base64.b64decode(coded).decode()
    except (ValueError, binascii.Error):
        return
    yield Secret(pair, sure=False)
    yield Secret(pair.partition(":")[2], sure=False)


def _forms(secret: str) -> Iterator[str]:
    coded = secret.encode(errors="surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield from _written(encode(coded).decode().rstrip("="))
    yield from _written(secret)
    if (plain := unquote(secret)) != secret and len(plain) >= LEAST:
        yield from _written(plain)


def _written(text: str) -> Iterator[str]:
    """As it is; in JSON, in HTML, and in a URL."""
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text)[1:-1].replace("/", "\\/")
    yield html.escape(text)
    yield html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    for url in (quote(text), quote(text, safe=""), quote_plus(text)):
        yield url
        yield _CODE.sub(lambda code: code[0].lower(), url)
