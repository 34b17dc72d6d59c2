"""clear_task_instances: what would run again, and then the clear itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.markers import Marker, absent, other_indexes, require_present
from airflow_mcp.airflow.changes.new_tasks import runs_on_new_tasks
from airflow_mcp.airflow.changes.prepared import Prepared
from airflow_mcp.airflow.changes.report import by_run, count, left_out, shortened
from airflow_mcp.airflow.changes.side_effects import stops_running
from airflow_mcp.airflow.changes.torn_down import torn_down
from airflow_mcp.airflow.changes.undated import undated_runs
from airflow_mcp.airflow.graph import related, running_order
from airflow_mcp.airflow.held_runs import what_holds_all
from airflow_mcp.airflow.task_instances import (
    CLEAR,
    MOST_COMPARED,
    MOST_INSTANCES,
    RELATIVES,
    TaskInstance,
    by_date,
    count_between,
    count_of_task,
    date_of_run,
    too_many,
    unchanged,
    would_clear,
)
from airflow_mcp.airflow.tasks import all_tasks, require_tasks
from airflow_mcp.airflow.writer import Writer
from airflow_mcp.errors import NeedsVersionError, NotFoundError, ServerFaultError
from airflow_mcp.models.changes import ClearTaskInstances, TaskInstancesChange
from airflow_mcp.models.states import NO_STATUS
from airflow_mcp.models.tasks import Task

OPTIONS = ("include_subdags", "include_parentdag", "run_on_latest_version", "prevent_running_task", "note")
"""What some releases take and others do not: sent where it is given."""


async def prepare_clear(api: Api, args: ClearTaskInstances) -> Prepared[TaskInstancesChange]:
    """Clear task instances so that they run again.

    Route: POST /dags/{dag_id}/clearTaskInstances. Raises NotFoundError for an unknown run, task or map index,
    NeedsVersionError for one map index where this Airflow would clear others too.
    """
    markers = [Marker.parse(text) for text in args.task_ids or ()]
    tasks = await _tasks(api, args)
    graph = {task.task_id: task.downstream_task_ids for task in tasks}
    reached = await _reached(api, args, markers, graph)
    date = await date_of_run(api, args.dag_id, args.dag_run_id, args)
    body = by_date(api.release, {**_options(args), **_scope(args), **_task_ids(api, markers)}, date)
    number = await _in_reach(api, args, reached, date)
    seen = await _look(api, args, markers, body, number)
    affected, place = seen.affected, running_order(graph)
    _refuse_other_indexes(api, args, markers, affected)
    warnings = await _warnings(api, args, body, seen, tasks)

    async def left() -> set[str]:
        return set(map(str, await unchanged(api, affected)))

    async def apply(writer: Writer) -> None:
        await writer.send(CLEAR, body=body, dag_id=args.dag_id)

    return Prepared(
        preview=TaskInstancesChange(
            done=False,
            summary=_summary(args, affected, "Clear"),
            url=api.links.to(args.dag_id, args.dag_run_id),
            warnings=warnings or None,
            total=len(affected),
            runs=by_run(affected, args.dag_id, place),
            left_out=[*_left_out(args, seen, place), *await undated_runs(api, args)] or None,
        ),
        done=_summary(args, affected, "Cleared"),
        items=tuple(sorted(map(str, affected))),
        stays=frozenset(str(each) for each in affected if each.state == NO_STATUS),
        left=left,
        apply=apply,
    )


@dataclass(frozen=True)
class _Seen:
    """What the runs hold."""

    affected: Sequence[TaskInstance]
    others: Sequence[TaskInstance] = ()
    """Those asked for that are not affected."""
    not_listed: int = 0
    """How many are not affected, where they are too many to be listed."""


async def _tasks(api: Api, args: ClearTaskInstances) -> Sequence[Task]:
    """The tasks of the DAG; none where Airflow does not list them, and nothing needs them."""
    try:
        return await all_tasks(api, args.dag_id)
    except (ServerFaultError, NotFoundError):  # where there is no DAG, the clear itself says so
        if args.include_upstream or args.include_downstream:
            raise
        return ()


async def _reached(
    api: Api, args: ClearTaskInstances, markers: Sequence[Marker], graph: Mapping[str, Sequence[str]]
) -> set[str]:
    """The tasks that are named and their relatives; none where all are meant. Raises NotFoundError."""
    named = [marker.task_id for marker in markers]
    for task_id in (each for each in named if graph and each not in graph):
        if not await count_of_task(api, args.dag_id, args.dag_run_id, task_id):
            require_tasks([task_id], graph, args.dag_id)
        if api.release < (3, 1):  # later ones take the DAG as it was for the run
            raise NotFoundError(
                f"DAG {args.dag_id} has no task {task_id!r} any more, and {api.airflow} clears no task that is gone.",
                "Leave task_ids out to clear the whole run.",
            )
    return related(graph, named, upstream=args.include_upstream, downstream=args.include_downstream)


async def _look(
    api: Api, args: ClearTaskInstances, markers: Sequence[Marker], body: Mapping[str, Any], number: int
) -> _Seen:
    """What would be cleared of the `number` in reach, and what is among those asked for and would not be.

    Airflow takes milliseconds for each task instance that it lists, so with many only the filtered ones are
    listed. Raises TooLargeError where there are too many without a filter.
    """
    filtered = args.only_failed or args.only_running
    if filtered and number > MOST_COMPARED:
        affected = await would_clear(api, args.dag_id, body)
        return _Seen(affected, not_listed=number - sum(each.dag_id == args.dag_id for each in affected))
    if number > MOST_INSTANCES:
        raise too_many(number)
    unfiltered = await _unfiltered(api, args.dag_id, markers, body)
    affected = await would_clear(api, args.dag_id, body) if filtered else unfiltered
    kept = {*affected, *other_indexes(markers, unfiltered)}
    return _Seen(affected, [each for each in unfiltered if each not in kept])


def _left_out(args: ClearTaskInstances, seen: _Seen, place: Mapping[str, int]) -> list[str]:
    """In words, what is among those asked for and is not affected."""
    reason = "and only_failed is on" if args.only_failed else "and only_running is on"
    if seen.not_listed > 0:
        return [f"up to {seen.not_listed} more task instances in these runs, {reason}"]
    return left_out(seen.others, reason, place)


async def _in_reach(api: Api, args: ClearTaskInstances, task_ids: Iterable[str], date: str | None) -> int:
    """How many task instances are in the runs that are asked for; one run alone is not looked at, and counts 0."""
    if args.dag_run_id and date is None:
        return 0
    scope = _scope(args)
    dates = (date, date) if date else (scope.get("start_date"), scope.get("end_date"))
    return await count_between(api, args.dag_id, args, dates, task_ids)


async def _unfiltered(api: Api, dag_id: str, markers: Sequence[Marker], body: Mapping[str, Any]) -> list[TaskInstance]:
    """What a clear without a filter would touch. Raises NotFoundError for what was named and does not exist."""
    unfiltered = {**body, "only_failed": False, "only_running": False}
    found = await would_clear(api, dag_id, unfiltered)
    if absent(markers, found):
        whole = {**unfiltered, "task_ids": [marker.task_id for marker in markers]}
        require_present(markers, await would_clear(api, dag_id, whole), dag_id)
    return found


def _options(args: ClearTaskInstances) -> dict[str, Any]:
    options = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    always = ("only_failed", "only_running", "reset_dag_runs", *RELATIVES)
    return {**{name: getattr(args, name) for name in always}, **options}


def _scope(args: ClearTaskInstances) -> dict[str, Any]:
    scope = {
        "dag_run_id": args.dag_run_id,
        "start_date": args.start_date and args.start_date.isoformat(),
        "end_date": args.end_date and args.end_date.isoformat(),
    }
    return {name: value for name, value in scope.items() if value is not None}


def _task_ids(api: Api, markers: Sequence[Marker]) -> dict[str, Any]:
    if not markers:
        return {}
    if api.release < (3, 0):
        return {"task_ids": list(dict.fromkeys(marker.task_id for marker in markers))}
    return {
        "task_ids": [
            marker.task_id if marker.map_index is None else [marker.task_id, marker.map_index] for marker in markers
        ]
    }


def _refuse_other_indexes(
    api: Api, args: ClearTaskInstances, markers: Sequence[Marker], affected: Iterable[TaskInstance]
) -> None:
    """Airflow 2 clears all indexes of a task that its filter leaves, and 3.0 does where relatives go along.

    Later ones clear another index only as a relative of something else that was asked for.
    """
    others = [each.label for each in other_indexes(markers, sorted(affected))]
    relatives = any(getattr(args, name) for name in RELATIVES)
    if others and api.release < (3, 1):
        raise NeedsVersionError(
            "Clearing one map index",
            "Airflow 3.1" if relatives or api.release >= (3, 0) else "Airflow 3",
            f"{api.airflow} would clear {shortened(others)} too. Name the task without an index to clear them all.",
        )


async def _warnings(
    api: Api, args: ClearTaskInstances, body: Mapping[str, Any], seen: _Seen, tasks: Sequence[Task]
) -> list[str]:
    """What Airflow does besides, what is missing to run again, and what holds it."""
    if not seen.affected:
        return []
    own = [each for each in seen.affected if each.dag_id == args.dag_id]
    queued = {(each.dag_id, each.dag_run_id) for each in seen.affected} if args.reset_dag_runs else set()
    everything = [*own, *seen.others] if args.task_ids is None and not seen.not_listed else None
    return [
        *stops_running(seen.affected, "and then runs it again"),
        *await runs_on_new_tasks(api, args, tasks, own, everything),
        *await torn_down(api, body, own, tasks),
        *await what_holds_all(api, args.dag_id, queued),
    ]


def _summary(args: ClearTaskInstances, affected: Sequence[TaskInstance], verb: str) -> str:
    if not affected:
        return f"Nothing to clear in {args.dag_id}: no task instance fits."
    one_run = len({(each.dag_id, each.dag_run_id) for each in affected}) == 1
    then = "the run is queued again" if one_run else "the runs are queued again"
    if not args.reset_dag_runs:
        then = "finished runs stay finished, so nothing in them runs again"
    return f"{verb} {count(affected)} of {args.dag_id}; {then}."
