"""What differs between Airflow 2's REST v1 and Airflow 3's REST v2, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


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
    dag_orders: frozenset[str]
    """What DAGs can be ordered by."""
    filters_owners: bool
    """Whether the server filters DAGs by owner."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Query parameters that are called something else here."""
    lacks: frozenset[str] = frozenset()
    """Arguments and fields that this version does not have."""

    @property
    def prefix(self) -> str:
        """The path of the API below the base URL."""
        return f"api/{self.name}"


V1 = Dialect(
    name="v1",
    airflow="Airflow 2",
    token_login=False,
    kerberos=True,
    source_route="dagSources/{file_token}",
    logical_date="execution_date",
    dag_orders=frozenset({"dag_id"}),
    filters_owners=False,
    lacks=frozenset(
        {
            "version_number",
            "run_on_latest_version",
            "prevent_running_task",
            "note",
            "default_args",
            "latest_dag_version",
            "bundle_name",
            "owner_links",
            "active_runs_count",
        }
    ),
)

V2 = Dialect(
    name="v2",
    airflow="Airflow 3",
    token_login=True,
    kerberos=False,
    source_route="dagSources/{dag_id}",
    logical_date="logical_date",
    dag_orders=frozenset({"dag_id", "dag_display_name", "next_dagrun", "last_run_state", "last_run_start_date"}),
    filters_owners=True,
    renamed={"only_active": "exclude_stale"},
    lacks=frozenset({"file_token", "include_subdags", "include_parentdag"}),
)

DIALECTS: Mapping[str, Dialect] = {"v1": V1, "v2": V2}


def other(dialect: Dialect) -> Dialect:
    """The version that is not this one: the one that has what this one lacks."""
    return V1 if dialect is V2 else V2
