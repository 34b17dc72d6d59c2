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

    def run(self, dag_id: str, dag_run_id: str) -> str:
        """The page of a run."""
        return f"{self.base}/dags/{_quoted(dag_id)}{self._between}{_quoted(dag_run_id)}"

    @property
    def _between(self) -> str:
        return "/grid?dag_run_id=" if self.release < (3, 0) else "/runs/"


def _quoted(text: str) -> str:
    return quote(text, safe="")
