"""The fences between which a long text of Airflow's users stands, and what could be taken for one."""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from unicodedata import category, name, normalize

from airflow_mcp.text.clean import clean, shown
from airflow_mcp.text.redact import redacted

_ST = "\ufb06"  # one character
# Drawn like these, and neither the same when decomposed nor so named in Unicode: most are from its list of confusables.
_LIKE = {
    "<": "\u00ab\u02c2\u1438\u16b2\u2039\u226a\u226e\u227a\u22d6\u2329\u276c\u276e\u2770\u27e8\u27ea\u2991\u29fc\u2aa1"
    "\u3008\u300a\u304f\u3111\ufe3d\ufe3f\ufe64\uff1c\U0001d236",
    ">": "\u203a\u02c3\u1433\u276f\U00016f3f\U0001d237",
    ":": "\u02d0\u02f8\u0589\u0903\u0a83\u16ec\u1803\u1809\u205a\u2236\ua4fd\ua789\ufe30",
    "-": "\u2cc6\u2f03\u30ce\u3033\u31d3\u4e3f",  # letters like a slash
    "u": "\u028b\u03c5\u0438\u0446\u054d\u057d\u1200\u144c\u222a\u22c3\ua79f\U000118b8\U000118d8\U00016f42",
    "n": "\u039d\u03b7\u043f\u0578\u057c\u144e\u2229\u22c2\u2c9a\u2c9b\ua4e0\U00010513",
    "t": "\u03a4\u03c4\u0422\u0442\u13a2\u22a4\u27d9\u2ca6\u2ca7\ua4d4\U00010297\U000102b1\U00010315\U000118bc"
    "\U00016f0a\U0001f768",
    "r": "\u01a6\u0280\u0433\u0580\u13a1\u13d2\u1587\u1d26\u2c85\ua4e3\uab81\U000104b4\U00016f35\U0001d216",
    "s": "\u01bd\u0405\u0455\u054f\u13d5\u13da\u1515\ua4e2\uabaa\U00010296\U00010420\U00010448\U000118c1\U00016f3a",
    "e": "\u0395\u03b5\u0415\u0435\u0454\u04bd\u13ac\u212e\u22ff\u2c88\u2c89\u2d39\ua4f0\U00010286\U000118a6\U000118ae",
    "d": "\u0501\u13a0\u13e7\u146f\u15de\u15ea\ua4d2\ua4d3",
    _ST: "\ufb05\ufb06",
}
_FOLDED = {ord(other): character for character, others in _LIKE.items() for other in others}

_OPENING = re.compile(f"[<{_LIKE['<']}]")
_LETTER = re.compile(r"\bLETTER (?:SMALL CAPITAL |CAPITAL |SMALL )?([A-Z])\b")
_FENCE = re.compile(
    r"<[ -]*+(?:[a-z0-9-]{1,60}+[ -]*+:[ -]*+)?"
    rf"u[ -]*+n[ -]*+t[ -]*+r[ -]*+u[ -]*+(?:s[ -]*+t|{_ST})[ -]*+e[ -]*+d"
)


class Fence:
    """The two fences of one answer. Nobody who wrote a text that stands between them can have known their code."""

    def __init__(self) -> None:
        code = secrets.token_hex(4)
        self.start, self.end = f"<untrusted-{code}>", f"</untrusted-{code}>"

    def around(self, text: str) -> str:
        """A text that is safe already, between the fences, which say that it is data."""
        return f"{self.start}\n{text}\n{self.end}"


def safe(text: str, *, before: str = "", after: str = "") -> str:
    """Text as it may leave this server: clean, its secrets masked, and with nothing that could be taken for a fence.

    `before` and `after` stood around it: a secret that was cut is known by what is missing of it.
    """
    text = clean(text)
    # What hid in a secret is shown by now.
    if before or after:
        before = clean(before)
        text = redacted(before + text + clean(after), len(before), len(before) + len(text))
    else:
        text = redacted(text)
    return without_fences(text)


def safe_id(text: str) -> str:
    """The same of an id, which a caller gives back: whatever it looks like, it is no secret."""
    return without_fences(clean(text))


def without_fences(text: str) -> str:
    """The text with `<U+003C>` in place of the bracket, or of what looks like one, of each look-alike of a fence.

    `</untrusted>` in letters of any script, with any slash, blanks, other signs or a name space inside.
    """
    if (text.isascii() and "<" not in text) or not _OPENING.search(text):
        return text
    parts, end = [], 0
    for match in _FENCE.finditer(text.translate(_Folded())):
        parts += [text[end : match.start()], shown(text[match.start()])]
        end = match.start() + 1
    return "".join([*parts, text[end:]])


class _Folded(dict[int, str]):
    """For str.translate: each character as what it is drawn like."""

    def __missing__(self, code: int) -> str:
        self[code] = _folded(code)
        return self[code]


@lru_cache(4096)
def _folded(code: int) -> str:
    """One character for one: a letter of ASCII, `<`, `>`, `:`, a blank, `x` for other letters, `-` for other signs."""
    if code in _FOLDED:
        return _FOLDED[code]
    parts = normalize("NFKD", chr(code)).casefold()
    base = next((part for part in parts if part.isalnum()), parts[0])
    base = _FOLDED.get(ord(base), base)
    if base.isascii():
        return base if base.isalnum() or base in "<>:" else " " if base.isspace() else "-"
    if named := _LETTER.search(name(base, "")):
        return named[1].lower()
    kind = category(base)[0]
    return {"Z": " ", "L": "x", "N": "x"}.get(kind, "-")
