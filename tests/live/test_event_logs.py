"""Who did what, on both real servers: by the tool, and in the handover of a shift."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import httpx
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


def mark_on_the_page(oracle: Oracle, run_id: str, task_id: str) -> None:
    """Mark a task as a success, as a page of Airflow 2 does."""
    with httpx.Client(base_url=oracle.server.url, follow_redirects=True, timeout=60) as browser:
        token = re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', browser.get("/login/").text)[0]
        user = {"username": WHO, "password": oracle.password(WHO), "csrf_token": token}
        browser.post("/login/", data=user).raise_for_status()
        which = {"dag_id": "history", "dag_run_id": run_id, "task_id": task_id, "confirmed": "true"}
        browser.post("/success", data={**which, "csrf_token": token}).raise_for_status()


async def test_who_did_what_is_told(oracle: Oracle) -> None:
    if oracle.server.release.name in ("2.7", "2.8"):
        pytest.skip("it cannot leave out what tasks log")
    since = {"since": datetime.now(UTC).isoformat()}
    user = who(oracle)
    oracle.pause("history", True)
    run_id = oracle.trigger("history", conf=SECRETS)
    oracle.call("POST", "variables", json={"key": "innocent", "value": "hunter2-variable"})
    oracle.http.delete("variables/innocent").raise_for_status()
    run = {"dag_id": "history", "dag_run_id": run_id}
    async with connect(oracle, user) as session:
        await session.ok("set_task_instances_state", **run, task_id="first", new_state="failed", confirm=True)
        await session.ok("clear_task_instances", **run, task_ids=["first"], only_failed=False, confirm=True)
        for is_paused in (False, True):
            await session.ok("patch_dag", dag_id=UNSCHEDULED, is_paused=is_paused, confirm=True)
        if oracle.major == 2:
            mark_on_the_page(oracle, run_id, "first")
    async with connect(oracle) as session:
        answer = await session.ok("get_event_logs", **since)
        its = await session.ok("get_event_logs", **run, task_id="first")
        [message] = (await session.client.get_prompt("hand_over_shift", since)).messages

    did = [row for row in answer["event_logs"] if not row.get("dry_run")]
    by_api = "api." if oracle.major == 2 else ""
    pause = {"owner": WHO, "event": f"{by_api}patch_dag", "dag_id": UNSCHEDULED}
    about = {"owner": WHO, "dag_id": "history", "dag_run_id": run_id}
    set_it = "api.post_set_task_instances_state" if oracle.major == 2 else "patch_task_instance"
    expected = [
        {"event": "success", **about, "task_id": "first"},
        {**pause, "extra": {"is_paused": True}},
        {**pause, "extra": {"is_paused": False}},
        {"event": f"{by_api}post_clear_task_instances", **about}
        | {"extra": {"only_failed": False, "task_ids": ["first"]}},
        {"event": set_it, **about, "task_id": "first", "extra": {"new_state": "failed"}},
    ][oracle.major - 2 :]
    assert [{name: row[name] for name in row if name != "when"} for row in did if row["owner"] == WHO] == expected
    assert [row.get("extra") for row in did if "variable" in row["event"]] == [
        {"variable_key": "innocent"},
        {"key": "innocent"},
    ]
    assert [row for row in its["event_logs"] if not row.get("dry_run")] == [
        row for row in did if row.get("dag_run_id") == run_id
    ]

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
    unasked = {"running", "cli_scheduler", "cli_triggerer", "get_task_instances_batch"}
    assert unasked.isdisjoint(row["event"] for row in rows)
