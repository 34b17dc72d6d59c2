"""What every way of signing in gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from airflow_mcp.release import ApiName


def _nothing(_: ApiName) -> None:
    return None


@dataclass(frozen=True)
class SignIn:
    """One way of signing in to one Airflow."""

    how: str
    """As a person says it, without any secret: `as ana, with a password`."""
    always: httpx.Auth | None = None
    """What signs in at each version of Airflow alike; None where it differs.

    It goes along with the question for the version: what stands before a managed Airflow lets nothing else through.
    """
    differing: Callable[[ApiName], httpx.Auth | None] = _nothing
    """Makes what signs in at one version, where that differs."""

    def at(self, api: ApiName) -> httpx.Auth | None:
        """What signs in the requests of this API; None for nothing."""
        return self.always or self.differing(api)
