"""A header that stands in the settings, or in a file that they name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import httpx

from airflow_mcp.airflow.failures import ADVICE


class GivenAuth(httpx.Auth):
    """A header with each request, read at each use; `advice` is what to do when it is refused."""

    def __init__(self, name: str, read: Callable[[], str], advice: str = "") -> None:
        self._name = name
        self._read = read
        self._advice = advice

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with the header."""
        request.headers[self._name] = self._read()
        if self._advice:
            request.extensions[ADVICE] = {401: self._advice, 403: self._advice}
        yield request
