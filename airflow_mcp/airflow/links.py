"""Addresses of Airflow's UI: the page of a DAG, a run or a task instance."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from airflow_mcp.release import Release


@dataclass(frozen=True)
class Links:
    """The pages of one Airflow, whose UI is at `base`."""

    base: str
    release: Release

    def dag(self, dag_id: str) -> str:
        """The page of a DAG."""
        return f"{self.base}/dags/{_quoted(dag_id)}{'/grid' if self.release < (3, 0) else ''}"

    def run(self, dag_id: str, dag_run_id: str) -> str:
        """The page of a run."""
        return f"{self.base}/dags/{_quoted(dag_id)}{self._between}{_quoted(dag_run_id)}"

    def task(self, dag_id: str, dag_run_id: str, task_id: str, map_index: int | None = None) -> str:
        """The page of a task instance, or of all of a mapped task."""
        task, index = ("&task_id=", "&map_index=") if self.release < (3, 0) else ("/tasks/", "/mapped/")
        mapped = "" if map_index is None else f"{index}{map_index}"
        return f"{self.run(dag_id, dag_run_id)}{task}{_quoted(task_id)}{mapped}"

    @property
    def _between(self) -> str:
        return "/grid?dag_run_id=" if self.release < (3, 0) else "/runs/"


def _quoted(text: str) -> str:
    return quote(text, safe="")
