"""diagnose_dag_run: what failed in a run, why, since when, what hangs on it, and what would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import Dags
from airflow_mcp.airflow.graph import below
from airflow_mcp.airflow.runs import OF_A_DAG, Runs
from airflow_mcp.airflow.task_instances import LIST, TaskInstance, from_airflow
from airflow_mcp.diagnosis.cause import Cause
from airflow_mcp.diagnosis.conclusions import first_failures, told_history, told_indexes, told_states, told_versions
from airflow_mcp.diagnosis.evidence import Code, Evidence
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.errors import NotFoundError, TooLargeError
from airflow_mcp.models.diagnosis import DiagnoseDagRun, Failure, RunDiagnosis
from airflow_mcp.models.runs import DagRun, GetDagRun, GetDagRuns

RUNS_BEFORE = 10
MOST_FAILED = 100
MOST_LOGS = 20
MOST_FRAMES = 4
MOST_NAMED = 20


@dataclass(frozen=True)
class _Failed:
    """A failed task instance, as Airflow's list has it."""

    instance: TaskInstance
    row: Mapping[str, Any]


class DiagnoseRun:
    """Diagnosing the runs of one Airflow."""

    def __init__(self, airflow: Airflow, dags: Dags, runs: Runs, evidence: Evidence) -> None:
        self._airflow = airflow
        self._dags = dags
        self._runs = runs
        self._evidence = evidence

    async def diagnose(self, args: DiagnoseDagRun) -> RunDiagnosis:
        """Why a run failed; the latest failed one unless it is named.

        Routes: those of runs, task instances, tasks, logs and sources. Raises NotFoundError for a DAG or a run that
        there is not; what else fails is told in `missing`.
        """
        run = await self._run(args)
        parts = Parts()
        found = await parts.fetch(
            {
                "failed tasks": partial(self._instances, run, ["failed"]),
                "tasks that wait for them": partial(self._instances, run, ["upstream_failed"]),
                "all task instances": partial(self._instances, run, None),
                "graph": partial(self._dags.graph, args.dag_id),
                "runs before": partial(self._before, run),
                "last good run": partial(self._last_good, run),
                "DAG": partial(self._dags.last_known, args.dag_id),
            }
        )
        rows, failed_number = found["failed tasks"] or ([], 0)
        waiting, waiting_number = found["tasks that wait for them"] or ([], 0)
        _, total = found["all task instances"] or ([], failed_number + waiting_number)
        graph = {task.task_id: task.downstream_task_ids for task in found["graph"] or ()}
        failed = [_Failed(each, row) for each, row in zip(from_airflow(rows), rows, strict=True)]
        first, after = first_failures((each.instance.task_id for each in failed), graph)
        code = Code(args.dag_id, found["DAG"].fileloc or "", _version(run)) if found["DAG"] else None
        roots = [each for each in failed if each.instance.task_id in first]
        histories = {"history": partial(self._histories, args.dag_id, first, found["runs before"] or ())}
        history = (await parts.fetch(histories))["history"] or {}
        failures = await self._failures(parts, roots, code, history)
        blocked = {each.task_id for each in from_airflow(waiting)} | (below(graph, first) - set(after))
        return RunDiagnosis(
            dag_id=args.dag_id,
            **run.model_dump(include={"dag_run_id", "state", "run_type", "logical_date", "start_date"}),
            duration_seconds=run.duration_seconds,
            tasks=told_states(["failed"] * failed_number + ["upstream_failed"] * waiting_number, total),
            failures=failures,
            failed_after=after[:MOST_NAMED] or None,
            blocked=sorted(blocked)[:MOST_NAMED] if first and blocked else None,
            code=_code(run, found["last good run"]),
            note=_note(run, failed_number),
            missing=parts.missing or None,
        )

    async def _run(self, args: DiagnoseDagRun) -> DagRun:
        if args.dag_run_id:
            return await self._runs.get(GetDagRun(dag_id=args.dag_id, dag_run_id=args.dag_run_id))
        everything = DagRun.choices()
        page = await self._runs.find(GetDagRuns(dag_id=args.dag_id, state=["failed"], limit=1, fields=everything))
        if not page.runs:
            raise NotFoundError(f"No run of {args.dag_id} has failed. Name a dag_run_id to look at another.")
        return page.runs[0]

    async def _instances(self, run: DagRun, states: Sequence[str] | None) -> tuple[list[dict[str, Any]], int]:
        body: dict[str, Any] = {
            "dag_ids": [run.dag_id],
            "dag_run_ids": [run.dag_run_id],
            "page_limit": MOST_FAILED if states else 1,
        }
        answer = await self._airflow.read(LIST, method="POST", body=body | ({"state": [*states]} if states else {}))
        return answer["task_instances"], answer["total_entries"]

    async def _before(self, run: DagRun) -> list[str]:
        """The ids of the runs before this one, the newest first."""
        rows = await self._earlier(run, {"limit": RUNS_BEFORE + 1})
        return [row["dag_run_id"] for row in rows if row["dag_run_id"] != run.dag_run_id][:RUNS_BEFORE]

    async def _last_good(self, run: DagRun) -> DagRun | None:
        rows = await self._earlier(run, {"limit": 1, "state": "success"})
        return DagRun.model_validate(rows[0]) if rows else None

    async def _earlier(self, run: DagRun, query: Mapping[str, str | int]) -> list[dict[str, Any]]:
        order = (await self._airflow.dialect()).newest_first
        moment = run.run_after or run.logical_date
        until = {f"{order.removeprefix('-')}_lte": moment.isoformat()} if moment else {}
        ids = {"dag_id": run.dag_id or ""}
        answer = await self._airflow.read(OF_A_DAG, ids, query={**query, **until, "order_by": order})
        rows: list[dict[str, Any]] = answer["dag_runs"]
        return rows

    async def _failures(
        self, parts: Parts, roots: Sequence[_Failed], code: Code | None, history: Mapping[str, str]
    ) -> list[Failure]:
        """Each failed task with its error; the map indexes that failed in the same way together."""
        looked_at = {each.instance.label: each for each in roots[:MOST_LOGS]}
        causes = await parts.fetch({f"log of {label}": partial(self._cause, each) for label, each in looked_at.items()})
        failures: list[Failure] = []
        by_task = sorted(roots, key=lambda each: each.instance)
        for _, group in groupby(by_task, key=lambda each: each.instance.task_id):
            alike: dict[tuple[str, str], list[_Failed]] = {}
            for each in group:
                found = causes.get(f"log of {each.instance.label}")
                alike.setdefault(found.place if found else ("", ""), []).append(each)
            for members in alike.values():
                failure = await self._failure(members, causes.get(f"log of {members[0].instance.label}"), code)
                failures.append(failure.model_copy(update={"history": history.get(failure.task_id)}))
        if len(roots) > MOST_LOGS:
            parts.missing.append(f"logs of {len(roots) - MOST_LOGS} more failed task instances")
        return failures

    async def _cause(self, failed: _Failed) -> Cause | None:
        number = failed.row["try_number"]
        return await self._evidence.cause(failed.instance, number) if number else None

    async def _failure(self, members: Sequence[_Failed], found: Cause | None, code: Code | None) -> Failure:
        row = members[0].row
        failure = Failure(
            task_id=members[0].instance.task_id,
            map_indexes=told_indexes([each.instance.map_index for each in members]),
            tries=f"{row['try_number']} of {row['max_tries'] + 1}",
            operator=row.get("operator_name") or row.get("operator"),
        )
        if not found:
            return failure
        source = await self._evidence.source(found.frames[-1], code) if found.frames and code else None
        return failure.model_copy(
            update={
                "error": found.error,
                "caused_by": found.first_error or None,
                "at": [str(frame) for frame in found.frames[-MOST_FRAMES:]] or None,
                "source": source,
                "log_around": "\n".join(map(str, found.around)) or None,
            }
        )

    async def _histories(self, dag_id: str, tasks: Sequence[str], run_ids: Sequence[str]) -> dict[str, str]:
        """By task, whether it failed in these runs."""
        if not (tasks and run_ids):
            return dict.fromkeys(tasks, told_history(run_ids, ()))
        body = {"dag_ids": [dag_id], "dag_run_ids": [*run_ids], "task_ids": [*tasks], "state": ["failed"]}
        answer = await self._airflow.read(LIST, method="POST", body={**body, "page_limit": MOST_FAILED})
        rows = answer["task_instances"]
        if answer["total_entries"] > len(rows):
            raise TooLargeError(f"{answer['total_entries']} task instances of these tasks failed there.")
        return {
            task_id: told_history(run_ids, {row["dag_run_id"] for row in rows if row["task_id"] == task_id})
            for task_id in tasks
        }


def _version(run: DagRun) -> int | None:
    return max((each.version_number for each in run.dag_versions or ()), default=None)


def _code(run: DagRun, good: DagRun | None) -> str | None:
    """Airflow 2 keeps no versions."""
    here = _version(run)
    if here is None:
        return None
    if good is None:
        return f"DAG version {here}; no run before was a success."
    return told_versions(here, _version(good) or 0, good.dag_run_id)


def _note(run: DagRun, failed: int) -> str | None:
    if failed > MOST_FAILED:
        return f"{failed} task instances failed; the first {MOST_FAILED} were looked at."
    if failed:
        return None
    if run.state == "failed":
        return "No task of it failed: it was set to failed by hand, or ran into dagrun_timeout, or a task was removed."
    return "No task of it has failed."
