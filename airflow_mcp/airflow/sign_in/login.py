"""Airflow 3's `/auth/token`: what is sent to it, and the token in its answer."""

from __future__ import annotations

import httpx

from airflow_mcp.airflow.secrets import BARE
from airflow_mcp.airflow.sign_in.credential import sendable
from airflow_mcp.errors import NotSignedInError
from airflow_mcp.instance import Instance
from airflow_mcp.text.whole import read_json


def token_request(instance: Instance, method: str, body: object = None, secrets: tuple[str, ...] = ()) -> httpx.Request:
    """The request for a token; `secrets` are those that stand in the body."""
    return httpx.Request(
        method,
        f"{instance.url}/auth/token",
        json=body,
        headers={"accept": "application/json"},
        extensions={"timeout": httpx.Timeout(instance.timeout).as_dict(), BARE: secrets},
    )


def access_token(response: httpx.Response, instance: Instance) -> str | None:
    """The token in an answer; None for none. Raises NotSignedInError for one that cannot be sent."""
    try:
        token = read_json(response.content)["access_token"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if not isinstance(token, str) or not token:
        return None
    if not sendable(token):
        raise NotSignedInError(
            "Signing in did not work: /auth/token gave a token that no header can hold, since it has a blank, a line "
            f"break or another character, or is too long. Look at what answers there, or set {instance.named('token')}."
        )
    return token
