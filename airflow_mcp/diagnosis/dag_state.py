"""explain_dag_state: looks at what can hold a DAG, a run or a task, and tells what does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from airflow_mcp.airflow import dags, import_errors, no_dag
from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dag_lists import PAGE
from airflow_mcp.airflow.health import components
from airflow_mcp.airflow.held_runs import counts_for_limit
from airflow_mcp.airflow.queued_events import queued_events
from airflow_mcp.airflow.runs import find_runs, one_run
from airflow_mcp.airflow.task_instance_lists import instances_of_task
from airflow_mcp.diagnosis import reasons
from airflow_mcp.diagnosis.assets import of_assets
from airflow_mcp.diagnosis.one_task import of_one_task
from airflow_mcp.diagnosis.parts import Look
from airflow_mcp.diagnosis.run_look import look_at_tasks
from airflow_mcp.diagnosis.subject import Subject
from airflow_mcp.diagnosis.waiting import Waiting, states_of, they_are
from airflow_mcp.diagnosis.waiting_tasks import is_sensor, of_tasks
from airflow_mcp.diagnosis.words import lasting
from airflow_mcp.errors import AirflowMcpError, DagNotFoundError
from airflow_mcp.models.base import in_short
from airflow_mcp.models.dag_state import DagState, Reason
from airflow_mcp.models.dags import Dag
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.states import ENDED, NO_STATUS, RUN_ENDED


async def explain_dag_state(
    api: Api, dag_id: str, dag_run_id: str | None = None, task_id: str | None = None, map_index: int | None = None
) -> DagState:
    """Why a DAG, a run of it, or a task of the run is not running.

    Route: GET /dags/{dag_id}, and beside it those for its details, runs, tasks, task instances, their dependencies,
    pools, import errors and health. Raises NotFoundError for what there is not, but for a DAG whose file does not
    import. What else cannot be looked at is in `not_seen`.
    """
    try:
        dag = await dags.get_dag(api, dag_id)
    except DagNotFoundError as error:
        return await _not_loaded(api, dag_id, error)
    subject = Subject(api, dag, datetime.now(UTC), task_id=task_id, map_index=map_index)
    if dag_run_id is None:
        return await _of_dag(subject)
    run = await one_run(api, dag_id, dag_run_id)
    subject = replace(subject, run=run)
    return await (_of_task(subject, run, task_id) if task_id else _of_run(subject, run))


async def _not_loaded(api: Api, dag_id: str, error: DagNotFoundError) -> DagState:
    """Of a DAG that Airflow does not know: that its file does not import. Raises the error where none may hold it."""
    try:
        told = no_dag.of_dag(await import_errors.newest(api), dag_id)
    except AirflowMcpError:
        raise error from None
    if not told:
        raise error
    return DagState(
        summary=f"DAG {dag_id} is not loaded: {told}",
        dag_id=dag_id,
        state="not_loaded",
        url=api.links.to(dag_id),
        reasons=[reasons.broken_file(told)],
    )


async def _of_dag(subject: Subject) -> DagState:
    """A DAG: what holds it, and what holds its oldest active run, if it has one."""
    api, dag, now = subject.api, subject.dag, subject.now
    state = "paused" if dag.is_paused else "no_file" if dag.active is False else "active"
    if broken := await _broken(subject):
        return subject.answer(state, broken, "")
    found = await subject.parts.look(
        {
            "the DAG's details": lambda: dags.get_dag_details(api, dag.dag_id),
            "running runs": lambda: _running(api, dag.dag_id),
            "queued runs": lambda: find_runs(api, dag.dag_id, {"state": ["queued"], "limit": 1, "order_by": "id"}),
            "Airflow's health": lambda: components(api),
        }
    )
    details, running, health = found["the DAG's details"], found["running runs"] or [], found["Airflow's health"]
    queued, number = found["queued runs"] or ([], 0)
    expression = (details and details.asset_expression) or {}
    events = await subject.parts.look({"asset events": lambda: queued_events(api, dag.dag_id)} if expression else {})
    held = [
        *reasons.of_scheduler(health, now),
        *reasons.of_pause(dag, details, number),
        *reasons.of_run_limit(dag, _counting(api, running)),
    ]
    if running:
        subject = replace(subject, run=running[0])
        waiting = await look_at_tasks(subject, running[0], health)
        return subject.answer(state, [*held, *of_tasks(waiting)], _goes_on(waiting), _works(waiting))
    if queued:
        held = held or reasons.of_queued_run(queued[0], now, backfills_apart=api.release >= (3, 0))
        return replace(subject, run=queued[0]).answer(state, held, _starts_soon(queued[0]))
    if expression:
        lost = bool(dag.is_paused) and api.release >= (2, 10)
        held += of_assets(dag.dag_id, expression, events["asset events"], lost=lost)
        return subject.answer(state, held, f"Nothing holds it: {dag.dag_id} has got the events that it waits for.")
    # Held, it is late for that reason.
    held += [each for each in reasons.of_schedule(dag, details, now) if not held or each.reason != "overdue"]
    return subject.answer(state, held, _due(dag, now))


async def _of_run(subject: Subject, run: DagRun) -> DagState:
    """A run: what holds it, or its tasks."""
    state = run.state or NO_STATUS
    if state in RUN_ENDED:
        return subject.answer(state, [], _ended(state, run.end_date))
    held, health = await _around(subject, run)
    if state == "queued" or (held and held[0].reason in ("import_error", "file_gone")):
        return subject.answer(state, held, _starts_soon(run))
    waiting = await look_at_tasks(subject, run, health)
    return subject.answer(state, [*held, *of_tasks(waiting)], _goes_on(waiting), _works(waiting))


async def _of_task(subject: Subject, run: DagRun, task_id: str) -> DagState:
    """A task of a run: what holds it, or those upstream of it."""
    rows = await instances_of_task(subject.api, subject.dag.dag_id, run.dag_run_id, task_id, subject.map_index)
    state = states_of(rows)
    if all(row.state in ENDED for row in rows):
        waiting = await look_at_tasks(subject, run, None)
        if state == "skipped" and run.state == "failed":
            looks = {"the DAG's details": lambda: dags.get_dag_details(subject.api, subject.dag.dag_id)}
            details = (await subject.parts.look(looks))["the DAG's details"]
            waiting = replace(waiting, dag_run_timeout=details.dag_run_timeout_seconds if details else None)
        ended = max((row.end_date for row in rows if row.end_date), default=None)
        return subject.answer(state, of_one_task(waiting, task_id, rows), _ended(state, ended))
    if run.state in RUN_ENDED:
        return subject.answer(state, reasons.of_ended_run(run, task_id), "")
    held, health = await _around(subject, run)
    if run.state == "queued" or (held and held[0].reason in ("import_error", "file_gone")):
        return subject.answer(state, held, _starts_soon(run))
    waiting = await look_at_tasks(subject, run, health)
    found = [*held, *of_one_task(waiting, task_id, rows), *of_tasks(waiting)]
    return subject.answer(state, found, _goes_on(waiting), _works(replace(waiting, rows=rows)))


async def _around(subject: Subject, run: DagRun) -> tuple[list[Reason], Any]:
    """What holds an active run from outside of it; and Airflow's health, None where that is not known."""
    api, dag, now = subject.api, subject.dag, subject.now
    if broken := await _broken(subject):
        return broken, None
    looks: dict[str, Look] = {"Airflow's health": lambda: components(api)}
    if run.state == "queued":
        looks["running runs"] = lambda: _running(api, dag.dag_id)
    found = await subject.parts.look(looks)
    health = found["Airflow's health"]
    held = [*reasons.of_scheduler(health, now), *reasons.of_pause(dag, None, 0)]
    if run.state == "queued":
        held += reasons.of_run_limit(dag, _counting(api, found["running runs"] or []))
        held = held or reasons.of_queued_run(run, now, backfills_apart=api.release >= (3, 0))
    return held, health


async def _broken(subject: Subject) -> list[Reason]:
    """That the file of the DAG does not import, or is gone; then nothing else matters."""
    api, dag = subject.api, subject.dag
    if not dag.has_import_errors:
        return reasons.of_file(dag, None)
    errors = (await subject.parts.look({"import errors": lambda: import_errors.newest(api)}))["import errors"]
    told = import_errors.among(errors, dag.fileloc or "") if errors else None
    if told is None and errors and errors.total_entries == len(errors.import_errors):
        dag = dag.model_copy(update={"has_import_errors": False})  # Airflow keeps that of a file that is gone
    return reasons.of_file(dag, told)


async def _running(api: Api, dag_id: str) -> list[DagRun]:
    """The running runs of a DAG, the oldest first; of very many the newest."""
    rows, _ = await find_runs(api, dag_id, {"state": ["running"], "limit": PAGE})
    return rows[::-1]


def _counting(api: Api, running: Sequence[DagRun]) -> list[DagRun]:
    return [run for run in running if counts_for_limit(api, run)]


def _ended(state: str, at: datetime | None) -> str:
    return f"It has ended: {state}{f' at {in_short(at)}' if at else ''}."


def _starts_soon(run: DagRun) -> str:
    return f"Nothing holds it: run {run.dag_run_id} is queued, and the scheduler starts it within seconds."


def _due(dag: Dag, now: datetime) -> str:
    if dag.next_run is None:
        return "Nothing that is known here holds it."
    when = f"it is due at {in_short(dag.next_run)}" if dag.next_run > now else "a run of it starts within seconds"
    return f"Nothing holds it: {when} (schedule {dag.schedule})."


def _works(waiting: Waiting) -> str:
    """That it is running, where a task is at work."""
    rows = [row for row in waiting.in_state("running") if not is_sensor(row)]
    since = min((row.start_date for row in rows if row.start_date), default=None)
    return f"It is running: {they_are(rows)} at work for {lasting(since, waiting.now)}." if rows else ""


def _goes_on(waiting: Waiting) -> str:
    """What is so of a run that runs where nothing holds it and no task is at work."""
    if waiting.total is None:
        return "Its task instances could not be looked at; nothing else that is known holds it."
    return "Nothing holds it: the scheduler and the executor take it on within seconds."
