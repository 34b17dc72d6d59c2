"""What was previewed, each under a plan that only its preview tells."""

from __future__ import annotations

import base64
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio

REMEMBERED_PLANS = 1000
MOST_REMEMBERED_ITEMS = 200


@dataclass
class Preview:
    """What a plan stands for."""

    change: str
    """The digest of exactly this change."""
    items: Sequence[str] | None
    """What would change, each with its state then; None for more than are kept."""
    used: bool = False
    lock: anyio.Lock = field(default_factory=anyio.Lock, repr=False)
    """Held while the plan is carried out."""


class Plans:
    """The previews of this process, of which the oldest are forgotten.

    A plan is random: nobody can make one up, and none outlives the process.
    """

    def __init__(self) -> None:
        self._previews: OrderedDict[str, Preview] = OrderedDict()
        self._unused: dict[str, str] = {}

    def add(self, change: str, items: Sequence[str]) -> str:
        """The plan for a change; while none is used, each preview of the same has the same."""
        plan = self._unused.get(change)
        if plan is None:
            plan = self._unused[change] = base64.b32encode(secrets.token_bytes(10)).decode().lower()
            self._previews[plan] = Preview(change, items if len(items) <= MOST_REMEMBERED_ITEMS else None)
        self._previews.move_to_end(plan)
        while len(self._previews) > REMEMBERED_PLANS:
            forgotten, preview = self._previews.popitem(last=False)
            if self._unused.get(preview.change) == forgotten:
                del self._unused[preview.change]
        return plan

    def get(self, plan: str) -> Preview | None:
        """What a plan stands for; None if it is not known."""
        return self._previews.get(plan)

    def use_up(self, change: str) -> None:
        """Say that a change is being made, whatever comes of it: the plan for it does not hold any more."""
        if plan := self._unused.pop(change, None):
            self._previews[plan].used = True
