"""What stands where a secret would: the secret itself, or only a reference to it, a type, a word of prose."""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """A table of words, written as a text."""
    return frozenset(text.split())


_TEMPLATE = re.compile(
    r"\{\{[^}\n]{0,100}+\}\}|\{%[^}\n]{0,100}+%?\}|\$\{[^}\n]{0,100}+\}|\$\([^)\n]{0,100}+\)|\$[A-Za-z_]\w{0,100}+"
    r"|%\(\w{1,100}+\)[sdr]|%[sdr](?![A-Za-z0-9])|\{[\w.!:\[\]'\"]{0,100}+\}|<[A-Za-z][A-Za-z0-9 _-]{0,60}+>"
)
_FILLER = re.compile(r"[*xX.•#_?-]{3,}+|\[?[Rr]edacted\]?|\[?REDACTED\]?|\[?[Mm]asked\]?|\[?MASKED\]?|\.{2,6}")
_SCHEME = re.compile(r"\s*+(?:bearer|basic|token|digest|negotiate)?+\s*+", re.IGNORECASE)
_PATH_OF_NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+(?:\.[A-Za-z_][A-Za-z0-9_]*+)*+")
_LETTERS = re.compile(r"[A-Za-z_]++(?:\.[A-Za-z_]++)*+")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*+(?:_[A-Z0-9]++)++|PASSWORD|PASSWD|TOKEN|SECRET|APIKEY|KEY")
_SLUG = re.compile(r"[a-z][a-z0-9]*+(?:[-_.:/][a-z0-9]++)++|[A-Za-z]++(?:[-_. ][A-Za-z]++)*+")
_NUMBER = re.compile(r"[+-]?[0-9][0-9_,]{0,12}+(?:\.[0-9]{0,12}+)?[a-z%]{0,2}")
_TYPE = re.compile(
    r"(?:[a-z]\w*+\.)*+[A-Z]\w{0,80}?(?:Key|Token|Password|Secret|Credential|Type|Str|String|Bytes|Alias)s?"
)
_NAMES_A_SECRET = re.compile(r"pass|pwd|token|secret|cred|key|auth|conn", re.IGNORECASE)
_ROOTS = words(
    "Connection Variable args cls conf config conn connection context dag data env environ hook kwargs os params "
    "request resp response secrets self settings ti var"
)
# Types, states, and the words with which a sentence goes on.
_WORDS = words(
    "a accepted an and any are as at authentication authorization basic bearer been bool boolean by bytes can "
    "cannot changed could created default deleted denied dict disabled empty enabled expired failed false float "
    "for found from had has have hidden if in incorrect int integer into invalid is it list masked may might "
    "missing must nan nil no none not null object of off ok okay on optional or password per provided redacted "
    "refreshed rejected removed renewed required rotated secret secretstr set should str string success that the "
    "this to token true tuple unauthorized undefined union unknown unset updated used valid was were when which "
    "will with without would wrong yes"
)
_NOTHING = {"none", "null", "nil", "true", "false", "undefined"}
_IN_SENTENCES = words("and be by for from if in is must of or that the this to used will with your")
_LONGEST_SENTENCE = 100
LONGEST_REFERENCE = 4096
LIKELY = 8
"""Characters that what looks like a secret has at least."""


def is_reference(value: str) -> bool:
    """Whether a text holds no secret: nothing, what is masked, a place for one, templates alone, or a sentence."""
    if len(value) > LONGEST_REFERENCE:
        return False
    plain = value.strip()
    if not any(map(str.isalnum, plain)) or "***" in plain or plain.lower() in _NOTHING or plain.startswith("$("):
        return True
    rest = _TEMPLATE.sub("", value)
    if rest != value and (_SCHEME.fullmatch(rest) or not any(map(str.isalnum, rest))):
        return True
    return bool(_FILLER.fullmatch(plain)) or _names_a_secret(plain) or _is_sentence(plain)


def _names_a_secret(value: str) -> bool:
    """DB_PASSWORD: the name of a variable."""
    return bool(_CONSTANT.fullmatch(value) and _NAMES_A_SECRET.search(value))


def _is_sentence(value: str) -> bool:
    """`Password for the index`: words as they stand in a sentence, not in a passphrase."""
    words = value.split(" ", _LONGEST_SENTENCE)
    return len(words) >= 4 and not _IN_SENTENCES.isdisjoint(words) and not any(map(str.isdigit, value))


def looks_secret(value: str) -> bool:
    """Whether a value with a doubtful name is likely a secret: letters and digits mixed, and no name or address."""
    if len(value) < LIKELY or value.startswith(("/", ".", "~")) or "://" in value or _SLUG.fullmatch(value):
        return False
    kinds = (str.isdigit, str.isalpha)
    return all(any(map(kind, value)) for kind in kinds) and not any(map(str.isspace, value))


def is_number(value: str) -> bool:
    """A count, say of tokens."""
    return bool(_NUMBER.fullmatch(value))


def is_code(value: str, after: str, *, spaced: bool) -> bool:
    """Whether an unquoted value is an expression of a program: `password=password`, `token = self.token`, `f(x)`.

    `after` is what follows it, `spaced` whether the sign before it had a blank behind it.
    """
    names = _PATH_OF_NAMES.match(value)
    if not names:
        return False
    if value[names.end() :].startswith(("(", "[")) or (names[0] == value and after.startswith(("(", "["))):
        return True
    if names[0] != value:
        return False
    if value.lower() in _WORDS or ("." in value and value.partition(".")[0] in _ROOTS):
        return True
    letters = bool(_LETTERS.fullmatch(value)) or bool(_TYPE.fullmatch(value))
    if _NAMES_A_SECRET.search(value) and (letters or "_" in value):
        return True
    return letters and (spaced or after.startswith((",", ")")))


def is_prose(value: str, after: str) -> bool:
    """Whether a sentence goes on after a colon, and tells no secret: `token: expired`, `password: must be longer`."""
    letters = value.isalpha()
    return letters and (value.lower() in _WORDS or (after[:1] == " " and after[1:2].isalpha()))
