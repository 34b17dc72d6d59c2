"""Runs: what is asked of Airflow, in how many requests, and what is said where a run or a date is missing."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.links import Links
from airflow_mcp.release import Release
from tests.fakes import Replay
from tests.replay import replayed

pytestmark = pytest.mark.anyio


class Runs:
    """An Airflow with some DAGs and these runs; `forbidden` for who may not see runs."""

    def __init__(
        self, runs: list[dict[str, Any]] | None = None, total: int | None = None, *, forbidden: bool = False
    ) -> None:
        self.runs = runs or []
        self.total = len(self.runs) if total is None else total
        self.forbidden = forbidden

    async def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/dags"):
            dags = [{"dag_id": dag_id} for dag_id in ("a", "b")]
            return httpx.Response(200, json={"dags": dags, "total_entries": 2})
        if "/dagRuns" in request.url.path:
            if self.forbidden:
                return httpx.Response(403, json={"detail": "Forbidden"})
            return httpx.Response(200, json={"dag_runs": self.runs, "total_entries": self.total})
        return None


def run(dag_id: str, state: str = "failed", **more: Any) -> dict[str, Any]:
    start = None if state == "queued" else "2026-11-28T06:00:04Z"
    return {"dag_id": dag_id, "dag_run_id": "r1", "state": state, "start_date": start, **more}


@pytest.mark.parametrize("version", ["2.11", "3.3"])
async def test_a_page_is_one_request_whatever_the_number_of_runs(version: str) -> None:
    replay = Replay(version, Runs([run("a", end_date="2026-11-28T06:01:34.5Z"), run("b")], 300_000))
    async with replayed(replay) as session:
        answer = await session.ok("get_dag_runs", state=["failed"], limit=2)
    assert len(replay.sent("GET", "POST")) == 1
    assert (answer["total"], answer["next_offset"]) == (300_000, 2)
    assert [row.get("duration_seconds") for row in answer["dag_runs"]] == [90.5, None]


@pytest.mark.parametrize(
    ("arguments", "states"),
    [
        ({"date_field": "start_date"}, ["running", "success", "failed"]),
        ({"date_field": "end_date"}, ["success", "failed"]),
        ({"date_field": "end_date", "state": ["running", "failed"]}, ["failed"]),
        ({"date_field": "run_after"}, []),
        ({"date_field": "logical_date", "state": ["queued"]}, ["queued"]),
    ],
)
async def test_a_run_without_the_date_is_in_no_window(arguments: dict[str, Any], states: list[str]) -> None:
    """Airflow 3 finds it in each: a queued run would have started in 2041."""
    replay = Replay("3.3", Runs())
    async with replayed(replay) as session:
        await session.ok("get_dag_runs", since="2041-01-01T00:00:00Z", **arguments)
    [request] = replay.sent("GET")
    assert request.url.params.get_list("state") == states
    assert request.url.params[f"{arguments['date_field']}_gte"] == "2041-01-01T00:00:00+00:00"


async def test_states_that_have_no_such_date_are_told_without_a_request() -> None:
    replay = Replay("3.3", Runs([run("a")]))
    async with replayed(replay) as session:
        answer = await session.ok("get_dag_runs", since="2026-01-01T00:00:00Z", state=["queued"])
    assert (answer["total"], answer["note"]) == (0, "No run in this state has a start_date yet.")
    assert replay.sent("GET") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until: is before since"),
        ({"since": "2026-02-01T00:00:00"}, "since: must be a date with a time zone"),
        ({"state": ["broken"]}, "state.0: input should be 'queued', 'running', 'success' or 'failed'"),
        ({"fields": ["colour"]}, "fields: 'colour' is not one of: dag_id, dag_run_id, state"),
    ],
)
async def test_bad_input_is_refused_by_name(arguments: dict[str, Any], message: str) -> None:
    replay = Replay("3.3", Runs([run("a")]))
    async with replayed(replay) as session:
        assert message in await session.error("get_dag_runs", **arguments)


@pytest.mark.parametrize("version", ["2.11", "3.3"])
async def test_last_runs_of_a_page_are_one_request(version: str) -> None:
    replay = Replay(version, Runs([run("b", "queued"), run("b", "success")]))
    async with replayed(replay) as session:
        answer = await session.ok("get_dags")
    [_, request] = replay.sent("GET", "POST")
    assert json.loads(request.content) == {"dag_ids": ["a", "b"], "order_by": "-id", "page_limit": 1000}
    assert answer["dags"] == [
        {"dag_id": "a", "last_run_state": "none"},
        {"dag_id": "b", "last_run_state": "queued", "last_run_id": "r1"},
    ]
    assert "note" not in answer


async def test_a_dag_whose_last_run_is_older_than_those_looked_at_says_so() -> None:
    async with replayed(Replay("3.3", Runs([run("b")], 5000))) as session:
        answer = await session.ok("get_dags")
    assert [row["last_run_state"] for row in answer["dags"]] == ["unknown", "failed"]
    assert answer["note"].startswith("unknown: not among the newest 1 runs of these DAGs; get_dag_runs has it")


async def test_fewer_runs_are_looked_at_where_each_is_large() -> None:
    large = run("b", conf={"text": "x" * 20_000})

    async def by_number(request: httpx.Request) -> httpx.Response | None:
        most = json.loads(request.content or b"{}").get("page_limit", 0)
        return await Runs([large] * most, 1000)(request)

    async with replayed(Replay("3.3", by_number)) as session:
        answer = await session.ok("get_dags")
    assert [row["last_run_state"] for row in answer["dags"]] == ["unknown", "failed"]
    assert "newest 100 runs" in answer["note"]


async def test_dags_are_told_to_who_may_not_see_their_runs() -> None:
    async with replayed(Replay("3.3", Runs(forbidden=True))) as session:
        answer = await session.ok("get_dags")
    assert [(row["dag_id"], row["last_run_state"]) for row in answer["dags"]] == [("a", "unknown"), ("b", "unknown")]
    assert answer["note"].startswith("The last runs could not be read. ")
    assert "DAG Runs" in answer["note"]


@pytest.mark.parametrize(
    ("release", "path"),
    [
        (Release(2, 11), "/dags/a%2Bb/grid?dag_run_id=manual__2026-11-29T01%3A00%3A00%2B00%3A00"),
        (Release(3, 0), "/dags/a%2Bb/runs/manual__2026-11-29T01%3A00%3A00%2B00%3A00"),
    ],
)
def test_links_are_the_uis_with_ids_encoded(release: Release, path: str) -> None:
    links = Links("https://airflow.example.com/team", release)
    assert links.to("a+b", "manual__2026-11-29T01:00:00+00:00") == f"https://airflow.example.com/team{path}"


async def test_links_lead_to_the_ui_that_the_settings_name() -> None:
    async with replayed(Replay("3.3", Runs([run("a")])), ui_url="https://airflow.example.com/ui/") as session:
        [row] = (await session.ok("get_dag_runs"))["dag_runs"]
    assert row["url"] == "https://airflow.example.com/ui/dags/a/runs/r1"
