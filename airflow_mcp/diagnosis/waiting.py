"""The task instances of a run that have not ended, as they were looked at, and how they are told of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from airflow_mcp.airflow.graph import all_downstream, upstream_of
from airflow_mcp.airflow.health import Component
from airflow_mcp.airflow.mapped import label
from airflow_mcp.airflow.one_task_instance import Dependency
from airflow_mcp.airflow.pools import Pool
from airflow_mcp.airflow.task_instance_lists import WaitingRow
from airflow_mcp.airflow.tasks import TaskRow
from airflow_mcp.diagnosis.words import named
from airflow_mcp.models.dags import Dag
from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.states import NO_STATUS


class Occupied(NamedTuple):
    """A pool that task instances of the run want, None for one that there is not, and who has its slots."""

    pool: Pool | None
    by: Sequence[WaitingRow] = ()


@dataclass(frozen=True)
class Waiting:
    """The task instances of a run that have not ended, and what was looked at for their sake."""

    dag: Dag
    run: DagRun
    now: datetime
    rows: Sequence[WaitingRow]
    total: int | None = None
    """How many of the run have not ended; None where that could not be looked at."""
    failed: Sequence[WaitingRow] = ()
    """Those that failed, or were skipped or left out for others."""
    tasks: Mapping[str, TaskRow] = field(default_factory=dict)
    """All tasks of the DAG; none where they are not known."""
    dependencies: Mapping[str, Sequence[Dependency]] = field(default_factory=dict)
    """By task, what the scheduler says of the first of its task instances that wait."""
    pools: Mapping[str, Occupied] = field(default_factory=dict)
    run_before: DagRun | None = None
    before: Sequence[WaitingRow] = ()
    """The task instances in the run before that the first one waits for; of wait_for_downstream those not done."""
    active: int = 0
    """How many task instances count against max_active_tasks."""
    running: int | None = None
    """How many task instances of all DAGs run; None where that was not looked at."""
    external_dags: Mapping[str, Dag | None] = field(default_factory=dict)
    """By its id, a DAG that a sensor waits for; None for one that Airflow does not know."""
    dag_run_timeout: float | None = None
    """Seconds; None where there is none, or it was not looked at."""
    triggerer: Component | None = None

    def in_state(self, *states: str | None) -> list[WaitingRow]:
        """Those in these states."""
        return [row for row in self.rows if row.state in states]

    @property
    def first(self) -> list[WaitingRow]:
        """Those without a state whose upstream tasks have all ended: nothing in the graph holds them."""
        unfinished = {row.task_id for row in self.rows}
        return [row for row in self.in_state(None) if unfinished.isdisjoint(self.upstream(row.task_id))]

    def upstream(self, task_id: str) -> Sequence[str]:
        """The tasks directly upstream of one."""
        task = self.tasks.get(task_id)
        return task.upstream_task_ids if task else ()

    def all_upstream(self, task_id: str) -> set[str]:
        """All tasks upstream of one."""
        graph = {each.task_id: each.downstream_task_ids for each in self.tasks.values()}
        return all_downstream(upstream_of(graph), [task_id])


def states_of(rows: Sequence[WaitingRow]) -> str:
    """The state of a task instance, or how many of a mapped task are in each."""
    counts = sorted(Counter(row.state or NO_STATUS for row in rows).items())
    return counts[0][0] if len(rows) == 1 else ", ".join(f"{number} {state}" for state, number in counts)


def told(row: WaitingRow) -> str:
    """A task instance in a sentence."""
    return label(row.task_id, row.map_index)


def given(row: WaitingRow) -> str:
    """A task instance as a tool takes it, besides DAG and run."""
    return f"task_id={row.task_id}" + ("" if row.map_index is None else f", map_index={row.map_index}")


def all_told(rows: Sequence[WaitingRow]) -> str:
    """Some task instances in a sentence; of a mapped task with many, only how many."""
    numbers = Counter(row.task_id for row in rows)
    return named(
        [
            f"{number} of {task_id}" if number > 1 else told(next(row for row in rows if row.task_id == task_id))
            for task_id, number in numbers.items()
        ]
    )


def they(rows: Sequence[WaitingRow], verb: str) -> str:
    """Task instances and what they do: `Task load waits`, `Tasks load, save wait`."""
    one = _are_of_one(rows)
    return f"Task{'' if one else 's'} {all_told(rows)} {verb}{'s' if one else ''}"


def they_are(rows: Sequence[WaitingRow]) -> str:
    """`Task load is`, `Tasks load, save are`."""
    one = _are_of_one(rows)
    return f"Task{'' if one else 's'} {all_told(rows)} {'is' if one else 'are'}"


def _are_of_one(rows: Sequence[WaitingRow]) -> bool:
    return len({row.task_id for row in rows}) == 1
