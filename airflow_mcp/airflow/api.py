"""One Airflow: finds out which release answers, signs in, and gives each call an `Api` to look with."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import anyio
import httpx
from pydantic import BaseModel, ValidationError

from airflow_mcp.airflow.failures import misshapen
from airflow_mcp.airflow.http import Http
from airflow_mcp.airflow.links import Links
from airflow_mcp.airflow.request import Body, Query, Request, build_path
from airflow_mcp.airflow.route import Route
from airflow_mcp.airflow.sign_in import sign_in_to
from airflow_mcp.errors import (
    NOTHING_CHANGED,
    AirflowMcpError,
    ForbiddenError,
    NoLoginError,
    NotAirflowError,
    NotFoundError,
    NotSignedInError,
    OtherApiError,
    RouteMissingError,
    TimedOutError,
    UnreachableError,
    VersionChangedError,
)
from airflow_mcp.instance import Instance
from airflow_mcp.release import NEWEST, ApiName, Release
from airflow_mcp.text.clean import one_line

logger = logging.getLogger(__name__)

APIS: tuple[ApiName, ...] = ("v2", "v1")
LONGEST_VERSION = 30

ShapeT = TypeVar("ShapeT", bound=BaseModel)
Ids = Mapping[str, str | int]


@dataclass(frozen=True)
class Known:
    """What is known of the Airflow that answers."""

    api: ApiName
    version: str
    """As it tells it; empty where the settings name the API and it was not asked."""
    auth: httpx.Auth | None

    @property
    def release(self) -> Release:
        """Its release; the newest of its API where it is in no known form."""
        told = Release.parse(self.version)
        return told if told and told.api == self.api else NEWEST[self.api]


class Server:
    """One Airflow. Nothing is sent before the first call."""

    def __init__(self, instance: Instance, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.instance = instance
        self._http = Http(instance, transport)
        self._sign_in = sign_in_to(instance)
        self._lock = anyio.Lock()
        self._known: Known | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def hide(self, text: str) -> str:
        """A text without the secrets that were sent lately."""
        return self._http.hide(text)

    async def api(self, *, exact: bool = False) -> Api:
        """What one call looks with. The release is found out once, and anew when the server became another.

        Where the settings name the API, its newest release is taken for granted, unless `exact` asks for the
        server's own. Route: GET /version. Raises NotAirflowError when neither API answers.
        """
        known = await self._connect()
        if exact and not known.version:
            _, version = await self._detect(known.auth)
            known = self._known = replace(known, version=version)
        return Api(self, known)

    async def version(self) -> str:
        """The server's own version as it is now, for example 3.3.2.

        Route: GET /version. Raises NotAirflowError when neither API answers.
        """
        return (await self._detect())[1]

    async def require_unchanged(self, known: Known) -> None:
        """Raise VersionChangedError if the server was upgraded since it was asked for its version."""
        if not known.version:
            return
        api, version = await self._detect(known.auth if self.instance.api_version != "auto" else None)
        if (api, version) != (known.api, known.version):
            self._known = None
            raise VersionChangedError(f"Airflow is now {version}.", "Call again.").with_effects(NOTHING_CHANGED)

    async def send(self, known: Known, request: Request, ids: Ids) -> Any:
        """Send a request with its ids put in, and give the JSON of its answer; None for nothing."""
        try:
            return await self._http.send(_placed(known, request, ids), known.auth)
        except (RouteMissingError, NoLoginError) as error:
            await self._tell_change(known, error)
            raise

    async def lines(self, known: Known, request: Request, ids: Ids) -> AsyncGenerator[str]:
        """Send a request with its ids put in, and give its answer line by line, as it comes."""
        try:
            async with aclosing(self._http.lines(_placed(known, request, ids), known.auth)) as lines:
                async for line in lines:
                    yield line
        except (RouteMissingError, NoLoginError) as error:
            await self._tell_change(known, error)
            raise

    async def _tell_change(self, known: Known, error: AirflowMcpError) -> None:
        """Raise VersionChangedError or OtherApiError if that is why a route, or the sign-in's, is missing."""
        try:
            if not known.version:
                await self._detect()
            elif isinstance(error, RouteMissingError):
                await self.require_unchanged(known)
        except OtherApiError as other:
            raise other.with_effects(error.effects) from None
        except (NotAirflowError, NotSignedInError, ForbiddenError, UnreachableError, TimedOutError):
            return  # where that cannot be found out, what is known already says more

    async def _connect(self) -> Known:
        if self._known is None:
            async with self._lock:
                if self._known is None:
                    named = self.instance.api_version
                    api, version = await self._detect() if named == "auto" else (named, "")
                    self._known = Known(api, version, self._sign_in.at(api))
        return self._known

    async def _detect(self, auth: httpx.Auth | None = None) -> tuple[ApiName, str]:
        named = self.instance.api_version
        auth = auth or self._sign_in.always
        for api in sorted(APIS, key=lambda each: each != named):  # where neither is named, the newer one first
            try:
                answer = await self._http.send(Request("GET", f"api/{api}/version"), auth)
            except (RouteMissingError, NotFoundError):
                continue
            except (NotSignedInError, ForbiddenError) as error:
                if auth or named != "auto":
                    raise
                raise _behind_proxy(self.instance, error) from None
            if isinstance(answer, dict) and isinstance(answer.get("version"), str):
                if named in ("auto", api):
                    return api, answer["version"]
                raise _other_api(self.instance, api, answer["version"])
        raise NotAirflowError(
            f"No Airflow API answers at {self.instance.url}: neither /api/v2/version nor /api/v1/version is there.",
            f"Check {self.instance.named('url')} and its path prefix.",
        )


class Api:
    """What one call looks at Airflow with. Nothing here can change anything."""

    def __init__(self, server: Server, known: Known) -> None:
        self._server = server
        self.known = known
        self.release = known.release
        self.links = Links(server.instance.ui_url or server.instance.url, known.release)
        self.addresses = (self.links.base, server.instance.url)
        """Of its UI, and of its API where that is another."""

    @property
    def airflow(self) -> str:
        """The Airflow at hand, as exactly as it is known, for a message."""
        return f"Airflow {self.known.version or self.release.major}"

    async def read(
        self,
        route: Route,
        shape: type[ShapeT],
        *,
        query: Query | None = None,
        body: Body | None = None,
        **ids: str | int,
    ) -> ShapeT:
        """The answer of a route that only reads. Raises ValueError for one that changes something.

        Raises NotAirflowError for an answer of another shape.
        """
        return _shaped(await self._server.send(self.known, self._reading(route, query, body), ids), shape, route)

    async def dry_run(self, route: Route, shape: type[ShapeT], body: Body, **ids: str | int) -> ShapeT:
        """What a change would do. Raises ValueError where no dry run was seen to change nothing.

        Raises NotAirflowError for an answer of another shape.
        """
        dry = route.as_dry_run(self.release)
        marked = {**body, "dry_run": True} if route.dry_run == "body" else body
        try:
            answer = await self._server.send(self.known, to_request(self.release, dry, None, marked), ids)
        except ForbiddenError as error:
            raise error.with_effects("Airflow asks for this even to preview: nothing would be changed.") from None
        return _shaped(answer, shape, route)

    def lines(self, route: Route, *, query: Query | None = None, **ids: str | int) -> AsyncGenerator[str]:
        """The answer of a route that only reads, line by line as it comes, however long it is."""
        return self._server.lines(self.known, self._reading(route, query, None), ids)

    async def require_unchanged(self) -> None:
        """Raise VersionChangedError if the server was upgraded since."""
        await self._server.require_unchanged(self.known)

    def _reading(self, route: Route, query: Query | None, body: Body | None) -> Request:
        if not route.reads:
            raise ValueError(f"{route.method} {route.path} changes something")
        return to_request(self.release, route, query, body)


def to_request(
    release: Release, route: Route, query: Query | None, body: Body | None, *, change: bool = False
) -> Request:
    """A request of a route, its path still with the names of the ids."""
    needs = route.needs.on(release) if route.needs else ""
    return Request(route.method, route.path, query, body, change=change, needs=needs)


def _shaped(answer: Any, shape: type[ShapeT], route: Route) -> ShapeT:
    try:
        return shape.model_validate(answer)
    except ValidationError as error:
        wrong = misshapen(route.path, error)
        logger.warning("%s", wrong.what)
        raise wrong from None


def _placed(known: Known, request: Request, ids: Ids) -> Request:
    return replace(request, path=f"api/{known.api}/{build_path(request.path, ids)}")


def _other_api(instance: Instance, api: ApiName, version: str) -> OtherApiError:
    setting = instance.named("api_version", instance.api_version)
    told = one_line(version, LONGEST_VERSION)
    return OtherApiError(
        f"Airflow {told} at {instance.url} has REST API {api}, and {setting} asks for the other one.",
        f"Set it to {api}, or to auto.",
    )


def _behind_proxy(instance: Instance, error: AirflowMcpError) -> AirflowMcpError:
    return type(error)(
        f"{instance.url} wants a sign-in for its version, which Airflow itself does not: a proxy in front of it "
        f"has its own sign-in. Give that in {instance.named('headers')}, or set {instance.named('api_version')} to v1 "
        "or v2 to go on without asking."
    )
