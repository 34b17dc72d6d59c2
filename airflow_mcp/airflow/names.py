"""What REST v1 and v2 call differently; the names used here are those of v2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from airflow_mcp.release import Release

ValueT = TypeVar("ValueT")

IN_2 = {
    "exclude_stale": "only_active",
    "logical_date_gte": "execution_date_gte",
    "logical_date_lte": "execution_date_lte",
}
"""Names of parameters in Airflow 2."""


def renamed(release: Release, parameters: Mapping[str, ValueT]) -> dict[str, ValueT]:
    """The same parameters under the names that a release has for them."""
    return {(IN_2.get(name, name) if release < (3, 0) else name): value for name, value in parameters.items()}
