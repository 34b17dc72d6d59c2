"""A route of Airflow's REST API: what it is, whether it changes anything, and what a user needs for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from airflow_mcp.release import FIRST, Release

Method = Literal["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Permission:
    """What a user needs, in Airflow's own terms: its refusals do not say."""

    action: Literal["read", "edit"]
    resources: Sequence[str]
    """As FAB names them."""
    role: str
    """The least role of Airflow 3's simple auth manager that may."""
    in_2: Sequence[str] | None = None
    """The resources where Airflow 2 wants others."""

    def of_fab(self, release: Release) -> list[str]:
        """Each permission as FAB names it."""
        resources = self.in_2 if self.in_2 and release < (3, 0) else self.resources
        return [f"can {self.action} on {resource}" for resource in resources]

    def on(self, release: Release) -> str:
        """In the words of the auth managers that this Airflow may have."""
        fab = ", ".join(self.of_fab(release))
        # Airflow 2 has FAB's roles; Airflow 3 does not tell which auth manager it has.
        return fab if release < (3, 0) else f"{fab} (FAB), or the role {self.role} (simple auth manager)"


def may_read(*resources: str, in_2: Sequence[str] | None = None) -> Permission:
    """To read them. Who looks at what is in a DAG needs the same on the DAG."""
    return Permission("read", resources, "viewer", in_2)


def may_edit(*resources: str) -> Permission:
    """To edit them."""
    return Permission("edit", resources, "user")


DAGS = ("DAGs",)
TASKS = ("DAGs", "Task Instances")
RUNS = ("DAGs", "DAG Runs")
TASK_INSTANCES = ("DAGs", "DAG Runs", "Task Instances")


@dataclass(frozen=True)
class Route:
    """A method and a path below `/api/v1` or `/api/v2`, with the names of its ids: `dags/{dag_id}`."""

    method: Method
    path: str
    needs: Permission | None = None
    """None for what all may."""
    lists: bool = False
    """Whether it is a POST that changes nothing."""
    dry_run: Literal["body", "path"] | None = None
    """How it is asked what it would change: by `dry_run` in its body, or at a path that ends so.

    None where that is not known to change nothing: Airflow 2 sets states when it is asked which.
    """
    dry_run_since: Release = FIRST["v1"]
    """The first release that can be asked so."""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET" or self.lists

    def as_dry_run(self, release: Release) -> Route:
        """The route that tells what this one would change. Raises ValueError where there is none."""
        if self.dry_run is None or release < self.dry_run_since:
            raise ValueError(f"{self.method} {self.path} has no dry run on Airflow {release.major}.{release.minor}")
        return replace(self, path=f"{self.path}/dry_run") if self.dry_run == "path" else self
