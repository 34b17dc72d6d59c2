"""The endpoints of backfills, which Airflow 3 has: one method an endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.errors import ConflictError
from airflow_mcp.models.backfills import (
    Backfill,
    BackfillChange,
    BackfillList,
    CreateBackfill,
    GetBackfills,
    NewBackfill,
    State,
    SteerBackfill,
)
from airflow_mcp.models.changes import Prepared

INSTEAD = "There, clear or trigger runs instead, or use the command `airflow dags backfill`."
PAGE = 100
MOST_PAGES = 10
MOST_LISTED = 50
OF_A_DAG = "dags/{dag_id}/dagRuns"
IN_FLIGHT = ("queued", "running")

Verb = Literal["pause", "unpause", "cancel"]
AFTER: Mapping[Verb, State] = {"pause": "paused", "unpause": "active", "cancel": "completed"}


class Backfills:
    """The backfills of one Airflow."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow

    async def find(self, args: GetBackfills) -> BackfillList:
        """A page of a DAG's backfills, the latest first: only that one can be active.

        Route: GET /backfills, which wants a DAG. Raises NotFoundError, NeedsVersionError.
        """
        await self._require()
        backfills, total = await self._page(args)
        if not backfills:  # Airflow has no backfills of a DAG that there is not, either
            await self._dag(args.dag_id)
        end = args.offset + len(backfills)
        past_end = f"offset {args.offset} is past the end: there are {total}."
        return BackfillList(
            backfills=backfills,
            total=total,
            returned=len(backfills),
            next_offset=end if backfills and end < total else None,
            note=None if backfills else past_end if total else "This DAG has had no backfill.",
        )

    async def _page(self, args: GetBackfills) -> tuple[list[Backfill], int]:
        query: dict[str, str | int | bool | list[str]] = {
            "dag_id": args.dag_id,
            "limit": args.limit,
            "offset": args.offset,
            "order_by": "-id",
        }
        answer = await self._airflow.read("backfills", query=query)
        return [Backfill.model_validate(row) for row in answer["backfills"]], answer["total_entries"]

    async def _require(self, *names: str) -> None:
        await self._airflow.require(("backfills",), INSTEAD)
        await self._airflow.require(names)

    async def _dag(self, dag_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._airflow.read("dags/{dag_id}", {"dag_id": dag_id})
        return answer

    async def prepare_new(self, args: CreateBackfill) -> Prepared[NewBackfill]:
        """Make a backfill. Route: POST /backfills, and /backfills/dry_run for what it would run.

        Raises NotFoundError, RejectedError for a DAG without a regular schedule, ConflictError where one is
        active already, NeedsVersionError.
        """
        await self._require(*(["run_on_latest_version"] if args.run_on_latest_version is not None else []))
        dag = await self._dag(args.dag_id)
        latest, _ = await self._page(GetBackfills(dag_id=args.dag_id, limit=1))
        active = next((each for each in latest if each.state != "completed"), None)
        if active and args.confirm:
            raise ConflictError(f"{_refusal(active)} Nothing was changed.")
        dates = await self._dry_run(args)
        there, all_read = await self._states(args)
        left_out = await self._left_out(args, dates, there)
        warnings = [] if all_read else ["The range has more runs than were looked at: more may be left out."]
        if dag["is_paused"]:
            warnings.append("The DAG is paused: no run starts before it is unpaused.")
        body = _body(args)

        async def apply() -> dict[str, Any]:
            made = Backfill.model_validate(await self._airflow.change("POST", "backfills", {}, body=body))
            return {"backfill_id": made.id}

        ordered = sorted(dates)
        return Prepared(
            preview=NewBackfill(
                summary=_refusal(active) if active else _summary(args, len(dates)),
                dag_id=args.dag_id,
                total=len(dates),
                first=ordered[0] if ordered else None,
                last=ordered[-1] if ordered else None,
                logical_dates=dates[:MOST_LISTED],
                left_out=_bounded(left_out) or None,
                warnings=warnings or None,
            ),
            items=() if active else tuple(f"{date} {there.get(date, 'no run yet')}" for date in dates),
            apply=apply,
        )

    async def _dry_run(self, args: CreateBackfill) -> list[str]:
        answer = await self._airflow.read("backfills/dry_run", method="POST", body=_body(args))
        return [_date(row) or str(row.get("partition_key")) for row in answer["backfills"]]

    async def _states(self, args: CreateBackfill) -> tuple[dict[str, str], bool]:
        """The states of the runs in the range, by logical date, and whether these are all."""
        query = _range(args.from_date, args.to_date)
        states: dict[str, str] = {}
        for page in range(MOST_PAGES):
            query |= {"limit": PAGE, "offset": page * PAGE, "order_by": "logical_date"}
            answer = await self._airflow.read(OF_A_DAG, {"dag_id": args.dag_id}, query=query)
            states |= {_date(row): row["state"] for row in answer["dag_runs"]}
            if not answer["dag_runs"] or (page + 1) * PAGE >= answer["total_entries"]:
                return states, True
        return states, False

    async def _left_out(self, args: CreateBackfill, dates: Sequence[str], there: Mapping[str, str]) -> list[str]:
        """Dates of the schedule whose run stays as it is. A run by hand at another hour is none of them."""
        out = set(there) - set(dates)
        if not out:
            return []
        scheduled = set(await self._dry_run(args.model_copy(update={"reprocess_behavior": "completed"})))
        return [f"{date}: {there[date]}" for date in sorted(out) if date in scheduled or there[date] in IN_FLIGHT]

    async def prepare(self, verb: Verb, args: SteerBackfill) -> Prepared[BackfillChange]:
        """Pause, unpause or cancel a backfill. Route: PUT /backfills/{backfill_id}/pause, /unpause, /cancel.

        Raises NotFoundError, ConflictError for one that is completed, NeedsVersionError.
        """
        await self._require()
        ids = {"backfill_id": args.backfill_id}
        backfill = Backfill.model_validate(await self._airflow.read("backfills/{backfill_id}", ids))
        before, after = backfill.state, AFTER[verb]
        if before == "completed":
            raise ConflictError(f"Backfill {backfill.id} of {backfill.dag_id} is completed: there is none to {verb}.")
        queued = await self._queued(backfill)

        async def apply() -> None:
            await self._airflow.change("PUT", f"backfills/{{backfill_id}}/{verb}", ids)

        named = f"backfill {backfill.id} of {backfill.dag_id}"
        fails = f" Its {queued} runs that have not started are set to failed." if verb == "cancel" and queued else ""
        same = before == after
        return Prepared(
            preview=BackfillChange(
                summary=f"{named} is {before} already: nothing to change."
                if same
                else f"{verb.capitalize()} {named}.{fails}",
                backfill_id=backfill.id,
                dag_id=backfill.dag_id,
                state_before=before,
                state_after=after,
                queued_runs=queued,
            ),
            items=() if same else (f"{named} {before}",),
            apply=apply,
        )

    async def _queued(self, backfill: Backfill) -> int:
        """How many of its runs wait. Runs cannot be filtered by backfill; those of earlier ones have ended."""
        query = _range(backfill.from_date, backfill.to_date) | {"run_type": "backfill", "state": "queued", "limit": 1}
        answer = await self._airflow.read(OF_A_DAG, {"dag_id": backfill.dag_id}, query=query)
        return int(answer["total_entries"])


def _range(first: datetime, last: datetime) -> dict[str, Any]:
    return {"logical_date_gte": first.isoformat(), "logical_date_lte": last.isoformat()}


def _body(args: CreateBackfill) -> dict[str, Any]:
    return args.model_dump(mode="json", exclude={"confirm", "plan"}, exclude_none=True)


def _date(row: Mapping[str, Any]) -> str:
    """A logical date, always written alike; empty where there is none."""
    if not row.get("logical_date"):
        return ""
    return datetime.fromisoformat(row["logical_date"]).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _bounded(lines: Sequence[str]) -> list[str]:
    more = len(lines) - MOST_LISTED
    return [*lines[:MOST_LISTED], f"and {more} more"] if more > 0 else list(lines)


def _summary(args: CreateBackfill, total: int) -> str:
    if not total:
        return f"Nothing to run: {args.dag_id} has no date in the range without a run that stays as it is."
    backwards = ", the last date first" if args.run_backwards else ""
    return f"Backfill {args.dag_id}: {total} runs, at most {args.max_active_runs} at once{backwards}."


def _refusal(active: Backfill) -> str:
    return (
        f"Airflow refuses: backfill {active.id} of {active.dag_id} is {active.state}, and a DAG has one at a time. "
        "Wait until it is completed, or cancel it."
    )
