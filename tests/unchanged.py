"""An Airflow's database before and after a call: unchanged by what only looks, changed by a change as it told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

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


Instance = tuple[object, object, object, object]
"""DAG, run, task and map index."""


@contextmanager
def changed_as_told(oracle: Oracle, arguments: dict[str, Any], answers: list[Any]) -> Iterator[None]:
    """Fail if a change of task instances did to a paused DAG anything else than its answer tells.

    What it answered, if it did, is in `answers` at the end.
    """
    before = snapshot(oracle)
    yield
    after = snapshot(oracle)
    paused = {dag_id for dag_id, is_paused in before.dags if is_paused}
    for answer in answers:
        if arguments["dag_id"] in paused and answer.get("total", 201) <= 200:
            now = {row[:4]: row[4] for row in after.instances if row[0] in paused}
            was = {row[:4]: row[4] for row in before.instances if row[0] in paused}
            told = _told(arguments, answer)
            moved = {each: now.get(each) for each in was | now if was.get(each) != now.get(each)}
            if "its runs up to date" not in answer["summary"]:
                assert moved.keys() <= told.keys(), "moved, and not told"
            assert {each: now.get(each) for each in told} == told
            _runs_as_told(before, after, arguments, answer)


def _told(arguments: dict[str, Any], answer: Any) -> dict[Instance, object]:
    """In which state each is after a change, by its answer."""

    def of(runs: list[Any] | None) -> Iterator[tuple[Instance, str]]:
        for run in runs or ():
            for each in run["task_instances"]:
                key = (run.get("dag_id", arguments["dag_id"]), run["dag_run_id"], each["task_id"])
                yield (*key, each.get("map_index", -1)), each["state"]

    state = arguments.get("new_state")
    told = {each: state if state or was != "running" else "restarting" for each, was in of(answer["runs"])}
    return {**told, **{each: None for each, _ in of(answer.get("also_cleared"))}}


def _runs_as_told(before: Snapshot, after: Snapshot, arguments: dict[str, Any], answer: Any) -> None:
    """A run that has ended is queued again if something of it is cleared, and else keeps its state."""
    cleared = answer.get("also_cleared") or ([] if "new_state" in arguments else answer["runs"])
    again = {(run.get("dag_id", arguments["dag_id"]), run["dag_run_id"]) for run in cleared}
    told = " ".join(line for line in answer.get("warnings", ()) if "queued again" in line)
    again |= {(row[0], row[1]) for row in before.runs if row[0] == arguments["dag_id"] and str(row[1]) in told}
    if not arguments.get("reset_dag_runs", True):
        again = set()
    now = {row[:2]: row[2] for row in after.runs}
    for run in answer["runs"]:
        key = (run.get("dag_id", arguments["dag_id"]), run["dag_run_id"])
        [was] = [row[2] for row in before.runs if row[:2] == key]
        assert now[key] == ("queued" if key in again and was in RESTING else was), (key, was)
