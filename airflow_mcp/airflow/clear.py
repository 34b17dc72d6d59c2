"""clear_task_instances: what would run again, and then the clear itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import PAGE, Dags, require_tasks
from airflow_mcp.airflow.graph import related
from airflow_mcp.airflow.report import MOST_LEFT_OUT, by_run, count, left_out, shortened
from airflow_mcp.airflow.task_instances import (
    CLEAR,
    MOST_INSTANCES,
    NEIGHBOURS,
    RELATIVES,
    Marker,
    TaskInstance,
    TaskInstances,
    require_present,
    too_many,
)
from airflow_mcp.errors import NeedsVersionError
from airflow_mcp.models.changes import ClearTaskInstances, Prepared, TaskInstancesChange

VERSION_OPTIONS = (
    "include_subdags",
    "include_parentdag",
    "run_on_latest_version",
    "prevent_running_task",
    "note",
)


MOST_RUNS = 1000  # without a date that are counted
MOST_COMPARED = 1000  # task instances that Airflow is made to list only to tell which ones a filter leaves out


class Clear:
    """Clearing task instances of one Airflow."""

    def __init__(self, airflow: Airflow, dags: Dags) -> None:
        self._airflow = airflow
        self._dags = dags
        self._instances = TaskInstances(airflow)

    async def prepare(self, args: ClearTaskInstances) -> Prepared[TaskInstancesChange]:
        """Clear task instances so that they run again.

        Route: POST /dags/{dag_id}/clearTaskInstances. Raises NotFoundError for an unknown run, task or map
        index, NeedsVersionError for an option that this Airflow lacks.
        """
        options = {name: getattr(args, name) for name in VERSION_OPTIONS if getattr(args, name) is not None}
        await self._airflow.require(options)
        markers = [Marker.parse(text) for text in args.task_ids or ()]
        reached = await self._tasks(args, markers)
        body = {
            "only_failed": args.only_failed,
            "only_running": args.only_running,
            "reset_dag_runs": args.reset_dag_runs,
            **{name: getattr(args, name) for name in RELATIVES},
            **_scope(args),
            **options,
            **await self._task_ids(markers),
        }
        body = await self._instances.scoped(args.dag_id, body)
        affected, not_affected = await self._look(args, markers, body, reached)
        await self._refuse_other_indexes(markers, affected)

        async def apply() -> None:
            await self._airflow.change("POST", CLEAR, {"dag_id": args.dag_id}, body={**body, "dry_run": False})

        return Prepared(
            preview=TaskInstancesChange(
                summary=_summary(args, affected),
                total=len(affected),
                runs=by_run(affected, args.dag_id),
                left_out=[*not_affected, *await self._undated_runs(args)] or None,
            ),
            items=tuple(sorted(map(str, affected))),
            apply=apply,
        )

    async def _tasks(self, args: ClearTaskInstances, markers: Sequence[Marker]) -> set[str]:
        """The tasks that are named and their relatives; none where all are meant. Raises NotFoundError."""
        if not markers:
            return set()
        named = [marker.task_id for marker in markers]
        graph = {task.task_id: task.downstream_task_ids for task in await self._dags.graph(args.dag_id)}
        require_tasks(named, graph, args.dag_id)
        return related(graph, named, upstream=args.include_upstream, downstream=args.include_downstream)

    async def _look(
        self, args: ClearTaskInstances, markers: Sequence[Marker], body: Mapping[str, Any], reached: Iterable[str]
    ) -> tuple[list[TaskInstance], list[str]]:
        """What would be cleared, and in words what is among those asked for and would not be.

        Airflow takes milliseconds for each task instance that it lists, so with many only the filtered ones are
        listed. Raises TooLargeError where there are too many without a filter.
        """
        filtered = args.only_failed or args.only_running
        reason = "and only_failed is on" if args.only_failed else "and only_running is on"
        there = await self._in_reach(args, reached)
        if filtered and there > MOST_COMPARED:
            affected = await self._instances.would_clear(args.dag_id, body)
            rest = there - sum(each.dag_id == args.dag_id for each in affected)
            return affected, [f"up to {rest} more task instances in these runs, {reason}"] if rest > 0 else []
        if there > MOST_INSTANCES:
            raise too_many(there)
        asked = await self._asked(args.dag_id, markers, body)
        affected = await self._instances.would_clear(args.dag_id, body) if filtered else asked
        kept = set(affected)
        others = (each for each in asked if each not in kept and not _other_index(markers, each))
        return affected, left_out(others, reason)

    async def _in_reach(self, args: ClearTaskInstances, task_ids: Iterable[str]) -> int:
        """How many task instances are in the runs that are asked for; one run alone is not looked at, and counts 0."""
        scope = _scope(args)
        dates = scope.get("start_date"), scope.get("end_date")
        if args.dag_run_id:
            names = [name for name in NEIGHBOURS if getattr(args, name)]
            if not names:
                return 0
            moment = await self._instances.require_logical_date(args.dag_id, args.dag_run_id, names[0])
            dates = moment, moment
        return await self._instances.count(args.dag_id, args, dates, task_ids)

    async def _asked(self, dag_id: str, markers: Sequence[Marker], body: Mapping[str, Any]) -> list[TaskInstance]:
        """What a clear without a filter would touch. Raises NotFoundError for what was named and is not there."""
        unfiltered = {**body, "only_failed": False, "only_running": False}
        asked = await self._instances.would_clear(dag_id, unfiltered)
        if any(not any(marker.matches(each) for each in asked) for marker in markers):
            whole = {**unfiltered, "task_ids": [marker.task_id for marker in markers]}
            require_present(markers, await self._instances.would_clear(dag_id, whole), dag_id)
        return asked

    async def _undated_runs(self, args: ClearTaskInstances) -> list[str]:
        """Runs of the time that a date range cannot take, since they have no logical date (Airflow 3)."""
        if args.start_date is None or (await self._airflow.dialect()).name == "v1":
            return []
        start, end = None if args.include_past else args.start_date, None if args.include_future else args.end_date
        if start is None and end is None:
            return []  # without a bound Airflow takes them too
        query: dict[str, str | int] = {}
        if start:
            query["run_after_gte"] = start.isoformat()
        if end:
            query["run_after_lte"] = end.isoformat()
        if args.only_failed:
            query["state"] = "failed"
        rows, total = await self._runs(args.dag_id, {**query, "order_by": "-run_after"})
        undated = _undated(rows) if total <= len(rows) else await self._undated_among_many(args.dag_id, query, total)
        lines = [f"run {run_id}: no logical date, so clear it by dag_run_id" for run_id in undated[:MOST_LEFT_OUT]]
        if len(undated) > MOST_LEFT_OUT:
            least = "at least " if len(undated) >= MOST_RUNS else ""
            lines.append(f"and {least}{len(undated) - MOST_LEFT_OUT} more runs without a logical date")
        return lines

    async def _undated_among_many(self, dag_id: str, query: Mapping[str, str | int], total: int) -> list[str]:
        """In the order of their dates, those without one are all first or all last: it depends on the database."""
        query = {**query, "order_by": "logical_date"}
        first, _ = await self._runs(dag_id, {**query, "limit": 1})
        from_end = not _undated(first)
        found: list[str] = []
        for seen in range(0, min(total, MOST_RUNS), PAGE):
            rows, _ = await self._runs(dag_id, query, max(total - seen - PAGE, 0) if from_end else seen)
            undated = _undated(rows)
            found += undated
            if len(undated) < PAGE:
                break
        return list(dict.fromkeys(found))

    async def _runs(
        self, dag_id: str, query: Mapping[str, str | int], offset: int = 0
    ) -> tuple[Sequence[Mapping[str, Any]], int]:
        page = {"limit": PAGE, "offset": offset, **query}
        answer = await self._airflow.read("dags/{dag_id}/dagRuns", {"dag_id": dag_id}, query=page)
        return answer["dag_runs"], answer["total_entries"]

    async def _task_ids(self, markers: Sequence[Marker]) -> dict[str, Any]:
        if not markers:
            return {}
        if (await self._airflow.dialect()).name == "v1":
            return {"task_ids": list(dict.fromkeys(marker.task_id for marker in markers))}
        return {
            "task_ids": [
                marker.task_id if marker.map_index is None else [marker.task_id, marker.map_index] for marker in markers
            ]
        }

    async def _refuse_other_indexes(self, markers: Sequence[Marker], affected: Iterable[TaskInstance]) -> None:
        """Airflow 2 clears all indexes of a task that its filter leaves, and 3.0 does where relatives go along.

        Later ones clear another index only as a relative of something else that was asked for.
        """
        others = [each.label for each in sorted(affected) if _other_index(markers, each)]
        if not others:
            return
        dialect = await self._airflow.release()
        if dialect.one_index_needs:
            raise NeedsVersionError(
                "Clearing one map index",
                dialect.one_index_needs,
                f"{dialect.here} would clear {shortened(others)} too. Name the task without an index to clear them "
                "all.",
            )


def _other_index(markers: Sequence[Marker], each: TaskInstance) -> bool:
    """Whether a task instance is of a task of which other map indexes were named."""
    named = [marker for marker in markers if marker.task_id == each.task_id]
    return bool(named) and not any(marker.matches(each) for marker in named)


def _undated(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return [run["dag_run_id"] for run in rows if not run["logical_date"]]


def _scope(args: ClearTaskInstances) -> dict[str, Any]:
    scope = {
        "dag_run_id": args.dag_run_id,
        "start_date": args.start_date and args.start_date.isoformat(),
        "end_date": args.end_date and args.end_date.isoformat(),
    }
    return {name: value for name, value in scope.items() if value is not None}


def _summary(args: ClearTaskInstances, affected: Sequence[TaskInstance]) -> str:
    if not affected:
        return f"Nothing to clear in {args.dag_id}: no task instance fits."
    then = "the runs are queued again" if args.reset_dag_runs else "finished runs stay finished"
    return f"Clear {count(affected)} of {args.dag_id}; {then}."
