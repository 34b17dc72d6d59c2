"""Pools: how many slots they have, and how many of them are taken."""

from __future__ import annotations

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import Route, may_read
from airflow_mcp.errors import NotFoundError, ServerFaultError
from airflow_mcp.models.base import Answer

GET = Route("GET", "pools/{pool_name}", may_read("Pools"))
LIST = Route("GET", "pools", may_read("Pools"))
MOST = 100


class Pool(Answer):
    """A pool; it is without a limit where it has -1 slots."""

    name: str
    slots: int
    open_slots: int
    occupied_slots: int
    include_deferred: bool = False
    """Whether a deferred task instance keeps its slots; since Airflow 2.7."""


class _Pools(Answer):
    pools: list[Pool]
    total_entries: int


async def find_pool(api: Api, name: str) -> Pool | None:
    """A pool; None for one that there is not. Route: GET /pools/{pool_name}."""
    try:
        return await api.read(GET, Pool, pool_name=name)
    except NotFoundError:
        return None
    except ServerFaultError:
        if api.release >= (3, 0):
            raise
        # Airflow 2 fails at a pool without a limit.
        return Pool(name=name, slots=-1, open_slots=-1, occupied_slots=0)


async def first_pools(api: Api) -> tuple[dict[str, Pool], bool]:
    """Some pools by name, MOST at most, and whether that are all.

    Route: GET /pools. Airflow 2 fails at it while a pool is without a limit: then there are none, and not all.
    """
    try:
        answer = await api.read(LIST, _Pools, query={"limit": MOST})
    except ServerFaultError:
        if api.release >= (3, 0):
            raise
        return {}, False
    return {pool.name: pool for pool in answer.pools}, answer.total_entries <= len(answer.pools)
