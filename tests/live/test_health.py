"""get_health on both real servers: what is wrong is named, and what is not is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from scripts.generate import tokens
from tests.oracle import Oracle
from tests.servers import VIEWER
from tests.session import Session, connect, text_of

pytestmark = pytest.mark.anyio

MOST_TOKENS = 600


async def health(session: Session) -> tuple[Any, dict[str, str]]:
    """The answer, and the fact of each problem by its word."""
    result = await session.call("get_health", {})
    assert not result.is_error, text_of(result)
    assert tokens(text_of(result)) <= MOST_TOKENS
    answer: Any = result.structured_content
    return answer, {each["reason"]: each["fact"] for each in answer["problems"]}


@pytest.fixture
def stuck_run(oracle: Oracle) -> Iterator[str]:
    """A run of history that runs since 3 hours and usually takes a minute; a task of it is queued since 2 hours."""
    oracle.pause("history", True)
    before, run_id = (oracle.trigger("history", f"2026-04-0{day}T00:00:00Z") for day in (1, 2))
    oracle.put("history", before, {}, run="success")
    oracle.backdate("history", before, start="-26 hours", end="-1559 minutes")
    oracle.put("history", run_id, {"first": "queued"}, run="running")
    oracle.backdate("history", run_id, start="-3 hours", queued="-2 hours")
    yield run_id
    oracle.put("history", run_id, {"first": "failed"}, run="failed")


async def test_what_is_wrong_is_named(session: Session, oracle: Oracle, stuck_run: str) -> None:
    assert oracle.failed_runs.keys() == {"sales_etl", "load_files"}
    answer, found = await health(session)
    assert answer["summary"].startswith("1 task instance is queued for up to 2 h; ")
    assert "the last run of " in answer["summary"]
    queued = f"1 task instance is queued, the oldest for 2 h: first of history {stuck_run}, in queue default."
    assert found["queue_slow"] == queued
    assert found["long_runs"] == f"1 run takes far longer than usual: history {stuck_run} (longest_running)."
    assert "DAGs failed in their last run: " in found["failing_dags"]
    assert {"import_errors", "scheduler_down", "triggerer_down", "dag_processor_down"}.isdisjoint(found)
    assert answer["components"]["scheduler"].startswith("healthy, heartbeat ")
    assert answer["components"]["metadatabase"] == "healthy"
    # What is usual, other good runs of these tests have their part in.
    usual = [line for line in answer["longest_running"] if line.startswith(f"history {stuck_run}: 3 h, usually ")]
    assert [line.endswith((" s", " min")) for line in usual] == [True]
    assert "not_seen" not in answer


async def test_a_viewer_sees_the_same(oracle: Oracle) -> None:
    assert oracle.failed_runs
    async with connect(oracle, VIEWER) as viewer:
        answer, found = await health(viewer)
    assert "failing_dags" in found
    assert "not_seen" not in answer
