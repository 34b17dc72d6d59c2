"""What differs between the conf of two runs: judged, and asks nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from airflow_mcp.text.fence import safe
from airflow_mcp.text.redact import redacted_by_name

MOST_KEYS = 5
LONGEST_KEY = 60
LONGEST_VALUE = 50
DEEPEST = 4
"""Objects within objects that are compared by key; below, as a whole."""
AROUND = 2000
"""Characters behind a cut that tell what a secret is that it goes through."""

Conf = Mapping[str, Any]


def conf_differences(earlier: Conf | None, later: Conf | None) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Of each conf the keys whose values differ, some of very many, long values cut; and all keys that differ."""
    before, after = _differing(earlier or {}, later or {}, DEEPEST)
    keys = list(dict.fromkeys([*before, *after]))
    shown = [key for key in keys if len(key) <= LONGEST_KEY][:MOST_KEYS]
    return _shown(before, shown), _shown(after, shown), keys


def _differing(before: Conf, after: Conf, deep: int) -> tuple[dict[str, Any], dict[str, Any]]:
    found: tuple[dict[str, Any], dict[str, Any]] = {}, {}
    for key in dict.fromkeys([*before, *after]):
        if key in before and key in after:
            then, now = before[key], after[key]
            if _written(then) == _written(now):
                continue
            if deep and isinstance(then, dict) and isinstance(now, dict):
                then, now = _differing(then, now, deep - 1)
            found[0][key], found[1][key] = then, now
        elif key in before:
            found[0][key] = before[key]
        else:
            found[1][key] = after[key]
    return found


def _written(value: Any) -> str:
    """To Python 1 and true are equal."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _shown(conf: Conf, keys: list[str]) -> dict[str, Any]:
    return {key: _short(conf[key]) for key in keys if key in conf}


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else _written(redacted_by_name(value))
    if len(text) <= LONGEST_VALUE:
        return value
    return f"{safe(text[:LONGEST_VALUE], after=text[LONGEST_VALUE:][:AROUND])}… ({len(text)} characters)"
