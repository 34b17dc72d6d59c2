"""One request to Airflow: its path, time limit, retries, size cap. The only module that runs HTTP."""

from __future__ import annotations

import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import quote

import anyio
import httpx

from airflow_mcp import __version__
from airflow_mcp.airflow.body import body_of
from airflow_mcp.airflow.failures import (
    RETRIABLE,
    failure,
    garbled,
    not_json,
    outcome_unknown,
    redirected,
    undecodable,
    unreachable,
)
from airflow_mcp.errors import InvalidArgumentError, ReadOnlyError, SettingsError, TimedOutError, TooLargeError
from airflow_mcp.ids import LONGEST, id_problem
from airflow_mcp.settings import PREFIX, Settings

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Mapping[str, str | int | bool | list[str]]

MAX_BODY = 16 * 1024 * 1024
LONGEST_TOKEN = 4096
MOST_JITTER = 1.3
SENT = "airflow_mcp_sent"
WAITS = (0.2, 0.6, 1.8)  # seconds before the second, third and fourth try of a read


class Sink(Protocol):
    """Takes a long answer piece by piece, in bounded memory."""

    def feed(self, chunk: bytes) -> None:
        """Take the next piece."""


SinkT = TypeVar("SinkT", bound=Sink)
Receive = Callable[[httpx.Response], Awaitable[httpx.Response]]
"""Reads the body of an answer."""


@dataclass(frozen=True)
class Call:
    """One call of Airflow's API.

    `change` says that it alters something when it succeeds, `needs` which permission it takes.
    """

    method: Method
    path: str
    query: Query | None = None
    body: Mapping[str, Any] | None = None
    change: bool = False
    needs: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"accept": "application/json"})


def build_path(template: str, ids: Mapping[str, str | int]) -> str:
    """Fill a route with ids, each as one percent-encoded segment.

    Raises InvalidArgumentError, naming the id, for one that cannot be a segment or an Airflow id: nothing
    is sent for it.
    """
    return template.format_map({name: _segment(name, str(value)) for name, value in ids.items()})


def _segment(name: str, value: str) -> str:
    # A file token is no id of Airflow's: it is an opaque string, longer than an id may be.
    problem = id_problem(value, LONGEST_TOKEN if name == "file_token" else LONGEST)
    if problem:
        raise InvalidArgumentError(name, f"{problem}.")
    return quote(value, safe="")


class Http:
    """Sends calls to one Airflow. The client is made at first use; `aclose` ends it."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def send(self, call: Call, auth: httpx.Auth | None = None) -> Any:
        """Send a call and give the JSON of its answer, None where it is empty by design.

        A read is tried again on a lost connection, 429, 502, 503 and 504; a change is sent once. All tries
        together end after the time-out. Raises a subclass of AirflowMcpError for anything but a 2xx with JSON.
        """
        if call.change and self._settings.read_only:
            raise ReadOnlyError("Nothing was sent: this server is read-only (AIRFLOW_MCP_READ_ONLY).")
        limit = self._settings.timeout
        try:
            with anyio.fail_after(limit):
                response = await self._once(call, auth) if call.change else await self._with_retries(call, auth, _read)
        except TimeoutError:
            if call.change:
                raise outcome_unknown(f"no answer within {limit:g} s") from None
            raise self._timed_out() from None
        return _decoded(response, call)

    async def stream(self, call: Call, auth: httpx.Auth | None, start: Callable[[], SinkT]) -> SinkT:
        """Send a read and give its answer, piece by piece, to a sink; a new one for each try. Gives the last one.

        Raises as `send` does.
        """
        sinks: list[SinkT] = []

        async def receive(response: httpx.Response) -> httpx.Response:
            if response.status_code != 200 or "html" in response.headers.get("content-type", ""):
                return await _read(response)
            sinks.append(start())
            async for chunk in response.aiter_bytes():
                sinks[-1].feed(chunk)
            return response

        try:
            with anyio.fail_after(self._settings.timeout):
                response = await self._with_retries(call, auth, receive)
        except TimeoutError:
            raise self._timed_out() from None
        if response.status_code != 200 or not sinks:
            _decoded(response, call)
            raise not_json(response, change=False)
        return sinks[-1]

    def _timed_out(self) -> TimedOutError:
        return TimedOutError(
            f"Airflow at {self._settings.url} did not answer within {self._settings.timeout:g} s. "
            "Ask for less (a filter, a smaller limit), or raise AIRFLOW_MCP_TIMEOUT."
        )

    async def _with_retries(self, call: Call, auth: httpx.Auth | None, receive: Receive) -> httpx.Response:
        waits = iter(WAITS)
        while True:
            wait = next(waits, None)
            try:
                response = await self._exchange(call, auth, receive)
            except httpx.TimeoutException:
                raise TimeoutError from None
            except httpx.DecodingError as error:
                raise undecodable(error) from None
            except httpx.RequestError as error:
                if wait is None or not _lasts(wait):
                    raise unreachable(self._settings.url, error) from None
            else:
                if wait is None or response.status_code not in RETRIABLE:
                    return response
                wait = _retry_after(response) or wait
                if not _lasts(wait):
                    return response
            # Jitter, so that many callers do not come back at the same moment.
            await anyio.sleep(wait * random.uniform(1, MOST_JITTER))  # noqa: S311

    async def _once(self, call: Call, auth: httpx.Auth | None) -> httpx.Response:
        sent: list[bool] = []
        try:
            response = await self._exchange(call, auth, _read, sent)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise unreachable(self._settings.url, error, change=True) from None
        except httpx.RequestError as error:
            if not sent:
                raise unreachable(self._settings.url, error, change=True) from None
            raise outcome_unknown(f"the connection broke ({type(error).__name__})") from None
        except TooLargeError:
            raise outcome_unknown("its answer was too large to read") from None
        if response.status_code >= 500:
            raise outcome_unknown(f"it answered {response.status_code}")
        return response

    async def _exchange(
        self, call: Call, auth: httpx.Auth | None, receive: Receive, sent: list[bool] | None = None
    ) -> httpx.Response:
        """Send once; `sent` is marked when the call itself goes out, and not just a sign-in before it."""
        client = self._open()
        request = client.build_request(
            call.method,
            f"{self._settings.url}/{call.path}",
            params=_query(call.query),
            json=call.body,
            headers=call.headers,
            extensions={SENT: sent},
        )
        response = await client.send(request, auth=auth, stream=True, follow_redirects=False)
        try:
            return await receive(response)
        finally:
            await response.aclose()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport,
                verify=_verification(self._settings),
                timeout=self._settings.timeout,
                # A session cookie of Airflow's would sign in the next call by itself.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                event_hooks={"request": [self._add_headers, _mark_sent]},
                headers={"user-agent": f"airflow-ops-mcp/{__version__}"},
            )
        return self._client

    async def _add_headers(self, request: httpx.Request) -> None:
        """To each request, a sign-in's own too: a proxy may want them. What a sign-in has set stays."""
        for name, value in self._settings.read_headers().items():
            request.headers.setdefault(name, value)


async def _mark_sent(request: httpx.Request) -> None:
    sent = request.extensions.get(SENT)
    if sent is not None:
        sent.append(True)


def _lasts(wait: float) -> bool:
    """Whether the time limit leaves room for a wait."""
    return wait * MOST_JITTER < anyio.current_effective_deadline() - anyio.current_time()


def _verification(settings: Settings) -> ssl.SSLContext:
    """What to check the server's certificate with, and the client's own certificate."""
    context = httpx.create_ssl_context(verify=settings.verify_ssl)
    if settings.verify_ssl and settings.ca_bundle:
        try:
            context = ssl.create_default_context(cafile=settings.ca_bundle)
        except (OSError, ValueError):
            raise SettingsError(f"{PREFIX}CA_BUNDLE: the file holds no certificates in PEM form.") from None
    if settings.client_cert:
        _present(settings, context)
    return context


def _present(settings: Settings, context: ssl.SSLContext) -> None:
    """Have the client show its certificate. Raises SettingsError when that cannot be used."""
    password = settings.client_key_password.get_secret_value() if settings.client_key_password else ""
    try:
        # Without a password, OpenSSL would ask at the terminal for that of a locked key.
        context.load_cert_chain(str(settings.client_cert), settings.client_key, lambda: password)
    except ssl.SSLError as error:
        # The second where the key is of another kind, such as RSA for a certificate of an elliptic curve.
        if error.reason in ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"):
            raise SettingsError(f"{PREFIX}CLIENT_KEY: is not the key of the certificate in CLIENT_CERT.") from None
        raise SettingsError(
            f"{PREFIX}CLIENT_CERT: no certificate in PEM form, or no key that can be opened, in it and "
            f"{PREFIX}CLIENT_KEY. A locked key needs {PREFIX}CLIENT_KEY_PASSWORD."
        ) from None
    except ValueError:
        raise SettingsError(f"{PREFIX}CLIENT_KEY_PASSWORD: is longer than a key's can be.") from None
    except OSError as error:
        raise SettingsError(f"{PREFIX}CLIENT_CERT, or its key, cannot be read: {error.strerror}.") from None


def _query(query: Query | None) -> dict[str, str | list[str]]:
    return {name: _plain(value) for name, value in (query or {}).items()}


def _plain(value: str | int | bool | list[str]) -> str | list[str]:
    if isinstance(value, list):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _read(response: httpx.Response) -> httpx.Response:
    body = await body_of(response, MAX_BODY)
    # Raw, since a header may hold what no text decodes; the body is decoded by now.
    headers = [pair for pair in response.headers.raw if pair[0].lower() != b"content-encoding"]
    return httpx.Response(response.status_code, headers=headers, content=body, request=response.request)


def _decoded(response: httpx.Response, call: Call) -> Any:
    if 300 <= response.status_code < 400:
        raise redirected(response)
    if response.status_code >= 400:
        raise failure(response, change=call.change, needs=call.needs)
    if response.status_code == 204 and call.method == "DELETE":
        return None
    if "json" not in response.headers.get("content-type", ""):
        raise not_json(response, change=call.change)
    try:
        return response.json()
    except (ValueError, RecursionError):  # too deep, or a number too long, for Python
        raise garbled(response, change=call.change) from None


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None
