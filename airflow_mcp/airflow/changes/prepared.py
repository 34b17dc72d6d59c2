"""A change that is known and not made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from airflow_mcp.airflow.writer import Writer
from airflow_mcp.models.changes import Change

ChangeT = TypeVar("ChangeT", bound=Change)


@dataclass(frozen=True)
class Prepared(Generic[ChangeT]):
    """What a change would do, and how it is done."""

    preview: ChangeT
    done: str
    """The preview's summary, as it is once the change is made."""
    items: tuple[str, ...]
    """Each thing that would change, with its present state: what a plan is bound to."""
    stays: Set[str] = field(default=frozenset(), kw_only=True)
    """Those of the items that look the same once the change is made, or that cannot be looked at."""
    left: Callable[[], Awaitable[Set[str]]]
    """Looks anew which of the items are as they were."""
    apply: Callable[[Writer], Awaitable[None]]
    """Makes the change, once."""
