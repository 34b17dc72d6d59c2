"""What an explanation is about: a DAG, a run of it, or a task of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from airflow_mcp.airflow.api import Api
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.models.dag_state import DagState, Reason
from airflow_mcp.models.dags import Dag
from airflow_mcp.models.runs import DagRun

MOST_REASONS = 4


@dataclass(frozen=True)
class Subject:
    """What is asked about: a DAG, a run of it, or a task of the run."""

    api: Api
    dag: Dag
    now: datetime
    run: DagRun | None = None
    task_id: str | None = None
    map_index: int | None = None
    parts: Parts = field(default_factory=Parts)

    def answer(self, state: str, found: Sequence[Reason], otherwise: str, works: str = "") -> DagState:
        """The answer, summed up by what `works` and the first reason; without either by `otherwise`."""
        facts = [works, *([found[0].fact] if found else [])]
        dag_id, run_id = self.dag.dag_id, self.run.dag_run_id if self.run else None
        return DagState(
            summary=" ".join(filter(None, facts)) or otherwise,
            dag_id=dag_id,
            dag_run_id=run_id,
            task_id=self.task_id,
            map_index=self.map_index,
            state=state,
            url=self.api.links.to(dag_id, run_id, self.task_id, self.map_index),
            reasons=[*found[:MOST_REASONS]],
            also=", ".join(dict.fromkeys(each.reason for each in found[MOST_REASONS:])) or None,
            not_seen=self.parts.not_seen or None,
        )
