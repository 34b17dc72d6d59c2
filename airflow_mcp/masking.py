"""Secrets in what Airflow tells: found by the name of what holds them, or by their form, and masked."""

from __future__ import annotations

import json
import re
from typing import Any

MASK = "***"

_SECRET_NAME = re.compile(
    r"pass(?!ive|enger)|secret|token|credential|authoriz|bearer|jwt|fernet|cookie|webhook|proxy|keyfile|service_account"
    r"|(?:api|access|private|encryption|signing|ssh|account|shared)[_-]?keys?|sql_alchemy_conn|result_backend"
    r"|broker_url|(?:database|db|conn\w*|amqp|redis)_?-?(?:url|uri|string)|(?:^|[_-])(?:keys?|pwd|pw|auth|dsn)(?:$|[_-])",
    re.IGNORECASE,
)
# Before the host, with a scheme or without, up to the last at sign of the word.
_IN_A_URL = re.compile(r"(?<=://)\S*@(?=[^@\s]+)|(?<![^\s\"'=(,])[^\s:@/\"']+:(?!//)[^\s\"']*@(?=[^@\s]+)")
_ASSIGNED = re.compile(
    r"(?P<name>[\w-]+)(?P<sign>\\?[\"']?\s*[=:]\s*\\?[\"']?)(?P<value>(?!//)(?:Bearer |Basic )?[^\s\"'&,;)}\\]+)"
)


def is_secret(name: str) -> bool:
    """Whether what has this name is likely to be a secret."""
    return bool(_SECRET_NAME.search(name))


def masked(value: Any, name: str = "") -> Any:
    """JSON with its secrets masked: values by their names, and what a text holds."""
    if isinstance(value, dict):
        named = {str(value.get(each, "")) for each in ("key", "name")} if "value" in value else set()
        secret = any(map(is_secret, named))
        return {key: masked(part, "secret" if secret and key == "value" else key) for key, part in value.items()}
    if isinstance(value, list):
        return [masked(part, name) for part in value]
    # A row's key is a name, not a secret.
    if (
        name not in ("key", "keys")
        and value not in (None, "", MASK)
        and not isinstance(value, bool)
        and is_secret(name)
    ):
        return MASK
    return masked_text(value) if isinstance(value, str) else value


def masked_text(text: str) -> str:
    """Text without passwords in addresses, and without what is assigned to the name of a secret."""
    if text.lstrip().startswith(("{", "[")):
        try:
            return json.dumps(masked(json.loads(text)), ensure_ascii=False)
        except (ValueError, RecursionError):
            pass
    return _ASSIGNED.sub(_assigned, _IN_A_URL.sub(f"{MASK}@", text))


def _assigned(match: re.Match[str]) -> str:
    if not is_secret(match["name"]) or match["value"] == MASK:
        return match[0]
    return f"{match['name']}{match['sign']}{MASK}"
