"""A command of the operator's that prints what signs in: a token, or headers, with or without an expiry."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow_mcp.airflow.sign_in.base import SignIn
from airflow_mcp.airflow.sign_in.credential import LARGEST_ANSWER, Credential, bearer
from airflow_mcp.airflow.sign_in.programs import Ended, run_program
from airflow_mcp.airflow.sign_in.renewed import RenewedAuth
from airflow_mcp.errors import NOTHING_CHANGED, NotSignedInError, TooLargeError
from airflow_mcp.headers import checked_name, checked_value
from airflow_mcp.instance import Instance
from airflow_mcp.text.clean import one_line, without_colours

PATIENCE = 15  # seconds, at most, for the command to end
PAUSE = 1  # seconds in which a failure stands for the calls that waited for the same

TOKENS = ("access_token", "accessToken", "token")
PARTS = ("credential", "status")
"""Where gcloud's config-helper, and the exec credentials of Kubernetes, keep the token and its expiry."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, 2.1
_SECRET_LIKE = re.compile(  # one without a digit is a name
    r"(?<![A-Za-z0-9._~+/=-])(?=[A-Za-z._~+/=-]*\d)[A-Za-z0-9._~+/=-]{20,}"
)


def with_command(instance: Instance) -> SignIn:
    """What the command of the settings prints; it is run again before that runs out."""
    return SignIn(f"with what `{instance.program}` printed", always=RenewedAuth(TokenCommand(instance)))


class TokenCommand:
    """Gives out what the command prints. It is no shell's, gets no input, and has PATIENCE seconds."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._setting = instance.named("token_command")
        self._name = instance.program
        self._failure = ""
        self._failed_at = -math.inf
        self.advice = (
            f"That is what `{self._name}` printed ({self._setting}), anew for this call: is it for this Airflow, and "
            "does Airflow know its user?"
        )

    def request(self) -> None:
        """Nothing has to be sent: the command does what it takes."""

    async def credential(self, _answer: object = None) -> Credential:
        """Run the command. Raises NotSignedInError, never quoting what it printed, where that is no credential."""
        if self._failure and time.monotonic() < self._failed_at + PAUSE:
            raise self._problem(self._failure)
        try:
            return _read(await self._output())
        except ValueError as error:
            self._failed_at, self._failure = time.monotonic(), str(error)
            raise self._problem(self._failure) from None

    async def _output(self) -> bytes:
        patience = min(PATIENCE, self._instance.timeout / 2)
        try:
            ended = await run_program(self._instance.read_command(), patience, LARGEST_ANSWER)
        except TimeoutError:  # first, since it is an OSError
            raise ValueError(f"did not end within {patience:g} s, and was stopped") from None
        except OSError as error:
            raise ValueError(f"cannot be started: {error.strerror}. Give its whole path") from None
        except TooLargeError:
            raise ValueError(f"prints more than {LARGEST_ANSWER // 1024} KiB, and was stopped") from None
        if ended.status:
            raise ValueError(f"ended with status {ended.status}{_last_words(ended)}")
        return ended.output

    def _problem(self, what: str) -> NotSignedInError:
        return NotSignedInError(
            f"{self._setting}: `{self._name}` {what.rstrip('.')}.",
            "Run it by hand, as the user and with the environment that this server has.",
        ).with_effects(NOTHING_CHANGED)


def _last_words(ended: Ended) -> str:
    """The last line of its errors, without what might be a secret."""
    lines = without_colours(ended.errors.decode(errors="replace")).splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f" and says: {one_line(_SECRET_LIKE.sub('***', last), 300)}" if last else " and says nothing"


def _read(output: bytes) -> Credential:
    """What was printed, as a credential. Raises ValueError with what is wrong about it."""
    try:
        text = output.decode().strip()
    except UnicodeDecodeError:
        raise ValueError("prints bytes that are not text") from None
    if not text:
        raise ValueError("prints nothing")
    if not text.startswith("{"):
        if not _TOKEN.fullmatch(text):
            raise ValueError("prints neither a token alone nor a JSON object")
        return _lasting(bearer(text))
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("prints JSON that is broken") from None
    return _lasting(_from_json(answer))


def _from_json(answer: Mapping[str, Any]) -> Credential:
    for part in (answer, *(answer.get(name) for name in PARTS)):
        if not isinstance(part, dict):
            continue
        expires = _expiry(part)
        if isinstance(part.get("headers"), dict):
            return Credential(_headers(part["headers"]), math.inf if expires is None else expires)
        token = next((part[name] for name in TOKENS if part.get(name)), None)
        if token is not None:
            if not isinstance(token, str) or not _TOKEN.fullmatch(token):
                raise ValueError("prints JSON whose token is not one")
            return bearer(token, expires)
    raise ValueError(f"prints JSON without a token: none of {', '.join(TOKENS)} or headers is in it")


def _headers(given: Mapping[str, Any]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for number, (given_name, value) in enumerate(given.items(), start=1):
        where = f"prints JSON whose header {number}"  # not by name: what is in the wrong place may be the secret
        # The credential helpers of build tools print a list of values.
        values = value if isinstance(value, list) else [value]
        if len(values) != 1 or not isinstance(values[0], str):
            raise ValueError(f"{where} has not one text")
        name = checked_name(given_name, where)
        if name in headers:
            raise ValueError(f"{where} is there twice")
        headers[name] = checked_value(values[0], where)
    if not headers:
        raise ValueError("prints JSON without a header")
    return headers


def _expiry(part: Mapping[str, Any]) -> float | None:
    """When it runs out, in seconds since 1970; None where it does not say."""
    for name, read in EXPIRIES.items():
        if part.get(name) is None:
            continue
        try:
            moment = read(part[name])
        except (TypeError, ValueError, OverflowError):
            moment = math.nan
        if not math.isfinite(moment):
            raise ValueError(f"prints JSON whose {name} is not a time")
        return moment
    return None


def _moment(value: str) -> float:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError
    return moment.timestamp()


EXPIRIES: Mapping[str, Callable[[Any], float]] = {
    "expires_in": lambda value: time.time() + float(value),  # OAuth 2.0
    "expires_on": float,  # Azure; its expiresOn has no time zone
    "token_expiry": _moment,  # gcloud
    "expirationTimestamp": _moment,  # Kubernetes
    "expires": _moment,  # credential helpers
}
"""How the expiry is named, and how it is told."""


def _lasting(credential: Credential) -> Credential:
    if credential.expires > time.time():
        return credential
    # From 1970 on: what is long before that is no date at all.
    when = datetime.fromtimestamp(max(credential.expires, 0), UTC).isoformat(timespec="seconds")
    raise ValueError(f"prints a token that ran out at {when}")
