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
    "tries": "2.10",
    "backfills": "3",
    "bundle_name": "3",
    "latest_dag_version": "3",
    "materialize_asset": "3",
    "owner_links": "3",
    "version_number": "3",
    "default_args": "3.1",
    "hitl": "3.1",
    "run_on_latest_version": "3.1",
    "active_runs_count": "3.2",
    "prevent_running_task": "3.2",
    "note": "3.3",
}
"""The first Airflow that has an argument, a field or a value, as the OpenAPI documents of the releases tell.

What is not named here is as old as the oldest release that the tests run.
"""

LAST_2 = (2, 11)

GONE_WITH_3 = frozenset({"file_token", "include_subdags", "include_parentdag"})


def numbers(version: str) -> tuple[int, int] | None:
    """2 and 11 of `2.11.2`, 3 and 0 of `3`; None of what begins with no number."""
    match = re.match(r"(\d+)(?:\.(\d+))?", version)
    return (int(match[1]), int(match[2] or 0)) if match else None


def _later_than(release: tuple[int, int]) -> dict[str, str]:
    """What an Airflow lacks that a later one has, and which."""
    return {name: f"Airflow {first}" for name, first in SINCE.items() if (numbers(first) or release) > release}


@dataclass(frozen=True)
class AssetNames:
    """How assets are called: Airflow 2 says datasets."""

    assets: str
    """The list's route, and its field."""
    id: str
    events: str
    upstream: str
    """The route of the events that caused a run."""
    queued: str
    """The route of the events that a DAG got since its last run."""


@dataclass(frozen=True)
class Dialect:
    """One version of the REST API: where things are, what they are called, and what is not there."""

    name: Literal["v1", "v2"]
    airflow: str
    """The Airflow that speaks it, as a person says it."""
    token_login: bool
    """Whether user name and password are exchanged for a token, rather than sent each time."""
    kerberos: bool
    """Whether the API can be signed in to with a Kerberos ticket."""
    source_route: str
    """The route of a DAG's source."""
    logical_date: str
    """The query parameter that filters runs by logical date, without `_gte` or `_lte`."""
    health_route: str
    """Where its components tell how they are."""
    dag_orders: frozenset[str]
    """What DAGs can be ordered by."""
    filters_owners: bool
    """Whether the server filters DAGs by owner."""
    filters_last_run: bool
    """Whether the server filters DAGs by the state of their last run."""
    filters_run_type: bool
    """Whether the server filters runs by their type."""
    log_type: str
    """The form of a task's log that can be read piece by piece."""
    no_state: str | None
    """What stands for the state of a task instance that has none yet."""
    wants_logical_date: bool
    """Whether a new run has to name its logical date, if only as none."""
    assets: AssetNames
    """How assets are called."""
    counts_filtered_assets: bool
    """Whether a filtered list of assets tells how many are left, rather than how many there are."""
    joins_dag_ids: bool
    """Whether several DAGs to filter assets by are one parameter, with commas."""
    pool_name: str
    """What the name of a pool is called in a change of it."""
    newest_first: str
    """What orders runs so that the newest come first: what each of them has."""
    note_route: str
    """What the route that sets a note has after that of the thing itself."""
    note_query: Mapping[str, list[str]]
    """What keeps a change of a note from changing anything else."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Query parameters that are called something else here."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Arguments, fields and values that are not there, each with the Airflow that has it."""
    varies: frozenset[str] = frozenset()
    """Those that some releases have and others lack; empty once it is known which release this is."""
    sets_mapped_tasks: bool = False
    """Whether one call sets all map indexes of a task; else each is set by itself."""
    xcoms_as_json: bool = False
    """Whether a value that a task handed over comes as JSON; else as Python prints it."""
    neighbours_by_date: bool = False
    """Whether a clear takes earlier and later runs along by date alone, and refuses to with a run's id."""
    success_keeps_finished: bool = False
    """Whether a run that is set to success leaves its finished tasks as they are; else it sets them all."""
    tells_dependencies: bool = True
    """Whether it says what a task instance waits for."""
    awaiting_human: tuple[str, ...] = ("deferred",)
    """The states of a task instance that waits for a human decision."""
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
            tells_dependencies=release >= (2, 10),
            success_keeps_finished=release >= (3, 3),
            xcoms_as_json=release >= (2, 10),
            neighbours_by_date=release == (3, 0),
            awaiting_human=("deferred", "awaiting_input") if release >= (3, 3) else ("deferred",),
            one_index_needs="Airflow 3.1" if release == (3, 0) else self.one_index_needs,
        )


V1 = Dialect(
    name="v1",
    airflow="Airflow 2",
    token_login=False,
    kerberos=True,
    source_route="dagSources/{file_token}",
    logical_date="execution_date",
    health_route="health",
    dag_orders=frozenset({"dag_id"}),
    filters_owners=False,
    filters_last_run=False,
    filters_run_type=False,
    log_type="text/plain",
    no_state="none",
    assets=AssetNames(
        assets="datasets",
        id="dataset_id",
        events="dataset_events",
        upstream="dags/{dag_id}/dagRuns/{dag_run_id}/upstreamDatasetEvents",
        queued="dags/{dag_id}/datasets/queuedEvent",
    ),
    counts_filtered_assets=False,
    joins_dag_ids=True,
    pool_name="name",
    wants_logical_date=False,
    newest_first="-execution_date",
    note_route="/setNote",
    note_query={},
    lacks=_later_than(LAST_2),
    varies=frozenset(SINCE) - _later_than(LAST_2).keys(),
    one_index_needs="Airflow 3",
)

V2 = Dialect(
    name="v2",
    airflow="Airflow 3",
    token_login=True,
    kerberos=False,
    source_route="dagSources/{dag_id}",
    logical_date="logical_date",
    health_route="monitor/health",
    dag_orders=frozenset({"dag_id", "dag_display_name", "next_dagrun", "last_run_state", "last_run_start_date"}),
    filters_owners=True,
    filters_last_run=True,
    filters_run_type=True,
    log_type="application/x-ndjson",
    no_state=None,
    assets=AssetNames(
        assets="assets",
        id="asset_id",
        events="asset_events",
        upstream="dags/{dag_id}/dagRuns/{dag_run_id}/upstreamAssetEvents",
        queued="dags/{dag_id}/assets/queuedEvents",
    ),
    counts_filtered_assets=True,
    joins_dag_ids=False,
    pool_name="pool",
    wants_logical_date=True,
    newest_first="-run_after",
    note_route="",
    note_query={"update_mask": ["note"]},
    renamed={"only_active": "exclude_stale", "last_run_state": "last_dag_run_state"},
    lacks=dict.fromkeys(GONE_WITH_3, "Airflow 2"),
    varies=frozenset(_later_than((3, 0))),
    sets_mapped_tasks=True,
    xcoms_as_json=True,
    success_keeps_finished=True,
)

DIALECTS: Mapping[str, Dialect] = {"v1": V1, "v2": V2}
