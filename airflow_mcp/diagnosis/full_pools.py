"""What holds task instances for the sake of a pool: it is missing, without slots, too small, or full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from airflow_mcp.airflow.pools import Pool
from airflow_mcp.airflow.task_instance_lists import WaitingRow
from airflow_mcp.diagnosis.waiting import Waiting, they
from airflow_mcp.diagnosis.words import named
from airflow_mcp.models.dag_state import Reason


def of_pools(waiting: Waiting) -> Iterator[Reason]:
    """What is so of the pools that those want which nothing in the graph holds."""
    for name, (pool, by) in waiting.pools.items():
        rows = [row for row in (*waiting.in_state("scheduled"), *waiting.first) if row.pool == name]
        if not rows:
            continue
        most = most_wanted(rows)
        trouble = trouble_of(pool, most)
        if trouble == "pool_missing":
            yield Reason(
                reason="pool_missing",
                fact=f"{they(rows, 'want')} pool {name}, and there is none of this name.",
                remedy=f"Create pool {name} in Airflow's UI (Admin, Pools), or name another one in the DAG's file.",
            )
        elif trouble == "pool_without_slots":
            yield Reason(
                reason="pool_without_slots",
                fact=f"{they(rows, 'wait')} for pool {name}, which has 0 slots.",
                remedy=f"Give pool {name} slots in Airflow's UI (Admin, Pools).",
            )
        elif pool and trouble == "pool_too_small":
            yield Reason(
                reason="pool_too_small",
                fact=f"{they(rows, 'need')} {most} slots of pool {name}, which has {pool.slots} in all.",
                remedy=f"Give pool {name} {most} slots in Airflow's UI, or lower pool_slots in the DAG's file.",
            )
        elif pool and trouble == "pool_full":
            yield _full(name, pool, they(rows, "wait"), most, by)


def most_wanted(rows: Sequence[WaitingRow]) -> int:
    """The most slots that one of these task instances needs."""
    return max(row.pool_slots or 1 for row in rows)


def trouble_of(pool: Pool | None, needed: int) -> str | None:
    """In a word, what keeps a pool (None for one that there is not) from giving so many slots; None for nothing."""
    if pool is None:
        return "pool_missing"
    if pool.slots == 0:
        return "pool_without_slots"
    if 0 < pool.slots < needed:
        return "pool_too_small"
    return "pool_full" if pool.slots > 0 and pool.open_slots < needed else None


def _full(name: str, pool: Pool, who: str, most: int, by: Sequence[WaitingRow]) -> Reason:
    slots = Counter[str]()
    for row in by:
        slots[f"{row.task_id} of {row.dag_id}"] += row.pool_slots or 1
    taken = named([f"{task} ({number})" for task, number in slots.most_common()])
    needs = f", and {most} are needed" if pool.open_slots else ""
    return Reason(
        reason="pool_full",
        fact=f"{who} for pool {name}: {pool.occupied_slots} of its {pool.slots} slots are taken{needs}"
        f"{f': {taken}' if taken else ''}.",
        remedy=f"Wait for a slot, or give the pool more; get_task_instances with pool={name} lists who has them.",
    )
