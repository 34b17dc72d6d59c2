"""Backfills, on real servers: what is previewed is what Airflow runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from tests.oracle import Oracle
from tests.session import Session, text_of

pytestmark = pytest.mark.anyio

INSTEAD = "There, clear or trigger runs instead, or use the command `airflow dags backfill`."


def backfills(oracle: Oracle, dag_id: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = oracle.call("GET", "backfills", params={"dag_id": dag_id})["backfills"]
    return rows


def runs(oracle: Oracle, dag_id: str) -> dict[str, str]:
    """The states of a DAG's runs by day."""
    rows = oracle.call("GET", f"dags/{dag_id}/dagRuns", params={"limit": 100})["dag_runs"]
    return {row["logical_date"][:10]: row["state"] for row in rows}


def days(first: str, last: str, dag_id: str = "every_day") -> dict[str, Any]:
    return {"dag_id": dag_id, "from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z"}


def wait_until_completed(oracle: Oracle, backfill_id: int, seconds: float = 180) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        row = oracle.call("GET", f"backfills/{backfill_id}")
        if row["completed_at"]:
            return row
        time.sleep(0.5)
    raise AssertionError(f"not completed after {seconds} s: {row}, runs: {runs(oracle, row['dag_id'])}")


async def create(session: Session, oracle: Oracle, **arguments: Any) -> Any:
    """Make a backfill, as often as Airflow's SQLite is locked by its other parts, and says so before it makes any."""
    for _ in range(6):
        result = await session.call("create_backfill", {"confirm": True, **arguments})
        if not result.is_error:
            return result.structured_content
        assert "it answered 503" in text_of(result), text_of(result)
        assert all(row["completed_at"] for row in backfills(oracle, arguments["dag_id"]))
        await anyio.sleep(1)
    raise AssertionError(text_of(result))


@pytest.fixture
def three(oracle: Oracle) -> Oracle:
    if oracle.major == 2:
        pytest.skip("Airflow 2 has no backfills: what it is told is tested by itself")
    return oracle


@pytest.fixture
def slow(three: Oracle) -> Iterator[str]:
    """A DAG without an active backfill, and paused: no run starts."""
    three.pause("every_day_slowly", True)
    yield "every_day_slowly"
    for row in backfills(three, "every_day_slowly"):
        if not row["completed_at"]:
            three.call("PUT", f"backfills/{row['id']}/cancel")


CALLS: dict[str, dict[str, Any]] = {
    "get_backfills": {"dag_id": "every_day"},
    "create_backfill": {**days("2026-02-01", "2026-02-03"), "confirm": True},
    "pause_backfill": {"backfill_id": 1, "confirm": True},
    "unpause_backfill": {"backfill_id": 1, "confirm": True},
    "cancel_backfill": {"backfill_id": 1, "confirm": True},
}


@pytest.mark.parametrize("tool", CALLS)
async def test_airflow_2_is_told_what_to_do_instead(session: Session, oracle: Oracle, tool: str) -> None:
    if oracle.major == 3:
        pytest.skip("Airflow 3 has backfills")
    message = await session.error(tool, **CALLS[tool])
    here = f"Airflow {oracle.server.release.version}"
    assert message == f"backfills needs Airflow 3. This is {here}. {INSTEAD}"


async def test_a_backfill_runs_what_was_shown(session: Session, three: Oracle) -> None:
    three.pause("every_day", False)
    arguments = days("2026-02-01", "2026-02-03")
    preview = await session.ok("create_backfill", confirm=False, **arguments)
    assert (preview["done"], preview["total"]) == (False, 3)
    dates = [f"2026-02-0{day}T00:00:00Z" for day in (1, 2, 3)]
    assert preview["logical_dates"] == dates
    assert (preview["first"], preview["last"]) == (dates[0], dates[2])
    assert not [date for date in runs(three, "every_day") if date.startswith("2026-02")]
    assert backfills(three, "every_day") == []

    done = await create(session, three, plan=preview["plan"], **arguments)
    assert done["done"] is True
    assert wait_until_completed(three, done["backfill_id"])["dag_id"] == "every_day"
    after = runs(three, "every_day")
    assert {date: after[date] for date in after if date.startswith("2026-02-0")} == {
        date[:10]: "success" for date in dates
    }

    again = await session.ok("create_backfill", confirm=True, **days("2026-02-01", "2026-02-03"))
    assert (again["done"], again["total"]) == (False, 0)
    assert again["left_out"] == [f"{date}: success" for date in dates]
    wider = await session.ok("create_backfill", confirm=False, run_backwards=True, **days("2026-02-02", "2026-02-05"))
    assert wider["logical_dates"] == ["2026-02-05T00:00:00Z", "2026-02-04T00:00:00Z"]
    assert wider["left_out"] == [f"{date}: success" for date in dates[1:]]
    redo = await session.ok("create_backfill", confirm=False, reprocess_behavior="completed", **arguments)
    assert (redo["total"], "left_out" in redo) == (3, False)
    listed = await session.ok("get_backfills", dag_id="every_day")
    assert [row["id"] for row in listed["backfills"]] == [done["backfill_id"]]
    assert "completed_at" in listed["backfills"][0]
    for tool in ("pause_backfill", "unpause_backfill", "cancel_backfill"):
        message = await session.error(tool, backfill_id=done["backfill_id"], confirm=True)
        assert f"Backfill {done['backfill_id']} of every_day is completed" in message


async def test_a_backfill_is_paused_unpaused_and_cancelled(session: Session, three: Oracle, slow: str) -> None:
    conf = {"dag_run_conf": '{"colour": "red"}', "max_active_runs": 2}
    arguments = days("2026-03-01", "2026-03-04", slow) | conf
    preview = await session.ok("create_backfill", confirm=False, **arguments)
    done = await create(session, three, plan=preview["plan"], **arguments)
    assert preview["warnings"] == ["The DAG is paused: no run starts before it is unpaused."]
    backfill_id = done["backfill_id"]
    row = three.call("GET", f"backfills/{backfill_id}")
    assert (row["dag_run_conf"], row["max_active_runs"], row["is_paused"]) == ({"colour": "red"}, 2, False)

    refused = await session.ok("create_backfill", confirm=False, **days("2026-03-10", "2026-03-11", slow))
    assert refused["summary"].startswith(f"Airflow refuses: backfill {backfill_id} of {slow} is active")
    assert "plan" not in refused
    message = await session.error("create_backfill", confirm=True, **days("2026-03-10", "2026-03-11", slow))
    assert message.startswith(f"Airflow refuses: backfill {backfill_id} of {slow} is active")

    preview = await session.ok("pause_backfill", backfill_id=backfill_id, confirm=False)
    assert (preview["state_before"], preview["state_after"], preview["queued_runs"]) == ("active", "paused", 4)
    assert three.call("GET", f"backfills/{backfill_id}")["is_paused"] is False
    await session.confirmed("pause_backfill", backfill_id=backfill_id)
    assert three.call("GET", f"backfills/{backfill_id}")["is_paused"] is True
    same = await session.ok("pause_backfill", backfill_id=backfill_id, confirm=True)
    assert (same["done"], same["summary"]) == (
        False,
        f"backfill {backfill_id} of {slow} is paused already: nothing to change.",
    )
    await session.confirmed("unpause_backfill", backfill_id=backfill_id)
    assert three.call("GET", f"backfills/{backfill_id}")["is_paused"] is False
    await session.confirmed("cancel_backfill", backfill_id=backfill_id)
    assert three.call("GET", f"backfills/{backfill_id}")["completed_at"]
    assert {state for date, state in runs(three, slow).items() if date.startswith("2026-03")} == {"failed"}


async def test_what_cannot_be_filled(session: Session, three: Oracle) -> None:
    message = await session.error("create_backfill", confirm=False, **days("2026-02-01", "2026-02-02", "history"))
    assert "schedule" in message
    assert "no_such_dag" in await session.error("get_backfills", dag_id="no_such_dag")
    assert "Not found" in await session.error("cancel_backfill", backfill_id=9999, confirm=True)
    none = await session.ok("get_backfills", dag_id="history")
    assert (none["total"], none["note"]) == (0, "This DAG has had no backfill.")
    message = await session.error("create_backfill", confirm=False, **days("2026-02-03", "2026-02-01"))
    assert "to_date: is before from_date" in message
