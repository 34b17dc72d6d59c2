"""What is wrong with an Airflow, judged of what was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from airflow_mcp.airflow.dag_lists import Failing
from airflow_mcp.airflow.health import Component
from airflow_mcp.airflow.import_errors import ImportErrors, told
from airflow_mcp.airflow.mapped import label
from airflow_mcp.airflow.pools import Pool
from airflow_mcp.airflow.task_instance_lists import WaitingRow
from airflow_mcp.diagnosis.full_pools import most_wanted, trouble_of
from airflow_mcp.diagnosis.reasons import LATE, LONG_IN_QUEUE, not_beating, of_scheduler
from airflow_mcp.diagnosis.words import counted, is_or_are, lasting, named
from airflow_mcp.models.dag_state import Reason
from airflow_mcp.models.dags import Dag
from airflow_mcp.models.runs import DagRun

FAR_LONGER = 2
"""How many times as long as usual a run takes that is told as a problem."""
MOST_POOLS = 2
MOST_OF_AN_ERROR = 100
WITHOUT = {
    "dag_processor": "changes of DAG files are not taken up until it does",
    "triggerer": "deferred tasks wait until it does",
}
Waiters = tuple[Sequence[WaitingRow], int]
"""Task instances in a state, and how many there are."""


class Problem(NamedTuple):
    """Something that is wrong: in few words, and told."""

    short: str
    told: Reason


@dataclass(frozen=True)
class State:
    """What was seen of an Airflow; what is None could not be."""

    now: datetime
    components: Mapping[str, Component] | None = None
    import_errors: ImportErrors | None = None
    failing: Failing | None = None
    queued: Waiters | None = None
    scheduled: Waiters | None = None
    pools: Mapping[str, Pool | None] = field(default_factory=dict)
    """Those that scheduled task instances want."""
    running: int | None = None
    longest: Sequence[tuple[DagRun, float | None]] = ()
    """The runs that run longest, with the seconds that they usually take."""


def problems(state: State) -> list[Problem]:
    """What is wrong, the worst first."""
    return [
        *_of_components(state),
        *_of_queue(state),
        *_of_pools(state),
        *_of_scheduled(state),
        *_of_failing(state),
        *_of_import_errors(state),
        *_of_long_runs(state),
    ]


def _of_components(state: State) -> Iterator[Problem]:
    known = state.components or {}
    database = known.get("metadatabase")
    if database and database.healthy is False:
        fact = "Airflow's database does not answer: nothing works until it does."
        yield Problem(
            "the metadatabase is unhealthy",
            Reason(reason="metadatabase_down", fact=fact, remedy="Look into the database, and the web server's log."),
        )
    for reason in of_scheduler(known, state.now):
        yield Problem("the scheduler does not run", reason)
    for name, consequence in WITHOUT.items():
        component = known.get(name)
        if component and component.healthy is False:
            yield Problem(f"the {name} does not run", not_beating(component, state.now, consequence))


def _of_queue(state: State) -> Iterator[Problem]:
    rows, total = state.queued or ((), 0)
    oldest = min((row for row in rows if row.queued_when), key=lambda row: row.queued_when or state.now, default=None)
    if oldest is None or state.now - (oldest.queued_when or state.now) <= LONG_IN_QUEUE:
        return
    since = lasting(oldest.queued_when, state.now)
    among = f" of the first {len(rows)}" if total > len(rows) else ""
    many = f"{counted(total, 'task instance')} {is_or_are(total)} queued"
    yield Problem(
        f"{many} for up to {since}",
        Reason(
            reason="queue_slow",
            fact=f"{many}, the oldest{among} for {since}: {_named(oldest)}"
            f"{f', in queue {oldest.queue}' if oldest.queue else ''}.",
            remedy="See that workers run and have room; explain_dag_state tells more.",
        ),
    )


def _of_pools(state: State) -> Iterator[Problem]:
    waiting: dict[str, list[WaitingRow]] = {}
    for row in state.scheduled[0] if state.scheduled else ():
        waiting.setdefault(row.pool or "", []).append(row)
    without_room = {name: rows for name, rows in waiting.items() if name in state.pools and _is_full(state, name, rows)}
    if not without_room:
        return
    names = sorted(without_room, key=lambda name: -len(without_room[name]))
    wait = sum(map(len, without_room.values()))
    have = f"pool {names[0]} has" if len(names) == 1 else f"{len(names)} pools have"
    pools = named([_pool(name, state.pools[name], without_room[name]) for name in names], most=MOST_POOLS)
    yield Problem(
        f"{have} no room for {counted(wait, 'task instance')}",
        Reason(
            reason="pools",
            fact=f"Task instances wait for pool{'' if len(names) == 1 else 's'} {pools}.",
            remedy="get_task_instances with pool lists who has its slots; Airflow's UI (Admin, Pools) gives more.",
        ),
    )


def _is_full(state: State, name: str, rows: Sequence[WaitingRow]) -> bool:
    return trouble_of(state.pools[name], most_wanted(rows)) is not None


def _pool(name: str, pool: Pool | None, rows: Sequence[WaitingRow]) -> str:
    if pool is None:
        what = "there is none of this name"
    elif 0 < pool.slots < most_wanted(rows):
        what = f"{counted(pool.slots, 'slot')}, and one needs {most_wanted(rows)}"
    else:
        what = f"{pool.occupied_slots} of {counted(pool.slots, 'slot')} taken" if pool.slots else "0 slots"
    dags = Counter(row.dag_id for row in rows).most_common()
    who = named([dag for dag, _ in dags], most=1)
    return f"{name} ({what}; {len(rows)} wait{'s' if len(rows) == 1 else ''}, of {who})"


def _of_scheduled(state: State) -> Iterator[Problem]:
    """What is scheduled for long while its pool has room; since when is told by Airflow 3 alone."""
    rows = [
        row
        for row in (state.scheduled[0] if state.scheduled else ())
        if row.scheduled_when and state.now - row.scheduled_when > LATE and _has_room(state.pools, row)
    ]
    if rows:
        oldest = min(rows, key=lambda row: row.scheduled_when or state.now)
        since = lasting(oldest.scheduled_when, state.now)
        many = f"{counted(len(rows), 'task instance')} {is_or_are(len(rows))} scheduled for up to {since}"
        fact = f"{many} though the pool has room: a limit or the executor holds {_named(oldest)}."
        reason = Reason(reason="scheduled_long", fact=fact, remedy="explain_dag_state of that task tells which.")
        yield Problem(many, reason)


def _has_room(pools: Mapping[str, Pool | None], row: WaitingRow) -> bool:
    name = row.pool or ""
    return name in pools and trouble_of(pools[name], row.pool_slots or 1) is None


def _of_failing(state: State) -> Iterator[Problem]:
    first, total, _ = state.failing or ((), 0, True)
    if total:
        names = named([_dag(dag) for dag in first], total)
        yield Problem(
            f"the last run of {counted(total, 'DAG')} failed",
            Reason(
                reason="failing_dags",
                fact=f"{counted(total, 'DAG')} failed in {'its' if total == 1 else 'their'} last run: {names}.",
                remedy="find_failures tells why and since when; diagnose_dag_run all of one.",
            ),
        )


def _dag(dag: Dag) -> str:
    return f"{dag.dag_id} (paused)" if dag.is_paused else dag.dag_id


def _of_import_errors(state: State) -> Iterator[Problem]:
    errors = state.import_errors
    if errors is None or not errors.total_entries:
        return
    total = errors.total_entries
    others = named([each.filename.rpartition("/")[2] for each in errors.import_errors[1:]], total - 1)
    facts = [
        *(told(each, MOST_OF_AN_ERROR) for each in errors.import_errors[:1]),
        *([f"Nor do{'es' if total == 2 else ''} {others}."] if total > 1 else []),
    ]
    short = f"{counted(total, 'file')} {'does' if total == 1 else 'do'} not import"
    remedy = "get_import_errors has the stack traces."
    yield Problem(short, Reason(reason="import_errors", fact=" ".join(facts) or f"{short}.", remedy=remedy))


def _of_long_runs(state: State) -> Iterator[Problem]:
    """Runs that take far longer than usual; the answer tells of each beside its usual time."""
    long = [
        run
        for run, usual in state.longest
        if usual and seconds_running(run, state.now) > max(FAR_LONGER * usual, usual + LATE.total_seconds())
    ]
    if long:
        short = f"{counted(len(long), 'run')} take{'s' if len(long) == 1 else ''} far longer than usual"
        names = named([f"{run.dag_id} {run.dag_run_id}" for run in long], most=1)
        remedy = "explain_dag_state of such a run tells what it waits for."
        yield Problem(short, Reason(reason="long_runs", fact=f"{short}: {names} (longest_running).", remedy=remedy))


def seconds_running(run: DagRun, now: datetime) -> float:
    """For how many seconds a run is running."""
    return (now - (run.start_date or now)) / timedelta(seconds=1)


def _named(row: WaitingRow) -> str:
    return f"{label(row.task_id, row.map_index)} of {row.dag_id} {row.dag_run_id}"
