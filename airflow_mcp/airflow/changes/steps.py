"""The requests that set states, and what Airflow clears after each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_mcp.airflow.route import TASK_INSTANCES, Route, may_edit
from airflow_mcp.airflow.task_instances import FAILED, NEIGHBOURS, NO_STATUS, RELATIVES, TaskInstance
from airflow_mcp.models.changes import SetTaskInstancesState
from airflow_mcp.release import FIRST

_TASK_INSTANCE = "dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}"
SET_RUN = Route("POST", "dags/{dag_id}/updateTaskInstancesState", may_edit(*TASK_INSTANCES))
SET_TASK = Route("PATCH", _TASK_INSTANCE, may_edit(*TASK_INSTANCES), dry_run="path", dry_run_since=FIRST["v2"])
SET_INDEX = Route(
    "PATCH", f"{_TASK_INSTANCE}/{{map_index}}", may_edit(*TASK_INSTANCES), dry_run="path", dry_run_since=FIRST["v2"]
)


@dataclass(frozen=True)
class Step:
    """One request that sets the state of a task's instances, and of its relatives if its body says so."""

    task_id: str
    dag_run_id: str | None
    """The only run that it changes; None where it takes others along."""
    route: Route
    ids: Mapping[str, Any]
    body: Mapping[str, Any]
    sets: Sequence[TaskInstance]

    @property
    def label(self) -> str:
        """What it sets, in short."""
        return f"{self.sets[0].label if len(self.sets) == 1 else self.task_id} in {self.dag_run_id}"

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


def state_body(args: SetTaskInstancesState) -> dict[str, Any]:
    """The new state, and which relatives are to be in it too."""
    return {"new_state": args.new_state, **{name: getattr(args, name) for name in RELATIVES}}


def named_task(args: SetTaskInstancesState, run_id: str) -> tuple[Route, dict[str, str | int]]:
    """The route of the task or map index that is named in a run, and the ids in it."""
    ids: dict[str, str | int] = {"dag_id": args.dag_id, "dag_run_id": run_id, "task_id": args.task_id}
    if args.map_index is None:
        return SET_TASK, ids
    return SET_INDEX, {**ids, "map_index": args.map_index}


def whole_run(args: SetTaskInstancesState, run_id: str, sets: Sequence[TaskInstance]) -> Step:
    """One call of Airflow 2 for all that is to be set in one run."""
    # Which other runs Airflow 2 would take along depends on the schedule, which cannot be read.
    only_here = dict.fromkeys(NEIGHBOURS, False)
    body = {**state_body(args), **only_here, "task_id": args.task_id, "dag_run_id": run_id, "dry_run": False}
    return Step(args.task_id, run_id, SET_RUN, {"dag_id": args.dag_id}, body, sets)


def one_by_one(instances: Iterable[TaskInstance], place: Mapping[str, int], body: Mapping[str, Any]) -> list[Step]:
    """One call for each, in the order in which they run, since Airflow clears what failed below each that it sets."""
    return [
        Step(
            each.task_id,
            each.dag_run_id,
            SET_INDEX if each.map_index >= 0 else SET_TASK,
            each.ids,
            body,
            [each],
        )
        for each in sorted(instances, key=lambda each: place.get(each.task_id, 0))
    ]
