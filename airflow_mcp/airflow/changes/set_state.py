"""set_task_instances_state: what would be set and what Airflow would then clear, and then the change itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.consequences import Cleared, cleared_besides, moved_besides
from airflow_mcp.airflow.changes.prepared import Prepared
from airflow_mcp.airflow.changes.report import by_run, count, left_out, shortened
from airflow_mcp.airflow.changes.side_effects import runs_that_stay, stops_running
from airflow_mcp.airflow.changes.steps import Step, steps_to_send
from airflow_mcp.airflow.changes.target import look_at_target
from airflow_mcp.airflow.external_markers import refuse_half_done
from airflow_mcp.airflow.graph import running_order
from airflow_mcp.airflow.held_runs import what_holds_all
from airflow_mcp.airflow.request import build_path
from airflow_mcp.airflow.task_instances import TaskInstance, unchanged
from airflow_mcp.airflow.writer import Writer
from airflow_mcp.errors import AirflowMcpError, ConflictError, VersionChangedError
from airflow_mcp.models.changes import SetTaskInstancesState, TaskInstancesChange


async def prepare_set_state(api: Api, args: SetTaskInstancesState) -> Prepared[TaskInstancesChange]:
    """Set the state of a task's instances, and of its relatives if asked for.

    Route: POST /dags/{dag_id}/updateTaskInstancesState for each run on Airflow 2, and
    PATCH /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}[/{map_index}] on Airflow 3; the latter for
    each task instance by itself where one call would not set exactly what is asked for. Raises NotFoundError for
    an unknown task, run or map index, NeedsVersionError where Airflow would do half of it.
    """
    target = await look_at_target(api, args)
    steps = await steps_to_send(api, target)
    for step in steps:
        build_path(step.route.path, step.ids)  # refuses before the preview what no path carries
    affected = [each for step in steps for each in step.sets]
    besides = await cleared_besides(api, target, steps)
    again = {each.task_id for each in besides.at_any_time if each.dag_id == args.dag_id}
    refuse_half_done(api, args.dag_id, sorted(again.intersection(target.external_markers)))
    cleared = besides.instances
    moved = await moved_besides(api, target, steps)
    warnings = await _warnings(api, args, affected, besides)
    already = [each for each in target.instances if each.state == args.new_state]
    place = running_order(target.graph)

    async def left() -> set[str]:
        same = await unchanged(api, [*affected, *cleared])
        return {item for each in same for item in (str(each), _cleared(each))}

    return Prepared(
        preview=TaskInstancesChange(
            done=False,
            summary=_summary(args, affected, cleared, moved),
            url=api.links.to(args.dag_id, target.run_id, args.task_id, args.map_index),
            warnings=warnings or None,
            total=len(affected),
            runs=by_run(affected, args.dag_id, place),
            also_cleared=by_run(cleared, args.dag_id, place) or None,
            left_out=left_out(already, "already", place) or None,
        ),
        done=_summary(args, affected, cleared, moved, done=True),
        items=tuple(sorted([*map(str, affected), *map(_cleared, cleared), *moved])),
        stays=frozenset(moved),
        left=left,
        apply=partial(_apply, steps),
    )


def _cleared(each: TaskInstance) -> str:
    return f"clear {each}"


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


async def _warnings(
    api: Api, args: SetTaskInstancesState, affected: Sequence[TaskInstance], besides: Cleared
) -> list[str]:
    """What Airflow does besides, what it leaves as it is, and what holds what it clears."""
    found = stops_running(affected, "and what is downstream may start before")
    going_on = besides.run_ids(args.dag_id)
    found += await runs_that_stay(api, args, affected, going_on)
    still = {each.dag_run_id for each in besides.instances}
    if queued := sorted(going_on - still):
        found.append(f"{shortened(queued)}: queued again, so Airflow judges the run anew.")
    runs = {(each.dag_id, each.dag_run_id) for each in besides.at_any_time}
    return [*found, *await what_holds_all(api, args.dag_id, runs)]


def _summary(
    args: SetTaskInstancesState,
    affected: Sequence[TaskInstance],
    cleared: Sequence[TaskInstance],
    moved: Sequence[str],
    *,
    done: bool = False,
) -> str:
    if not affected:
        return f"Nothing to set in {args.dag_id}: all are already {args.new_state}."
    set_ = f"{'Done: set' if done else 'Set'} {count(affected)} of {args.dag_id} to {args.new_state}."
    then = f" Airflow then {'cleared' if done else 'clears'} {count(cleared)}, and the run goes on." if cleared else ""
    brings = "brought" if done else "brings"
    besides = f" Airflow 2 also {brings} its runs up to date with the DAG: {'; '.join(moved)}." if moved else ""
    return f"{set_}{then}{besides}"
