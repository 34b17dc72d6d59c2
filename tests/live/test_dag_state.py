"""Why a DAG, a run or a task is not running, on both real servers: each held by one thing, which is named."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.generate import tokens
from tests.oracle import Oracle
from tests.scenarios import BROKEN
from tests.session import Session, text_of

pytestmark = pytest.mark.anyio

FILE = """\
from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
    from airflow.providers.standard.sensors.python import PythonSensor
    from airflow.sdk import DAG, Asset, task
except ImportError:
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task
    from airflow.sensors.date_time import DateTimeSensorAsync
    from airflow.sensors.python import PythonSensor

COMMON = {"schedule": None, "start_date": pendulum.datetime(2026, 1, 1, tz="UTC"), "catchup": False}
NEVER = {"target_time": "2099-01-01T00:00:00+00:00"}


@task
def work(): ...


@task
def fail():
    raise ValueError("no")


with DAG("held_by_pause", **COMMON):
    work()

with DAG("held_by_limit", max_active_runs=1, **COMMON):
    DateTimeSensorAsync(task_id="wait", **NEVER)

with DAG("held_by_pools", **COMMON):
    DateTimeSensorAsync(task_id="takes", pool="held_full", priority_weight=9, **NEVER)
    for name, slots in (("missing", 1), ("zero", 1), ("small", 3)):
        work.override(task_id=name, pool=f"held_{name}", pool_slots=slots)()

with DAG("held_by_full_pool", **COMMON):
    work.override(task_id="load", pool="held_full")() >> work.override(task_id="save")()

with DAG("held_by_past", **COMMON):
    fail.override(task_id="load", depends_on_past=True)()

with DAG("held_by_tasks", **COMMON):
    PythonSensor(task_id="look", python_callable=lambda: False, mode="reschedule", poke_interval=600)
    fail.override(task_id="again", retries=1, retry_delay=timedelta(hours=1))()

with DAG("held_by_assets", **{**COMMON, "schedule": [Asset("s3://held/a"), Asset("s3://held/b")]}):
    work()

with DAG("held_until_due", **{**COMMON, "schedule": "@daily", "start_date": pendulum.datetime(2099, 1, 1, tz="UTC")}):
    work()
"""
DAG_IDS = ("pause", "limit", "pools", "full_pool", "past", "tasks", "assets")
ONCE = """\
try:
    from airflow.sdk import DAG
except ImportError:
    from airflow import DAG

with DAG("held_by_file", schedule=None):
    pass
"""
SLOTS = {"held_zero": 0, "held_small": 2, "held_full": 1}
MOST_TOKENS = 600


class Scene:
    """The DAGs of FILE on a server, with their runs in the order in which they were made."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.runs: dict[str, list[str]] = {}
        self.files: list[Path] = []
        self.schedule = "@daily" if oracle.major == 2 else "0 0 * * *"

    @property
    def due(self) -> str:
        """When the first run is due of what runs daily from 2099 on: on Airflow 2 at the end of its day."""
        return f"2099-01-0{2 if self.oracle.major == 2 else 1}T00:00Z"

    def file(self, name: str) -> Path:
        """A file in the server's DAGs folder; it is deleted at the end."""
        self.files.append(self.oracle.server.dags_folder / name)
        return self.files[-1]

    def set(self) -> None:
        """Make the pools and the runs, and wait until each is held."""
        oracle = self.oracle
        self.file("held.py").write_text(FILE)
        self.file("held_by_file.py").write_text(ONCE)
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


@pytest.fixture
def scene(oracle: Oracle) -> Iterator[Scene]:
    made = Scene(oracle)
    try:
        made.set()
        yield made
    finally:
        made.end()
        made.forget()


async def explained(session: Session, dag_id: str, *ids: str) -> tuple[str, dict[str, str]]:
    """The summary, and the fact of each reason by its word."""
    given = dict(zip(("dag_run_id", "task_id"), ids, strict=False))
    result = await session.call("explain_dag_state", {"dag_id": dag_id, **given})
    assert not result.is_error, text_of(result)
    assert tokens(text_of(result)) <= MOST_TOKENS
    answer: Any = result.structured_content
    assert "not_seen" not in answer
    assert answer["url"].startswith("http")
    return answer["summary"], {each["reason"]: each["fact"] for each in answer["reasons"]}


async def test_each_is_held_by_what_is_named(session: Session, scene: Scene) -> None:
    await limits(session, scene)
    await pools(session, scene)
    await tasks(session, scene)
    await assets(session, scene)
    await files(session, scene)


async def limits(session: Session, scene: Scene) -> None:
    for ids in ([], scene.runs["held_by_pause"]):
        _, found = await explained(session, "held_by_pause", *ids)
        assert [*found] == ["paused"]
    first, second = scene.runs["held_by_limit"]
    summary, found = await explained(session, "held_by_limit", second)
    assert [*found] == ["max_active_runs"]
    assert summary == f"max_active_runs of held_by_limit is 1, and run {first} is running."
    _, found = await explained(session, "held_by_limit", first)
    assert [*found] == ["deferred"]
    assert "it waits for DateTimeTrigger in the triggerer" in found["deferred"]
    assert await explained(session, "held_until_due") == (
        f"Nothing holds it: it is due at {scene.due} (schedule {scene.schedule}).",
        {},
    )


async def pools(session: Session, scene: Scene) -> None:
    [run_id] = scene.runs["held_by_pools"]
    _, found = await explained(session, "held_by_pools", run_id)
    assert found.pop("deferred").startswith("Task takes is deferred")
    assert found == {
        "pool_missing": "Task missing wants pool held_missing, and there is none of this name.",
        "pool_without_slots": "Task zero waits for pool held_zero, which has 0 slots.",
        "pool_too_small": "Task small needs 3 slots of pool held_small, which has 2 in all.",
    }
    _, found = await explained(session, "held_by_pools", run_id, "small")
    assert [*found] == ["pool_too_small"]
    _, found = await explained(session, "held_by_full_pool", *scene.runs["held_by_full_pool"], "save")
    assert [*found.values()] == [
        "Task save waits for load (scheduled) (trigger_rule all_success).",
        "Task load waits for pool held_full: 1 of its 1 slots are taken: takes of held_by_pools (1).",
    ]


async def tasks(session: Session, scene: Scene) -> None:
    before, run_id = scene.runs["held_by_past"]
    for ids in ([run_id], [run_id, "load"]):
        _, found = await explained(session, "held_by_past", *ids)
        assert [*found.values()] == [
            f"Task load waits for itself (depends_on_past): it is failed in the run before, {before} (failed)."
        ]
    summary, found = await explained(session, "held_by_past", before)
    assert (summary[:21], found) == ("It has ended: failed ", {})
    _, found = await explained(session, "held_by_tasks", *scene.runs["held_by_tasks"])
    assert [*found] == ["up_for_retry", "sensor"]
    assert found["up_for_retry"].startswith("Task again failed in try 1 of 2; the next try comes after 20")
    failed = scene.oracle.failed_runs["sales_etl"]
    assert await explained(session, "sales_etl", failed, "report") == (
        "Task report did not run because validate failed (trigger_rule all_success).",
        {"upstream_failed": "Task report did not run because validate failed (trigger_rule all_success)."},
    )
    message = await session.error("explain_dag_state", dag_id="sales_etl", dag_run_id=failed, task_id="repor")
    assert "Did you mean report?" in message


async def assets(session: Session, scene: Scene) -> None:
    """One of two has an event; what comes while the DAG is paused does not count."""
    waits = "DAG held_by_assets waits for assets without an event since its last run"
    scene.produce("s3://held/a")
    _, found = await explained(session, "held_by_assets")
    assert found == {"waits_for_assets": f"{waits}: s3://held/b; those with one: s3://held/a."}
    scene.oracle.pause("held_by_assets", True)
    scene.produce("s3://held/b")
    _, found = await explained(session, "held_by_assets")
    assert [*found] == ["paused", "waits_for_assets"]
    assert found["waits_for_assets"].startswith(f"{waits}: s3://held/b; ")
    assert found["waits_for_assets"].endswith(" Events that come while it is paused do not count.")


async def files(session: Session, scene: Scene) -> None:
    """A file that never imported, one that once did, and one that is gone."""
    oracle, never, once = scene.oracle, scene.file("held_by_nope.py"), scene.file("held_by_file.py")
    never.write_text(BROKEN)
    once.write_text(BROKEN)
    for file in (never, once):
        oracle.wait_for_import_error(file.name)
        summary, found = await explained(session, file.stem)
        assert [*found] == ["import_error"]
        told = f"{file.name} does not import: line 3, ModuleNotFoundError: No module named 'nope'."
        assert found["import_error"].endswith(told)
        assert summary.endswith(told)
    scene.end()
    oracle.wait_until_gone("held_by_file")
    _, found = await explained(session, "held_by_file")
    assert [*found] == ["file_gone"]
    assert "Not found" in await session.error("explain_dag_state", dag_id="held_by_nope")
