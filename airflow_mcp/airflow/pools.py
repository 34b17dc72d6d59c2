"""Pools: how many slots they have, and how many of them are taken."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import Route, may_read
from airflow_mcp.airflow.together import together
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


async def find_pools(api: Api, names: Sequence[str]) -> dict[str, Pool | None]:
    """The pools of these names, None for one that there is not.

    Route: GET /pools, and GET /pools/{pool_name} where the list has not all of them, or fails: that of Airflow 2 does
    while one pool is without a limit.
    """
    try:
        answer = await api.read(LIST, _Pools, query={"limit": MOST})
        known: dict[str, Pool | None] = {pool.name: pool for pool in answer.pools}
        complete = answer.total_entries <= len(answer.pools)
    except ServerFaultError:
        if api.release >= (3, 0):
            raise
        known, complete = {}, False
    missing = [] if complete else [name for name in names if name not in known]
    known |= dict(zip(missing, await together(*(partial(find_pool, api, name) for name in missing)), strict=True))
    return {name: known.get(name) for name in names}
