"""wait_for_dag_run: looks again until a run has ended, and tells how far it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.runs import Runs
from airflow_mcp.airflow.task_instances import FAILED, LIST, from_airflow
from airflow_mcp.models.runs import GetDagRun
from airflow_mcp.models.wait import RunWait, WaitForDagRun

ENDED = frozenset({"success", "failed"})
UNFINISHED = ("scheduled", "queued", "running", "up_for_retry", "up_for_reschedule", "deferred", "restarting")
MOST_NAMED = 20
SOONEST, LATEST = 1.0, 5.0
"""Seconds from one look to the next, longer each time."""

Progress = Callable[[float, float | None, str | None], Awaitable[None]]
"""Tells a client how far a call is: how much of how much, and in words."""


class Wait:
    """Waiting for the runs of one Airflow."""

    def __init__(self, airflow: Airflow, runs: Runs) -> None:
        self._airflow = airflow
        self._runs = runs

    async def until_ended(self, args: WaitForDagRun, progress: Progress) -> RunWait:
        """How a run is once it has ended, or when the time is up.

        Routes: GET /dags/{dag_id}/dagRuns/{dag_run_id}, POST /dags/~/dagRuns/~/taskInstances/list. Raises
        NotFoundError.
        """
        run_id = args.dag_run_id or (await self._runs.get(GetDagRun(dag_id=args.dag_id))).dag_run_id
        start, pause = anyio.current_time(), SOONEST
        while True:
            found = await self._look(args.dag_id, run_id)
            elapsed = anyio.current_time() - start
            if found.ended or elapsed >= args.timeout_seconds:
                return found.model_copy(update={"waited_seconds": round(elapsed, 1), "next": _next(found)})
            await progress(found.done, found.total, _told(found))
            await anyio.sleep(min(pause, args.timeout_seconds - elapsed))
            pause = min(pause * 1.5, LATEST)

    async def _look(self, dag_id: str, run_id: str) -> RunWait:
        run = await self._runs.get(GetDagRun(dag_id=dag_id, dag_run_id=run_id))
        ended = run.state in ENDED
        no_state = (await self._airflow.dialect()).no_state
        to_come, left = await self._having(dag_id, run_id, [*UNFINISHED, no_state])
        _, total = await self._having(dag_id, run_id, None)
        failed, _ = await self._having(dag_id, run_id, sorted(FAILED)) if ended else ([], 0)
        return RunWait(
            dag_id=dag_id,
            dag_run_id=run_id,
            state=run.state or "",
            ended=ended,
            done=total - left,
            total=total,
            to_come=to_come or None,
            failed=failed or None,
        )

    async def _having(self, dag_id: str, run_id: str, states: Sequence[str | None] | None) -> tuple[list[str], int]:
        """The first task instances in these states, with their state, and how many there are."""
        body: dict[str, Any] = {"dag_ids": [dag_id], "dag_run_ids": [run_id], "page_limit": MOST_NAMED}
        if states:
            body["state"] = [*states]
        answer = await self._airflow.read(LIST, method="POST", body=body)
        named = [f"{each.label}: {each.state}" for each in from_airflow(answer["task_instances"])]
        return named, answer["total_entries"]


def _told(found: RunWait) -> str:
    running = [each.partition(": ")[0] for each in found.to_come or () if each.endswith(": running")]
    now = f"; running: {', '.join(running[:3])}" if running else ""
    return f"{found.state}, {found.done} of {found.total} tasks ended{now}"


def _next(found: RunWait) -> str | None:
    if not found.ended:
        return "It has not ended: wait again, or see why not."
    return None
