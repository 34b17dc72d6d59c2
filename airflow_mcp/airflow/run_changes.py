"""Changes of a run: its state, its note, and its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.report import shortened
from airflow_mcp.airflow.runs import ONE
from airflow_mcp.airflow.task_instances import TaskInstance, TaskInstances
from airflow_mcp.errors import ConflictError
from airflow_mcp.models.changes import Prepared
from airflow_mcp.models.run_changes import (
    DeleteDagRun,
    Move,
    RunArguments,
    RunDeletion,
    RunNoteChange,
    RunStateChange,
    SetDagRunNote,
    SetDagRunState,
)

FINISHED = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
ACTIVE = frozenset({"running", "deferred", "up_for_reschedule", "awaiting_input"})
"""What Airflow ends when it ends a run; the rest of what is not finished it skips."""


class RunChanges:
    """Changing the runs of one Airflow."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow
        self._instances = TaskInstances(airflow)

    async def prepare_state(self, args: SetDagRunState) -> Prepared[RunStateChange]:
        """Set a run's state. Route: PATCH /dags/{dag_id}/dagRuns/{dag_run_id}. Raises NotFoundError."""
        before = (await self._run(args))["state"]
        moves = await self._moves(args) if args.state != "queued" else []

        async def apply() -> None:
            await self._airflow.change("PATCH", ONE, _ids(args), body={"state": args.state})

        same = before == args.state and not moves
        return Prepared(
            preview=RunStateChange(
                summary=_summary(args, before, len(moves)),
                dag_id=args.dag_id,
                dag_run_id=args.dag_run_id,
                state_before=before,
                state_after=args.state,
                task_instances=_grouped(moves) or None,
            ),
            items=() if same else (f"run: {before}", *sorted(f"{each.label}: {each.state}" for each, _ in moves)),
            apply=apply,
        )

    async def _moves(self, args: SetDagRunState) -> list[tuple[TaskInstance, str]]:
        """What Airflow does to the task instances of a run that it ends: it has no dry run of that."""
        there = await self._instances.of_run(args.dag_id, args.dag_run_id)
        # Airflow 3.3 leaves alone what is finished; those before set all of a successful run.
        all_succeed = args.state == "success" and not (await self._airflow.release()).success_keeps_finished
        if all_succeed:
            return [(each, "success") for each in there if each.state != "success"]
        return [
            (each, args.state if each.state in ACTIVE else "skipped") for each in there if each.state not in FINISHED
        ]

    async def prepare_note(self, args: SetDagRunNote) -> Prepared[RunNoteChange]:
        """Set a run's note.

        Route: PATCH /dags/{dag_id}/dagRuns/{dag_run_id}/setNote on Airflow 2, and PATCH
        /dags/{dag_id}/dagRuns/{dag_run_id} on 3. Raises NotFoundError.
        """
        before = (await self._run(args)).get("note") or ""
        dialect = await self._airflow.dialect()

        async def apply() -> None:
            route, query = f"{ONE}{dialect.note_route}", dialect.note_query
            await self._airflow.change("PATCH", route, _ids(args), query=query, body={"note": args.note})

        what = "Set" if args.note else "Remove"
        same = before == args.note
        return Prepared(
            preview=RunNoteChange(
                summary="The note is that already." if same else f"{what} the note of {args.dag_run_id}.",
                dag_id=args.dag_id,
                dag_run_id=args.dag_run_id,
                note_before=before or None,
                note_after=args.note or None,
            ),
            items=() if same else (f"note: {before}",),
            apply=apply,
        )

    async def prepare_deletion(self, args: DeleteDagRun) -> Prepared[RunDeletion]:
        """Delete a run. Route: DELETE /dags/{dag_id}/dagRuns/{dag_run_id}. Raises NotFoundError, ConflictError."""
        state = (await self._run(args))["state"]
        if state == "running":  # Airflow 3 refuses that; Airflow 2 lets its processes run on
            raise ConflictError(
                "The run is running, and its processes would go on. Nothing was changed. End it first: "
                "set_dag_run_state with state failed."
            )
        number = len(await self._instances.of_run(args.dag_id, args.dag_run_id))

        async def apply() -> None:
            await self._airflow.change("DELETE", ONE, _ids(args))

        return Prepared(
            preview=RunDeletion(
                summary=f"Delete run {args.dag_run_id} of {args.dag_id} for good, with its {number} task instances and "
                "XComs.",
                dag_id=args.dag_id,
                dag_run_id=args.dag_run_id,
                state=state,
                task_instances=number,
            ),
            items=(f"{args.dag_id} {args.dag_run_id}: {state}, {number} task instances",),
            apply=apply,
        )

    async def _run(self, args: RunArguments) -> Mapping[str, Any]:
        run: Mapping[str, Any] = await self._airflow.read(ONE, _ids(args))
        return run


def _ids(args: RunArguments) -> dict[str, str | int]:
    return {"dag_id": args.dag_id, "dag_run_id": args.dag_run_id}


def _grouped(moves: Iterable[tuple[TaskInstance, str]]) -> list[Move]:
    def states(move: tuple[TaskInstance, str]) -> tuple[str, str]:
        return move[0].state, move[1]

    return [
        Move(tasks=shortened([each.label for each, _ in group]), state_before=before, state_after=after)
        for (before, after), group in groupby(sorted(moves, key=lambda move: (states(move), move[0])), key=states)
    ]


def _summary(args: SetDagRunState, before: str, moved: int) -> str:
    if before == args.state and not moved:
        return f"The run is {before} already: nothing to change."
    if args.state == "queued":
        return f"Set run {args.dag_run_id} from {before} to queued; finished tasks stay so (clear_dag_run clears them)."
    return (
        f"Set run {args.dag_run_id} from {before} to {args.state}, and {moved} of its task instances; teardowns stay."
    )
