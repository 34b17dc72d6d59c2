"""What is found among 10,000 DAGs, and what one of them is, against the rule that they were made by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.scale.population import BUSIEST, SomeDag, all_dags
from tests.scale.site import Site
from tests.session import Session

pytestmark = pytest.mark.anyio

EVERY = all_dags()


async def every_page(session: Session, **arguments: Any) -> list[dict[str, Any]]:
    """The rows of all pages, followed as an answer says."""
    rows: list[dict[str, Any]] = []
    offset: int | None = 0
    while offset is not None:
        answer = await session.ok("get_dags", limit=100, offset=offset, **arguments)
        rows += answer["dags"]
        offset = answer.get("next_offset")
    return rows


async def test_every_dag_is_on_one_page_and_only_there(session: Session) -> None:
    rows = await every_page(session, fields=["dag_id", "is_paused"])
    assert [row["dag_id"] for row in rows] == sorted(dag.dag_id for dag in EVERY)
    assert {row["dag_id"] for row in rows if row["is_paused"]} == {dag.dag_id for dag in EVERY if dag.is_paused}


FILTERS: dict[str, tuple[dict[str, Any], Callable[[SomeDag], bool]]] = {
    "none": ({}, lambda _: True),
    "a tag": ({"tags": ["wave-3"]}, lambda dag: dag.number // 1000 == 3),
    "a tag and paused": ({"tags": ["kind-07"], "paused": True}, lambda dag: dag.kind == 7 and dag.is_paused),
    "not paused": ({"paused": False}, lambda dag: not dag.is_paused),
    "a part of the id": ({"dag_id_pattern": "team_42."}, lambda dag: dag.number % 100 == 42),
    "an owner": ({"owners": ["owner-11"]}, lambda dag: dag.kind == 11),
    "what nothing has": ({"tags": ["wave-10"]}, lambda _: False),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_a_filter_leaves_what_it_says(session: Session, name: str) -> None:
    arguments, wanted = FILTERS[name]
    expected = sorted(dag.dag_id for dag in EVERY if wanted(dag))
    answer = await session.ok("get_dags", **arguments)
    assert answer["total"] == len(expected)
    assert [row["dag_id"] for row in answer["dags"]] == expected[:25]
    assert answer.get("next_offset") == (25 if len(expected) > 25 else None)


async def test_the_last_page_and_what_is_behind_it(session: Session) -> None:
    answer = await session.ok("get_dags", limit=100, offset=9_950)
    assert [row["dag_id"] for row in answer["dags"]] == sorted(dag.dag_id for dag in EVERY)[9_950:]
    assert answer.get("next_offset") is None


@pytest.mark.parametrize("number", [BUSIEST, 4711, 9999])
async def test_one_of_them(session: Session, number: int) -> None:
    dag = SomeDag(number)
    answer = await session.ok("get_dag", dag_id=dag.dag_id)
    assert (answer["dag_id"], answer["is_paused"], answer["owners"]) == (dag.dag_id, dag.is_paused, [dag.owner])
    assert set(answer["tags"]) == dag.tags
    details = await session.ok("get_dag_details", dag_id=dag.dag_id)
    assert (details["dag_id"], details["schedule"]) == (dag.dag_id, f"{dag.kind} 6 * * *")
    tasks = await session.ok("get_tasks", dag_id=dag.dag_id)
    assert [task["task_id"] for task in tasks["tasks"]] == ["extract", "transform", "check", "load", "report"]
    assert (await session.ok("get_task", dag_id=dag.dag_id, task_id="check"))["retries"] == dag.kind % 3
    assert "copies of" in (await session.ok("get_dag_source", dag_id=dag.dag_id))["source"]


async def test_a_dag_that_is_not_there(session: Session) -> None:
    assert "team_00.flow_10000" in await session.error("get_dag", dag_id="team_00.flow_10000")


async def test_pausing_one_leaves_the_others(session: Session, site: Site) -> None:
    dag = SomeDag(5000)
    assert not dag.is_paused
    before = (await session.ok("get_dags", paused=True))["total"]
    preview, done = await session.confirmed("patch_dag", dag_id=dag.dag_id, is_paused=True)
    try:
        assert (preview["is_paused_before"], done["is_paused_after"]) == (False, True)
        assert site.oracle.dag(dag.dag_id)["is_paused"] is True
        assert (await session.ok("get_dags", paused=True))["total"] == before + 1
    finally:
        site.oracle.pause(dag.dag_id, False)
