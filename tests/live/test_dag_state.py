"""Why a DAG, a run or a task is not running, on both real servers: each held by one thing, which is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from scripts.generate import tokens
from tests.eval.held import Held
from tests.eval.scenarios import QUICK
from tests.eval.score import ask
from tests.oracle import Oracle
from tests.scenarios import BROKEN
from tests.session import Session, text_of

pytestmark = pytest.mark.anyio

MOST_TOKENS = 600


@pytest.fixture
def held(oracle: Oracle) -> Iterator[Held]:
    made = Held(oracle)
    try:
        made.set()
        yield made
    finally:
        made.end()
        made.forget()


async def explained(session: Session, dag_id: str, *ids: str) -> tuple[str, dict[str, str]]:
    """The summary, and the fact of each reason by its word."""
    given = dict(zip(("dag_run_id", "task_id"), ids, strict=False))
    result = await session.call("explain_dag_state", {"dag_id": dag_id, **given})
    assert not result.is_error, text_of(result)
    assert tokens(text_of(result)) <= MOST_TOKENS
    answer: Any = result.structured_content
    assert "not_seen" not in answer
    assert answer["url"].startswith("http")
    return answer["summary"], {each["reason"]: each["fact"] for each in answer["reasons"]}


async def test_each_is_held_by_what_is_named(session: Session, oracle: Oracle, held: Held) -> None:
    runs = {**held.runs, **{dag_id: [run_id] for dag_id, run_id in oracle.failed_runs.items()}}
    scores = {each.name: await ask(session, each, runs) for each in QUICK}
    assert {name: score for name, score in scores.items() if not score.full} == {}
    await limits(session, held)
    await pools(session, held)
    await tasks(session, held)
    await assets(session, held)
    await files(session, held)


async def limits(session: Session, held: Held) -> None:
    for ids in ([], held.runs["held_by_pause"]):
        _, found = await explained(session, "held_by_pause", *ids)
        assert [*found] == ["paused"]
    first, second = held.runs["held_by_limit"]
    summary, found = await explained(session, "held_by_limit", second)
    assert [*found] == ["max_active_runs"]
    assert summary == f"max_active_runs of held_by_limit is 1, and run {first} is running."
    _, found = await explained(session, "held_by_limit", first)
    assert [*found] == ["deferred"]
    assert "it waits for DateTimeTrigger in the triggerer" in found["deferred"]
    # On Airflow 2 at the end of its day.
    due = "2099-01-02T00:00Z (schedule @daily)" if held.oracle.major == 2 else "2099-01-01T00:00Z (schedule 0 0 * * *)"
    assert await explained(session, "held_until_due") == (
        f"Nothing holds it: it is due at {due}.",
        {},
    )


async def pools(session: Session, held: Held) -> None:
    [run_id] = held.runs["held_by_pools"]
    _, found = await explained(session, "held_by_pools", run_id)
    assert found.pop("deferred").startswith("Task takes is deferred")
    assert found == {
        "pool_missing": "Task missing wants pool held_missing, and there is none of this name.",
        "pool_without_slots": "Task zero waits for pool held_zero, which has 0 slots.",
        "pool_too_small": "Task small needs 3 slots of pool held_small, which has 2 in all.",
    }
    _, found = await explained(session, "held_by_pools", run_id, "small")
    assert [*found] == ["pool_too_small"]
    _, found = await explained(session, "held_by_full_pool", *held.runs["held_by_full_pool"], "save")
    assert [*found.values()] == [
        "Task save waits for load (scheduled) (trigger_rule all_success).",
        "Task load waits for pool held_full: 1 of its 1 slots are taken: takes of held_by_pools (1).",
    ]
    health = await session.ok("get_health")
    assert "4 pools have no room for 4 task instances" in health["summary"]


async def tasks(session: Session, held: Held) -> None:
    before, run_id = held.runs["held_by_past"]
    for ids in ([run_id], [run_id, "load"]):
        _, found = await explained(session, "held_by_past", *ids)
        assert [*found.values()] == [
            f"Task load waits for itself (depends_on_past): it is failed in the run before, {before} (failed)."
        ]
    summary, found = await explained(session, "held_by_past", before)
    assert (summary[:21], found) == ("It has ended: failed ", {})
    _, found = await explained(session, "held_by_tasks", *held.runs["held_by_tasks"])
    assert [*found] == ["up_for_retry", "sensor"]
    assert found["up_for_retry"].startswith("Task again failed in try 1 of 2; the next try comes after 20")
    failed = held.oracle.failed_runs["sales_etl"]
    assert await explained(session, "sales_etl", failed, "report") == (
        "Task report did not run because validate failed (trigger_rule all_success).",
        {"upstream_failed": "Task report did not run because validate failed (trigger_rule all_success)."},
    )
    message = await session.error("explain_dag_state", dag_id="sales_etl", dag_run_id=failed, task_id="repor")
    assert "Did you mean report?" in message


async def assets(session: Session, held: Held) -> None:
    """One of two has an event; what comes while the DAG is paused does not count."""
    waits = "DAG held_by_assets waits for assets without an event since its last run"
    held.produce("s3://held/a")
    _, found = await explained(session, "held_by_assets")
    assert found == {"waits_for_assets": f"{waits}: s3://held/b; those with one: s3://held/a."}
    held.oracle.pause("held_by_assets", True)
    held.produce("s3://held/b")
    _, found = await explained(session, "held_by_assets")
    assert [*found] == ["paused", "waits_for_assets"]
    assert found["waits_for_assets"].startswith(f"{waits}: s3://held/b; ")
    assert found["waits_for_assets"].endswith(" Events that come while it is paused do not count.")


async def files(session: Session, held: Held) -> None:
    """A file that never imported, one that once did, and one that is gone."""
    oracle, never, once = held.oracle, held.file("held_by_nope.py"), held.file("held_by_file.py")
    never.write_text(BROKEN)
    once.write_text(BROKEN)
    for file in (never, once):
        oracle.wait_for_import_error(file.name)
        summary, found = await explained(session, file.stem)
        assert [*found] == ["import_error"]
        told = f"{file.name} does not import: line 3, ModuleNotFoundError: No module named 'nope'."
        assert found["import_error"].endswith(told)
        assert summary.endswith(told)
    held.end()
    oracle.wait_until_gone("held_by_file")
    _, found = await explained(session, "held_by_file")
    assert [*found] == ["file_gone"]
    assert "Not found" in await session.error("explain_dag_state", dag_id="held_by_nope")
