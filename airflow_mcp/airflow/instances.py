"""The endpoints of task instances that read, and their notes: one method an endpoint, one body for both versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, get_args

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import PAGE, Dags, require_tasks
from airflow_mcp.airflow.task_instances import LIST, NO_STATUS, route_to
from airflow_mcp.errors import InvalidArgumentError, NotFoundError
from airflow_mcp.models.changes import Prepared, SetTaskInstanceNote, TaskInstanceNote
from airflow_mcp.models.task_instances import (
    ROW,
    GetTaskInstance,
    GetTaskInstances,
    MapIndexes,
    State,
    TaskInstanceArguments,
    TaskInstanceDetails,
    TaskInstanceList,
    TaskInstanceRow,
    Try,
)

LISTS = ("task_ids", "pool", "queue")
DATES = ("start_date_gte", "start_date_lte", "end_date_gte", "end_date_lte")
STATES = [state for state in get_args(State) if state != NO_STATUS]
MOST_FAILED = 25


class Instances:
    """The task instances of one Airflow."""

    def __init__(self, airflow: Airflow, dags: Dags) -> None:
        self._airflow = airflow
        self._dags = dags

    async def find(self, args: GetTaskInstances) -> TaskInstanceList:
        """A page of task instances, in Airflow's order.

        Route: POST /dags/~/dagRuns/~/taskInstances/list; for none found also the named
        run's own, and GET /dags/{dag_id}/tasks. Raises NotFoundError for a DAG, a run or a task that there is not.
        """
        body = _wanted(args, (await self._airflow.dialect()).no_state)
        answer = await self._airflow.read(LIST, method="POST", body=body)
        rows, total = answer["task_instances"], answer["total_entries"]
        if not rows and args.dag_id:
            await self.require(args.dag_id, args.dag_run_id, args.task_ids or ())
        ids = [name for name in ("dag_id", "dag_run_id") if not getattr(args, name)]
        found = [TaskInstanceRow.model_validate(row).pick(args.fields or (), always=(*ids, *ROW)) for row in rows]
        end = args.offset + len(found)
        return TaskInstanceList(
            task_instances=found,
            total=total,
            returned=len(found),
            next_offset=end if found and end < total else None,
            note=None if found else _why_empty(args, total),
        )

    async def get(self, args: GetTaskInstance) -> TaskInstanceDetails:
        """One task instance and its tries; of a mapped task without an index, what its indexes are.

        Route: GET …/taskInstances/{task_id}[/{map_index}], and GET …/tries below it. Raises NotFoundError for a try,
        an index or a task that there is not, NeedsVersionError for a try where Airflow tells the latest alone.
        """
        if args.try_number:
            await self._airflow.require(["tries"])
        found = await self._look(args)
        if isinstance(found, MapIndexes):
            following = "Give map_index for one of them."
            return TaskInstanceDetails(task_id=args.task_id, map_indexes=found, next=following)
        tries = await self._tries(args)
        instance = TaskInstanceDetails.model_validate(_at(args, found, tries))
        told = [Try.model_validate(row) for row in tries] if len(tries) > 1 else None
        rendered = instance.rendered_fields if args.rendered_fields else None
        asked = dict.fromkeys(("dag_id", "dag_run_id"))  # as they were given
        return instance.model_copy(update={**asked, "tries": told, "rendered_fields": rendered})

    async def _tries(self, args: GetTaskInstance) -> Sequence[dict[str, Any]]:
        if "tries" in (await self._airflow.release()).lacks:
            return ()
        route, ids = route_to(args.dag_id, args.dag_run_id, args.task_id, args.map_index)
        rows: list[dict[str, Any]] = (await self._airflow.read(f"{route}/tries", ids))["task_instances"]
        return rows

    async def one(self, args: TaskInstanceArguments) -> dict[str, Any]:
        """A task instance as Airflow has it, at its latest try. Route: GET …/taskInstances/{task_id}[/{map_index}].

        Raises NotFoundError for what is not there, InvalidArgumentError for a mapped task without an index.
        """
        found = await self._look(args)
        if isinstance(found, MapIndexes):
            raise InvalidArgumentError("map_index", f"{args.task_id} is mapped and has {found}: name one of them.")
        return found

    async def _look(self, args: TaskInstanceArguments) -> dict[str, Any] | MapIndexes:
        route, ids = route_to(args.dag_id, args.dag_run_id, args.task_id, args.map_index)
        try:
            answer: dict[str, Any] = await self._airflow.read(route, ids)
        except NotFoundError:
            # Airflow 2 does not say what is missing: the task, the run, the index.
            await self.require(args.dag_id, args.dag_run_id, [args.task_id])
            indexes = await self._indexes(args)
            if args.map_index is not None:
                there = f"the task has {indexes}" if indexes else "the task is not mapped"
                raise NotFoundError(f"There is no {args.label} in run {args.dag_run_id}: {there}.") from None
            if indexes is None:
                raise
            return indexes
        return answer

    async def _indexes(self, args: TaskInstanceArguments) -> MapIndexes | None:
        """The map indexes of a task; None where it is not mapped. Route: GET …/taskInstances/{task_id}/listMapped."""
        try:
            rows, total = await self._mapped(args, limit=PAGE)
        except NotFoundError:
            return None
        states = Counter(row["state"] or NO_STATUS for row in rows)
        if total > len(rows):  # too many to look at each
            states = Counter({state: (await self._mapped(args, state=[state], limit=1))[1] for state in STATES})
            states[NO_STATUS] = max(total - states.total(), 0)  # some may have moved meanwhile
        failed, _ = await self._mapped(args, state=["failed"], limit=MOST_FAILED) if states["failed"] else ((), 0)
        return MapIndexes(
            total=total,
            states={state: number for state, number in states.most_common() if number},
            failed=[row["map_index"] for row in failed] or None,
        )

    async def _mapped(self, args: TaskInstanceArguments, **query: Any) -> tuple[Sequence[dict[str, Any]], int]:
        route, ids = route_to(args.dag_id, args.dag_run_id, args.task_id)
        answer = await self._airflow.read(f"{route}/listMapped", ids, query=query)
        return answer["task_instances"], answer["total_entries"]

    async def require(self, dag_id: str, dag_run_id: str | None, task_ids: Sequence[str]) -> None:
        """Refuse tasks that the DAG does not have, with near ids that it has, and a run that there is not.

        Route: GET /dags/{dag_id}/tasks, and GET /dags/{dag_id}/dagRuns/{dag_run_id}. Raises NotFoundError.
        """
        require_tasks(task_ids, [task.task_id for task in await self._dags.graph(dag_id)], dag_id)
        if dag_run_id:
            ids = {"dag_id": dag_id, "dag_run_id": dag_run_id}
            await self._airflow.read("dags/{dag_id}/dagRuns/{dag_run_id}", ids)

    async def prepare_note(self, args: SetTaskInstanceNote) -> Prepared[TaskInstanceNote]:
        """Set the note of a task instance, or remove it.

        Route: PATCH …/taskInstances/{task_id}[/{map_index}]/setNote on Airflow 2, the same without setNote on 3, where
        the mask leaves all else as it is. Raises NotFoundError; InvalidArgumentError for a mapped task without index.
        """
        before = (await self.one(args))["note"] or ""
        route, ids = route_to(args.dag_id, args.dag_run_id, args.task_id, args.map_index)
        dialect = await self._airflow.dialect()
        verb = "Set" if args.note else "Remove"
        where = f"{args.label} in run {args.dag_run_id} of {args.dag_id}"

        async def apply() -> None:
            await self._airflow.change(
                "PATCH", f"{route}{dialect.note_route}", ids, query=dialect.note_query, body={"note": args.note}
            )

        same = before == args.note
        already = f"{where} has {'this note already' if args.note else 'no note'}: nothing to change."
        return Prepared(
            preview=TaskInstanceNote(
                summary=already if same else f"{verb} the note of {where}.",
                task_id=args.task_id,
                map_index=args.map_index,
                note_before=before or None,
                note_after=args.note or None,
            ),
            # A digest, since what moved is told in an error, and a note may be long and say anything.
            items=() if same else (f"{where}: note {sha256(before.encode()).hexdigest()[:8]}",),
            apply=apply,
        )


def _at(args: GetTaskInstance, latest: dict[str, Any], tries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The try that was asked for. Raises NotFoundError, with those that there are."""
    if args.try_number in (None, latest["try_number"]):
        return latest
    if args.rendered_fields:
        raise InvalidArgumentError("rendered_fields", "Airflow keeps those of the latest try only: leave it out.")
    for row in tries:
        if row["try_number"] == args.try_number:
            return row
    known = ", ".join(str(row["try_number"]) for row in tries)
    raise NotFoundError(f"try_number: {args.label} has no try {args.try_number}; it has {known or 'none yet'}.")


def _wanted(args: GetTaskInstances, no_state: str | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {name: getattr(args, name) for name in LISTS}
    wanted |= {name: moment.isoformat() for name in DATES if (moment := getattr(args, name))}
    wanted["dag_ids"] = [args.dag_id] if args.dag_id else None
    wanted["dag_run_ids"] = [args.dag_run_id] if args.dag_run_id else None
    wanted["state"] = [no_state if state == NO_STATUS else state for state in args.state or ()] or None
    wanted["duration_gte"] = args.duration_gte
    page = {"page_limit": args.limit, "page_offset": args.offset}
    return {name: value for name, value in wanted.items() if value is not None} | page


def _why_empty(args: GetTaskInstances, total: int) -> str:
    if total:
        return f"offset {args.offset} is past the end: {total} match."
    narrowing = [name for name in (*LISTS, "state", *DATES, "duration_gte") if getattr(args, name) is not None]
    return f"None matches; try without {' and '.join(narrowing)}." if narrowing else "There is none yet."
