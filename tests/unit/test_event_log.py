"""Of a failure whose log tells nothing: what Airflow's event log says of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fakes import OfRelease
from tests.replay import replayed

pytestmark = pytest.mark.anyio

TIMED_OUT = {"event": "heartbeat timeout", "extra": "Task sent no heartbeat. See https://airflow.apache.org/x"}
NONE = "No error is logged."


class Lost(OfRelease):
    """An Airflow with a task that failed, in whose log no error stands."""

    def __init__(
        self, version: str, *events: dict[str, Any], status: int = 200, log: str = "06:00:01 a.py:2 end"
    ) -> None:
        super().__init__(version)
        self.events, self.status, self.log = events, status, log

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/taskInstances/list"):
            row = {"dag_id": "etl", "dag_run_id": "r", "task_id": "t", "map_index": 3, "state": "failed"}
            rows = [{**row, "try_number": 2, "start_date": "2026-02-01T00:00:00Z"}]
            return httpx.Response(200, json={"task_instances": rows, "total_entries": 1})
        if path.endswith("/eventLogs"):
            return httpx.Response(self.status, json={"event_logs": self.events, "total_entries": len(self.events)})
        if "/logs/" in path:
            return httpx.Response(200, text=f"06:00:00 a.py:1 begin\n{self.log}\n")
        return httpx.Response(200, json={"access_token": "t", "dag_runs": [], "total_entries": 0})


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([], NONE),
        ([TIMED_OUT], "heartbeat timeout: Task sent no heartbeat."),
        (
            [{"event": "failed"}, {"event": "state mismatch", "extra": "b"}, TIMED_OUT],
            "heartbeat timeout: Task sent no",
        ),
        ([{"event": "stuck in queued reschedule", "extra": None}], "stuck in queued reschedule"),
        ([{**TIMED_OUT, "map_index": 4}], NONE),
        ([{**TIMED_OUT, "try_number": 1}], NONE),
        ([{**TIMED_OUT, "map_index": 3, "try_number": 2}], "heartbeat timeout: Task sent no heartbeat."),
        ([{"event": "patch_task_instance", "extra": '{"new_state": "failed"}'}], NONE),
    ],
)
async def test_what_airflow_says_itself_is_told(events: list[dict[str, Any]], error: str) -> None:
    async with replayed(Lost("2.11.2", *events)) as session:
        [group] = (await session.ok("find_failures"))["failures"]
    assert group["error"].startswith(error)


async def test_it_is_asked_only_where_the_log_tells_no_error_and_airflow_has_such_events() -> None:
    for fake in (Lost("2.9.3", TIMED_OUT), Lost("2.11.2", TIMED_OUT, log="06:00:00 ERROR a.py:1 disk full")):
        async with replayed(fake) as session:
            await session.ok("find_failures")
        assert [path for path in fake.paths() if path.endswith("/eventLogs")] == []


async def test_an_event_log_that_cannot_be_read_is_told() -> None:
    async with replayed(Lost("2.11.2", status=403)) as session:
        answer = await session.ok("find_failures")
    assert [group["error"] for group in answer["failures"]] == [NONE]
    [not_seen] = answer["not_seen"]
    assert not_seen.startswith("the event log: ")
    assert "can read on Audit Logs" in not_seen
