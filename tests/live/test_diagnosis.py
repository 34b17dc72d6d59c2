"""Diagnoses on both real servers: what they must hold, and how long they may be."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.generate import tokens
from tests.live.test_logs import CAUSES
from tests.oracle import Oracle
from tests.session import Session, text_of, unfenced

pytestmark = pytest.mark.anyio

MOST_TOKENS, COMMON = 1500, 900


async def diagnosis(session: Session, most: int = COMMON, **arguments: Any) -> Any:
    result = await session.call("diagnose_dag_run", arguments)
    assert not result.is_error, text_of(result)
    assert tokens(text_of(result)) <= most
    return result.structured_content


async def test_a_chain_is_told_by_what_failed_first(session: Session, oracle: Oracle) -> None:
    run_id = oracle.failed_runs["sales_etl"]
    told = await diagnosis(session, dag_id="sales_etl", dag_run_id=run_id)
    assert (told["dag_id"], told["dag_run_id"], told["state"]) == ("sales_etl", run_id, "failed")
    assert told["summary"] == f"sales_etl {run_id} is failed: validate failed first."
    [cause] = told["causes"]
    assert (cause["task_id"], cause["error"]) == ("validate", "KeyError: 'amount'")
    evidence = unfenced(cause["evidence"])
    log, _, code = evidence.partition("sales_etl.py, as it is now:\n")
    assert "checking order 1041" in log  # the record at which it failed
    assert '57|            if order["id"] in ids and order["amount"] > 0:' in code.split("\n")
    assert told["blocked"] == "load, report"
    assert "not_seen" not in told
    call = f'preview_clear_task_instances(dag_id="sales_etl", dag_run_id="{run_id}")'
    assert f"{call}. Clear 3 task instances (2 upstream_failed, 1 failed)" in told["next"]
    assert oracle.states("sales_etl", run_id)["validate"] == "failed"


async def test_of_a_mapped_task_the_index_is_told(session: Session, oracle: Oracle) -> None:
    told = await diagnosis(session, dag_id="load_files", dag_run_id=oracle.failed_runs["load_files"])
    [cause] = told["causes"]
    assert (cause["task_id"], cause["map_indexes"]) == ("load_file", "2")
    assert cause["error"] == "ValueError: south.csv: line 118 has 4 columns, expected 6"
    assert told["blocked"] == "summarize"


async def test_every_task_that_failed_by_itself_is_told_with_its_error(session: Session, oracle: Oracle) -> None:
    told = await diagnosis(session, MOST_TOKENS, dag_id="failing", dag_run_id=oracle.failing_run)
    causes = {each["task_id"]: each for each in told["causes"]}
    failed = {task_id for task_id, state in oracle.states("failing", oracle.failing_run).items() if state == "failed"}
    assert causes.keys() == failed
    for task_id, each in causes.items():
        said = each["error"] + unfenced(each["evidence"])
        assert any(cause in said for cause in CAUSES[task_id]), (task_id, said)
    assert causes["retried"]["error"] == "PermissionError: second: the source refused"
    assert causes["retried"]["tries"] == "2 of 2; try 1 failed with TimeoutError: first: the source did not answer"
    assert causes["retried"]["run_again"] == "fails again until access is granted."


async def test_what_failed_before_is_told_with_since_when(session: Session, oracle: Oracle) -> None:
    oracle.pause("history", True)
    runs = [oracle.trigger("history", f"2026-03-0{day}T00:00:00Z") for day in (1, 2, 3)]
    for run_id, state in zip(runs, ("success", "failed", "failed"), strict=True):
        oracle.put("history", run_id, {"first": state}, run=state)
    told = await diagnosis(session, dag_id="history", dag_run_id=runs[2])
    [cause] = told["causes"]
    assert cause["before"] == f"It failed in the run before too, since {runs[1]}."
    assert cause["run_again"] == "may help: no error is logged."


async def test_without_a_failed_run_that_is_told(session: Session, oracle: Oracle) -> None:
    page = f"{oracle.server.url}/dags/diamond{'/grid' if oracle.major == 2 else ''}"
    told = {"summary": "No run of diamond has failed.", "dag_id": "diamond", "url": page}
    assert await diagnosis(session, dag_id="diamond") == told
    assert "get_dags finds DAGs" in await session.error("diagnose_dag_run", dag_id="nope")


async def test_what_failed_across_dags_is_told_by_error(session: Session, oracle: Oracle) -> None:
    failed = oracle.failed_runs
    assert oracle.failing_run
    result = await session.call("find_failures", {"since": "2026-01-01T00:00:00Z"})
    assert not result.is_error, text_of(result)
    assert tokens(text_of(result)) <= MOST_TOKENS
    told = result.structured_content or {}
    groups = {(each["dag_id"], task_id): each for each in told["failures"] for task_id in each["tasks"]}
    sales, files = groups["sales_etl", "validate"], groups["load_files", "load_file"]
    assert (sales["error"], sales["now"]) == ("KeyError: 'amount'", "failed")
    assert files["error"] == "ValueError: south.csv: line 118 has 4 columns, expected 6"
    assert (files["last_run_id"], files["task_instances"]) == (failed["load_files"], 1)
    assert {task_id for dag_id, task_id in groups if dag_id == "failing"} == CAUSES.keys()
    alone = await session.ok("find_failures", dag_id="sales_etl", since="2026-01-01T00:00:00Z")
    assert [each["tasks"] for each in alone["failures"]] == [["validate"]]
    none = await session.ok("find_failures", dag_id="diamond")
    assert none["summary"] == "No task instance that started since has failed."
    assert "failures" not in none
    assert "get_dags finds DAGs" in await session.error("find_failures", dag_id="nope")


async def test_two_runs_are_compared_in_the_order_of_time(session: Session, oracle: Oracle) -> None:
    oracle.pause("history", True)
    good, failed = (oracle.trigger("history", f"2026-03-1{day}T00:00:00Z", conf={"day": day}) for day in (1, 2))
    parts = {f"part[{index}]": "success" for index in range(3)}
    ended = ("2025-03-01 06:00:00", "2025-03-01 06:00:20")
    oracle.put("history", good, {"first": "success", **parts, "last": "success"}, run="success", dates=ended)
    states = {"first": "success", **parts, "part[1]": "failed", "last": "upstream_failed"}
    oracle.put("history", failed, states, run="failed", dates=("2025-03-02 06:00:00", "2025-03-02 06:10:00"))
    for arguments in ({"dag_run_id": failed}, {"dag_run_id": good, "other_dag_run_id": failed}):
        result = await session.call("compare_dag_runs", {"dag_id": "history", **arguments})
        assert not result.is_error, text_of(result)
        assert tokens(text_of(result)) <= COMMON
        told = result.structured_content or {}
        confs = [(each["dag_run_id"], each["conf"]) for each in told["runs"]]
        assert confs == [(good, {"day": 1}), (failed, {"day": 2})]
        duration = "20 s → 10 min (30 times as long)"
        assert told["tasks"] == [
            {"tasks": "part", "map_indexes": "1", "state": "success → failed", "duration": duration},
            {"tasks": "last", "state": "success → upstream_failed"},
            {"tasks": "first", "duration": duration},
            {"tasks": "part", "map_indexes": "0, 2", "duration": f"at most {duration}"},
        ]
        structure = "The DAG's structure is that of" if oracle.major == 3 else "Airflow does not tell"
        assert told["code"].startswith(structure)
        assert told["summary"].endswith("state of 2 tasks, duration of 2 tasks, conf in 1 key.")
    assert "No run of diamond has failed" in await session.error("compare_dag_runs", dag_id="diamond")
    unknown = await session.error("compare_dag_runs", dag_id="history", dag_run_id=f"{good}x")
    assert f"Did you mean {good}" in unknown
    of_another = oracle.failed_runs["sales_etl"]
    message = await session.error("compare_dag_runs", dag_id="diamond", dag_run_id=of_another)
    assert "DAG sales_etl has a run of this id." in message
    assert "get_dags finds DAGs" in await session.error("compare_dag_runs", dag_id="nope")


async def test_what_fails_and_then_succeeds_is_told_with_its_error(session: Session, oracle: Oracle) -> None:
    run_id = oracle.failing_run
    result = await session.call("find_flaky_tasks", {"dag_id": "failing"})
    assert not result.is_error, text_of(result)
    assert tokens(text_of(result)) <= COMMON
    told = result.structured_content or {}
    assert [(each["task_id"], each["good_at_a_later_try"], each["last_run_ids"]) for each in told["tasks"]] == [
        ("recovered", 1, [run_id])
    ]
    assert told["tasks"][0]["errors"] == ["TimeoutError: the source did not answer within 30 s (1 of 1 log)"]
    none = await session.ok("find_flaky_tasks", dag_id="diamond")
    assert none == {"summary": "No run of diamond has ended yet."}
    assert "get_dags finds DAGs" in await session.error("find_flaky_tasks", dag_id="nope")
