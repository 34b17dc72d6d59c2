"""Names of what is secret: of a key, a variable, an option, a header."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from airflow_mcp.text.secret_values import is_number, is_reference, looks_secret, words

_WORD = re.compile(r"[A-Z]++(?![a-z])|[A-Z]?[a-z]++|[A-Z]|[0-9]++")

_KINDS = {
    **dict.fromkeys(("password", "passwords", "passwd", "passphrase", "passcode", "pwd", "sshpass"), "password"),
    **dict.fromkeys(("token", "tokens", "jwt"), "token"),
    **dict.fromkeys(("secret", "secrets"), "secret"),
    **dict.fromkeys(("apikey", "apikeys"), "api-key"),
    **dict.fromkeys(("credential", "credentials", "creds"), "credential"),
    **dict.fromkeys(("cookie", "cookies"), "cookie"),
    "authorization": "authorization",
}
# Written as one word with what is before it: dbpassword, authtoken.
_ENDINGS = {
    "password": "password",
    "passwd": "password",
    "passphrase": "password",
    "apikey": "api-key",
    "secretkey": "secret-key",
    "accesskey": "access-key",
    "accountkey": "account-key",
    "privatekey": "private-key",
    "authtoken": "token",
    "accesstoken": "token",
    "clientsecret": "secret",
}
_PASS_OF = words("db user admin root smtp ftp sftp ssh mysql pg postgres login ldap")
_KEY_OF = words(
    "access account aes api app auth cipher client consumer crypt decryption deploy encryption fernet function "
    "gpg hmac ingest license master pgp private rsa sas secret service session shared signing ssh storage "
    "subscription"
)
# What follows, and makes it the name of something about the secret, or of where it is.
_ABOUT = words(
    "age alg algorithm arn at attempts audience backend backends bucket budget cache callback cert check class "
    "cmd column columns command conf config conn connection cost costs count counts created days delimiter dir "
    "disabled enabled encoder endpoint engine env envvar error errors exp expiration expire expired expires "
    "expiry factory field fields file filename files fn format func function generator grant handler header "
    "headers hint history hook hours id ids index issuer kind len length lifetime limit limits location manager "
    "mask masked masker max min minutes mode mount ms name names operator options owner parser path paths pattern "
    "per policy position prefix price prompt provider rate ref reference refs regex request required reset "
    "response rotate rotated rotation row rows scope scopes seconds separator service settings size source state "
    "status store strategy suffix table template timeout total ttl type types updated uri url urls usage used "
    "user username valid validator validity var variable version"
)
# Of no secret, though they are called tokens: marks of a text, and places in a list.
_TOKENS_OF = words(
    "bos cls continuation end eos file first last mask next pad page pagination sep special start stop sync "
    "unexpected unk unknown"
)
# What is done to one: the name of a task, or of a function.
_DONE_TO = words("change check create delete fetch forgot get load read refresh renew reset rotate set update verify")
# What follows and leaves it a secret for certain: which of several, or how it is written.
_WHICH = words(
    "b64 backup base64 current default dev encoded live new old plain plaintext previous primary prod production "
    "raw sandbox secondary staging str string test text val value"
)
# Held by Airflow for secret too, and by their whole names alone.
_OF_AIRFLOW = {
    "proxy": "proxy",
    "proxies": "proxy",
    "keyfile_dict": "private-key",
    "service_account": "service-account",
}


class Secret(NamedTuple):
    """What a name tells of a value."""

    kind: str
    certain: bool
    """Else only a value that looks like a secret is one: DB_PASSWORD_REPORTS, password_mixer."""


@lru_cache(2048)
def secret_named(name: str) -> Secret | None:
    """The secret that something with this name is, if it is one: `db_password`, not `password_policy`."""
    parts = [word.lower() for word in _WORD.findall(name)]
    for at in reversed(range(len(parts))):
        kind = _kind(parts, at)
        if kind is None:
            continue
        after = parts[at + 1 :]
        if kind == "token" and at and parts[at - 1] in _TOKENS_OF:
            return None
        if any(word in _ABOUT for word in after):
            return None
        certain = all(word in _WHICH or word.isdigit() for word in after)
        doubtful = parts[0] in _DONE_TO if at else False
        return Secret(kind, certain and not doubtful and not (kind == "cookie" and parts[:at] not in ([], ["set"])))
    return None


@lru_cache(2048)
def secret_key(key: str) -> Secret | None:
    """The same for the key of a structured value, for which Airflow hides some more."""
    if kind := _OF_AIRFLOW.get(key.strip().lower()):
        return Secret(kind, certain=True)
    return secret_named(key)


def _kind(parts: list[str], at: int) -> str | None:
    word, before = parts[at], parts[at - 1] if at else ""
    if word in ("key", "keys") and before in _KEY_OF:
        return (
            "aws-secret-key"
            if before in ("access", "secret") and "secret" in parts and "aws" in parts
            else f"{before}-key"
        )
    if word == "pass" and before in _PASS_OF:
        return "password"
    if word == "secret" and "aws" in parts[:at]:
        return "aws-secret-key"
    return _KINDS.get(word) or next((kind for ending, kind in _ENDINGS.items() if word.endswith(ending)), None)


def is_secret(value: str, secret: Secret) -> bool:
    """Whether what stands under such a name is a secret, and not a reference to one, or a word."""
    if is_reference(value) or (secret.kind == "token" and is_number(value)):
        return False
    return secret.certain or looks_secret(value)
