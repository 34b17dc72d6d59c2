"""The endpoints of human decisions, which Airflow 3.1 has: one method an endpoint."""

from __future__ import annotations

from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.errors import ConflictError, InvalidArgumentError
from airflow_mcp.models.changes import Prepared
from airflow_mcp.models.hitl import GetHitlDetails, HitlAnswer, HitlDetail, HitlDetailList, RespondHitl

OF_A_DAG = "dags/{dag_id}/dagRuns/~/hitlDetails"
OF_ALL_DAGS = "dags/~/dagRuns/~/hitlDetails"
ONE = "dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}/hitlDetails"
INSTEAD = "Tasks of this one wait for no decision."


class Hitl:
    """The human decisions of one Airflow."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow

    async def find(self, args: GetHitlDetails) -> HitlDetailList:
        """A page of decisions, the longest waiting first, of one DAG or of all.

        Route: GET /dags/{dag_id}/dagRuns/~/hitlDetails, or GET /dags/~/dagRuns/~/hitlDetails.
        Raises NotFoundError, NeedsVersionError.
        """
        await self._require()
        query: dict[str, Any] = {"limit": args.limit, "offset": args.offset, "response_received": args.answered}
        # What still waits may have waited for long; of what was answered, the latest is asked for.
        query["order_by"] = "-responded_at" if args.answered else "created_at"
        if not args.answered:
            query["state"] = list((await self._airflow.release()).awaiting_human)
        route, ids = (OF_A_DAG, {"dag_id": args.dag_id}) if args.dag_id else (OF_ALL_DAGS, {})
        answer = await self._airflow.read(route, ids, query=query)
        found = [HitlDetail.model_validate(row) for row in answer["hitl_details"]]
        if args.dag_id and not found:  # Airflow has none of a DAG that there is not, either
            await self._airflow.read("dags/{dag_id}", {"dag_id": args.dag_id})
        total, end = answer["total_entries"], args.offset + len(found)
        return HitlDetailList(
            hitl_details=found,
            total=total,
            returned=len(found),
            next_offset=end if found and end < total else None,
            note=None if found else _why_empty(args, total),
        )

    async def _require(self) -> None:
        await self._airflow.require(("hitl",), INSTEAD)

    async def prepare(self, args: RespondHitl) -> Prepared[HitlAnswer]:
        """Answer a task. Route: PATCH on its hitlDetails.

        Raises NotFoundError, ConflictError for one that was answered, InvalidArgumentError for an option or a param
        that there is not, ForbiddenError for a user who is not asked, NeedsVersionError.
        """
        await self._require()
        ids = args.model_dump(include={"dag_id", "dag_run_id", "task_id", "map_index"})
        detail = HitlDetail.model_validate(await self._airflow.read(ONE, ids))
        if detail.responded_at:
            raise ConflictError(
                f"{args.task_id} was answered already, with {', '.join(detail.chosen_options or [])}"
                f"{f' by {detail.responded_by}' if detail.responded_by else ''}. Nothing was changed."
            )
        _check(args, detail)
        given = args.params_input or {}
        body = {"chosen_options": args.chosen_options, "params_input": given}

        async def apply() -> None:
            await self._airflow.change("PATCH", ONE, ids, body=body)

        chosen = ", ".join(args.chosen_options)
        return Prepared(
            preview=HitlAnswer(
                summary=f"Answer {args.task_id} in run {args.dag_run_id} of {args.dag_id} with {chosen}.",
                question=detail,
                chosen_options=args.chosen_options,
                params_input=given or None,
            ),
            items=(f"{detail.model_dump_json()} unanswered",),
            apply=apply,
        )


def _check(args: RespondHitl, detail: HitlDetail) -> None:
    unknown = [option for option in args.chosen_options if option not in detail.options]
    if unknown:
        raise InvalidArgumentError("chosen_options", f"{unknown[0]!r} is not one of: {', '.join(detail.options)}.")
    if len(args.chosen_options) > 1 and not detail.multiple:
        raise InvalidArgumentError("chosen_options", "this task takes one option only.")
    known = detail.params or {}
    strange = [name for name in args.params_input or {} if name not in known]
    if strange:
        raise InvalidArgumentError(
            "params_input", f"{strange[0]!r} is not one of: {', '.join(known) or 'none, it has no params'}."
        )


def _why_empty(args: GetHitlDetails, total: int) -> str:
    if total:
        return f"offset {args.offset} is past the end: {total} match."
    if args.answered:
        return "None was answered yet."
    return "No task waits for a decision, or this user may see none; answered=true lists past ones."
