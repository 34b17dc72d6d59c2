"""What differs between Airflow 2's REST v1 and Airflow 3's REST v2, and between their releases, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

SINCE: Mapping[str, str] = {
    "new_state=skipped": "2.9",  # which those before answer with a 500
    "asset_expression": "2.9",
    "max_consecutive_failed_dag_runs": "2.9",
    "bundle_name": "3",
    "latest_dag_version": "3",
    "owner_links": "3",
    "version_number": "3",
    "default_args": "3.1",
    "run_on_latest_version": "3.1",
    "active_runs_count": "3.2",
    "prevent_running_task": "3.2",
    "note": "3.3",
}
"""The first Airflow that has an argument, a field or a value, as the OpenAPI documents of the releases tell.

What is not named here is as old as the oldest release that the tests run.
"""

LAST_2 = (2, 11)

_RELEASE = re.compile(r"(\d{1,4})(?:\.(\d{1,4}))?(?!\d)")

GONE_WITH_3 = frozenset({"file_token", "include_subdags", "include_parentdag"})


def numbers(version: str) -> tuple[int, int] | None:
    """2 and 11 of `2.11.2`, 3 and 0 of `3`; None of what begins with no number."""
    match = _RELEASE.match(version)
    return (int(match[1]), int(match[2] or 0)) if match else None


def _later_than(release: tuple[int, int]) -> dict[str, str]:
    """What an Airflow lacks that a later one has, and which."""
    return {name: f"Airflow {first}" for name, first in SINCE.items() if (numbers(first) or release) > release}


@dataclass(frozen=True)
class Dialect:
    """One version of the REST API: where things are, what they are called, and what is not there."""

    name: Literal["v1", "v2"]
    airflow: str
    """The Airflow that speaks it, as a person says it."""
    source_route: str
    """The route of a DAG's source."""
    logical_date: str
    """The query parameter that filters runs by logical date, without `_gte` or `_lte`."""
    dag_orders: frozenset[str]
    """What DAGs can be ordered by."""
    filters_owners: bool
    """Whether the server filters DAGs by owner."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Query parameters that are called something else here."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Arguments, fields and values that are not there, each with the Airflow that has it."""
    varies: frozenset[str] = frozenset()
    """Those that some releases have and others lack; empty once it is known which release this is."""
    sets_mapped_tasks: bool = False
    """Whether one call sets all map indexes of a task; else each is set by itself."""
    neighbours_by_date: bool = False
    """Whether a clear takes earlier and later runs along by date alone, and refuses to with a run's id."""
    one_index_needs: str = ""
    """The Airflow that clears one map index of a task, with its relatives, where this one takes others along."""
    version: str = ""
    """The server's own version, once it is known."""

    @property
    def prefix(self) -> str:
        """The path of the API below the base URL."""
        return f"api/{self.name}"

    @property
    def here(self) -> str:
        """The Airflow at hand, as exactly as it is known."""
        return f"Airflow {self.version}" if self.version else self.airflow

    def of(self, version: str) -> Dialect:
        """The same as this release speaks it; as the newest does where its version is in no known form."""
        release = numbers(version)
        if release is None:
            return replace(self, version=version, varies=frozenset())
        return replace(
            self,
            version=version,
            lacks={**self.lacks, **_later_than(release)},
            varies=frozenset(),
            sets_mapped_tasks=release >= (3, 1),
            neighbours_by_date=release == (3, 0),
            one_index_needs="Airflow 3.1" if release == (3, 0) else self.one_index_needs,
        )


V1 = Dialect(
    name="v1",
    airflow="Airflow 2",
    source_route="dagSources/{file_token}",
    logical_date="execution_date",
    dag_orders=frozenset({"dag_id"}),
    filters_owners=False,
    lacks=_later_than(LAST_2),
    varies=frozenset(SINCE) - _later_than(LAST_2).keys(),
    one_index_needs="Airflow 3",
)

V2 = Dialect(
    name="v2",
    airflow="Airflow 3",
    source_route="dagSources/{dag_id}",
    logical_date="logical_date",
    dag_orders=frozenset({"dag_id", "dag_display_name", "next_dagrun", "last_run_state", "last_run_start_date"}),
    filters_owners=True,
    renamed={"only_active": "exclude_stale"},
    lacks=dict.fromkeys(GONE_WITH_3, "Airflow 2"),
    varies=frozenset(_later_than((3, 0))),
    sets_mapped_tasks=True,
)

DIALECTS: Mapping[str, Dialect] = {"v1": V1, "v2": V2}
