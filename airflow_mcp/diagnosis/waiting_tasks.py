"""What holds the task instances of a run, judged of what was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from airflow_mcp.airflow.one_task_instance import Dependency
from airflow_mcp.airflow.task_instance_lists import WaitingRow
from airflow_mcp.diagnosis.full_pools import of_pools
from airflow_mcp.diagnosis.reasons import LONG_IN_QUEUE, not_beating
from airflow_mcp.diagnosis.waiting import Waiting, all_told, given, they, they_are, told
from airflow_mcp.diagnosis.words import lasting, named
from airflow_mcp.models.base import in_short
from airflow_mcp.models.dag_state import Reason
from airflow_mcp.text.clean import one_line

TOLD_ELSEWHERE = ("Dag Not Paused", "Dagrun Running", "Pool Slots Available", "Not In Retry Period")
"""Dependencies that are judged of something that tells more."""


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
        yield Reason(
            reason="max_active_tasks",
            fact=f"{they(rows, 'wait')}: max_active_tasks is {most}, and {waiting.active} are running or queued.",
            remedy="Wait until one ends, or raise max_active_tasks in the DAG's file.",
        )


def _of_past(waiting: Waiting) -> Iterator[Reason]:
    rows = [row for row in waiting.first if _says(waiting, row, "Previous Dagrun State")]
    if not rows:
        return
    which = "wait_for_downstream" if any(_waits_for_downstream(waiting, row) for row in rows) else "depends_on_past"
    states = {row.task_id: row.state or "no_status" for row in waiting.before}
    before, first = waiting.run_before, rows[0].task_id
    was = f"it is {states[first]}" if first in states else "it has not succeeded"
    run_id = before.dag_run_id if before else None
    of_run = f" in the run before, {run_id} ({before.state})" if before else " in the run before"
    again = f" with dag_run_id={run_id}, task_ids=[{first}]" if run_id else ""
    yield Reason(
        reason="depends_on_past",
        fact=f"{they(rows, 'wait')} for itself ({which}): {was}{of_run}.",
        remedy=f"Run it again there: clear_task_instances{again}; or let set_task_instances_state set it to success.",
    )


def _waits_for_downstream(waiting: Waiting, row: WaitingRow) -> bool:
    task = waiting.tasks.get(row.task_id)
    return bool(task and task.wait_for_downstream)


def _says(waiting: Waiting, row: WaitingRow, name: str) -> bool:
    return any(each.name == name for each in waiting.dependencies.get(told(row), ()))


def _as_the_scheduler_says(waiting: Waiting) -> Iterator[Reason]:
    """What else the scheduler names of those that nothing in the graph holds."""
    seen = set[str]()
    for row in (*waiting.in_state("scheduled"), *waiting.first):
        for each in waiting.dependencies.get(told(row), ()):
            if each.name in (*TOLD_ELSEWHERE, "Previous Dagrun State") or each.name in seen:
                continue
            seen.add(each.name)
            yield _in_the_schedulers_words(waiting, row, each)


def _in_the_schedulers_words(waiting: Waiting, row: WaitingRow, said: Dependency) -> Reason:
    # It goes on with states in a form that is hard to read.
    words = one_line((said.reason or said.name).partition(" upstream_states=")[0], 200).rstrip(".")
    if said.name == "Task Concurrency":
        fact = f"Task {told(row)} waits: as many of its task instances run as may ({words})."
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
        yield Reason(
            reason="sensor",
            fact=f"{they(rows, 'look')} for something that is not there yet ({rows[0].operator}), for "
            f"{lasting(since, waiting.now)}.",
            remedy=f"get_task_log with {given(rows[0])} tells what for.",
        )


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
    if since and waiting.now - since > LONG_IN_QUEUE:
        yield Reason(
            reason="executor_slow",
            fact=f"{they_are(rows)} queued for {lasting(since, waiting.now)}, and {executor} has not started it.",
            remedy=f"See that workers run, take {where}, and have room (parallelism, worker_concurrency).",
        )


def _of_executor(waiting: Waiting) -> Iterator[Reason]:
    """What scheduled while neither a pool nor a limit that can be seen is full."""
    rows = [row for row in waiting.in_state("scheduled") if not _is_held(waiting, row)]
    since = min((row.scheduled_when for row in rows if row.scheduled_when), default=None)
    if rows and since and waiting.now - since > timedelta(minutes=1):
        yield Reason(
            reason="parallelism",
            fact=f"{they_are(rows)} scheduled for {lasting(since, waiting.now)}; neither its pool nor "
            "max_active_tasks is full.",
            remedy="See whether the executor's slots (parallelism) are all taken, and the scheduler's log.",
        )


def _is_held(waiting: Waiting, row: WaitingRow) -> bool:
    occupied = waiting.pools.get(row.pool or "")
    if occupied is None or waiting.dependencies.get(told(row)):
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
