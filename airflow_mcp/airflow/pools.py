"""One pool: how many slots it has, and how many of them are taken."""

from __future__ import annotations

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import Route, may_read
from airflow_mcp.errors import NotFoundError
from airflow_mcp.models.base import Answer

GET = Route("GET", "pools/{pool_name}", may_read("Pools"))


class Pool(Answer):
    """A pool; it is without a limit where it has -1 slots."""

    name: str
    slots: int
    open_slots: int
    occupied_slots: int
    include_deferred: bool = False
    """Whether a deferred task instance keeps its slots; since Airflow 2.7."""


async def find_pool(api: Api, name: str) -> Pool | None:
    """A pool; None for one that there is not.

    Route: GET /pools/{pool_name}. Airflow 2 fails at one without a limit: ServerFaultError.
    """
    try:
        return await api.read(GET, Pool, pool_name=name)
    except NotFoundError:
        return None
