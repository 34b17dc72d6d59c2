"""What a call of set_task_instances_state is about: its task, the runs, and the task instances to be set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.markers import Marker, require_present
from airflow_mcp.airflow.external_markers import external_markers
from airflow_mcp.airflow.graph import all_downstream, related
from airflow_mcp.airflow.runs import run_at
from airflow_mcp.airflow.task_instances import (
    MOST_INSTANCES,
    TaskInstance,
    by_date,
    count_between,
    date_of_run,
    too_many,
    would_clear,
)
from airflow_mcp.airflow.tasks import all_tasks, require_tasks
from airflow_mcp.models.changes import SetTaskInstancesState

TEARDOWN_RULE = "all_done_setup_success"
"""The trigger rule that every teardown has, and no other task."""


@dataclass(frozen=True)
class Target:
    """What a call is about, as it is now."""

    args: SetTaskInstancesState
    run_id: str
    date: str | None
    """The run's logical date, where the runs before or after it go along."""
    graph: Mapping[str, Sequence[str]]
    """Each task's downstream ids."""
    mapped_tasks: Collection[str]
    external_markers: Collection[str]
    taken: Collection[str]
    """The tasks that are to be set."""
    instances: Sequence[TaskInstance]
    """The task instances that are to be in the new state."""
    reach: Sequence[TaskInstance]
    """The task, all that is downstream of it, and the setups and teardowns that go along when Airflow clears those."""

    def is_own(self, each: TaskInstance) -> bool:
        """Whether a task instance is one of the named task's."""
        return (each.dag_id, each.task_id) == (self.args.dag_id, self.args.task_id)

    @property
    def mapped(self) -> bool:
        """Whether the named task has map indexes."""
        return any(self.is_own(each) and each.map_index >= 0 for each in self.reach)

    def to_set(self) -> list[TaskInstance]:
        """Those that are not in the new state yet."""
        return [each for each in self.instances if each.state != self.args.new_state]

    def takes(self, dag_run_id: str) -> bool:
        """Whether one call of Airflow 2 sets in a run exactly what is asked for.

        It sets no map index, it takes a teardown along, and a task that is new in the DAG.
        """
        own = [each for each in self.reach if self.is_own(each) and each.dag_run_id == dag_run_id]
        task_ids = {each.task_id for each in self.instances if each.dag_run_id == dag_run_id}
        everything = tasks_to_set(self.args, self.graph, ())
        return bool(own) and own[0].map_index < 0 and task_ids == everything


async def look_at_target(api: Api, args: SetTaskInstancesState) -> Target:
    """What a call is about, as it is now. Raises NotFoundError for an unknown task, run or map index."""
    tasks = await all_tasks(api, args.dag_id)
    graph = {task.task_id: task.downstream_task_ids for task in tasks}
    teardowns = {task.task_id for task in tasks if task.trigger_rule == TEARDOWN_RULE}
    require_tasks([args.task_id], graph, args.dag_id)
    run_id = args.dag_run_id or ""
    if args.logical_date:
        run_id = await run_at(api, args.dag_id, args.logical_date)
    date = await date_of_run(api, args.dag_id, run_id, args)
    await _refuse_too_many(api, args, date, graph)
    reach = await related_instances(api, args, run_id, date, [args.task_id], downstream=True)
    marker = Marker(args.task_id, args.map_index)
    require_present([marker], [each for each in reach if each.dag_run_id == run_id], args.dag_id)
    candidates = reach
    if args.include_upstream:
        candidates = await related_instances(
            api, args, run_id, date, [args.task_id], upstream=True, downstream=args.include_downstream
        )
    # A clear takes setups and teardowns along that are not asked for.
    taken = tasks_to_set(args, graph, teardowns)
    instances = [
        each
        for each in candidates
        if each.dag_id == args.dag_id and each.task_id in taken
        if each.task_id != args.task_id or marker.matches(each)
    ]
    mapped = {task.task_id for task in tasks if task.is_mapped}
    return Target(args, run_id, date, graph, mapped, external_markers(tasks), taken, instances, reach)


async def _refuse_too_many(
    api: Api, args: SetTaskInstancesState, date: str | None, graph: Mapping[str, Sequence[str]]
) -> None:
    """Refuse a past or a future that is too long to look at."""
    if date is None:
        return
    tasks = related(graph, [args.task_id], upstream=args.include_upstream, downstream=True)
    number = await count_between(api, args.dag_id, args, (date, date), tasks)
    if number > MOST_INSTANCES:
        raise too_many(number)


async def related_instances(
    api: Api,
    args: SetTaskInstancesState,
    run_id: str,
    date: str | None,
    task_ids: Sequence[str],
    *,
    upstream: bool = False,
    downstream: bool = False,
) -> list[TaskInstance]:
    """Tasks and their relatives in the runs that are asked for: a clear of them, tried and not done."""
    body: dict[str, Any] = {
        "dag_run_id": run_id,
        "task_ids": list(task_ids),
        "only_failed": False,
        "include_upstream": upstream,
        "include_downstream": downstream,
        "include_future": args.include_future,
        "include_past": args.include_past,
    }
    if api.release < (3, 0):
        # Airflow 2 goes on into DAGs that wait for this one when it clears what is downstream.
        body |= {"include_subdags": True, "include_parentdag": True}
    return await would_clear(api, args.dag_id, by_date(api.release, body, date))


def tasks_to_set(
    args: SetTaskInstancesState, graph: Mapping[str, Sequence[str]], teardowns: Collection[str]
) -> set[str]:
    """The tasks that are to be set: a teardown only if it is named, or upstream of what is."""
    taken = related(graph, [args.task_id], upstream=args.include_upstream, downstream=False)
    return taken | (all_downstream(graph, [args.task_id]) - set(teardowns) if args.include_downstream else set())
