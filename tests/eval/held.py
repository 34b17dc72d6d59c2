"""The scene of the DAGs of which nothing runs."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.oracle import Oracle

DAGS = Path(__file__).parent / "dags"
DAG_IDS = ("pause", "limit", "pools", "full_pool", "past", "tasks", "assets", "scheduler")
SLOTS = {"held_zero": 0, "held_small": 2, "held_full": 1}


class Held:
    """The DAGs of dags/held.py on a server, with their runs in the order in which they were made."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.runs: dict[str, list[str]] = {}
        self.files: list[Path] = []

    def file(self, name: str) -> Path:
        """A file in the server's DAGs folder; it is deleted at the end."""
        self.files.append(self.oracle.server.dags_folder / name)
        return self.files[-1]

    def set(self) -> None:
        """Make the pools and the runs, and wait until each is held."""
        oracle = self.oracle
        for name in ("held.py", "held_by_file.py"):
            shutil.copy(DAGS / name, self.file(name))
        oracle.wait_for_dags(*(f"held_by_{name}" for name in (*DAG_IDS, "file")), "held_until_due")
        for name, slots in SLOTS.items():
            pool = {"name": name, "slots": slots, "include_deferred": name == "held_full"}
            oracle.call("POST", "pools", json=pool)
        for name in DAG_IDS[1:]:
            oracle.pause(f"held_by_{name}", False)
        oracle.pause("held_until_due", False)
        for name in ("pause", "limit", "pools", "past", "tasks"):
            self._trigger(f"held_by_{name}", 1)
        oracle.wait_for_run("held_by_limit", self.runs["held_by_limit"][0], "running")
        self._trigger("held_by_limit", 2)
        self._wait("held_by_pools", takes="deferred", missing="scheduled", zero="scheduled", small="scheduled")
        self._trigger("held_by_full_pool", 1)
        oracle.wait_for_run("held_by_past", self.runs["held_by_past"][0], "failed")
        self._trigger("held_by_past", 2)
        oracle.wait_for_run("held_by_past", self.runs["held_by_past"][1], "running")
        self._wait("held_by_tasks", look="up_for_reschedule", again="up_for_retry")
        self._wait("held_by_full_pool", load="scheduled")

    def _trigger(self, dag_id: str, day: int) -> None:
        run_id = self.oracle.trigger(dag_id, f"2026-02-0{day}T00:00:00+00:00")
        self.runs.setdefault(dag_id, []).append(run_id)

    def _wait(self, dag_id: str, **states: str) -> None:
        """Wait until task instances of the first run are in these states."""
        deadline = time.monotonic() + 60
        while not states.items() <= (now := self.oracle.states(dag_id, self.runs[dag_id][0])).items():
            assert time.monotonic() < deadline, (dag_id, states, now)
            time.sleep(0.3)

    def produce(self, uri: str) -> None:
        """Make an event of an asset."""
        if self.oracle.major == 2:
            self.oracle.call("POST", "datasets/events", json={"dataset_uri": uri})
            return
        known = self.oracle.call("GET", "assets", params={"uri_pattern": uri})["assets"]
        self.oracle.call("POST", "assets/events", json={"asset_id": known[0]["id"]})

    def end(self) -> None:
        """End the runs, and delete what was made; Airflow then finds that the files are gone."""
        while self.runs:
            dag_id, run_ids = self.runs.popitem()
            self.oracle.pause(dag_id, True)
            for run_id in run_ids:
                self.oracle.call("PATCH", f"dags/{dag_id}/dagRuns/{run_id}", json={"state": "failed"})
        for name in SLOTS:
            self.oracle.http.request("DELETE", f"pools/{name}")
        for file in self.files:
            file.unlink(missing_ok=True)

    def forget(self) -> None:
        """Delete the DAGs whose files are gone."""
        self.oracle.delete_gone(*(f"held_by_{name}" for name in (*DAG_IDS, "file")), "held_until_due")
