"""set_task_instances_state: what would be set and what Airflow would then clear, and then the change itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import Dags, require_tasks
from airflow_mcp.airflow.graph import below, related, running_order
from airflow_mcp.airflow.report import by_run, count, left_out
from airflow_mcp.airflow.task_instances import (
    FAILED,
    MOST_INSTANCES,
    NEIGHBOURS,
    RELATIVES,
    TASK_INSTANCE,
    Marker,
    TaskInstance,
    TaskInstances,
    from_airflow,
    matching,
    require_present,
    route_to,
    too_many,
)
from airflow_mcp.errors import AirflowMcpError, ConflictError, MayHaveHappenedError
from airflow_mcp.models.changes import Prepared, SetTaskInstancesState, TaskInstancesChange

SET_STATES = "dags/{dag_id}/updateTaskInstancesState"


@dataclass(frozen=True)
class _Target:
    """What a call is about, as it is now."""

    args: SetTaskInstancesState
    run_id: str
    graph: Mapping[str, Sequence[str]]
    """Each task's downstream ids."""
    asked: Sequence[TaskInstance]
    """The task instances that are to be in the new state."""
    below: Sequence[TaskInstance]
    """The task and all that is downstream of it."""

    def is_own(self, each: TaskInstance) -> bool:
        """Whether a task instance is one of the named task's."""
        return (each.dag_id, each.task_id) == (self.args.dag_id, self.args.task_id)

    @property
    def mapped(self) -> bool:
        """Whether the named task has map indexes."""
        return any(self.is_own(each) and each.map_index >= 0 for each in self.below)

    def to_set(self) -> list[TaskInstance]:
        """Those that are not in the new state yet."""
        return [each for each in self.asked if each.state != self.args.new_state]

    def cleared_with(self, affected: Sequence[TaskInstance]) -> list[TaskInstance]:
        """What Airflow clears by itself afterwards: the failed ones downstream, but for the task itself."""
        set_now = set(affected)
        return [
            each
            for each in self.below
            if affected and not self.is_own(each) and (self.args.new_state if each in set_now else each.state) in FAILED
        ]


class SetState:
    """Setting the state of task instances of one Airflow."""

    def __init__(self, airflow: Airflow, dags: Dags) -> None:
        self._airflow = airflow
        self._dags = dags
        self._instances = TaskInstances(airflow)

    async def prepare(self, args: SetTaskInstancesState) -> Prepared[TaskInstancesChange]:
        """Set the state of a task's instances, and of its relatives if asked for.

        Route: POST /dags/{dag_id}/updateTaskInstancesState on Airflow 2, and
        PATCH /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}[/{map_index}] on Airflow 3; before 3.1,
        and on 2, the latter for each map index of a mapped task. Raises NotFoundError for an unknown task, run or
        map index, NeedsVersionError for a state that this Airflow cannot set.
        """
        await self._airflow.require([f"new_state={args.new_state}"])
        target = await self._look(args)
        affected = await self._affected(target)
        cleared = await self._cleared(target, affected)

        async def apply() -> None:
            await self._apply(target, affected)

        return Prepared(
            preview=TaskInstancesChange(
                summary=_summary(args, affected, cleared),
                total=len(affected),
                runs=by_run(affected, args.dag_id),
                also_cleared=by_run(cleared, args.dag_id) or None,
                left_out=left_out((each for each in target.asked if each.state == args.new_state), "already") or None,
            ),
            items=tuple(sorted([*map(str, affected), *(f"clear {each}" for each in cleared)])),
            apply=apply,
        )

    async def _look(self, args: SetTaskInstancesState) -> _Target:
        graph = {task.task_id: task.downstream_task_ids for task in await self._dags.graph(args.dag_id)}
        require_tasks([args.task_id], graph, args.dag_id)
        run_id = args.dag_run_id or ""
        if args.logical_date:
            run_id = await self._instances.run_at(args.dag_id, args.logical_date)
        await self._require_neighbours(args, run_id, graph)
        under = await self._related(args, run_id, [args.task_id], downstream=True)
        asked = under
        if args.include_upstream:
            asked = await self._related(args, run_id, [args.task_id], upstream=True, downstream=args.include_downstream)
        marker = Marker(args.task_id, args.map_index)
        relatives = args.include_upstream or args.include_downstream
        asked = [
            each
            for each in asked
            if each.dag_id == args.dag_id and (marker.matches(each) if each.task_id == args.task_id else relatives)
        ]
        require_present([marker], [each for each in under if each.dag_run_id == run_id], args.dag_id)
        return _Target(args, run_id, graph, asked, under)

    async def _require_neighbours(
        self, args: SetTaskInstancesState, run_id: str, graph: Mapping[str, Sequence[str]]
    ) -> None:
        """Refuse a past and a future that there is not, or that is too long to look at."""
        names = [name for name in NEIGHBOURS if getattr(args, name)]
        if not names:
            return
        # Without a logical date Airflow 3 would take none, or clear in all.
        moment = await self._instances.require_logical_date(args.dag_id, run_id, names[0])
        tasks = related(graph, [args.task_id], upstream=args.include_upstream, downstream=True)
        there = await self._instances.count(args.dag_id, args, (moment, moment), tasks)
        if there > MOST_INSTANCES:
            raise too_many(there)

    async def _related(
        self,
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
        if (await self._airflow.dialect()).name == "v1":
            # Airflow 2 goes on into DAGs that wait for this one when it clears what is downstream.
            body |= {"include_subdags": True, "include_parentdag": True}
        return await self._instances.would_clear(args.dag_id, await self._instances.scoped(args.dag_id, body))

    async def _affected(self, target: _Target) -> list[TaskInstance]:
        args = target.args
        if await self._one_by_one(target):
            return target.to_set()
        if (await self._airflow.dialect()).name == "v2":
            route, ids = route_to(args.dag_id, target.run_id, args.task_id, args.map_index)
            answer = await self._airflow.read(f"{route}/dry_run", ids, method="PATCH", body=_state_body(args))
            return from_airflow(answer["task_instances"])
        body = {**_v1_body(target), "dry_run": True}
        answer = await self._airflow.read(SET_STATES, {"dag_id": args.dag_id}, method="POST", body=body)
        return matching(answer["task_instances"], target.to_set())

    async def _cleared(self, target: _Target, affected: Sequence[TaskInstance]) -> list[TaskInstance]:
        if not (affected and await self._one_by_one(target)):
            return target.cleared_with(affected)
        # Set one by one, each of them has Airflow clear what failed below it.
        set_ids = sorted({each.task_id for each in affected})
        there = await self._related(target.args, target.run_id, set_ids, downstream=True)
        under, set_now = below(target.graph, set_ids), set(affected)
        return [
            each
            for each in there
            if each.state in FAILED
            and each not in set_now
            and (each.dag_id != target.args.dag_id or each.task_id in under)
        ]

    async def _apply(self, target: _Target, affected: Sequence[TaskInstance]) -> None:
        args = target.args
        if await self._one_by_one(target):
            # In the order in which they run, since Airflow clears what failed below each one that it sets.
            place = running_order(target.graph)
            await self._set_one_by_one(args, sorted(affected, key=lambda each: place.get(each.task_id, 0)))
        elif (await self._airflow.dialect()).name == "v2":
            route, ids = route_to(args.dag_id, target.run_id, args.task_id, args.map_index)
            await self._airflow.change("PATCH", route, ids, body=_state_body(args))
        else:
            body = {**_v1_body(target), "dry_run": False}
            await self._airflow.change("POST", SET_STATES, {"dag_id": args.dag_id}, body=body)

    async def _one_by_one(self, target: _Target) -> bool:
        """Whether each map index is set by itself, as Airflow before 3.1 cannot set those of a task in one call."""
        return target.mapped and not (await self._airflow.release()).sets_mapped_tasks

    async def _set_one_by_one(self, args: SetTaskInstancesState, instances: Sequence[TaskInstance]) -> None:
        body: dict[str, Any] = {"new_state": args.new_state}
        if (await self._airflow.dialect()).name == "v1":
            body["dry_run"] = False  # which is its default; Airflow 3 has a route of its own for it
        for number, each in enumerate(instances):
            route = f"{TASK_INSTANCE}/{{map_index}}" if each.map_index >= 0 else TASK_INSTANCE
            try:
                await self._airflow.change("PATCH", route, each.ids, body=body)
            except AirflowMcpError as error:
                kind = MayHaveHappenedError if isinstance(error, MayHaveHappenedError) else ConflictError
                raise kind(f"{number} of {len(instances)} were set, then {each.label} failed. {error}") from None


def _state_body(args: SetTaskInstancesState) -> dict[str, Any]:
    return {"new_state": args.new_state, **{name: getattr(args, name) for name in RELATIVES}}


def _v1_body(target: _Target) -> dict[str, Any]:
    return {**_state_body(target.args), "task_id": target.args.task_id, "dag_run_id": target.run_id}


def _summary(args: SetTaskInstancesState, affected: Sequence[TaskInstance], cleared: Sequence[TaskInstance]) -> str:
    if not affected:
        return f"Nothing to set in {args.dag_id}: all are {args.new_state} already."
    then = f" Airflow then clears {count(cleared)} downstream, and the run goes on." if cleared else ""
    return f"Set {count(affected)} of {args.dag_id} to {args.new_state}.{then}"
