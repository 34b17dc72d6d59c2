"""That nothing was changed: an Airflow's database before and after what is only to look."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from tests.oracle import Oracle

Rows = list[tuple[object, ...]]
RESTING = ("success", "failed")


class Snapshot(NamedTuple):
    """What a preview must leave as it is."""

    dags: Rows
    runs: Rows
    instances: Rows
    notes: Rows

    def of(self, dags: set[object], runs: set[tuple[object, ...]]) -> Snapshot:
        """The part that is of these DAGs and runs."""

        def kept(rows: Rows) -> Rows:
            return [row for row in rows if row[0] in dags or row[:2] in runs]

        return Snapshot(self.dags, kept(self.runs), kept(self.instances), self.notes)


def snapshot(oracle: Oracle) -> Snapshot:
    """All DAGs, runs and task instances as the database has them."""
    with closing(sqlite3.connect(oracle.server.home / "airflow.db", timeout=30)) as database:
        return Snapshot(
            database.execute("SELECT dag_id, is_paused FROM dag ORDER BY 1").fetchall(),
            database.execute("SELECT dag_id, run_id, state FROM dag_run ORDER BY 1, 2").fetchall(),
            database.execute(
                "SELECT dag_id, run_id, task_id, map_index, state, try_number, max_tries FROM task_instance "
                "ORDER BY 1, 2, 3, 4"
            ).fetchall(),
            database.execute("SELECT content FROM task_instance_note ORDER BY 1").fetchall(),
        )


@contextmanager
def unchanged(oracle: Oracle) -> Iterator[None]:
    """Fail if a DAG, a run or a task instance was changed meanwhile, what the scheduler moves aside.

    It moves nothing of a paused DAG, and nothing of a run that has ended.
    """
    before = snapshot(oracle)
    paused = {dag_id for dag_id, is_paused in before.dags if is_paused}
    ended = {row[:2] for row in before.runs if row[2] in RESTING}
    yield
    for was, now in zip(before.of(paused, ended), snapshot(oracle).of(paused, ended), strict=True):
        lost, new = [row for row in was if row not in now], [row for row in now if row not in was]
        assert now == was, f"a preview made {lost} into {new}"
