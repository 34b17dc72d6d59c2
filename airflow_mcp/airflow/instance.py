"""The endpoints that tell how the instance itself is: its components, its import errors, its pools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import PAGE


@dataclass(frozen=True)
class Component:
    """A part of Airflow that runs by itself, and how it is."""

    name: str
    status: str
    heartbeat: str


class Instance:
    """One Airflow as a whole."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow

    async def components(self) -> list[Component]:
        """Scheduler, triggerer, DAG processor and database. Route: GET /health (2), GET /monitor/health (3)."""
        answer = await self._airflow.read((await self._airflow.dialect()).health_route)
        return [
            Component(name, part["status"], part.get(f"latest_{name}_heartbeat") or "")
            for name, part in answer.items()
            if part.get("status")  # a DAG processor within the scheduler has none
        ]

    async def import_errors(self) -> tuple[list[Mapping[str, Any]], int]:
        """The first import errors, and how many there are. Route: GET /importErrors."""
        answer = await self._airflow.read("importErrors", query={"limit": PAGE})
        return answer["import_errors"], answer["total_entries"]

    async def pools(self) -> list[Mapping[str, Any]]:
        """The first pools. Route: GET /pools."""
        pools: list[Mapping[str, Any]] = (await self._airflow.read("pools", query={"limit": PAGE}))["pools"]
        return pools
