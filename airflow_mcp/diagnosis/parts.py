"""Parts of a diagnosis that are looked at side by side: one that cannot be seen is named, and the rest still comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from airflow_mcp.airflow.together import together
from airflow_mcp.errors import AirflowMcpError, VersionChangedError

Look = Callable[[], Awaitable[Any]]
LOOKED_AT_ONCE = 5


class Parts:
    """What was looked at so far, and in sentences what could not be."""

    def __init__(self) -> None:
        self.not_seen: list[str] = []
        self.first_error: AirflowMcpError | None = None

    async def look(self, looks: Mapping[str, Look]) -> dict[str, Any]:
        """What each look gives, by its name; None for one that fails, which is told with this name."""
        results = await together(*(partial(self._try, name, look) for name, look in looks.items()))
        return dict(zip(looks, results, strict=True))

    async def look_at_some(self, name: str, looks: Iterable[Look]) -> list[Any]:
        """The same for many of one kind, LOOKED_AT_ONCE at a time, with one name."""
        waiting = list(looks)
        results: list[Any] = []
        while waiting:
            now, waiting = waiting[:LOOKED_AT_ONCE], waiting[LOOKED_AT_ONCE:]
            results += await together(*(partial(self._try, name, look) for look in now))
        return results

    async def _try(self, name: str, look: Look) -> Any:
        try:
            return await look()
        except VersionChangedError:
            raise  # nothing of this version can be seen: the call is made again
        except AirflowMcpError as error:
            self.first_error = self.first_error or error
            told = f"{name}: {error}"
            if told not in self.not_seen:
                self.not_seen.append(told)
            return None
