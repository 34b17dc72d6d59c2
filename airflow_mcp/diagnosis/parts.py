"""Parts of one answer, fetched side by side: one that fails is named, and the rest still comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio

from airflow_mcp.errors import AirflowMcpError, VersionChangedError

AT_ONCE = 6
LONGEST_REASON = 160


class Parts:
    """What could be fetched, and in words what could not."""

    def __init__(self) -> None:
        self.missing: list[str] = []
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def fetch(self, parts: Mapping[str, Callable[[], Awaitable[Any]]]) -> dict[str, Any]:
        """The result of each part by its name, None for one that failed."""
        found: dict[str, Any] = dict.fromkeys(parts)

        async def one(name: str, part: Callable[[], Awaitable[Any]]) -> None:
            async with self._limiter:
                try:
                    found[name] = await part()
                except VersionChangedError:
                    raise
                except AirflowMcpError as error:
                    self.missing.append(f"{name}: {str(error)[:LONGEST_REASON]}")

        try:
            async with anyio.create_task_group() as group:
                for name, part in parts.items():
                    group.start_soon(one, name, part)
        except* VersionChangedError as changed:
            raise changed.exceptions[0] from None
        return found
