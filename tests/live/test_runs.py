"""Runs of DAGs on both real servers, checked against what the server itself says of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.oracle import Oracle
from tests.servers import VIEWER
from tests.session import Session, connect

pytestmark = pytest.mark.anyio


def real_runs(oracle: Oracle, dag_id: str = "~") -> list[dict[str, Any]]:
    """All runs as the server has them, the newest first."""
    runs: list[dict[str, Any]] = oracle.all_of(f"dags/{dag_id}/dagRuns", "dag_runs")
    return runs[::-1]


async def test_runs_of_a_dag_newest_first(session: Session, oracle: Oracle) -> None:
    failed = oracle.failed_runs["load_files"]
    answer = await session.ok("get_dag_runs", dag_id="load_files")
    assert [row["dag_run_id"] for row in answer["dag_runs"]] == [
        run["dag_run_id"] for run in real_runs(oracle, "load_files")
    ]
    row = next(row for row in answer["dag_runs"] if row["dag_run_id"] == failed)
    run = oracle.run("load_files", failed)
    start, end = (datetime.fromisoformat(run[name]) for name in ("start_date", "end_date"))
    assert row == {
        "dag_run_id": failed,
        "state": "failed",
        "run_type": "manual",
        "start_date": start.strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00") + "Z",
        "duration_seconds": pytest.approx((end - start).total_seconds(), abs=0.1),
        "url": row["url"],
    }
    between = "/runs/" if oracle.major == 3 else "/grid?dag_run_id="
    assert row["url"] == f"{oracle.server.url}/dags/load_files{between}{quote(failed, safe='')}"
    assert failed in unquote(row["url"])


async def test_a_run_without_a_logical_date_is_in_its_place(session: Session, oracle: Oracle) -> None:
    """Unpausing started a scheduled run besides the one that was triggered, which has no such date on Airflow 3."""
    failed = oracle.failed_runs["sales_etl"]
    rows = (await session.ok("get_dag_runs", dag_id="sales_etl", fields=["run_type", "logical_date"]))["dag_runs"]
    assert {row["run_type"] for row in rows} == {"manual", "scheduled"}
    assert [row["dag_run_id"] for row in rows] == [run["dag_run_id"] for run in real_runs(oracle, "sales_etl")]
    manual = next(row for row in rows if row["dag_run_id"] == failed)
    assert ("logical_date" in manual) is (oracle.major == 2)


async def test_filters_are_the_servers(session: Session, oracle: Oracle) -> None:
    failed = oracle.failed_runs
    runs = real_runs(oracle)
    answer = await session.ok("get_dag_runs", state=["failed"], limit=100)
    expected = [(run["dag_id"], run["dag_run_id"]) for run in runs if run["state"] == "failed"]
    found = [(row["dag_id"], row["dag_run_id"]) for row in answer["dag_runs"]]
    assert found == expected
    assert answer["total"] == len(expected)
    assert set(failed.items()) <= set(expected)

    since = oracle.run("load_files", failed["load_files"])["start_date"]
    answer = await session.ok("get_dag_runs", since=since, limit=100)
    later = [run["dag_run_id"] for run in runs if run["start_date"] and run["start_date"] >= since]
    # Airflow 3 finds what was set to an end without ever starting, too.
    started = [row["dag_run_id"] for row in answer["dag_runs"] if oracle.major == 2 or "start_date" in row]
    assert sorted(started) == sorted(later)

    none = await session.ok("get_dag_runs", dag_id="load_files", since="2041-01-01T00:00:00Z")
    assert (none["total"], none["note"]) == (0, "No run matches; try without state and start_date_gte.")


async def test_filters_of_airflow_3(session: Session, oracle: Oracle) -> None:
    if oracle.major == 2:
        for name, value in (("run_type", "manual"), ("conf_contains", "x"), ("triggering_user_name_pattern", "x")):
            assert f"This is Airflow {oracle.server.release.version}." in await session.error(
                "get_dag_runs", **{name: value}
            )
        refused = await session.error("get_dag_runs", date_field="run_after", since="2026-01-01T00:00:00Z")
        assert refused == f"date_field=run_after needs Airflow 3. This is Airflow {oracle.server.release.version}."
        return
    oracle.failed_runs  # noqa: B018 - runs them
    manual = [run["dag_run_id"] for run in real_runs(oracle) if run["run_type"] == "manual"]
    by_user = {} if oracle.server.release.name == "3.0" else {"triggering_user_name_pattern": "ADM%"}
    answer = await session.ok("get_dag_runs", run_type="manual", limit=100, **by_user)
    assert sorted(row["dag_run_id"] for row in answer["dag_runs"]) == sorted(manual)
    if by_user:
        answer = await session.ok("get_dag_runs", triggering_user_name_pattern="a_min", limit=1)
        assert answer["note"] == "_ in triggering_user_name_pattern stands for any sign."
        message = await session.error("get_dag_runs", triggering_user_name_pattern="a|b")
        assert "triggering_user_name_pattern: must not contain |, which means something else to Airflow" in message


async def test_last_run_in_the_rows_of_dags(session: Session, oracle: Oracle) -> None:
    oracle.failed_runs  # noqa: B018 - runs them
    rows = {row["dag_id"]: row for row in (await session.ok("get_dags"))["dags"]}
    newest: dict[str, Any] = {}
    started: dict[str, Any] = {}
    for run in oracle.call("GET", "dags/~/dagRuns", params={"limit": 100, "order_by": "-id"})["dag_runs"]:
        newest.setdefault(run["dag_id"], run)
        if run["start_date"]:
            started.setdefault(run["dag_id"], run)
    for dag_id, row in rows.items():
        run = newest.get(dag_id)
        assert row["last_run_state"] == (run["state"] if run else "none")
        assert row.get("last_run_id") == (run and run["dag_run_id"])
    if oracle.major == 3:
        answer = await session.ok("get_dags", last_run_state="failed")
        by_start = oracle.server.release.name == "3.0"
        assert ("by the last run that has started" in answer.get("note", "")) is by_start
        assert {row["dag_id"] for row in answer["dags"]} == {
            dag_id for dag_id, run in (started if by_start else newest).items() if run["state"] == "failed"
        }
    else:
        assert "needs Airflow 3" in await session.error("get_dags", last_run_state="failed")


async def test_a_viewer_in_read_only_mode_finds_what_failed_and_why(oracle: Oracle) -> None:
    failed = oracle.failed_runs["sales_etl"]
    async with connect(oracle, VIEWER, read_only=True) as session:
        [run] = [
            row
            for row in (await session.ok("get_dag_runs", dag_id="sales_etl", state=["failed"]))["dag_runs"]
            if row["dag_run_id"] == failed
        ]
        which = {"dag_id": "sales_etl", "dag_run_id": run["dag_run_id"]}
        rows = (await session.ok("get_task_instances", **which))["task_instances"]
        first = next(row["task_id"] for row in rows if row["state"] == "failed")
        log = await session.ok("get_task_log", **which, task_id=first)
    assert first == "validate"
    assert "KeyError: 'amount'" in log["log"]
    assert "sales_etl.py" in log["log"]


async def test_unknown_dag(session: Session) -> None:
    assert "no_such_dag" in await session.error("get_dag_runs", dag_id="no_such_dag")
