"""Text from outside made harmless to display, with all that is in it still to be seen."""

from __future__ import annotations

import re
from functools import lru_cache

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")

# Scripts that join their letters, from Arabic to Myanmar, Khmer and Mongolian; and emoji.
_JOINED = "[\u0600-\u109f\u1780-\u18af]"
_EMOJI = "[\u203c\u2049\u20e3\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, but for tab and line feed
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff"
    "\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U00013430-\U0001343f\U00016fe4"
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# One joiner between two letters, or within an emoji, is how these are written; anywhere else it only hides.
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_NEEDED = re.compile(
    f"(?<={_JOINED})[\u200c\u200d](?={_JOINED})"
    f"|(?:(?<={_EMOJI})|(?<={_EMOJI}\ufe0f))\u200d(?={_EMOJI})"
    f"|(?<={_EMOJI})[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0f(?=\u20e3)"
)


def clean(text: str) -> str:
    """The text with each escape, control and invisible character shown: `␛`, or `<U+202E>`. Nothing is dropped.

    Tab and line feed stay, as do the joiners of a script or an emoji in their place. Half a character, which no
    stream of text takes, becomes U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub(_in_place, text.replace("\r\n", "\n"))


def _in_place(match: re.Match[str]) -> str:
    needed = match[0] in _JOINERS and _NEEDED.match(match.string, match.start())
    return match[0] if needed else shown(match[0])


@lru_cache(512)
def shown(character: str) -> str:
    """A visible form of a character: its control picture, or its number; U+FFFD for half of one."""
    code = ord(character)
    if 0xD800 <= code < 0xE000:
        return "\ufffd"
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def one_line(text: str, most: int = 500) -> str:
    """Somebody's words, to stand in a sentence of ours: on one line, clean, and cut where they are long."""
    words = " ".join(text.split())
    return clean(words if len(words) <= most else f"{words[:most]}…")


def without_colours(text: str) -> str:
    """What a program prints for a terminal, without its colours."""
    return _COLOUR.sub("", text)
