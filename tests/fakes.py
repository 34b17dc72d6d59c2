"""What stands in for a part of this project, or of Airflow, in the tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import RootModel

from airflow_mcp.airflow.api import Api, Server
from airflow_mcp.airflow.route import Method, Route
from airflow_mcp.airflow.writer import Writer
from airflow_mcp.models.page import row_of
from airflow_mcp.tools.releases import Marked, marked, require
from airflow_mcp.tools.toolsets import ALL_TOOLS

MARKED: Mapping[str, Marked] = {
    str(each): each for spec in ALL_TOOLS for model in (spec.arguments, row_of(spec.answer)) for each in marked(model)
}
"""Everything that some releases of Airflow do not have, by its name in a refusal."""


class Anything(RootModel[Any]):
    """Any JSON."""


class Airflow(Server):
    """One Airflow, of which any path can be read or changed."""

    async def read(self, path: str, ids: Mapping[str, Any] | None = None) -> Any:
        return (await (await self.api()).read(Route("GET", path), Anything, **dict(ids or {}))).root

    async def change(self, method: Method, path: str, ids: Mapping[str, Any], *, body: Mapping[str, Any]) -> Any:
        return await Writer(self, await self.api()).send(Route(method, path), body=body, **dict(ids))

    async def require(self, names: Iterable[str]) -> Api:
        return await require(self, [MARKED[name] for name in names if name in MARKED])
