"""Starting, waiting for, ending, clearing and deleting runs on real servers."""

from __future__ import annotations

import time
from typing import Any

import anyio
import pytest

from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio


@pytest.fixture
def paused_run(oracle: Oracle) -> dict[str, str]:
    """A new run of a paused DAG: its task instances wait."""
    oracle.pause("history", True)
    return {"dag_id": "history", "dag_run_id": oracle.trigger("history")}


def succeed(oracle: Oracle, run: dict[str, str], task_id: str) -> None:
    body = {"new_state": "success"} | ({"dry_run": False} if oracle.major == 2 else {})
    oracle.call("PATCH", f"dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances/{task_id}", json=body)


def runs_of(oracle: Oracle, dag_id: str) -> int:
    return int(oracle.call("GET", f"dags/{dag_id}/dagRuns")["total_entries"])


# -- trigger


async def test_a_run_starts_with_its_conf_and_note(session: Session, oracle: Oracle) -> None:
    oracle.pause("with_params", False)
    before = runs_of(oracle, "with_params")
    asked = {"dag_id": "with_params", "conf": '{"day": "2026-01-31", "rows": 7}', "note": "for the audit"}
    preview = await session.ok("trigger_dag_run", confirm=False, **asked)
    assert runs_of(oracle, "with_params") == before
    assert "dag_run_id" not in preview
    done = await session.ok("trigger_dag_run", confirm=True, plan=preview["plan"], **asked)
    assert (done["done"], done["is_paused"]) == (True, False)
    run = oracle.run("with_params", done["dag_run_id"])
    assert (run["conf"], run["note"]) == ({"day": "2026-01-31", "rows": 7}, "for the audit")
    assert oracle.wait_for_run("with_params", done["dag_run_id"]) == "success"


@pytest.mark.parametrize(
    ("conf", "told"),
    [
        (None, "conf: does not fit the DAG's params: day is required (The day to load)"),
        ('{"rows": 7}', "day is required"),
        ('{"day": "2026-01-31", "rows": 70}', "rows: 70 is greater than the maximum of 10"),
        ('{"day": "2026-01-31", "rows": "7"}', "rows: '7' is not of type 'integer'"),
        ('{"day": "tomorrow"}', "day: 'tomorrow' is not a 'date'"),
        ('["2026-01-31"]', "conf: is no JSON object"),
        ("{day: 1}", "conf: is no JSON."),
    ],
)
async def test_a_conf_that_the_params_refuse_is_refused_before(
    session: Session, oracle: Oracle, conf: str | None, told: str
) -> None:
    before = runs_of(oracle, "with_params")
    given = {"conf": conf} if conf else {}
    for confirm in (False, True):
        assert told in await session.error("trigger_dag_run", dag_id="with_params", confirm=confirm, **given)
    assert runs_of(oracle, "with_params") == before


async def test_a_param_that_there_is_not_is_told(session: Session) -> None:
    conf = {"day": "2026-01-31", "row": 7}
    preview = await session.ok("trigger_dag_run", dag_id="with_params", conf=conf, confirm=False)
    assert preview["unknown_params"] == ["row"]


async def test_a_paused_dag_stays_paused_and_that_is_told(session: Session, oracle: Oracle) -> None:
    oracle.pause("history", True)
    preview, done = await session.confirmed("trigger_dag_run", dag_id="history")
    assert "The DAG is paused: the run waits" in preview["summary"]
    assert (preview["is_paused"], done["state"]) == (True, "queued")
    assert oracle.dag("history")["is_paused"] is True
    assert oracle.run("history", done["dag_run_id"])["state"] == "queued"


async def test_a_plan_does_not_hold_once_the_dag_was_unpaused(session: Session, oracle: Oracle) -> None:
    oracle.pause("mapped_group", True)
    preview = await session.ok("trigger_dag_run", dag_id="mapped_group", confirm=False)
    oracle.pause("mapped_group", False)
    before = runs_of(oracle, "mapped_group")
    message = await session.error("trigger_dag_run", dag_id="mapped_group", confirm=True, plan=preview["plan"])
    assert "no longer holds" in message
    assert runs_of(oracle, "mapped_group") == before


async def test_the_same_run_twice_is_a_conflict(session: Session, oracle: Oracle) -> None:
    oracle.pause("history", True)
    run_id, date = f"mine__{time.time_ns()}", f"2026-03-01T00:00:{time.time_ns() % 60:02}Z"
    _, done = await session.confirmed("trigger_dag_run", dag_id="history", dag_run_id=run_id, logical_date=date)
    assert done["dag_run_id"] == run_id
    before = runs_of(oracle, "history")
    for again in ({"dag_run_id": run_id}, {"logical_date": date}):
        message = await session.error("trigger_dag_run", dag_id="history", confirm=True, **again)
        assert f"Run {run_id} is there already (queued). Nothing was changed." in message
    assert runs_of(oracle, "history") == before


async def test_a_dag_that_there_is_not_cannot_be_triggered(session: Session) -> None:
    assert "no_such_dag" in await session.error("trigger_dag_run", dag_id="no_such_dag", confirm=True)


# -- wait


async def test_waiting_tells_how_far_it_is_and_how_it_ended(session: Session, oracle: Oracle) -> None:
    oracle.pause("slow", False)
    run = {"dag_id": "slow", "dag_run_id": oracle.trigger("slow")}
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    result = await session.client.call_tool("wait_for_dag_run", {**run, "timeout_seconds": 8}, progress_callback=note)
    early = result.structured_content
    assert early is not None
    assert (early["ended"], early["state"] in ("queued", "running")) == (False, True)
    assert 7 <= early["waited_seconds"] < 20
    assert "after: no_status" in early["to_come"]
    assert told
    assert all(message for _, _, message in told)
    late = await session.ok("wait_for_dag_run", timeout_seconds=120, **run)
    assert (late["ended"], late["state"], late["done"], late["total"]) == (True, "success", 3, 3)
    assert "to_come" not in late


async def test_waiting_for_what_failed_names_it(session: Session, oracle: Oracle, broken_runs: Any) -> None:
    run_id = broken_runs[oracle.server.release.name, "sales_etl"]
    answer = await session.ok("wait_for_dag_run", dag_id="sales_etl", dag_run_id=run_id)
    assert (answer["state"], answer["waited_seconds"] < 10) == ("failed", True)
    states = oracle.states("sales_etl", run_id)
    bad = {f"{task}: {state}" for task, state in states.items() if state in ("failed", "upstream_failed")}
    assert set(answer["failed"]) == bad


async def test_waiting_can_be_cancelled(session: Session, paused_run: dict[str, str]) -> None:
    with anyio.move_on_after(3) as scope:
        await session.call("wait_for_dag_run", {**paused_run, "timeout_seconds": 600})
    assert scope.cancelled_caught
    assert (await session.ok("get_dag_run", **paused_run))["state"] == "queued"  # the server goes on


# -- state


async def test_a_run_is_failed_and_its_tasks_end(session: Session, oracle: Oracle, paused_run: dict[str, str]) -> None:
    succeed(oracle, paused_run, "first")
    before = oracle.states("history", paused_run["dag_run_id"])
    preview, done = await session.confirmed("set_dag_run_state", state="failed", **paused_run)
    assert (preview["state_before"], preview["state_after"]) == ("queued", "failed")
    after = oracle.states("history", paused_run["dag_run_id"])
    assert oracle.run("history", paused_run["dag_run_id"])["state"] == "failed"
    assert moved(preview) == {
        task: (before[task] or "no_status", after[task]) for task in after if after[task] != before[task]
    }
    assert done["summary"].startswith("Done: ")


async def test_a_run_is_a_success(session: Session, oracle: Oracle, paused_run: dict[str, str]) -> None:
    before = oracle.states("history", paused_run["dag_run_id"])
    preview, _ = await session.confirmed("set_dag_run_state", state="success", **paused_run)
    after = oracle.states("history", paused_run["dag_run_id"])
    assert oracle.run("history", paused_run["dag_run_id"])["state"] == "success"
    assert moved(preview) == {
        task: (before[task] or "no_status", after[task]) for task in after if after[task] != before[task]
    }
    again = await session.ok("set_dag_run_state", state="success", confirm=True, **paused_run)
    assert (again["done"], again["summary"]) == (False, "The run is success already: nothing to change.")


async def test_what_failed_in_a_run_that_is_set_to_success(session: Session, oracle: Oracle, broken_runs: Any) -> None:
    oracle.pause("sales_etl", False)
    run = {"dag_id": "sales_etl", "dag_run_id": oracle.trigger("sales_etl")}
    assert oracle.wait_for_run("sales_etl", run["dag_run_id"]) == "failed"
    before = oracle.states("sales_etl", run["dag_run_id"])
    preview, _ = await session.confirmed("set_dag_run_state", state="success", **run)
    after = oracle.states("sales_etl", run["dag_run_id"])
    assert moved(preview) == {task: (before[task], after[task]) for task in after if after[task] != before[task]}


async def test_a_run_is_queued_again(session: Session, oracle: Oracle, paused_run: dict[str, str]) -> None:
    await session.confirmed("set_dag_run_state", state="failed", **paused_run)
    await session.confirmed("set_dag_run_state", state="queued", **paused_run)
    assert oracle.run("history", paused_run["dag_run_id"])["state"] == "queued"


async def test_running_tasks_are_stopped(session: Session, oracle: Oracle) -> None:
    oracle.pause("slow", False)
    run = {"dag_id": "slow", "dag_run_id": oracle.trigger("slow")}
    deadline = time.monotonic() + 90
    while oracle.states("slow", run["dag_run_id"])["sleeps"] != "running":
        assert time.monotonic() < deadline
        await anyio.sleep(0.5)
    preview, _ = await session.confirmed("set_dag_run_state", state="failed", **run)
    assert moved(preview) == {"sleeps": ("running", "failed"), "after": ("no_status", "skipped")}
    assert oracle.states("slow", run["dag_run_id"]) == {"quick": "success", "sleeps": "failed", "after": "skipped"}


def moved(preview: Any) -> dict[str, tuple[str, str]]:
    return {
        task: (each["state_before"], each["state_after"])
        for each in preview.get("task_instances", [])
        for task in each["tasks"].split(", ")
    }


# -- note, clear, delete


async def test_a_note_is_set_replaced_and_removed(session: Session, oracle: Oracle, paused_run: dict[str, str]) -> None:
    await session.confirmed("set_dag_run_note", note="looking at it", **paused_run)
    preview, _ = await session.confirmed("set_dag_run_note", note="solved", **paused_run)
    assert "looking at it" in preview["note_before"]
    run = oracle.run("history", paused_run["dag_run_id"])
    assert (run["note"], run["state"]) == ("solved", "queued")
    await session.confirmed("set_dag_run_note", note="", **paused_run)
    assert not oracle.run("history", paused_run["dag_run_id"])["note"]


async def test_a_whole_run_is_cleared_or_what_failed_of_it(session: Session, oracle: Oracle) -> None:
    oracle.pause("load_files", False)
    run = {"dag_id": "load_files", "dag_run_id": oracle.trigger("load_files")}
    assert oracle.wait_for_run("load_files", run["dag_run_id"]) == "failed"
    states = oracle.states("load_files", run["dag_run_id"])
    failed = await session.ok("clear_dag_run", only_failed=True, confirm=False, **run)
    assert failed["total"] == sum(state in ("failed", "upstream_failed") for state in states.values())
    preview, done = await session.confirmed("clear_dag_run", **run)
    assert preview["total"] == len(states)
    assert done["done"]
    assert oracle.wait_for_run("load_files", run["dag_run_id"]) == "failed"


async def test_a_run_is_deleted(session: Session, oracle: Oracle, paused_run: dict[str, str]) -> None:
    count = len(oracle.states("history", paused_run["dag_run_id"]))
    preview, _ = await session.confirmed("delete_dag_run", **paused_run)
    assert (preview["state"], preview["task_instances"]) == ("queued", count)
    runs = oracle.call("GET", "dags/history/dagRuns", params={"limit": 100})["dag_runs"]
    assert paused_run["dag_run_id"] not in {run["dag_run_id"] for run in runs}
    assert "ot found" in await session.error("delete_dag_run", confirm=True, **paused_run)


async def test_a_running_run_is_not_deleted(session: Session, oracle: Oracle) -> None:
    oracle.pause("slow", False)
    run = {"dag_id": "slow", "dag_run_id": oracle.trigger("slow")}
    oracle.wait_for_run("slow", run["dag_run_id"], "running")
    oracle.wait_for_task("slow", run["dag_run_id"], "sleeps", "running")  # or it moves between preview and change
    message = await session.error("delete_dag_run", confirm=True, **run)
    assert "End it first: set_dag_run_state with state failed." in message
    assert oracle.run("slow", run["dag_run_id"])["state"] == "running"
    await session.confirmed("set_dag_run_state", state="failed", **run)
    await session.confirmed("delete_dag_run", **run)


async def test_a_change_of_a_run_that_there_is_not(session: Session) -> None:
    run = {"dag_id": "history", "dag_run_id": "no_such_run", "confirm": True}
    for tool, more in {
        "set_dag_run_state": {"state": "failed"},
        "set_dag_run_note": {"note": "x"},
        "clear_dag_run": {},
    }.items():
        assert "ot found" in await session.error(tool, **run, **more)
