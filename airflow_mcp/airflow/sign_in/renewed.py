"""A credential that is renewed when it runs out, whatever gives it out."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Protocol

import anyio
import httpx

from airflow_mcp.airflow.failures import ADVICE, INVALID_TOKEN
from airflow_mcp.airflow.sign_in.credential import NONE_YET, Credential

RENEW_BEFORE = 60  # seconds before a credential runs out


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
                    login = self._source.request()
                    self._kept = await self._source.credential((yield login) if login else None)
        used = self._kept
        if self._source.advice:
            request.extensions[ADVICE] = {401: self._source.advice, 403: self._source.advice}
        request.headers.update(used.headers)
        response = yield request
        if not _refused(response):
            return
        async with self._lock:
            if self._kept is used:
                login = self._source.request()
                self._kept = await self._source.credential((yield login) if login else None)
        request.headers.update(self._kept.headers)
        yield request

    def _runs_out(self) -> bool:
        return time.time() > self._kept.expires - RENEW_BEFORE


def _refused(response: httpx.Response) -> bool:
    if response.status_code == 403:
        # Airflow 3 says 403, not 401, for a token signed with a key that it no longer has.
        return INVALID_TOKEN.encode() in response.content
    return response.status_code == 401
