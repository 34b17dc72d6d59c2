"""One Airflow: finds out which version answers, signs in, and holds the endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import anyio
import httpx

from airflow_mcp.airflow.dialect import DIALECTS, V1, V2, Dialect
from airflow_mcp.airflow.http import Call, Http, Method, Query, build_path
from airflow_mcp.airflow.permissions import needed
from airflow_mcp.airflow.sign_in import sign_in_to
from airflow_mcp.errors import (
    AirflowMcpError,
    ForbiddenError,
    NeedsVersionError,
    NotAirflowError,
    NotFoundError,
    NotSignedInError,
    RouteMissingError,
    VersionChangedError,
)
from airflow_mcp.instance import Instance


@dataclass(frozen=True)
class _Connection:
    dialect: Dialect
    auth: httpx.Auth | None


class Airflow:
    """One Airflow. Nothing is sent before the first call."""

    def __init__(self, instance: Instance, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.instance = instance
        self._http = Http(instance, transport)
        self._sign_in = sign_in_to(instance)
        self._lock = anyio.Lock()
        self._connection: _Connection | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def hide(self, text: str) -> str:
        """A text without the secrets that were sent lately."""
        return self._http.hide(text)

    async def dialect(self) -> Dialect:
        """The REST API that the server speaks: as the settings say, else found out once."""
        return (await self._connect()).dialect

    async def release(self) -> Dialect:
        """The same as the server's own release speaks it, which is asked for where the settings name the API alone.

        Route: GET /version.
        """
        connection = await self._connect()
        if not connection.dialect.version:
            exact = await self._detect((connection.dialect,), connection.auth)
            connection = self._connection = replace(connection, dialect=exact)
        return connection.dialect

    async def version(self) -> str:
        """The server's own version, for example 3.3.2.

        Route: GET /version. Raises NotAirflowError when neither API answers.
        """
        forced = DIALECTS.get(self.instance.api_version)
        return (await self._detect((forced,) if forced else (V2, V1))).version

    async def require(self, names: Iterable[str]) -> None:
        """Refuse arguments, fields or values that this release of Airflow does not have, by name."""
        wanted = set(names)
        dialect = await self.dialect()
        if wanted & dialect.varies:
            dialect = await self.release()
        for name in sorted(wanted & dialect.lacks.keys()):
            await self._notice_change(await self._connect())  # before an upgrade it was right to refuse
            raise NeedsVersionError(name, dialect.lacks[name], f"This is {dialect.here}.")

    async def read(
        self,
        route: str,
        ids: Mapping[str, str | int] | None = None,
        *,
        query: Query | None = None,
        method: Method = "GET",
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a route that changes nothing (a dry run is one) and give its JSON."""
        return await self._send(Call(method, route, query, body), ids or {})

    async def change(
        self,
        method: Method,
        route: str,
        ids: Mapping[str, str | int],
        *,
        body: Mapping[str, Any],
        query: Query | None = None,
    ) -> Any:
        """Call a route that changes something, once, and give its JSON."""
        return await self._send(Call(method, route, query, body, change=True), ids)

    async def _send(self, call: Call, ids: Mapping[str, str | int]) -> Any:
        path = build_path(call.path, ids)
        connection = await self._connect()
        dialect = connection.dialect
        needs = needed(call.method, call.path, dialect)
        try:
            return await self._http.send(replace(call, path=f"{dialect.prefix}/{path}", needs=needs), connection.auth)
        except RouteMissingError:
            await self._notice_change(connection)
            raise

    async def _connect(self) -> _Connection:
        if self._connection is None:
            async with self._lock:
                if self._connection is None:
                    forced = DIALECTS.get(self.instance.api_version)
                    dialect = forced or await self._detect((V2, V1))
                    self._connection = _Connection(dialect, self._sign_in.at(dialect.name))
        return self._connection

    async def _notice_change(self, connection: _Connection) -> None:
        """Airflow may have been upgraded since: find out anew, unless the settings fix the version."""
        if self.instance.api_version != "auto":
            return
        dialect = await self._detect((V2, V1))
        if dialect != connection.dialect:
            self._connection = None
            raise VersionChangedError(f"Airflow is now {dialect.version}. Nothing was changed. Call again.")

    async def _detect(self, candidates: tuple[Dialect, ...], auth: httpx.Auth | None = None) -> Dialect:
        auth = auth or self._sign_in.always
        for dialect in candidates:
            try:
                answer = await self._http.send(Call("GET", f"{dialect.prefix}/version"), auth)
            except (RouteMissingError, NotFoundError):
                continue
            except (NotSignedInError, ForbiddenError) as error:
                if auth or self.instance.api_version != "auto":
                    raise
                raise _behind_proxy(self.instance, error) from None
            if isinstance(answer, dict) and isinstance(answer.get("version"), str):
                return dialect.of(answer["version"])
        raise NotAirflowError(
            f"No Airflow API answers at {self.instance.url}: neither /api/v2/version nor /api/v1/version is "
            "there. Check AIRFLOW_MCP_URL and its path prefix, and AIRFLOW_MCP_API_VERSION if it is set."
        )


def _behind_proxy(instance: Instance, error: AirflowMcpError) -> AirflowMcpError:
    return type(error)(
        f"{instance.url} wants a sign-in for its version, which Airflow itself does not: a proxy in front of it "
        "has its own sign-in. Give that in AIRFLOW_MCP_HEADERS, or set AIRFLOW_MCP_API_VERSION to v1 or v2 to go on "
        "without asking."
    )
