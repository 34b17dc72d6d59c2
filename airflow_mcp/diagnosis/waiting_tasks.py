"""What holds the task instances of a run, judged of what was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from airflow_mcp.airflow.one_task_instance import Dependency
from airflow_mcp.airflow.task_instance_lists import WaitingRow
from airflow_mcp.diagnosis.full_pools import of_pools
from airflow_mcp.diagnosis.reasons import LONG_IN_QUEUE, not_beating
from airflow_mcp.diagnosis.waiting import Waiting, all_told, given, they, they_are, told
from airflow_mcp.diagnosis.words import lasting, named
from airflow_mcp.models.base import in_short
from airflow_mcp.models.dag_state import Reason
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.states import ENDED, RUN_ENDED
from airflow_mcp.text.clean import one_line

SLOTS = "Task Instance Slots Available"
"""Of max_active_tasks: on Airflow 3 it counts those of all runs, where the scheduler counts those of each."""
TOLD_ELSEWHERE = ("Dag Not Paused", "Dagrun Running", "Pool Slots Available", "Not In Retry Period", SLOTS)
"""Dependencies that are judged of something that tells more."""
NOT_STARTED = timedelta(minutes=1)
"""How long after it was scheduled, or queued, the executor should have started a task."""


def of_tasks(waiting: Waiting) -> list[Reason]:
    """What holds the task instances of a run, what surely does first."""
    judged = (
        *of_pools(waiting),
        *_of_limit(waiting),
        *_of_past(waiting),
        *_as_the_scheduler_says(waiting),
        *_of_retries(waiting),
        *_of_sensors(waiting),
        *_of_deferred(waiting),
        *_of_people(waiting),
        *_of_queue(waiting),
        *_of_executor(waiting),
    )
    return [*judged, *_of_scheduler(waiting, judged)]


def _of_limit(waiting: Waiting) -> Iterator[Reason]:
    most, rows = waiting.dag.max_active_tasks, waiting.in_state("scheduled")
    if rows and most and waiting.active >= most:
        are = "is" if waiting.active == 1 else "are"
        taken = waiting.in_state("running", "queued")
        by = f": {all_told(taken)}" if taken else ""
        yield Reason(
            reason="max_active_tasks",
            fact=f"{they(rows, 'wait')}: max_active_tasks is {most}, and {waiting.active} {are} running or queued{by}.",
            remedy="Wait until one ends, or raise max_active_tasks in the DAG's file.",
        )


def _of_past(waiting: Waiting) -> Iterator[Reason]:
    rows = [row for row in waiting.first if _says(waiting, row, "Previous Dagrun State")]
    if not rows:
        return
    first = rows[0].task_id
    which = "wait_for_downstream" if _waits_for_downstream(waiting, rows[0]) else "depends_on_past"
    before, at = waiting.run_before, waiting.before[0] if waiting.before else None
    if at is None:
        was = "it has not succeeded"
    else:
        was = f"{'it' if at.task_id == first else told(at)} is {at.state or 'no_status'}"
    of_run = f" in the run before, {before.dag_run_id} ({before.state})" if before else " in the run before"
    yield Reason(
        reason="depends_on_past",
        fact=f"{they(rows, 'wait')} for itself ({which}): {was}{of_run}.",
        remedy=_remedy_of_past(before, at, first),
    )


def _remedy_of_past(before: DagRun | None, at: WaitingRow | None, task_id: str) -> str:
    run, task = (f"dag_run_id={before.dag_run_id}, " if before else ""), (at.task_id if at else task_id)
    if at and before and before.state not in RUN_ENDED and at.state not in ENDED:
        return f"Wait until it ends there; explain_dag_state with {run}task_id={task} tells what holds it."
    again = f"clear_task_instances{f' with {run}task_ids=[{task}]' if run else ''}"
    return f"Run it again there: {again}; or let set_task_instances_state set it to success."


def _waits_for_downstream(waiting: Waiting, row: WaitingRow) -> bool:
    task = waiting.tasks.get(row.task_id)
    return bool(task and task.wait_for_downstream)


def _says(waiting: Waiting, row: WaitingRow, name: str) -> bool:
    return any(each.name == name for each in waiting.dependencies.get(row.task_id, ()))


def _as_the_scheduler_says(waiting: Waiting) -> Iterator[Reason]:
    """What else the scheduler names of those that nothing in the graph holds."""
    seen = set[str]()
    for row in (*waiting.in_state("scheduled"), *waiting.first):
        for each in waiting.dependencies.get(row.task_id, ()):
            if each.name in (*TOLD_ELSEWHERE, "Previous Dagrun State") or each.name in seen:
                continue
            seen.add(each.name)
            yield _in_the_schedulers_words(waiting, row, each)


def _in_the_schedulers_words(waiting: Waiting, row: WaitingRow, said: Dependency) -> Reason:
    # It goes on with states in a form that is hard to read.
    words = one_line((said.reason or said.name).partition(" upstream_states=")[0], 200).rstrip(".")
    if said.name == "Task Concurrency":
        rows = [each for each in waiting.in_state(row.state) if each.task_id == row.task_id]
        fact = f"{they(rows, 'wait')}: as many task instances of it run as may ({words})."
        remedy = "Wait until one ends, or raise max_active_tis_per_dag (or _per_dagrun) in the DAG's file."
        return Reason(reason="task_concurrency", fact=fact, remedy=remedy)
    if said.name == "Trigger Rule":
        states = {each.task_id: each.state for each in waiting.failed}
        ended = named([f"{each} {states[each]}" for each in waiting.upstream(row.task_id) if each in states])
        return Reason(
            reason="trigger_rule",
            fact=f"Task {told(row)}: {words}{f' ({ended})' if ended else ''}.",
            remedy="See the tasks upstream with get_task_instances; clear_task_instances runs failed ones again.",
        )
    if said.name in ("Execution Date", "Logical Date"):
        remedy = "Wait until then, or mend start_date and end_date in the DAG's file."
        return Reason(reason="date", fact=f"Task {told(row)}: {words}.", remedy=remedy)
    return Reason(
        reason="scheduler_says", fact=f"Task {told(row)}: {said.name}: {words}.", remedy="get_task_instance tells more."
    )


def _of_retries(waiting: Waiting) -> Iterator[Reason]:
    if rows := waiting.in_state("up_for_retry"):
        task = waiting.tasks.get(rows[0].task_id)
        delay, end = (task.retry_delay_seconds if task else None), rows[0].end_date
        when = f" after {in_short(end + timedelta(seconds=delay))}" if delay is not None and end else ""
        tries = f" in try {rows[0].try_number} of {(rows[0].max_tries or 0) + 1}" if rows[0].try_number else ""
        yield Reason(
            reason="up_for_retry",
            fact=f"Task {all_told(rows)} failed{tries}; the next try comes{when}.",
            remedy=f"get_task_log with {given(rows[0])} tells why it failed.",
        )


def is_sensor(row: WaitingRow) -> bool:
    """Whether a task waits for something outside, as far as the name of its operator tells."""
    return "sensor" in (row.operator or "").lower()


def _of_sensors(waiting: Waiting) -> Iterator[Reason]:
    poking = [row for row in waiting.in_state("running") if is_sensor(row)]
    if rows := [*poking, *waiting.in_state("up_for_reschedule")]:
        since = min((row.start_date for row in rows if row.start_date), default=None)
        first = next((row for row in rows if row.external_dag_id), rows[0])
        external = first.external_dag_id
        of_dag, look = _of_external_dag(waiting, external) if external else ("", "")
        yield Reason(
            reason="sensor",
            fact=f"{they(rows, 'look')} for something that is not there yet ({first.operator}{of_dag}), for "
            f"{lasting(since, waiting.now)}.",
            remedy=f"{look}get_task_log with {given(first)} tells what for.",
        )


def _of_external_dag(waiting: Waiting, dag_id: str) -> tuple[str, str]:
    """Of a sensor that waits for another DAG: which one and how it stands, and how to see more."""
    name = one_line(dag_id, 200)
    if dag_id in waiting.external_dags and waiting.external_dags[dag_id] is None:
        return f" of DAG {name}, which Airflow does not know", ""
    dag = waiting.external_dags.get(dag_id)
    paused = ", which is paused" if dag and dag.is_paused else ""
    return f" of DAG {name}{paused}", f"explain_dag_state with dag_id={name} tells what holds that. "


def _of_deferred(waiting: Waiting) -> Iterator[Reason]:
    if rows := waiting.in_state("deferred"):
        if waiting.triggerer and not waiting.triggerer.healthy:
            yield not_beating(waiting.triggerer, waiting.now, "deferred tasks wait until it does")
        trigger = rows[0].trigger
        since = trigger.created_date if trigger else rows[0].start_date
        what = f" for {one_line(trigger.classpath, 200).rpartition('.')[2]}" if trigger else ""
        yield Reason(
            reason="deferred",
            fact=f"{they_are(rows)} deferred: it waits{what} in the triggerer, for {lasting(since, waiting.now)}.",
            remedy=f"get_task_log with {given(rows[0])} tells what it waits for.",
        )


def _of_people(waiting: Waiting) -> Iterator[Reason]:
    if rows := waiting.in_state("awaiting_input"):
        yield Reason(
            reason="awaiting_input",
            fact=f"{they(rows, 'wait')} for a person's answer.",
            remedy="Answer it in Airflow's UI (Required Actions).",
        )


def _of_queue(waiting: Waiting) -> Iterator[Reason]:
    rows = waiting.in_state("queued")
    if not rows:
        return
    since = min((row.queued_when for row in rows if row.queued_when), default=None)
    executor = rows[0].executor or "the executor"
    where = f"queue {rows[0].queue}" if rows[0].queue else "its queue"
    if since and waiting.now - since > NOT_STARTED:
        yield Reason(
            reason="executor_slow",
            fact=f"{they_are(rows)} queued for {lasting(since, waiting.now)}, and {executor} has not started "
            f"{'it' if len(rows) == 1 else 'them'}{_at_work(waiting)}.",
            remedy=f"See that workers run, take {where}, and have room (parallelism, worker_concurrency).",
        )


def _of_executor(waiting: Waiting) -> Iterator[Reason]:
    """What scheduled while neither a pool nor a limit that can be seen is full."""
    rows = [row for row in waiting.in_state("scheduled") if not _is_held(waiting, row)]
    since = min(filter(None, (_scheduled_since(waiting, row) for row in rows)), default=None)
    if rows and since and waiting.now - since > NOT_STARTED:
        yield Reason(
            reason="parallelism",
            fact=f"{they_are(rows)} scheduled for {lasting(since, waiting.now)}; neither its pool nor "
            f"max_active_tasks is full{_at_work(waiting)}.",
            remedy="See whether the executor's slots (parallelism) are all taken, and the scheduler's log.",
        )


def _scheduled_since(waiting: Waiting, row: WaitingRow) -> datetime | None:
    """When it was scheduled; Airflow 2 does not tell, but of a task without any upstream it is when the run began."""
    return row.scheduled_when or (None if waiting.upstream(row.task_id) else waiting.run.start_date)


def _at_work(waiting: Waiting) -> str:
    return "" if waiting.running is None else f"; {waiting.running} run, of all DAGs"


def _is_held(waiting: Waiting, row: WaitingRow) -> bool:
    occupied = waiting.pools.get(row.pool or "")
    said = waiting.dependencies.get(row.task_id, ())
    if occupied is None or any(each.name != SLOTS for each in said):
        return True  # not looked at, or told by the scheduler
    pool, needed = occupied.pool, row.pool_slots or 1
    full = pool is None or 0 <= pool.slots < needed or 0 <= pool.open_slots < needed
    return full or waiting.active >= (waiting.dag.max_active_tasks or waiting.active + 1)


def _of_scheduler(waiting: Waiting, judged: Sequence[Reason]) -> Iterator[Reason]:
    """That the scheduler is behind, where it names no reason itself."""
    if waiting.total == 0 and waiting.run.state == "running":
        yield Reason(
            reason="all_done",
            fact=f"All task instances of {waiting.run.dag_run_id} have ended, and the run is still running.",
            remedy="The scheduler ends it within seconds if it runs; look into its log otherwise.",
        )
    started = waiting.run.start_date
    if judged or not waiting.first or waiting.in_state("running", "queued", "scheduled"):
        return
    if started and waiting.now - started > LONG_IN_QUEUE and waiting.run.state == "running":
        yield Reason(
            reason="scheduler_slow",
            fact=f"{they_are(waiting.first)} ready to run, and the scheduler has not scheduled that.",
            remedy="Look into the scheduler's log.",
        )
