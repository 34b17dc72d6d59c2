"""Who did what, on both real servers: by the tool, and in the handover of a shift."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from mcp.types import TextContent

from tests.fab import add_user
from tests.oracle import Oracle
from tests.servers import UNSCHEDULED
from tests.session import Session, connect

pytestmark = pytest.mark.anyio

WHO = "uma"
URL = "postgres://u:hunter2-url@h/db"
SECRETS = {"password": "hunter2-conf", "url": URL}


def who(oracle: Oracle) -> str:
    """A user that may change DAGs, and is not the administrator."""
    if oracle.major == 2 and WHO not in oracle.passwords:
        add_user(oracle, WHO, "User")
    return WHO


def mark_on_a_page(oracle: Oracle, run_id: str) -> None:
    """Log what a page of Airflow 2 logs where a task is marked as a success; to sign in there takes seconds."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    row = (now, "history", "first", run_id, "success", WHO, json.dumps({"confirmed": "true"}))
    with closing(sqlite3.connect(oracle.server.home / "airflow.db", timeout=30)) as database, database:
        names = "dttm, dag_id, task_id, run_id, event, owner, extra"
        database.execute(f"INSERT INTO log ({names}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)


async def test_who_did_what_is_told(oracle: Oracle) -> None:
    if oracle.server.release.name in ("2.7", "2.8"):
        pytest.skip("it cannot leave out what tasks log")
    since = {"since": datetime.now(UTC).isoformat()}
    headers = {"authorization": oracle.authorization(who(oracle))}
    oracle.pause("history", True)
    run_id = oracle.trigger("history", conf=SECRETS)
    oracle.call("POST", "variables", json={"key": "innocent", "value": "hunter2-variable"})
    oracle.http.delete("variables/innocent").raise_for_status()
    run = {"dag_id": "history", "dag_run_id": run_id}
    in_2 = {"dry_run": False} if oracle.major == 2 else {}
    clear = {"dag_run_id": run_id, "task_ids": ["first"], "only_failed": False, "dry_run": False}
    for method, path, body in (
        ("PATCH", f"dags/history/dagRuns/{run_id}/taskInstances/first", {"new_state": "failed", **in_2}),
        ("POST", "dags/history/clearTaskInstances", {**clear, "dry_run": True}),
        ("POST", "dags/history/clearTaskInstances", clear),
        ("PATCH", f"dags/{UNSCHEDULED}", {"is_paused": True}),
    ):
        oracle.call(method, path, json=body, headers=headers)
    if oracle.major == 2:
        mark_on_a_page(oracle, run_id)
    async with connect(oracle) as session:
        answer = await session.ok("get_event_logs", **since)
        its = await session.ok("get_event_logs", **run, task_id="first")
        of_run = await session.ok("get_event_logs", **run)
        [message] = (await session.client.get_prompt("hand_over_shift", since)).messages

    did = [row for row in answer["event_logs"] if not row.get("dry_run")]
    assert answer["returned"] - len(did) == (0 if oracle.major == 3 and oracle.server.release.name != "3.0" else 1)
    by_api = "api." if oracle.major == 2 else ""
    pause = {"owner": WHO, "event": f"{by_api}patch_dag", "dag_id": UNSCHEDULED}
    about = {"owner": WHO, "dag_id": "history", "dag_run_id": run_id}
    expected = [
        {"event": "success", **about, "task_id": "first"},
        {**pause, **({"extra": {"is_paused": True}} if oracle.server.release.name != "3.0" else {})},
        {"event": f"{by_api}post_clear_task_instances", **about}
        | {"extra": {"only_failed": False, "task_ids": ["first"]}},
        {"event": f"{by_api}patch_task_instance", **about, "task_id": "first", "extra": {"new_state": "failed"}},
    ][oracle.major - 2 :]
    assert [{name: row[name] for name in row if name != "when"} for row in did if row["owner"] == WHO] == expected
    assert [row.get("extra") for row in did if "variable" in row["event"]] == [
        {"variable_key": "innocent"},
        {"key": "innocent"},
    ]
    its_run = [row for row in did if row.get("dag_run_id") == run_id]
    assert [row for row in its["event_logs"] if not row.get("dry_run")] == its_run
    assert [row for row in of_run["event_logs"] if not row.get("dry_run")] == [*its_run, did[-2]]  # and its trigger

    assert isinstance(message.content, TextContent)
    handover = message.content.text
    for row in did:
        assert json.dumps([row["when"], row["event"], row["owner"]], separators=(",", ":"))[:-1] in handover
    assert "hunter2" not in handover
    assert " needs Airflow " not in handover  # each tool has answered


async def test_what_airflow_logs_of_itself_stays_out(session: Session, oracle: Oracle) -> None:
    raw = {"limit": 1, "event": "cli_scheduler"}
    if oracle.server.release.name in ("2.7", "2.8"):
        assert (await session.error("get_event_logs")).startswith("get_event_logs needs Airflow 2.9. ")
        return
    assert oracle.call("GET", "eventLogs", params=raw)["total_entries"]
    assert (await session.ok("get_event_logs", event=["cli_scheduler"]))["total"]
    rows = (await session.ok("get_event_logs", limit=100))["event_logs"]
    unasked = {"running", "deferred", "up_for_retry", "cli_scheduler", "cli_triggerer", "get_task_instances_batch"}
    assert unasked.isdisjoint(row["event"] for row in rows)
