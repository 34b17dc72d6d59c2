"""The tokens that Airflow 3 gives out: for a user name and a password, or to everybody."""

from __future__ import annotations

import httpx

from airflow_mcp.airflow.broken import StumbledError
from airflow_mcp.airflow.credential import Credential, bearer, sendable
from airflow_mcp.airflow.failures import RETRIABLE
from airflow_mcp.airflow.secrets import BARE
from airflow_mcp.errors import NotSignedInError
from airflow_mcp.instance import Instance
from airflow_mcp.text.whole import read_json


class PasswordLogin:
    """Gives out the tokens of `POST /auth/token`; the password is read at each use."""

    advice = ""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def request(self) -> httpx.Request:
        """The login."""
        password = self._instance.read("password")
        user = {"username": self._instance.username, "password": password}
        return _token_request(self._instance, "POST", user, secrets=(password,))

    async def credential(self, answer: httpx.Response | None) -> Credential:
        """The token that the login was answered with. Raises NotSignedInError where there is none."""
        assert answer is not None  # noqa: S101 - there is always a request
        status = answer.status_code
        if status in RETRIABLE:
            raise StumbledError(f"signing in was answered with {status}")
        if status == 401:
            raise NotSignedInError(
                "Airflow refused the user name or the password (401). Check AIRFLOW_MCP_USERNAME and "
                "AIRFLOW_MCP_PASSWORD."
            )
        token = _access_token(answer) if answer.is_success else None
        if not token:
            raise NotSignedInError(
                f"Signing in with a user name and a password did not work: /auth/token answered {status} without a "
                "token. Set AIRFLOW_MCP_TOKEN if this Airflow signs in another way."
            )
        return bearer(token)


class OpenLogin:
    """Gives out the tokens of `GET /auth/token`: without a sign-in, Airflow 3.1 lets in with such a one alone."""

    advice = ""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def request(self) -> httpx.Request:
        """The question for one."""
        return _token_request(self._instance, "GET")

    async def credential(self, answer: httpx.Response | None) -> Credential:
        """The token that everybody gets. Raises NotSignedInError where nobody does."""
        assert answer is not None  # noqa: S101 - there is always a request
        token = _access_token(answer) if answer.is_success else None
        if not token:
            raise NotSignedInError(
                "Not signed in (401): this Airflow wants a sign-in, and none is set. Set AIRFLOW_MCP_USERNAME and "
                "AIRFLOW_MCP_PASSWORD, or AIRFLOW_MCP_TOKEN."
            )
        return bearer(token)


def _token_request(
    instance: Instance, method: str, body: object = None, secrets: tuple[str, ...] = ()
) -> httpx.Request:
    return httpx.Request(
        method,
        f"{instance.url}/auth/token",
        json=body,
        headers={"accept": "application/json"},
        extensions={"timeout": httpx.Timeout(instance.timeout).as_dict(), BARE: secrets},
    )


def _access_token(response: httpx.Response) -> str | None:
    try:
        token = read_json(response.content)["access_token"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    if not isinstance(token, str) or not token:
        return None
    if not sendable(token):
        raise NotSignedInError(
            "Signing in did not work: /auth/token gave a token that no header can hold, since it has a blank, a line "
            "break or another character, or is too long. Look at what answers there, or set AIRFLOW_MCP_TOKEN."
        )
    return token
