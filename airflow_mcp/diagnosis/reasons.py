"""Why a DAG does not run: what the facts say, the likeliest reason first. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_mcp.airflow.instance import Component
from airflow_mcp.airflow.report import shortened
from airflow_mcp.airflow.task_instances import from_airflow
from airflow_mcp.models.dags import DagDetails
from airflow_mcp.models.diagnosis import Reason

LONG_IN_QUEUE = timedelta(minutes=5)
LATE = timedelta(minutes=2)
"""How long after a run was due it is missed."""
WAITS = ("up_for_reschedule", "deferred")


@dataclass
class Facts:
    """What was found out about a DAG. What could not be is empty."""

    dag: DagDetails
    now: datetime
    import_errors: Sequence[Mapping[str, Any]] = ()
    components: Sequence[Component] = ()
    running: Sequence[Mapping[str, Any]] = ()
    """The first running runs, the oldest first."""
    queued: Sequence[Mapping[str, Any]] = ()
    running_number: int = 0
    queued_number: int = 0
    tasks: Sequence[Mapping[str, Any]] = ()
    """The unfinished task instances of the running runs."""
    pools: Sequence[Mapping[str, Any]] = ()
    blocked_by: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By task instance that waits, what its dependencies say."""

    def having(self, *states: str | None) -> list[Mapping[str, Any]]:
        """The unfinished task instances in one of these states."""
        return [row for row in self.tasks if row["state"] in states]


def reasons(facts: Facts) -> list[Reason]:
    """What holds the DAG, the likeliest first; that nothing does, if so."""
    found = [*_instance(facts), *_dag(facts), *_runs(facts), *_tasks(facts)]
    return found or [*_not_due(facts)]


def _instance(facts: Facts) -> Iterator[Reason]:
    """What holds every DAG."""
    for each in facts.components:
        if each.name == "scheduler" and each.status != "healthy":
            yield Reason(
                what="The scheduler does not run",
                facts=f"its last heartbeat was {each.heartbeat or 'never'}",
                do="Start it: until then nothing runs.",
            )
    for each in facts.components:
        if each.name == "triggerer" and each.status != "healthy" and facts.having("deferred"):
            yield Reason(
                what="The triggerer does not run",
                facts=f"its last heartbeat was {each.heartbeat or 'never'}; {_named(facts.having('deferred'))} wait",
                do="Start it: deferred tasks do not go on without it.",
            )


def _dag(facts: Facts) -> Iterator[Reason]:
    dag = facts.dag
    for error in facts.import_errors:
        if error["filename"] == dag.fileloc or (dag.fileloc or "").endswith(f"/{error['filename']}"):
            last = (error["stack_trace"] or "").strip().splitlines()[-1:]
            yield Reason(
                what="Its file cannot be imported",
                facts=f"{error['filename']}: {''.join(last)[:300]}",
                do="Mend the file: until then the DAG stays as it last was, or is gone.",
            )
    if dag.active is False:
        yield Reason(
            what="Its file is gone, or no longer has it",
            facts=f"last seen in {dag.fileloc} at {dag.last_parsed_time}",
            do="Put the file back.",
        )
    if dag.is_paused:
        yield Reason(
            what="The DAG is paused",
            facts=f"{_counted(facts.queued_number, 'run')} in the queue" if facts.queued_number else "no run starts",
            do="patch_dag with is_paused=false, once whoever paused it agrees.",
        )


def _runs(facts: Facts) -> Iterator[Reason]:
    most = facts.dag.max_active_runs
    if facts.queued_number and most and facts.running_number >= most:
        first = facts.running[0] if facts.running else {}
        since = f"; the oldest is {first.get('dag_run_id')}, since {first.get('start_date')}" if first else ""
        yield Reason(
            what="It is at its limit of active runs",
            facts=f"{facts.running_number} running of max_active_runs={most}, {facts.queued_number} queued{since}",
            do="See what holds the running one, below; or end it with set_dag_run_state.",
        )


def _tasks(facts: Facts) -> Iterator[Reason]:
    """What holds the running runs."""
    yield from _full_pools(facts)
    if (most := facts.dag.max_active_tasks) and len(facts.having("running", "queued")) >= most:
        yield Reason(
            what="It is at its limit of active tasks",
            facts=f"{len(facts.having('running', 'queued'))} active of max_active_tasks={most} a run",
        )
    for label, texts in facts.blocked_by.items():
        yield Reason(what=f"{label} is not ready", facts=" ".join(texts)[:400])
    waiting = [row for row in facts.having("queued") if _age(facts, row.get("queued_when")) > LONG_IN_QUEUE]
    if waiting and not any(_full_pools(facts)):
        yield Reason(
            what="Tasks are queued and no worker takes them",
            facts=f"{_named(waiting)}, for {_told(_age(facts, waiting[0].get('queued_when')))}",
            do="Look at the executor and its workers: are they up, and do they listen to this queue?",
        )
    if retries := facts.having("up_for_retry"):
        yield Reason(
            what="Tasks wait for their next try", facts=_named(retries), do="get_task_log tells why they failed."
        )
    if sensors := [*facts.having(*WAITS), *(row for row in facts.having("running") if _is_sensor(row))]:
        longest = max(_age(facts, row.get("start_date")) for row in sensors)
        yield Reason(
            what="Tasks wait for something outside",
            facts=f"{_named(sensors)}, for up to {_told(longest)}",
            do="get_task_log with show=tail tells what for.",
        )
    if busy := [row for row in facts.having("running") if not _is_sensor(row)]:
        longest = max(_age(facts, row.get("start_date")) for row in busy)
        yield Reason(what="It runs", facts=f"running: {_named(busy)}, for up to {_told(longest)}")


def _full_pools(facts: Facts) -> Iterator[Reason]:
    waiting = facts.having("scheduled", "queued")
    for pool in facts.pools:
        here = [row for row in waiting if row["pool"] == pool["name"]]
        if here and pool["slots"] >= 0 and pool["open_slots"] <= 0:
            yield Reason(
                what=f"Pool {pool['name']} is full",
                facts=f"{pool['occupied_slots']} of {pool['slots']} slots are taken; {_named(here)} wait for one",
                do=f"get_task_instances with pool={pool['name']} and state running tells who has them.",
            )


def _not_due(facts: Facts) -> Iterator[Reason]:
    dag = facts.dag
    if facts.running_number or facts.queued_number:
        yield Reason(what="Nothing holds it", facts=_active(facts), do="Ask again in a minute: the scheduler is at it.")
    elif dag.schedule is None or dag.schedule in ("None", "Never, external triggers only"):
        yield Reason(
            what="It has no schedule", facts="it runs only when it is triggered", do="trigger_dag_run starts it."
        )
    elif dag.next_run is None:
        yield Reason(what="No next run is planned", facts=f"schedule {dag.schedule}; its end_date is {dag.end_date}")
    elif dag.next_run - LATE > facts.now:
        yield Reason(what="It is not due yet", facts=f"the next run is due at {dag.next_run.isoformat()}")
    else:
        yield Reason(
            what="A run is due and was not made",
            facts=f"it was due at {dag.next_run.isoformat()}",
            do="The scheduler may be behind: get_health.",
        )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _active(facts: Facts) -> str:
    return f"{facts.running_number} running, {facts.queued_number} queued"


def _named(rows: Sequence[Mapping[str, Any]]) -> str:
    return shortened([each.label for each in from_airflow(rows)])


def _is_sensor(row: Mapping[str, Any]) -> bool:
    return "ensor" in str(row.get("operator_name") or row.get("operator") or "")


def _age(facts: Facts, moment: str | None) -> timedelta:
    return facts.now - datetime.fromisoformat(moment).astimezone(UTC) if moment else timedelta()


def _told(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
