"""What an operator asks, on DAGs that break and hang in every way, on real servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_mcp.tools.present import as_text
from scripts.generate import tokens
from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio

VERSIONED = """
from pendulum import datetime
try:
    from airflow.sdk import dag, task
except ImportError:
    from airflow.decorators import dag, task

@dag(dag_id="versioned", schedule=None, start_date=datetime(2026, 1, 1), catchup=False)
def versioned():
    @task
    def load(): ...
    load()

versioned()
"""
CHANGED = VERSIONED.replace(
    "def load(): ...", "def load():\n        return 1 / 0\n    @task\n    def more(): ..."
).replace("    load()\n", "    load() >> more()\n")


class DagFile:
    """The file of a DAG that a test may change, in the server's own folder."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, text: str) -> None:
        self._file.write_text(text)

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)


@pytest.fixture
def versioned(oracle: Oracle) -> Iterator[DagFile]:
    file = DagFile(oracle.server.home / "dags" / "versioned.py")
    yield file
    file.remove()


def run_of(oracle: Oracle, dag_id: str, state: str, **body: Any) -> dict[str, str]:
    """A run that has come to a state."""
    oracle.pause(dag_id, False)
    run_id = oracle.trigger(dag_id, **body)
    assert oracle.wait_for_run(dag_id, run_id, state) == state
    return {"dag_id": dag_id, "dag_run_id": run_id}


async def end(session: Session, run: dict[str, str]) -> None:
    """Without a plan, since its tasks move meanwhile."""
    assert (await session.ok("set_dag_run_state", state="failed", confirm=True, **run))["done"]


def wait_until(what: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.5)


def cheap(answer: Any) -> bool:
    return tokens(as_text(answer)) < 1000


# -- diagnose_dag_run


async def test_a_chain_whose_second_task_failed(session: Session, oracle: Oracle, broken_runs: Any) -> None:
    run_id = broken_runs[oracle.server.release.name, "sales_etl"]
    answer = await session.ok("diagnose_dag_run", dag_id="sales_etl", dag_run_id=run_id)
    assert (answer["state"], answer["dag_run_id"]) == ("failed", run_id)
    assert answer["tasks"] == "4 task instances: 2 upstream_failed, 1 failed, 1 in other states"
    [failure] = answer["failures"]
    assert (failure["task_id"], failure["error"], failure["tries"]) == ("validate", "KeyError: 'amount'", "1 of 1")
    [place] = failure["at"]
    assert place.endswith("in validate")
    number = place.rpartition(":")[2].partition(" ")[0]
    assert f'> {number}|            if order["id"] in ids and order["amount"] > 0:' in failure["source"]
    assert "checking order 1042" in failure["log_around"]  # the record that broke it
    assert answer["blocked"] == ["load", "report"]
    assert "missing" not in answer
    assert cheap(answer)


async def test_the_next_step_is_ready(session: Session, oracle: Oracle) -> None:
    run = run_of(oracle, "sales_etl", "failed")
    answer = await session.ok("diagnose_dag_run", dag_id="sales_etl")
    assert answer["dag_run_id"] == run["dag_run_id"]  # the latest that failed
    step = answer["next"]
    assert step["preview"].startswith("Clear 3 task instances (2 upstream_failed, 1 failed) in 1 run of sales_etl")
    done = await session.ok(step["tool"], **step["arguments"])
    assert (done["done"], done["total"]) == (True, 3)
    assert oracle.wait_for_run("sales_etl", run["dag_run_id"]) == "failed"


async def test_one_map_index_of_many(session: Session, oracle: Oracle, broken_runs: Any) -> None:
    run_id = broken_runs[oracle.server.release.name, "load_files"]
    answer = await session.ok("diagnose_dag_run", dag_id="load_files", dag_run_id=run_id)
    [failure] = answer["failures"]
    assert (failure["task_id"], failure["map_indexes"]) == ("load_file", "2")
    assert failure["error"] == "ValueError: south.csv: line 118 has 4 columns, expected 6"
    assert answer["blocked"] == ["summarize"]


async def test_a_long_log_and_tries_and_two_failures_at_once(session: Session, oracle: Oracle) -> None:
    run = run_of(oracle, "broken", "failed")
    answer = await session.ok("diagnose_dag_run", **run)
    found = {failure["task_id"]: failure for failure in answer["failures"]}
    assert set(found) == {"long_log", "tries_twice"}
    assert found["long_log"]["error"] == "RuntimeError: 3 rows were not loaded"
    assert (found["tries_twice"]["error"], found["tries_twice"]["tries"]) == ("ValueError: this was try 2", "2 of 2")
    assert cheap(answer)


async def test_since_when_it_fails(session: Session, oracle: Oracle) -> None:
    oracle.pause("sometimes", False)
    runs = []
    for fail in (False, True, False, True, True):
        body = {"conf": {"fail": fail}} | ({"logical_date": None} if oracle.major == 3 else {})
        run_id = oracle.call("POST", "dags/sometimes/dagRuns", json=body)["dag_run_id"]
        assert oracle.wait_for_run("sometimes", run_id) == ("failed" if fail else "success")
        runs.append(run_id)
    answer = await session.ok("diagnose_dag_run", dag_id="sometimes")
    [failure] = answer["failures"]
    assert failure["error"] == "ConnectionError: the supplier's server is away"
    assert failure["history"] == f"Failed in 2 of 4 runs before, in a row since {runs[3]}."
    if oracle.major == 3:
        assert answer["code"] == f"DAG version 1, as in the last good run, {runs[2]}."


async def test_code_that_changed_between_two_runs(session: Session, oracle: Oracle, versioned: DagFile) -> None:
    versioned.write(VERSIONED)
    oracle.wait_for_dags("versioned")
    good = run_of(oracle, "versioned", "success")
    versioned.write(CHANGED)
    wait_until(lambda: len(oracle.call("GET", "dags/versioned/tasks")["tasks"]) == 2)
    bad = run_of(oracle, "versioned", "failed")
    answer = await session.ok("diagnose_dag_run", dag_id="versioned")
    assert answer["dag_run_id"] == bad["dag_run_id"]
    assert answer["failures"][0]["error"] == "ZeroDivisionError: division by zero"
    assert "return 1 / 0" in answer["failures"][0]["source"]
    told = f"Changed: DAG version 2; the last good run, {good['dag_run_id']}, had 1."
    assert answer.get("code") == (told if oracle.major == 3 else None)

    versioned.remove()
    wait_until(lambda: not is_there(oracle, "versioned"))
    gone = await session.ok("explain_dag_state", dag_id="versioned")
    assert gone["reasons"][0]["what"] == "Its file is gone, or no longer has it"
    still = await session.ok("diagnose_dag_run", dag_id="versioned")
    assert still["failures"][0]["error"] == "ZeroDivisionError: division by zero"


def is_there(oracle: Oracle, dag_id: str) -> bool:
    dag = oracle.dag(dag_id)
    return bool(dag["is_active"]) if oracle.major == 2 else not dag["is_stale"]


async def test_a_run_in_which_nothing_failed(session: Session, oracle: Oracle) -> None:
    run = run_of(oracle, "daily_report", "success")
    answer = await session.ok("diagnose_dag_run", **run)
    assert (answer["failures"], answer["note"]) == ([], "No task of it has failed.")
    assert "next" not in answer
    assert "No run of daily_report has failed." in await session.error("diagnose_dag_run", dag_id="daily_report")


async def test_what_is_not_there(session: Session) -> None:
    for tool in ("diagnose_dag_run", "explain_dag_state"):
        assert "no_such_dag" in await session.error(tool, dag_id="no_such_dag")
    assert "ot found" in await session.error("diagnose_dag_run", dag_id="history", dag_run_id="no_such_run")


# -- explain_dag_state


async def reasons(session: Session, dag_id: str) -> list[Any]:
    answer = await session.ok("explain_dag_state", dag_id=dag_id)
    assert "missing" not in answer
    assert cheap(answer)
    found: list[Any] = answer["reasons"]
    return found


async def test_a_dag_that_is_paused_not_due_or_without_a_schedule(session: Session, oracle: Oracle) -> None:
    oracle.pause("diamond", True)
    assert [each["what"] for each in await reasons(session, "diamond")] == ["The DAG is paused"]
    oracle.pause("отчёт.v1", False)
    assert [each["what"] for each in await reasons(session, "отчёт.v1")] == ["It has no schedule"]
    oracle.pause("отчёт.v1", True)


async def test_a_full_pool(session: Session, oracle: Oracle) -> None:
    if "narrow" not in {pool["name"] for pool in oracle.call("GET", "pools")["pools"]}:
        oracle.call("POST", "pools", json={"name": "narrow", "slots": 1})
    run = run_of(oracle, "full_pool", "running")
    wait_until(lambda: sorted(map(str, oracle.states(*run.values()).values())) == ["running", "scheduled"])
    waits = next(task for task, state in oracle.states(*run.values()).items() if state == "scheduled")
    first, *_ = await reasons(session, "full_pool")
    assert first["what"] == "Pool narrow is full"
    assert first["facts"] == f"1 of 1 slots are taken; {waits} wait for one"
    health = await session.ok("get_health")
    assert any("no slot is free in pool narrow" in problem for problem in health["problems"])
    assert health["pools"] == "full: narrow"
    assert any(each["dag_id"] == "full_pool" for each in health["longest_running"])
    await end(session, run)


async def test_a_sensor_that_never_ends(session: Session, oracle: Oracle) -> None:
    run = run_of(oracle, "never_there", "running")
    wait_until(lambda: oracle.states(*run.values())["file_is_there"] == "up_for_reschedule")
    first, *_ = await reasons(session, "never_there")
    assert first["what"] == "Tasks wait for something outside"
    assert first["facts"].startswith("file_is_there, for up to ")
    await end(session, run)


async def test_a_run_at_its_active_limit(session: Session, oracle: Oracle) -> None:
    run = run_of(oracle, "at_limit", "running")
    waiting = {"dag_id": "at_limit", "dag_run_id": oracle.trigger("at_limit")}
    wait_until(lambda: oracle.states(*run.values())["takes_long"] == "running")
    first, *rest = await reasons(session, "at_limit")
    assert first["what"] == "It is at its limit of active runs"
    assert f"1 running of max_active_runs=1, 1 queued; the oldest is {run['dag_run_id']}" in first["facts"]
    assert [each["what"] for each in rest] == ["It runs"]
    for each in (waiting, run):
        await end(session, each)


async def test_a_task_that_waits_for_its_past(session: Session, oracle: Oracle) -> None:
    oracle.pause("on_the_past", True)
    before = {"dag_id": "on_the_past", "dag_run_id": oracle.trigger("on_the_past", "2026-02-01T00:00:00+00:00")}
    await session.confirmed("set_task_instances_state", task_id="waits_for_its_last", new_state="failed", **before)
    await session.confirmed("set_dag_run_state", state="failed", **before)
    oracle.pause("on_the_past", False)
    run = {"dag_id": "on_the_past", "dag_run_id": oracle.trigger("on_the_past", "2026-02-02T00:00:00+00:00")}
    oracle.wait_for_run(*run.values(), "running")
    found = await reasons(session, "on_the_past")
    [held] = [each for each in found if each["what"] == "waits_for_its_last is not ready"]
    assert "depends_on_past" in held["facts"]
    await end(session, run)


async def test_a_file_that_cannot_be_imported(session: Session, oracle: Oracle, versioned: DagFile) -> None:
    versioned.write(VERSIONED)
    oracle.wait_for_dags("versioned")
    versioned.write(VERSIONED + "\nimport no_such_module\n")
    wait_until(lambda: oracle.call("GET", "importErrors")["total_entries"])
    first, *_ = await reasons(session, "versioned")
    assert first["what"] == "Its file cannot be imported"
    assert first["facts"].endswith("ModuleNotFoundError: No module named 'no_such_module'")
    health = await session.ok("get_health")
    assert "1 DAG files cannot be imported" in health["problems"]
    assert "no_such_module" in health["import_errors"][0]


# -- get_health


async def test_the_instance_at_a_glance(session: Session, oracle: Oracle) -> None:
    run_of(oracle, "load_files", "failed")
    answer = await session.ok("get_health")
    assert "scheduler healthy" in answer["components"]
    assert "load_files" in answer["failing"]
    total = oracle.call("GET", "dags")["total_entries"]
    paused = oracle.call("GET", "dags", params={"paused": True})["total_entries"]
    assert answer["dags"] == f"{total} DAGs, {paused} paused"
    assert "missing" not in answer
    assert cheap(answer)


async def test_which_dags_failed_last(session: Session, oracle: Oracle) -> None:
    run_of(oracle, "load_files", "failed")
    run_of(oracle, "daily_report", "success")
    rows = {row["dag_id"]: row for row in (await session.ok("get_dags", limit=100))["dags"]}
    assert (rows["load_files"]["last_run_state"], rows["daily_report"]["last_run_state"]) == ("failed", "success")
    found = await session.ok("get_dags", tags=["files"], last_run_state="failed")
    assert [row["dag_id"] for row in found["dags"]] == ["load_files"]
    none = await session.ok("get_dags", tags=["files"], last_run_state="success")
    assert none["note"] == "No DAG matches whose last run is success."
