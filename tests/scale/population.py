"""What the database is filled with, as a rule: the tests expect what this says, whatever Airflow and our client say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DAGS = 10_000
KINDS = 20
TASKS = ("extract", "transform", "check", "load", "report")
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
RUNS = {0: 8001, 1: 1501, 2: 501, 3: 280_001}
"""The DAGs with more than one run: 300,000 runs in all, of five task instances each, but for those of OLDEST."""
BUSIEST, BUSY, STEADY, OLDEST = 0, 1, 2, 3
"""OLDEST runs every five minutes, and its task instances are gone, as `airflow db clean` leaves it."""
FAILED = frozenset({"failed", "upstream_failed"})


@dataclass(frozen=True)
class SomeRun:
    """The run number `number` of a DAG; they are an hour apart, those of OLDEST five minutes."""

    dag: SomeDag
    number: int

    @property
    def logical_date(self) -> datetime:
        return FIRST_DAY + timedelta(minutes=5 if self.dag.number == OLDEST else 60) * self.number

    @property
    def run_id(self) -> str:
        return f"scheduled__{self.logical_date.isoformat()}"

    @property
    def state(self) -> str:
        """Of ten runs one has failed and one runs."""
        return {3: "failed", 7: "running"}.get((self.dag.number + self.number) % 10, "success")

    @property
    def states(self) -> dict[str, str | None]:
        """The state of each task instance; which one broke a failed run changes from one to the next."""
        if self.dag.number == OLDEST:
            return {}
        if self.state == "success":
            return dict.fromkeys(TASKS, "success")
        running = self.state == "running"
        at = 3 if running else (self.dag.number // 10 + self.number // 10) % len(TASKS)
        now, then = ("running", None) if running else ("failed", "upstream_failed")
        return {task: "success" if n < at else now if n == at else then for n, task in enumerate(TASKS)}


@dataclass(frozen=True)
class SomeDag:
    """The DAG number `number`."""

    number: int

    @property
    def dag_id(self) -> str:
        return f"team_{self.number % 100:02d}.flow_{self.number:05d}"

    @property
    def kind(self) -> int:
        """Which of the templates it is a copy of."""
        return self.number % KINDS

    @property
    def template(self) -> str:
        return f"template-{self.kind:02d}"

    @property
    def tags(self) -> set[str]:
        return {f"kind-{self.kind:02d}", self.wave}

    @property
    def wave(self) -> str:
        return f"wave-{self.number // 1000}"

    @property
    def owner(self) -> str:
        return f"owner-{self.kind:02d}"

    @property
    def is_paused(self) -> bool:
        return self.number % 3 == 0

    @property
    def runs(self) -> list[SomeRun]:
        return [SomeRun(self, number) for number in range(RUNS.get(self.number, 1))]


def all_dags() -> list[SomeDag]:
    return [SomeDag(number) for number in range(DAGS)]


def states_of(runs: Iterable[SomeRun]) -> Iterator[str]:
    """The states of all task instances of some runs, as our tools name them."""
    return (state or "no_status" for run in runs for state in run.states.values())
