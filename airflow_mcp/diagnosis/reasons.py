"""What holds a DAG or a run of it, judged of what was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from airflow_mcp.airflow.health import Component
from airflow_mcp.diagnosis.words import counted, lasting, named
from airflow_mcp.models.base import in_short
from airflow_mcp.models.dag_state import Reason
from airflow_mcp.models.dags import Dag, DagDetails
from airflow_mcp.models.runs import DagRun

LATE = timedelta(minutes=2)
"""How long after a run was due, or a heartbeat, something is wrong."""
LONG_IN_QUEUE = timedelta(minutes=5)
ASSETS = ("Dataset", "Asset")
"""Schedules that are no time; since Airflow 2.9 the details name the assets."""
NEVER = ("Never, external triggers only", "None", "")


def of_scheduler(health: Mapping[str, Component] | None, now: datetime) -> list[Reason]:
    """That the scheduler does not run."""
    scheduler = (health or {}).get("scheduler")
    if scheduler is None or scheduler.healthy:
        return []
    return [not_beating(scheduler, now, "no run and no task starts until it does")]


def not_beating(component: Component, now: datetime, consequence: str) -> Reason:
    """That one of Airflow's processes does not run."""
    last = f", its last heartbeat is {lasting(component.heartbeat, now)} old" if component.heartbeat else ""
    return Reason(
        reason=f"{component.name}_down",
        fact=f"The {component.name} does not run{last}: {consequence}.",
        remedy=f"Start Airflow's {component.name}, or look into its log.",
    )


def of_file(dag: Dag, import_error: str | None) -> list[Reason]:
    """That the file of a DAG does not import, or is gone."""
    if dag.has_import_errors:
        return [broken_file(import_error or f"{dag.fileloc} does not import.")]
    gone = gone_file(dag)
    return [gone] if gone else []


def gone_file(dag: Dag) -> Reason | None:
    """That the file of a DAG is gone."""
    if dag.active is not False:
        return None
    when = f", last read {in_short(dag.last_parsed_time)}" if dag.last_parsed_time else ""
    return Reason(
        reason="file_gone",
        fact=f"No file defines {dag.dag_id} any more; it was in {dag.fileloc}{when}.",
        remedy="Put the DAG back into the DAGs folder; Airflow then takes it up by itself.",
    )


def broken_file(told: str) -> Reason:
    """That a file does not import."""
    remedy = "Mend the file (get_import_errors has the stack trace); Airflow then loads it by itself."
    return Reason(reason="import_error", fact=told, remedy=remedy)


def of_pause(dag: Dag, details: DagDetails | None, queued: int) -> list[Reason]:
    """That a DAG is paused."""
    if not dag.is_paused:
        return []
    waiting = f"; {counted(queued, 'queued run')} of it wait{'s' if queued == 1 else ''}" if queued else ""
    most = details.max_consecutive_failed_dag_runs if details else None
    itself = f" Airflow itself pauses it after {counted(most, 'failed run')} in a row." if most else ""
    return [
        Reason(
            reason="paused",
            fact=f"DAG {dag.dag_id} is paused{waiting}.{itself}",
            remedy=f"patch_dag with dag_id={dag.dag_id}, is_paused=false; its preview tells what then starts. "
            "Who paused it: get_event_logs with event=pause.",
        )
    ]


def of_run_limit(dag: Dag, running: Sequence[DagRun]) -> list[Reason]:
    """That as many runs run as may; `running` are those that count, the oldest first."""
    most = dag.max_active_runs
    if not most or len(running) < most:
        return []
    runs = named([run.dag_run_id for run in running])
    are_running = f"{len(running)} runs are running: {runs}" if len(running) > 1 else f"run {runs} is running"
    return [
        Reason(
            reason="max_active_runs",
            fact=f"max_active_runs of {dag.dag_id} is {most}, and {are_running}.",
            remedy=f"Wait for its end, or explain_dag_state with dag_run_id={running[0].dag_run_id}.",
        )
    ]


def of_queued_run(run: DagRun, now: datetime, *, backfills_apart: bool) -> list[Reason]:
    """Why a queued run may wait that neither its DAG nor a limit holds."""
    if run.run_after and run.run_after > now:
        due = in_short(run.run_after)
        return [Reason(reason="not_due", fact=f"The run may not start before {due}.", remedy="Wait until then.")]
    if run.run_type == "backfill" and backfills_apart:
        return [
            Reason(
                reason="backfill_limit",
                fact="It is of a backfill, which may be paused and has a max_active_runs of its own.",
                remedy="Look at the backfill in Airflow's UI.",
            )
        ]
    if run.queued_at and now - run.queued_at > LONG_IN_QUEUE:
        return [
            Reason(
                reason="scheduler_slow",
                fact=f"The run is queued for {lasting(run.queued_at, now)}, and no limit holds it.",
                remedy="Look into the scheduler's log: it should have started it within seconds.",
            )
        ]
    return []


def of_schedule(dag: Dag, details: DagDetails | None, now: datetime) -> list[Reason]:
    """Why no run is made of a DAG without an active one that waits for no assets; nothing where one is due."""
    if dag.next_run:
        return [] if dag.next_run > now - LATE else [_overdue(dag.next_run, now)]
    trigger = "A run is triggered in Airflow's UI or by another DAG."
    if dag.schedule in (None, *NEVER):
        fact = f"DAG {dag.dag_id} has no schedule: it runs only when it is triggered."
        return [Reason(reason="no_schedule", fact=fact, remedy=trigger)]
    if dag.schedule in ASSETS:
        fact = f"DAG {dag.dag_id} runs on events of datasets or assets, which Airflow does not name here."
        return [Reason(reason="waits_for_assets", fact=fact, remedy="See which in the DAG's file: get_dag_source.")]
    end = details.end_date if details else None
    if end and end <= now:
        fact = f"Its end_date {in_short(end)} is past: no more runs are made."
        return [Reason(reason="end_date_past", fact=fact, remedy=f"Move end_date in the DAG's file. {trigger}")]
    fact = f"Its schedule ({dag.schedule}) gives no further run."
    return [Reason(reason="no_further_run", fact=fact, remedy=trigger)]


def _overdue(due: datetime, now: datetime) -> Reason:
    return Reason(
        reason="overdue",
        fact=f"A run was due {in_short(due)}, {lasting(due, now)} ago, and was not made.",
        remedy="Look into the scheduler's log: it makes runs within seconds after they are due.",
    )


def of_ended_run(run: DagRun, task_id: str) -> list[Reason]:
    """That a task did not run before its run ended."""
    return [
        Reason(
            reason="run_ended",
            fact=f"Run {run.dag_run_id} has ended ({run.state}); what has not run of it does not run any more.",
            remedy=f"clear_task_instances with dag_run_id={run.dag_run_id}, task_ids=[{task_id}], only_failed=false.",
        )
    ]
