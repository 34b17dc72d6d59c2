"""The last run of each of many DAGs, which Airflow gives for one at a time only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from airflow_mcp.airflow.client import Airflow

LIST_RUNS = "dags/~/dagRuns/list"
NEWEST = "-id"
"""As Airflow itself counts: the run that was made last, whatever its date."""
RUNS_AT_ONCE = 100
CALLS_AT_ONCE = 6


class LastRuns:
    """The last runs of the DAGs of one Airflow."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow

    async def of(self, dag_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """By DAG its last run; a DAG without one is not there.

        Routes: POST /dags/~/dagRuns/list while that finds many, then GET /dags/{dag_id}/dagRuns for each.
        """
        found: dict[str, Mapping[str, Any]] = {}
        waiting = list(dag_ids)
        while waiting:
            body = {"dag_ids": waiting, "order_by": NEWEST, "page_limit": RUNS_AT_ONCE}
            answer = await self._airflow.read(LIST_RUNS, method="POST", body=body)
            for row in answer["dag_runs"]:
                found.setdefault(row["dag_id"], row)
            left = [dag_id for dag_id in waiting if dag_id not in found]
            if answer["total_entries"] <= len(answer["dag_runs"]):
                break
            if len(waiting) - len(left) < CALLS_AT_ONCE:
                return found | await self._one_by_one(left)
            waiting = left
        return found

    async def _one_by_one(self, dag_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        limiter = anyio.CapacityLimiter(CALLS_AT_ONCE)

        async def look(dag_id: str) -> None:
            async with limiter:
                query: dict[str, str | int] = {"limit": 1, "order_by": NEWEST}
                answer = await self._airflow.read("dags/{dag_id}/dagRuns", {"dag_id": dag_id}, query=query)
                for row in answer["dag_runs"]:
                    found[dag_id] = row

        async with anyio.create_task_group() as group:
            for dag_id in dag_ids:
                group.start_soon(look, dag_id)
        return found
