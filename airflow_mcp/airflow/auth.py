"""Signing in, as httpx.Auth flows. A new kind of sign-in is one more class and one more line in `sign_in`."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import AsyncGenerator

import anyio
import httpx

from airflow_mcp.airflow.body import body_of
from airflow_mcp.airflow.dialect import Dialect
from airflow_mcp.airflow.failures import INVALID_TOKEN, RETRIABLE
from airflow_mcp.airflow.kerberos import KerberosAuth
from airflow_mcp.errors import NotSignedInError, TooLargeError
from airflow_mcp.settings import Settings

RENEW_BEFORE = 60  # seconds before a token runs out
LARGEST_ANSWER = 64 * 1024


def sign_in(settings: Settings, dialect: Dialect) -> httpx.Auth | None:
    """The sign-in that the settings ask for at this version of Airflow; None for none."""
    if settings.auth == "kerberos":
        return KerberosAuth(settings, dialect)
    if settings.has_token:
        return BearerAuth(settings)
    if not settings.username:
        return None
    return LoginAuth(settings) if dialect.token_login else BasicAuth(settings)


class BasicAuth(httpx.Auth):
    """User name and password with each request; the password is read at each use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with the user name and password."""
        pair = f"{self._settings.username}:{self._settings.read_password()}".encode()
        request.headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        yield request


class BearerAuth(httpx.Auth):
    """A given token with each request; its file is read at each use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with the token."""
        request.headers["authorization"] = f"Bearer {self._settings.read_token()}"
        yield request


class LoginAuth(httpx.Auth):
    """User name and password exchanged for a token (`POST /auth/token`), which is kept while it lasts.

    The token is renewed before it runs out, and once when Airflow refuses it; callers that need a new one at
    the same time share one login.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = anyio.Lock()
        self._token = ""
        self._expires = 0.0

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token that lasts; once more with a new one where that is refused."""
        if self._runs_out():
            async with self._lock:
                if self._runs_out():
                    login = yield self._login_request()
                    await self._keep(login)
        used = self._token
        request.headers["authorization"] = f"Bearer {used}"
        response = yield request
        if not await _token_refused(response):
            return
        async with self._lock:
            if self._token == used:
                login = yield self._login_request()
                await self._keep(login)
        request.headers["authorization"] = f"Bearer {self._token}"
        yield request

    def _runs_out(self) -> bool:
        return time.time() > self._expires - RENEW_BEFORE

    def _login_request(self) -> httpx.Request:
        return httpx.Request(
            "POST",
            f"{self._settings.url}/auth/token",
            json={"username": self._settings.username, "password": self._settings.read_password()},
            headers={"accept": "application/json"},
            extensions={"timeout": httpx.Timeout(self._settings.timeout).as_dict()},
        )

    async def _keep(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in RETRIABLE:
            raise httpx.RemoteProtocolError(f"signing in was answered with {status}")
        if status == 401:
            raise NotSignedInError(
                "Airflow refused the user name or the password (401). Check AIRFLOW_MCP_USERNAME and "
                "AIRFLOW_MCP_PASSWORD."
            )
        token = await _access_token(response) if response.is_success else None
        if not token:
            raise NotSignedInError(
                f"Signing in with a user name and a password did not work: /auth/token answered {status} without a "
                "token. Set AIRFLOW_MCP_TOKEN if this Airflow signs in another way."
            )
        self._token = token
        self._expires = _expiry(token)


async def _access_token(response: httpx.Response) -> str | None:
    try:
        token = json.loads(await body_of(response, LARGEST_ANSWER))["access_token"]
    except (ValueError, LookupError, TypeError, TooLargeError):
        return None
    return token if isinstance(token, str) else None


async def _token_refused(response: httpx.Response) -> bool:
    if response.status_code == 403:
        # Airflow 3 says 403, not 401, for a token signed with a key that it no longer has.
        return INVALID_TOKEN.encode() in await body_of(response, LARGEST_ANSWER)
    return response.status_code == 401


def _expiry(token: str) -> float:
    """When a JWT runs out, in seconds since 1970; far away for a token that does not say."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return float("inf")
