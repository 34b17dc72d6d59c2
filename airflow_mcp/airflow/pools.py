"""The endpoints of pools."""

from __future__ import annotations

from difflib import get_close_matches

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.instance import Instance
from airflow_mcp.airflow.pages import about, page
from airflow_mcp.errors import NotFoundError
from airflow_mcp.models.admin import GetPools, Pool, PoolChange, PoolList, SetPoolSlots
from airflow_mcp.models.changes import Prepared


class Pools:
    """The pools of one Airflow."""

    def __init__(self, airflow: Airflow, instance: Instance) -> None:
        self._airflow = airflow
        self._instance = instance

    async def find(self, args: GetPools) -> PoolList:
        """A page of pools. Route: GET /pools."""
        rows, total = await page(self._airflow, "pools", "pools", args, {"order_by": "id"})
        pools = [Pool.model_validate(row) for row in rows]
        return PoolList(pools=pools, **about(pools, total, args, "There is no pool."))

    async def prepare_slots(self, args: SetPoolSlots) -> Prepared[PoolChange]:
        """Set how many slots a pool has. Route: PATCH /pools/{pool_name}. Raises NotFoundError, with near names."""
        pools = {row["name"]: Pool.model_validate(row) for row in await self._instance.pools()}
        if args.pool not in pools:
            near = get_close_matches(args.pool, pools, n=3, cutoff=0.5)
            hint = f"Did you mean {', '.join(near)}?" if near else "get_pools lists them."
            raise NotFoundError(f"There is no pool {args.pool!r}. {hint}")
        pool = pools[args.pool]
        name = (await self._airflow.dialect()).pool_name
        # Airflow 3 wants all of it, whatever the mask says.
        rest = {name: pool.name, "include_deferred": bool(pool.include_deferred), "description": pool.description or ""}

        async def apply() -> None:
            await self._airflow.change(
                "PATCH",
                "pools/{pool_name}",
                {"pool_name": args.pool},
                query={"update_mask": ["slots"]},
                body={"slots": args.slots, **rest},
            )

        occupied = pool.occupied_slots
        same = pool.slots == args.slots
        return Prepared(
            preview=PoolChange(
                summary=f"{args.pool} has {args.slots} slots already: nothing to change."
                if same
                else f"Set the slots of pool {args.pool} from {pool.slots} to {args.slots}; {occupied} are taken now.",
                pool=args.pool,
                slots_before=pool.slots,
                slots_after=args.slots,
                occupied_slots=occupied,
            ),
            items=() if same else (f"{args.pool}: {pool.slots} slots",),
            apply=apply,
        )
