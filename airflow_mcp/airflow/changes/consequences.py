"""What Airflow does besides when states are set: what it clears, and runs that it brings up to date."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.integrity import brought_up_to_date
from airflow_mcp.airflow.changes.steps import Step
from airflow_mcp.airflow.changes.target import Target, related_instances
from airflow_mcp.airflow.graph import all_downstream
from airflow_mcp.airflow.task_instances import FAILED, MOST_COMPARED, TaskInstance, of_runs
from airflow_mcp.models.states import NO_STATUS


@dataclass(frozen=True)
class Cleared:
    """What Airflow clears besides."""

    instances: Sequence[TaskInstance]
    """Those that are cleared in the end, in their present states."""
    at_any_time: Collection[TaskInstance]
    """These and those that a later request sets."""

    def run_ids(self, dag_id: str) -> set[str]:
        """The runs of a DAG of which any was cleared, if only for a time: those that go on."""
        return {each.dag_run_id for each in self.at_any_time if each.dag_id == dag_id}


async def cleared_besides(api: Api, target: Target, steps: Sequence[Step]) -> Cleared:
    """The task instances that Airflow clears after these requests."""
    args = target.args
    reach: Mapping[str, Sequence[TaskInstance]] = {args.task_id: target.reach}
    others = sorted({step.task_id for step in steps} - reach.keys())
    if others:
        more = await _reach(api, target, others, {each for step in steps for each in step.sets})
        reach = {**reach, **more}
    reach = await _without_idle_markers(api, target, steps, reach)
    return cleared_after(steps, reach, args.dag_id, args.new_state)


async def _without_idle_markers(
    api: Api, target: Target, steps: Sequence[Step], reach: Mapping[str, Sequence[TaskInstance]]
) -> Mapping[str, Sequence[TaskInstance]]:
    """The same without what lies in other DAGs behind an ExternalTaskMarker that has not failed.

    Airflow 2 goes on into another DAG from a marker that it clears, or that it has set to failed itself.
    """
    args = target.args
    own = {task_id: [each for each in all_ if _is_in(each, args.dag_id)] for task_id, all_ in reach.items()}
    if all(len(own[task_id]) == len(all_) for task_id, all_ in reach.items()):
        return reach
    failing = {each.task_id for each in cleared_after(steps, own, args.dag_id, args.new_state).at_any_time}
    if args.new_state in FAILED:
        failing |= {each.task_id for step in steps for each in step.sets}
    behind: set[TaskInstance] = set()
    if failing:
        behind |= {*await related_instances(api, args, target.run_id, target.date, sorted(failing))}
    return {
        task_id: [each for each in all_ if _is_in(each, args.dag_id) or each in behind]
        for task_id, all_ in reach.items()
    }


def _is_in(each: TaskInstance, dag_id: str) -> bool:
    """Whether a task instance is of a DAG or of one of its sub-DAGs."""
    return each.dag_id == dag_id or each.dag_id.startswith(f"{dag_id}.")


async def _reach(
    api: Api, target: Target, task_ids: Sequence[str], affected: Collection[TaskInstance]
) -> dict[str, Sequence[TaskInstance]]:
    """What a clear of what is downstream of each of these tasks looks at."""
    args = target.args
    instances = await related_instances(api, args, target.run_id, target.date, task_ids, downstream=True)
    downstream = {task_id: all_downstream(target.graph, [task_id]) for task_id in task_ids}
    known = set(task_ids).union(*downstream.values())
    failed = [each for each in instances if each.state in FAILED]
    # Which setups go along with which task no route tells: then each is looked at by itself.
    setups = any(each.dag_id == args.dag_id and each.task_id not in known and each not in affected for each in failed)
    if setups or args.new_state in FAILED:
        return {
            task_id: await related_instances(api, args, target.run_id, target.date, [task_id], downstream=True)
            for task_id in task_ids
        }
    return {
        task_id: [each for each in failed if each.dag_id != args.dag_id or each.task_id in downstream[task_id]]
        for task_id in task_ids
    }


async def moved_besides(api: Api, target: Target, steps: Sequence[Step]) -> list[str]:
    """What Airflow 2 does to the runs besides, where they are small enough to be looked at."""
    if not steps or api.release >= (3, 0):
        return []
    run_ids = {step.dag_run_id for step in steps if step.dag_run_id}
    instances = await of_runs(api, target.args.dag_id, run_ids, most=MOST_COMPARED)
    return brought_up_to_date(target.graph.keys(), target.mapped_tasks, instances)


def cleared_after(
    steps: Sequence[Step], reach: Mapping[str, Sequence[TaskInstance]], dag_id: str, new_state: str
) -> Cleared:
    """What Airflow has cleared in the end.

    `reach` has for each task the task instances that a clear of what is downstream of it looks at.
    """
    now: dict[TaskInstance, str] = {}
    cleared: dict[TaskInstance, None] = {}
    at_any_time: set[TaskInstance] = set()
    for step in steps:
        for each in step.sets:
            now[each] = new_state
            cleared.pop(each, None)
        for each in reach[step.task_id]:
            if step.clears(each, dag_id) and now.get(each, each.state) in FAILED:
                now[each] = NO_STATUS
                cleared[each] = None
                at_any_time.add(each)
    return Cleared(list(cleared), at_any_time)
