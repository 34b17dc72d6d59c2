"""Signing in, as httpx.Auth flows: with what the settings give, or with a credential that is renewed."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

import anyio
import httpx

from airflow_mcp.airflow.command import TokenCommand
from airflow_mcp.airflow.credential import NONE_YET, Credential
from airflow_mcp.airflow.dialect import Dialect
from airflow_mcp.airflow.failures import ADVICE, INVALID_TOKEN
from airflow_mcp.airflow.kerberos import KerberosAuth
from airflow_mcp.airflow.login import OpenLogin, PasswordLogin
from airflow_mcp.instance import Instance

RENEW_BEFORE = 60  # seconds before a credential runs out


def sign_in(instance: Instance, dialect: Dialect) -> httpx.Auth | None:
    """The sign-in that the settings ask for at this version of Airflow, where it differs; None for none."""
    if instance.auth == "kerberos":
        return KerberosAuth(instance, dialect)
    if instance.username and dialect.token_login:
        return RenewedAuth(PasswordLogin(instance))
    if instance.username:
        return GivenAuth(lambda: ("authorization", _basic(instance)))
    if dialect.token_login and not (instance.headers or instance.headers_file):
        return RenewedAuth(OpenLogin(instance), first=Credential({}))
    return None


def same_everywhere(instance: Instance) -> httpx.Auth | None:
    """The sign-in that is the same at each version of Airflow; None for none.

    It goes along with the question for the version: what stands before a managed Airflow lets nothing else through.
    """
    if instance.token_command:
        return RenewedAuth(TokenCommand(instance))
    if instance.has("token"):
        variable = instance.variable("token")
        return GivenAuth(
            lambda: ("authorization", f"Bearer {instance.read_header('token')}"),
            f"Check {variable}: a token may have expired.",
        )
    if instance.has("cookie"):
        variable = instance.variable("cookie")
        return GivenAuth(
            lambda: ("cookie", instance.read_header("cookie")),
            f"Check {variable}: the session may have run out, or its cookie may have another name.",
        )
    return None


def _basic(instance: Instance) -> str:
    pair = f"{instance.username}:{instance.read('password')}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


class GivenAuth(httpx.Auth):
    """A header of the settings with each request, read at each use."""

    def __init__(self, header: Callable[[], tuple[str, str]], advice: str = "") -> None:
        self._header = header
        self._advice = advice

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with the header."""
        name, value = self._header()
        request.headers[name] = value
        if self._advice:
            request.extensions[ADVICE] = {401: self._advice, 403: self._advice}
        yield request


class CredentialSource(Protocol):
    """What gives out credentials: a login of Airflow's, or a command."""

    advice: str
    """What to do when Airflow refuses a new one, too."""

    def request(self) -> httpx.Request | None:
        """What has to be sent for one; None for nothing."""

    async def credential(self, answer: httpx.Response | None, /) -> Credential:
        """A new credential, from the answer to that request. Raises NotSignedInError, SettingsError."""


class RenewedAuth(httpx.Auth):
    """A credential that is kept while it lasts, renewed before it runs out, and once when Airflow refuses it.

    Callers that need a new one at the same time share it.
    """

    def __init__(self, source: CredentialSource, first: Credential = NONE_YET) -> None:
        self._source = source
        self._lock = anyio.Lock()
        self._kept = first

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a credential that lasts; once more with a new one where that is refused."""
        if self._runs_out():
            old = self._kept
            async with self._lock:
                if self._kept is old:  # even where the new one is short-lived: who waited shares it
                    asked = self._source.request()
                    self._kept = await self._source.credential((yield asked) if asked else None)
        used = self._kept
        if self._source.advice:
            request.extensions[ADVICE] = {401: self._source.advice, 403: self._source.advice}
        request.headers.update(used.headers)
        response = yield request
        if not _refused(response):
            return
        async with self._lock:
            if self._kept is used:
                asked = self._source.request()
                self._kept = await self._source.credential((yield asked) if asked else None)
        request.headers.update(self._kept.headers)
        yield request

    def _runs_out(self) -> bool:
        return time.time() > self._kept.expires - RENEW_BEFORE


def _refused(response: httpx.Response) -> bool:
    if response.status_code == 403:
        # Airflow 3 says 403, not 401, for a token signed with a key that it no longer has.
        return INVALID_TOKEN.encode() in response.content
    return response.status_code == 401
