"""An earlier try is told only where it failed too: one that was cleared while good may have logged errors as well."""

from __future__ import annotations

import httpx
import pytest

from tests.examples import agreeable
from tests.fakes import OfRelease
from tests.replay import replayed

pytestmark = pytest.mark.anyio

IDS = {"dag_id": "history", "dag_run_id": "r", "task_id": "load", "file_token": "t"}
ERRORS = {"1": "OSError: disk full", "2": "KeyError: 'x'", "3": "ValueError: now"}


class Tried(OfRelease):
    """An Airflow with a task whose third try failed, and whose earlier tries ended so."""

    def __init__(self, **states: str) -> None:
        super().__init__("2.11.2")
        self.states = {number.removeprefix("try_"): state for number, state in states.items()}

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if "/logs/" in path:
            number = path.rpartition("/")[2]
            if number not in (*self.states, "3"):
                return httpx.Response(404, json={"title": "TaskInstance not found", "detail": "no such try"})
            trace = f'Traceback (most recent call last):\n  File "/dags/a.py", line 1, in load\n{ERRORS[number]}'
            return httpx.Response(200, text=f"06:00:00 ERROR a.py:1 Task failed with exception\n{trace}\n")
        one = {**IDS, "map_index": -1, "state": "failed", "try_number": 3, "max_tries": 2}
        rows = [{**one, "start_date": "2026-02-01T00:00:00Z"}]
        if path.endswith("/tries"):
            tries = {**self.states, "3": "failed"}
            rows = [{**one, "try_number": int(number), "state": state} for number, state in tries.items()]
        body = agreeable(IDS, "2.11.2") | {"task_instances": rows, "total_entries": len(rows)}
        return httpx.Response(200, json=body)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ({"try_1": "failed", "try_2": "failed"}, "3 of 3; try 2 failed with KeyError: 'x'"),
        ({"try_1": "failed", "try_2": "success"}, "3 of 3; try 1 failed with OSError: disk full"),
        ({"try_1": "success", "try_2": "success"}, "3 of 3"),
        ({"try_1": "failed"}, "3 of 3; try 1 failed with OSError: disk full"),  # Airflow left out a number
        ({}, "3 of 3"),
    ],
)
async def test_an_earlier_try_is_told_where_it_failed(states: dict[str, str], told: str) -> None:
    async with replayed(Tried(**states)) as session:
        answer = await session.ok("diagnose_dag_run", dag_id="history", dag_run_id="r")
    [cause] = answer["causes"]
    assert cause["error"] == "ValueError: now"
    assert cause["tries"] == told
    assert [line for line in answer.get("not_seen", ()) if "try" in line] == []
