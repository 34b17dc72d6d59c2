"""The runs of DAGs, on real servers: what is found is what the oracle sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio

DAG = "listed"
"""Whose runs no other test touches."""
DATES = [f"2026-02-{day:02d}T05:00:00+00:00" for day in range(1, 8)]


@pytest.fixture
def runs(oracle: Oracle) -> list[str]:
    """Runs of a paused DAG on seven days, oldest first, where they were not yet; the last one has failed."""
    oracle.pause(DAG, True)
    there = {row["logical_date"]: row["dag_run_id"] for row in found(oracle, limit=100)}
    made = [there.get(date.replace("+00:00", "Z")) or there.get(date) for date in DATES]
    ids = [run_id or oracle.trigger(DAG, date) for run_id, date in zip(made, DATES, strict=True)]
    oracle.call("PATCH", f"dags/{DAG}/dagRuns/{ids[-1]}", json={"state": "failed"})
    return ids


def found(oracle: Oracle, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = oracle.call("GET", f"dags/{DAG}/dagRuns", params=query)["dag_runs"]
    return rows


def between(runs: list[str], first: int, last: int) -> dict[str, str]:
    return {"logical_date_gte": DATES[first], "logical_date_lte": DATES[last]}


async def test_newest_first_and_page_by_page(session: Session, runs: list[str]) -> None:
    window = between(runs, 0, 6)
    answer = await session.ok("get_dag_runs", dag_id=DAG, limit=3, **window)
    assert [run["dag_run_id"] for run in answer["runs"]] == runs[:3:-1]
    assert (answer["total"], answer["returned"], answer["next_offset"]) == (7, 3, 3)
    rest = await session.ok("get_dag_runs", dag_id=DAG, offset=3, **window)
    assert [run["dag_run_id"] for run in rest["runs"]] == runs[3::-1]
    assert "next_offset" not in rest


FILTERS: dict[str, tuple[dict[str, Any], Callable[[int], bool]]] = {
    "state": ({"state": ["failed"]}, lambda number: number == 6),
    "states": ({"state": ["queued", "running", "failed"]}, lambda _: True),
    "from a date": ({"logical_date_gte": DATES[4]}, lambda number: number >= 4),
    "to a date": ({"logical_date_lte": DATES[2]}, lambda number: number <= 2),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_a_filter_leaves_what_it_says(session: Session, runs: list[str], name: str) -> None:
    arguments, wanted = FILTERS[name]
    answer = await session.ok("get_dag_runs", dag_id=DAG, **{**between(runs, 0, 6), **arguments})
    assert [run["dag_run_id"] for run in answer["runs"]] == [runs[n] for n in range(6, -1, -1) if wanted(n)]


async def test_a_row_is_slim_and_more_is_asked_for(session: Session, oracle: Oracle, runs: list[str]) -> None:
    answer = await session.ok("get_dag_runs", dag_id=DAG, limit=1, **between(runs, 6, 6))
    [run] = answer["runs"]
    assert {"dag_run_id", "state", "run_type", "logical_date"} <= run.keys()
    assert not {"dag_id", "conf", "note"} & run.keys()
    assert (run["state"], run["run_type"], run["logical_date"]) == ("failed", "manual", "2026-02-07T05:00Z")
    more = await session.ok("get_dag_runs", dag_id=DAG, limit=1, fields=["conf"], **between(runs, 6, 6))
    assert more["runs"][0]["conf"] == {}
    assert "'colour' is not one of: dag_id" in await session.error("get_dag_runs", dag_id=DAG, fields=["colour"])


async def test_runs_of_all_dags_say_whose_they_are(session: Session, runs: list[str]) -> None:
    answer = await session.ok("get_dag_runs", limit=100, **between(runs, 0, 6))
    assert {run["dag_id"] for run in answer["runs"]} >= {DAG}
    assert set(runs) <= {run["dag_run_id"] for run in answer["runs"]}


async def test_the_type_of_a_run(session: Session, oracle: Oracle, runs: list[str]) -> None:
    if oracle.major == 2:
        message = await session.error("get_dag_runs", dag_id=DAG, run_type=["manual"])
        assert message == "run_type needs Airflow 3. This is Airflow 2."
        return
    manual = await session.ok("get_dag_runs", dag_id=DAG, run_type=["manual"], **between(runs, 0, 6))
    assert manual["total"] == 7
    none = await session.ok("get_dag_runs", dag_id=DAG, run_type=["backfill"], **between(runs, 0, 6))
    assert (none["total"], none["note"]) == (0, "No run matches; try without run_type and dates.")


async def test_one_run(session: Session, oracle: Oracle, runs: list[str]) -> None:
    run = await session.ok("get_dag_run", dag_id=DAG, dag_run_id=runs[-1])
    real = oracle.run(DAG, runs[-1])
    assert (run["dag_id"], run["dag_run_id"], run["state"]) == (DAG, runs[-1], "failed")
    assert run["conf"] == real["conf"]
    assert run["end_date"][:16] == real["end_date"][:16]
    assert ("duration_seconds" in run) is bool(real["start_date"])


async def test_the_latest_run(session: Session, oracle: Oracle) -> None:
    oracle.pause("diamond", True)
    latest = oracle.trigger("diamond", "2099-01-01T00:00:00+00:00" if oracle.major == 2 else None)
    assert (await session.ok("get_dag_run", dag_id="diamond", fields=["state"]))["dag_run_id"] == latest


async def test_what_is_not_there(session: Session, runs: list[str]) -> None:
    assert "no_such_dag" in await session.error("get_dag_runs", dag_id="no_such_dag")
    assert "no_such_run" in await session.error("get_dag_run", dag_id=DAG, dag_run_id="no_such_run")
    assert "past the end" in (await session.ok("get_dag_runs", dag_id=DAG, offset=9000))["note"]
