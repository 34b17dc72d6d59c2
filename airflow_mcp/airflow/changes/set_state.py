"""set_task_instances_state: what would be set and what Airflow would then clear, and then the change itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.integrity import MOST_COMPARED, brought_up_to_date
from airflow_mcp.airflow.changes.prepared import Prepared
from airflow_mcp.airflow.changes.report import by_run, count, left_out, shortened
from airflow_mcp.airflow.changes.steps import Step, cleared_after, named_task, one_by_one, state_body, whole_run
from airflow_mcp.airflow.graph import below, related, running_order
from airflow_mcp.airflow.runs import require_logical_date, run_at
from airflow_mcp.airflow.task_instances import (
    FAILED,
    MOST_INSTANCES,
    NEIGHBOURS,
    Marker,
    Rows,
    TaskInstance,
    count_between,
    from_airflow,
    of_runs,
    require_present,
    scoped,
    too_many,
    would_clear,
)
from airflow_mcp.airflow.tasks import all_tasks, require_tasks
from airflow_mcp.airflow.writer import Writer
from airflow_mcp.errors import AirflowMcpError, ConflictError, VersionChangedError
from airflow_mcp.models.changes import SetTaskInstancesState, TaskInstancesChange

TEARDOWN_RULE = "all_done_setup_success"
"""The trigger rule that every teardown has, and no other task."""


@dataclass(frozen=True)
class _Target:
    """What a call is about, as it is now."""

    args: SetTaskInstancesState
    run_id: str
    graph: Mapping[str, Sequence[str]]
    """Each task's downstream ids."""
    mapped_tasks: Collection[str]
    taken: Collection[str]
    """The tasks that are to be set."""
    asked: Sequence[TaskInstance]
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
        return [each for each in self.asked if each.state != self.args.new_state]

    def takes(self, dag_run_id: str) -> bool:
        """Whether one call of Airflow 2 sets in a run exactly what is asked for.

        It sets no map index, it takes a teardown along, and a task that is new in the DAG.
        """
        own = [each for each in self.reach if self.is_own(each) and each.dag_run_id == dag_run_id]
        there = {each.task_id for each in self.asked if each.dag_run_id == dag_run_id}
        everything = _taken(self.args, self.graph, ())
        return bool(own) and own[0].map_index < 0 and there == everything


async def prepare_set_state(api: Api, args: SetTaskInstancesState) -> Prepared[TaskInstancesChange]:
    """Set the state of a task's instances, and of its relatives if asked for.

    Route: POST /dags/{dag_id}/updateTaskInstancesState for each run on Airflow 2, and
    PATCH /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}[/{map_index}] on Airflow 3; the latter for
    each task instance by itself where one call would not set exactly what is asked for. Raises NotFoundError for
    an unknown task, run or map index.
    """
    target = await _look(api, args)
    steps = await _steps(api, target)
    affected = [each for step in steps for each in step.sets]
    cleared = await _cleared(api, target, steps)
    moved = await _moved_besides(api, target, steps)
    return Prepared(
        preview=TaskInstancesChange(
            done=False,
            summary=_summary(args, affected, cleared, moved),
            total=len(affected),
            runs=by_run(affected, args.dag_id),
            also_cleared=by_run(cleared, args.dag_id) or None,
            left_out=left_out((each for each in target.asked if each.state == args.new_state), "already") or None,
        ),
        items=tuple(sorted([*map(str, affected), *(f"clear {each}" for each in cleared), *moved])),
        apply=partial(_apply, steps),
    )


async def _look(api: Api, args: SetTaskInstancesState) -> _Target:
    tasks = await all_tasks(api, args.dag_id)
    graph = {task.task_id: task.downstream_task_ids for task in tasks}
    teardowns = {task.task_id for task in tasks if task.trigger_rule == TEARDOWN_RULE}
    require_tasks([args.task_id], graph, args.dag_id)
    run_id = args.dag_run_id or ""
    if args.logical_date:
        run_id = await run_at(api, args.dag_id, args.logical_date)
    await _require_neighbours(api, args, run_id, graph)
    reach = await _related(api, args, run_id, [args.task_id], downstream=True)
    marker = Marker(args.task_id, args.map_index)
    require_present([marker], [each for each in reach if each.dag_run_id == run_id], args.dag_id)
    there = reach
    if args.include_upstream:
        there = await _related(api, args, run_id, [args.task_id], upstream=True, downstream=args.include_downstream)
    # A clear takes setups and teardowns along that are not asked for.
    taken = _taken(args, graph, teardowns)
    asked = [
        each
        for each in there
        if each.dag_id == args.dag_id and each.task_id in taken
        if each.task_id != args.task_id or marker.matches(each)
    ]
    mapped = {task.task_id for task in tasks if task.is_mapped}
    return _Target(args, run_id, graph, mapped, taken, asked, reach)


async def _require_neighbours(
    api: Api, args: SetTaskInstancesState, run_id: str, graph: Mapping[str, Sequence[str]]
) -> None:
    """Refuse a past and a future that there is not, or that is too long to look at."""
    names = [name for name in NEIGHBOURS if getattr(args, name)]
    if not names:
        return
    # Without a logical date Airflow 3 would take none, or clear in all.
    moment = await require_logical_date(api, args.dag_id, run_id, names[0])
    tasks = related(graph, [args.task_id], upstream=args.include_upstream, downstream=True)
    there = await count_between(api, args.dag_id, args, (moment, moment), tasks)
    if there > MOST_INSTANCES:
        raise too_many(there)


async def _related(
    api: Api,
    args: SetTaskInstancesState,
    run_id: str,
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
    return await would_clear(api, args.dag_id, await scoped(api, args.dag_id, body))


async def _steps(api: Api, target: _Target) -> list[Step]:
    """The requests to send. Only Airflow 3 is asked what it would set: Airflow 2 writes when it is."""
    args = target.args
    if api.release < (3, 0):
        return _steps_of_2(target)
    order, alone = running_order(target.graph), {"new_state": args.new_state}
    if target.mapped and api.release < (3, 1):
        return one_by_one(target.to_set(), order, alone)
    route, ids = named_task(args, target.run_id)
    body = state_body(args)
    answer = await api.dry_run(route, Rows, body, **ids)
    affected = from_airflow(answer.task_instances)
    wanted = [each for each in affected if each.task_id in target.taken]
    if len(wanted) < len(affected):  # as 3.0 does with teardowns
        return one_by_one(wanted, order, alone)
    run_id = None if args.include_future or args.include_past else target.run_id
    return [Step(args.task_id, run_id, route, ids, body, affected)] if affected else []


async def _cleared(api: Api, target: _Target, steps: Sequence[Step]) -> list[TaskInstance]:
    args = target.args
    reach = {args.task_id: target.reach}
    others = sorted({step.task_id for step in steps} - reach.keys())
    if others:
        reach |= await _reach(api, target, others, {each for step in steps for each in step.sets})
    return cleared_after(steps, reach, args.dag_id, args.new_state)


async def _reach(
    api: Api, target: _Target, task_ids: Sequence[str], affected: Collection[TaskInstance]
) -> dict[str, Sequence[TaskInstance]]:
    """What a clear of what is downstream of each of these tasks looks at."""
    args = target.args
    there = await _related(api, args, target.run_id, task_ids, downstream=True)
    under = {task_id: below(target.graph, [task_id]) for task_id in task_ids}
    known = set(task_ids).union(*under.values())
    failed = [each for each in there if each.state in FAILED and each not in affected]
    # Which setups go along with which task no route tells: then each is looked at by itself.
    setups = any(each.dag_id == args.dag_id and each.task_id not in known for each in failed)
    if setups or args.new_state in FAILED:
        return {task_id: await _related(api, args, target.run_id, [task_id], downstream=True) for task_id in task_ids}
    return {
        task_id: [each for each in failed if each.dag_id != args.dag_id or each.task_id in under[task_id]]
        for task_id in task_ids
    }


async def _moved_besides(api: Api, target: _Target, steps: Sequence[Step]) -> list[str]:
    """What Airflow 2 does to the runs besides, where they are small enough to be looked at."""
    if not steps or api.release >= (3, 0):
        return []
    run_ids = {step.dag_run_id for step in steps if step.dag_run_id}
    there = await of_runs(api, target.args.dag_id, run_ids, most=MOST_COMPARED)
    return brought_up_to_date(target.graph.keys(), target.mapped_tasks, there)


async def _apply(steps: Sequence[Step], writer: Writer) -> None:
    done: list[Step] = []
    for step in steps:
        try:
            await writer.send(step.route, body=step.body, **step.ids)
        except VersionChangedError as error:
            if not done:
                raise  # then all of it can be asked for anew
            raise ConflictError(error.what).with_effects(_effects(steps, done)) from None
        except AirflowMcpError as error:
            if len(steps) > 1:
                error.what = f"{step.label}: {error.what}"
            if done:
                error.effects = _effects(steps, done)
            raise
        done.append(step)


def _effects(steps: Sequence[Step], done: Sequence[Step]) -> str:
    """What was set before the step that failed, and that no other was tried after it."""
    number, total = (sum(len(step.sets) for step in some) for some in (done, steps))
    labels = shortened([step.label for step in done])
    rest = len(steps) - len(done) - 1
    return f"{number} of {total} were set: {labels}." + (f" The {rest} after it were not tried." if rest else "")


def _taken(args: SetTaskInstancesState, graph: Mapping[str, Sequence[str]], teardowns: Collection[str]) -> set[str]:
    """The tasks that are to be set: a teardown only if it is named, or upstream of what is."""
    taken = related(graph, [args.task_id], upstream=args.include_upstream, downstream=False)
    return taken | (below(graph, [args.task_id]) - set(teardowns) if args.include_downstream else set())


def _steps_of_2(target: _Target) -> list[Step]:
    """One call for each run if that sets exactly what is asked for, else one for each task instance."""
    to_set = target.to_set()
    if not to_set:
        return []
    failed = {each.dag_run_id for each in target.reach if each.state in FAILED and not target.is_own(each)}
    whole: list[Step] = []
    single: list[TaskInstance] = []
    for run_id in sorted({each.dag_run_id for each in target.asked}):
        here = [each for each in to_set if each.dag_run_id == run_id]
        if not target.takes(run_id):
            single += here
        elif here or run_id in failed:
            whole.append(whole_run(target.args, run_id, here))
    body = {"new_state": target.args.new_state, "dry_run": False}  # which is its default; Airflow 3 has no such field
    return whole + one_by_one(single, running_order(target.graph), body)


def _summary(
    args: SetTaskInstancesState,
    affected: Sequence[TaskInstance],
    cleared: Sequence[TaskInstance],
    moved: Sequence[str],
) -> str:
    if not affected:
        return f"Nothing to set in {args.dag_id}: all are {args.new_state} already."
    then = f" Airflow then clears {count(cleared)}, and the run goes on." if cleared else ""
    besides = f" Airflow 2 also brings its runs up to date with the DAG: {'; '.join(moved)}." if moved else ""
    return f"Set {count(affected)} of {args.dag_id} to {args.new_state}.{then}{besides}"
