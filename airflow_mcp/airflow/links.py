"""Addresses of Airflow's UI: the page of a DAG, a run, a task or a task instance."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from airflow_mcp.release import Release


@dataclass(frozen=True)
class Links:
    """The pages of one Airflow, whose UI is at `base`."""

    base: str
    release: Release

    def to(
        self, dag_id: str, dag_run_id: str | None = None, task_id: str | None = None, map_index: int | None = None
    ) -> str:
        """The page of what these ids name: a DAG, a run, a task, or the task in the run, all of a mapped one or one."""
        if self.release < (3, 0):
            query = {"dag_run_id": dag_run_id, "task_id": task_id, "map_index": map_index}
            given = "&".join(f"{name}={_quoted(value)}" for name, value in query.items() if value is not None)
            return f"{self.base}/dags/{_quoted(dag_id)}/grid{given and f'?{given}'}"
        path = {"dags": dag_id, "runs": dag_run_id, "tasks": task_id, "mapped": map_index}
        return self.base + "".join(f"/{name}/{_quoted(value)}" for name, value in path.items() if value is not None)


def _quoted(value: object) -> str:
    return quote(str(value), safe="")
