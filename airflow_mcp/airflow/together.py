"""Calls that do not wait for each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio


async def together(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    """What each call gives, all of them made at the same time. The first error ends the others, and is raised."""
    results: list[Any] = [None] * len(calls)

    async def keep(place: int, call: Callable[[], Awaitable[Any]]) -> None:
        results[place] = await call()

    try:
        async with anyio.create_task_group() as group:
            for place, call in enumerate(calls):
                group.start_soon(keep, place, call)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return results
