"""What some releases of Airflow do not have: refused by name, before anything is sent for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from pydantic import BaseModel

from airflow_mcp.airflow.api import Api, Server
from airflow_mcp.errors import ForbiddenError, NeedsVersionError, NotAirflowError, NotSignedInError
from airflow_mcp.models.base import Arguments
from airflow_mcp.models.changes import ChangeArguments
from airflow_mcp.models.page import row_of
from airflow_mcp.release import Mark, marks
from airflow_mcp.tools.spec import ToolSpec


class Marked(NamedTuple):
    """A tool, an argument, a value of one, or a field of an answer, that not every release has."""

    name: str
    mark: Mark

    def __str__(self) -> str:
        return self.name if self.mark.value is None else f"{self.name}={self.mark.value}"


def marked(model: type[BaseModel]) -> Iterator[Marked]:
    """What of a model not every release has."""
    return (Marked(name, mark) for name, field in model.model_fields.items() for mark in marks(field))


async def api_for(server: Server, spec: ToolSpec, args: Arguments) -> Api:
    """What a call looks with. Raises NeedsVersionError where its Airflow does not have what the call names."""
    wanted = [each for each in marked(spec.arguments) if each.mark.is_named(getattr(args, each.name))]
    if fields := getattr(args, "fields", None):
        wanted += [each for each in marked(row_of(spec.answer)) if each.name in fields]
    api = await require(server, wanted)
    wanted += [Marked(spec.name, spec.since)] if spec.since else []
    if isinstance(args, ChangeArguments) or spec.since:
        # What a change does differs between releases, and not all have each tool. Where the version is not told,
        # the newest is taken for granted.
        with suppress(NotSignedInError, ForbiddenError, NotAirflowError):
            return await require(server, wanted, exact=True)
    return api


async def require(server: Server, wanted: Iterable[Marked], *, exact: bool = False) -> Api:
    """Refuse what the Airflow at hand does not have, by name. Raises NeedsVersionError.

    Where the settings name the API, the server's own release is asked for only if it matters, or with `exact`.
    """
    wanted = sorted(wanted, key=str)
    api = await server.api(exact=exact)
    await _refuse(api, wanted)
    if not exact and any(each.mark.varies(api.release.api) for each in wanted):
        return await require(server, wanted, exact=True)
    return api


async def _refuse(api: Api, wanted: Iterable[Marked]) -> None:
    for each in wanted:
        if not each.mark.allows(api.release):
            await api.require_unchanged()  # before an upgrade it was right to refuse
            raise NeedsVersionError(str(each), each.mark.needs, f"This is {api.airflow}.")
