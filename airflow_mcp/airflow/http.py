"""Sending a request to Airflow: time limit, retries, size cap. The only module that runs HTTP."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import anyio
import httpx

from airflow_mcp import __version__
from airflow_mcp.airflow.body import CODING, read_body, read_lines
from airflow_mcp.airflow.broken import unreachable, what_broke
from airflow_mcp.airflow.failures import (
    RETRIABLE,
    failure,
    garbled,
    is_page,
    not_json,
    outcome_unknown,
    redirected,
)
from airflow_mcp.airflow.request import Request
from airflow_mcp.airflow.secrets import Secrets
from airflow_mcp.airflow.tls import tls_context
from airflow_mcp.errors import (
    NOTHING_CHANGED,
    OUTCOME_UNKNOWN,
    AirflowMcpError,
    NotAirflowError,
    ReadOnlyError,
    TimedOutError,
    TooLargeError,
)
from airflow_mcp.instance import Instance
from airflow_mcp.text.whole import read_json

AGENT = f"airflow-ops-mcp/{__version__}"
MAX_BODY = 16 * 1024 * 1024
MAX_STREAM = 1024 * 1024 * 1024  # what is read of a log, of which a line at a time is kept
MOST_JITTER = 1.3
SENT = "airflow_mcp_sent"
STREAM = "airflow_mcp_stream"
NOT_REFUSED = (406, 408)  # of the form of the answer, and of somebody's patience: the change may have been made
WAITS = (0.2, 0.6, 1.8)  # seconds before the second, third and fourth try of a read


class Http:
    """Sends calls to one Airflow. The client is made at first use; `aclose` ends it."""

    def __init__(self, instance: Instance, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._instance = instance
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._secrets = Secrets()
        self._timeout = httpx.Timeout(instance.timeout).as_dict()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def send(self, request: Request, auth: httpx.Auth | None = None) -> Any:
        """Send a request and give the JSON of its answer; None for a change that is answered with nothing (204).

        A read is tried again on a lost connection, 429, 502, 503 and 504; a change is sent once, and an error of it
        tells its effects. All tries together end after the time-out. Raises a subclass of AirflowMcpError for
        anything but a 2xx with JSON.
        """
        if request.change and self._instance.read_only:
            raise ReadOnlyError(f"Nothing was sent: this server is read-only ({self._instance.named('read_only')}).")
        if not (request.change or request.only_looks):
            raise ValueError(f"{request.method} {request.path} is not marked as a change")
        limit = self._instance.timeout
        try:
            with anyio.fail_after(limit):
                response = (
                    await self._once(request, auth) if request.change else await self._with_retries(request, auth)
                )
        except TimeoutError:
            if request.change:
                raise outcome_unknown(f"no answer within {limit:g} s") from None
            raise self._too_slow(limit) from None
        return _decoded(response, request, self._instance)

    async def lines(self, request: Request, auth: httpx.Auth | None = None) -> AsyncGenerator[str]:
        """Send a read and give its answer line by line, as it comes: close what this gives, to stop early.

        Before the first line it is tried again as `send` does; each wait ends after the time-out. Raises as `send`.
        """
        limit = self._instance.timeout
        try:
            with anyio.fail_after(limit):
                response = await self._with_retries(replace(request, stream=True), auth)
        except TimeoutError:
            raise self._too_slow(limit) from None
        try:
            _require_good(response, request, self._instance)
            if is_page(response):
                raise not_json(response, self._instance, change=False)
            async with aclosing(read_lines(response, MAX_STREAM, self._secrets.line_mask(response))) as lines:
                async for line in lines:
                    yield line
        except httpx.TimeoutException:
            raise self._too_slow(limit) from None
        except httpx.RequestError as error:
            raise unreachable(self._instance, error) from None
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()

    def _too_slow(self, limit: float) -> TimedOutError:
        return TimedOutError(
            f"Airflow at {self._instance.url} did not answer within {limit:g} s.",
            f"Ask for less (a filter, a smaller limit), or raise {self._instance.named('timeout')}.",
        )

    async def _with_retries(self, request: Request, auth: httpx.Auth | None) -> httpx.Response:
        waits = iter(WAITS)
        while True:
            wait = next(waits, None)
            try:
                response = await self._exchange(request, auth)
            except httpx.TimeoutException:
                raise TimeoutError from None
            except httpx.RequestError as error:
                if wait is None or not _lasts(wait):
                    raise unreachable(self._instance, error) from None
            else:
                if wait is None or response.status_code not in RETRIABLE:
                    return response
                wait = _retry_after(response) or wait
                if not _lasts(wait):
                    return response
            # Jitter, so that many callers do not come back at the same moment.
            await anyio.sleep(wait * random.uniform(1, MOST_JITTER))  # noqa: S311

    async def _once(self, request: Request, auth: httpx.Auth | None) -> httpx.Response:
        sent: list[bool] = []
        try:
            response = await self._exchange(request, auth, sent)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise unreachable(self._instance, error).with_effects(NOTHING_CHANGED) from None
        except httpx.RequestError as error:
            if not sent:
                raise unreachable(self._instance, error).with_effects(NOTHING_CHANGED) from None
            raise outcome_unknown(what_broke(error)) from None
        except AirflowMcpError as error:
            if sent and isinstance(error, TooLargeError | NotAirflowError):
                raise outcome_unknown(f"its answer could not be read. {error}") from None
            error.with_effects(NOTHING_CHANGED)  # the sign-in failed, before it was sent or since it was refused
            raise
        if response.status_code >= 500:
            raise outcome_unknown(f"it answered {response.status_code}")
        return response

    async def _exchange(
        self, request: Request, auth: httpx.Auth | None, sent: list[bool] | None = None
    ) -> httpx.Response:
        """Send once; `sent` is marked when the request itself goes out, and not just a sign-in before it."""
        try:
            built = httpx.Request(
                request.method,
                f"{self._instance.url}/{request.path}",
                params=request.params,
                json=request.body,
                headers={"accept": "application/x-ndjson, text/plain" if request.stream else "application/json"},
                extensions={"timeout": self._timeout, SENT: sent, STREAM: request.stream},
            )
        except httpx.InvalidURL:
            raise request.too_long() from None
        response = await self._open().send(built, auth=auth, follow_redirects=False, stream=request.stream)
        if _is_streamed(response):
            return response
        # From here on no secret that was sent is in the answer: whatever is told of it tells none.
        return self._secrets.masked(response)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            for library in ("httpx", "httpcore"):  # their loggers tell answers as they came, secrets too
                logging.getLogger(library).setLevel(logging.WARNING)
            self._client = _Client(
                transport=self._transport,
                verify=tls_context(self._instance),
                event_hooks={
                    "request": [self._add_headers, self._note_secrets, _mark_sent],
                    "response": [self._mask_headers, _read],
                },
            )
        return self._client

    def hide(self, text: str) -> str:
        """A text without the secrets that were sent lately."""
        return self._secrets.hide(text)

    async def _note_secrets(self, request: httpx.Request) -> None:
        self._secrets.note(request)

    async def _mask_headers(self, response: httpx.Response) -> None:
        """Before the body is read: what its headers say of it is told where it cannot be."""
        self._secrets.mask_headers(response)

    async def _add_headers(self, request: httpx.Request) -> None:
        """To each request, a sign-in's own too: a proxy may want them. What a sign-in has set stays."""
        for name, value in self._instance.read_headers().items():
            request.headers.setdefault(name, value)
        request.headers.update({"accept-encoding": CODING, "user-agent": AGENT})


class _NoCookies(httpx.Cookies):
    """Never any."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Take none from an answer."""


class _Client(httpx.AsyncClient):
    """Keeps no cookies: a session of Airflow's would sign in the next call by itself."""

    cookies: Any = _NoCookies()


async def _read(response: httpx.Response) -> None:
    """Each answer, a sign-in's own too, before anything else looks at it, but for what is read line by line."""
    if not _is_streamed(response):
        await read_body(response, MAX_BODY)


def _is_streamed(response: httpx.Response) -> bool:
    return response.is_success and bool(response.request.extensions.get(STREAM))


async def _mark_sent(request: httpx.Request) -> None:
    sent = request.extensions.get(SENT)
    if sent is not None:
        sent.append(True)


def _lasts(wait: float) -> bool:
    """Whether the time limit leaves room for a wait."""
    return wait * MOST_JITTER < anyio.current_effective_deadline() - anyio.current_time()


def _decoded(response: httpx.Response, request: Request, instance: Instance) -> Any:
    _require_good(response, request, instance)
    if response.status_code == 204 and request.change:
        return None
    if "json" not in response.headers.get("content-type", ""):
        raise not_json(response, instance, change=request.change)
    try:
        return read_json(response.content)
    except (ValueError, RecursionError):  # too deep, or a number too long, for Python
        raise garbled(response, change=request.change) from None


def _require_good(response: httpx.Response, request: Request, instance: Instance) -> None:
    status = response.status_code
    if status < 300:
        return
    error = redirected(response, instance) if status < 400 else failure(response, instance, request.needs)
    if request.change:
        error.with_effects(NOTHING_CHANGED if status >= 400 and status not in NOT_REFUSED else OUTCOME_UNKNOWN)
    raise error


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None
