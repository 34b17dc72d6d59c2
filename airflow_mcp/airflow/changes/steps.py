"""The requests that set states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.target import Target
from airflow_mcp.airflow.graph import running_order
from airflow_mcp.airflow.route import TASK_INSTANCES, Route, may_edit
from airflow_mcp.airflow.task_instances import FAILED, NEIGHBOURS, RELATIVES, Rows, TaskInstance, from_airflow
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
        in_its_run = self.dag_run_id in (None, each.dag_run_id) or each.dag_id != dag_id
        return in_its_run and each.task_id != self.task_id


async def steps_to_send(api: Api, target: Target) -> list[Step]:
    """The requests to send. Only Airflow 3 is asked what it would set: Airflow 2 writes when it is."""
    args = target.args
    if api.release < (3, 0):
        return _steps_of_2(target)
    order, alone = running_order(target.graph), {"new_state": args.new_state}
    if target.mapped and api.release < (3, 1):
        return _one_by_one(target.to_set(), order, alone)
    route, ids = _named_task(args, target.run_id)
    body = _state_body(args)
    answer = await api.dry_run(route, Rows, body, **ids)
    affected = from_airflow(answer.task_instances)
    wanted = [each for each in affected if each.task_id in target.taken]
    if len(wanted) < len(affected):  # as 3.0 does with teardowns
        return _one_by_one(wanted, order, alone)
    run_id = None if args.include_future or args.include_past else target.run_id
    return [Step(args.task_id, run_id, route, ids, body, affected)] if affected else []


def _steps_of_2(target: Target) -> list[Step]:
    """One call for each run if that sets exactly what is asked for, else one for each task instance."""
    to_set = target.to_set()
    if not to_set:
        return []
    failed = {each.dag_run_id for each in target.reach if each.state in FAILED and not target.is_own(each)}
    whole: list[Step] = []
    single: list[TaskInstance] = []
    for run_id in sorted({each.dag_run_id for each in target.instances}):
        in_run = [each for each in to_set if each.dag_run_id == run_id]
        if not target.takes(run_id):
            single += in_run
        elif in_run or run_id in failed:
            whole.append(_whole_run(target.args, run_id, in_run))
    body = {"new_state": target.args.new_state, "dry_run": False}  # which is its default; Airflow 3 has no such field
    return whole + _one_by_one(single, running_order(target.graph), body)


def _state_body(args: SetTaskInstancesState) -> dict[str, Any]:
    """The new state, and which relatives are to be in it too."""
    return {"new_state": args.new_state, **{name: getattr(args, name) for name in RELATIVES}}


def _named_task(args: SetTaskInstancesState, run_id: str) -> tuple[Route, dict[str, str | int]]:
    """The route of the task or map index that is named in a run, and the ids in it."""
    ids: dict[str, str | int] = {"dag_id": args.dag_id, "dag_run_id": run_id, "task_id": args.task_id}
    if args.map_index is None:
        return SET_TASK, ids
    return SET_INDEX, {**ids, "map_index": args.map_index}


def _whole_run(args: SetTaskInstancesState, run_id: str, sets: Sequence[TaskInstance]) -> Step:
    """One call of Airflow 2 for all that is to be set in one run."""
    # Which other runs Airflow 2 would take along depends on the schedule, which cannot be read.
    only_here = dict.fromkeys(NEIGHBOURS, False)
    body = {**_state_body(args), **only_here, "task_id": args.task_id, "dag_run_id": run_id, "dry_run": False}
    return Step(args.task_id, run_id, SET_RUN, {"dag_id": args.dag_id}, body, sets)


def _one_by_one(instances: Iterable[TaskInstance], place: Mapping[str, int], body: Mapping[str, Any]) -> list[Step]:
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
