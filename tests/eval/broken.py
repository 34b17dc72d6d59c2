"""The scene of the DAGs whose runs fail, and of the files that change, break and go."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from tests.eval.held import Held
from tests.eval.scenarios import FAILED, LASTING
from tests.oracle import Oracle
from tests.scenarios import BROKEN

GOES = 'from airflow import DAG\n\nwith DAG("held_by_gone", schedule=None):\n    pass\n'
CHANGE = ('row["price"] for', 'row["cost"] for')
ADDED = "    @task\n    def check(): ...\n\n    transform() >> check()\n"
GONE = ("held_by_gone", "file_is_gone", "is_deleted")
PATIENCE = 300
"""Seconds for all runs together."""


def run_all(oracle: Oracle) -> dict[str, list[str]]:
    """Run all DAGs that fail, together, and wait for them. Gives the runs of each, in the order they were made in."""
    dag_ids = list(dict.fromkeys(("sales_etl", "load_files", *(each.dag_id for each in FAILED))))
    oracle.wait_for_dags(*dag_ids)
    runs: dict[str, list[str]] = {}
    for dag_id in dag_ids:
        days = (1, 2, 3) if dag_id == "one_in_three" else (1,)
        runs[dag_id] = [oracle.trigger(dag_id, f"2026-02-0{day}T00:00:00+00:00") for day in days]
    # Not before, and in one request: SQLite has no time for others while tasks run.
    oracle.call("PATCH", "dags", params={"dag_id_pattern": "%", "only_active": True}, json={"is_paused": False})
    deadline = time.monotonic() + PATIENCE
    for dag_id, run_ids in runs.items():
        for run_id in run_ids:
            oracle.wait_for_run(dag_id, run_id, seconds=deadline - time.monotonic())
    return runs


def run_lasting(oracle: Oracle, runs: dict[str, list[str]]) -> None:
    """Make the runs that do not end, once all others have, and wait until each is held."""
    oracle.pause("other", True)
    for dag_id in dict.fromkeys(each.dag_id for each in LASTING):
        runs[dag_id] = [oracle.trigger(dag_id, "2026-02-01T00:00:00+00:00")]
    assert oracle.wait_for_run("waits_for_downstream", runs["waits_for_downstream"][0]) == "failed"
    runs["waits_for_downstream"].append(oracle.trigger("waits_for_downstream", "2026-02-02T00:00:00+00:00"))
    for dag_id, state in (("waits_for_other", "up_for_reschedule"), ("one_at_a_time", "running")):
        deadline = time.monotonic() + 60
        while state not in oracle.states(dag_id, runs[dag_id][0]).values():
            assert time.monotonic() < deadline, dag_id
            time.sleep(0.5)
    oracle.wait_for_run("waits_for_downstream", runs["waits_for_downstream"][1], "running")


def change_code(oracle: Oracle, run_ids: list[str]) -> None:
    """Change a DAG that has run well, and run it again, which fails."""
    assert oracle.run("changed_code", run_ids[0])["state"] == "success"
    file = oracle.server.dags_folder / "changed.py"
    file.write_text(file.read_text().replace(*CHANGE).replace("    transform()\n", ADDED))
    oracle.wait_for_task("changed_code", "check")
    run_ids.append(oracle.trigger("changed_code", "2026-02-02T00:00:00+00:00"))
    assert oracle.wait_for_run("changed_code", run_ids[1]) == "failed"


def break_files(oracle: Oracle, held: Held) -> None:
    """A file that never imported, one that once did, and those that go, with a DAG that is deleted besides."""
    gone, never = held.file("held_by_gone.py"), held.file("held_by_nope.py")
    gone.write_text(GOES)
    oracle.wait_for_dags("held_by_gone")
    gone.unlink()
    (oracle.server.dags_folder / "no_more.py").unlink()
    never.write_text(BROKEN)
    held.file("held_by_file.py").write_text(BROKEN)
    for name in ("held_by_nope.py", "held_by_file.py"):
        oracle.wait_for_import_error(name)
    deadline = time.monotonic() + 60
    while any(row["dag_id"] in GONE for row in oracle.call("GET", "dags")["dags"]):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert oracle.http.request("DELETE", "dags/is_deleted").is_success


def stop_scheduler(oracle: Oracle, held: Held) -> None:
    """Stop the scheduler, make a run, and wait until Airflow knows."""
    for process in _schedulers(oracle.server.home):
        os.kill(process, signal.SIGSTOP)  # not ended: `airflow standalone` would take the rest with it
    held.runs["held_by_scheduler"] = [oracle.trigger("held_by_scheduler", "2026-02-01T00:00:00+00:00")]
    time.sleep(15)


def _schedulers(home: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = f"AIRFLOW_HOME={home}".encode() in (process / "environ").read_bytes().split(b"\0")
            if ours and b"scheduler" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:  # ended meanwhile
            continue
    assert found
    return found
