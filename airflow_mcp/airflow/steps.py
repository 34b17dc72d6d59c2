"""The requests that set states, and what Airflow clears after each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_mcp.airflow.http import Method
from airflow_mcp.airflow.task_instances import FAILED, NO_STATUS, TaskInstance


@dataclass(frozen=True)
class Step:
    """One request that sets the state of a task's instances, and of its relatives if its body says so."""

    task_id: str
    dag_run_id: str | None
    """The only run that it changes; None where it takes others along."""
    method: Method
    route: str
    ids: Mapping[str, str | int]
    body: Mapping[str, Any]
    sets: Sequence[TaskInstance]

    @property
    def label(self) -> str:
        """What it sets, in short."""
        return self.sets[0].label if len(self.sets) == 1 else f"{self.task_id} in {self.dag_run_id}"

    def clears(self, each: TaskInstance, dag_id: str) -> bool:
        """Whether Airflow clears this one afterwards if it has failed; what it names itself it leaves."""
        here = self.dag_run_id in (None, each.dag_run_id) or each.dag_id != dag_id
        return here and each.task_id != self.task_id


def cleared_after(
    steps: Sequence[Step], reach: Mapping[str, Sequence[TaskInstance]], dag_id: str, new_state: str
) -> list[TaskInstance]:
    """What Airflow has cleared in the end, in their present states.

    `reach` has for each task the task instances that a clear of what is downstream of it looks at.
    """
    now: dict[TaskInstance, str] = {}
    cleared: dict[TaskInstance, None] = {}
    for step in steps:
        for each in step.sets:
            now[each] = new_state
            cleared.pop(each, None)
        for each in reach[step.task_id]:
            if step.clears(each, dag_id) and now.get(each, each.state) in FAILED:
                now[each] = NO_STATUS
                cleared[each] = None
    return list(cleared)
