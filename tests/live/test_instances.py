"""Task instances, on real servers: what is found is what the oracle sees."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def run_ids(oracles: dict[str, Oracle]) -> dict[str, str]:
    """By version, an ended run of load_files: of its four map indexes the one at 2 has failed."""
    runs = {}
    for version, oracle in oracles.items():
        oracle.pause("load_files", False)
        runs[version] = oracle.trigger("load_files")
    for version, oracle in oracles.items():
        assert oracle.wait_for_run("load_files", runs[version]) == "failed"
        oracle.pause("load_files", True)
    return runs


@pytest.fixture
def run(oracle: Oracle, run_ids: dict[str, str]) -> dict[str, str]:
    return {"dag_id": "load_files", "dag_run_id": run_ids[oracle.server.release.name]}


def labelled(answer: Any) -> dict[str, str]:
    """The states of an answer, by task and map index."""
    return {
        row["task_id"] + (f"[{row['map_index']}]" if "map_index" in row else ""): row["state"]
        for row in answer["task_instances"]
    }


async def test_those_of_a_run(session: Session, oracle: Oracle, run: dict[str, str]) -> None:
    answer = await session.ok("get_task_instances", **run)
    assert labelled(answer) == oracle.states(**{"dag_id": run["dag_id"], "run_id": run["dag_run_id"]})
    assert (answer["total"], answer["returned"]) == (6, 6)
    [row] = [row for row in answer["task_instances"] if row["task_id"] == "list_files"]
    assert row["try_number"] == 1
    assert row["duration_seconds"] > 0
    assert not {"dag_id", "dag_run_id", "pool"} & row.keys()


@pytest.mark.parametrize(
    ("arguments", "labels"),
    [
        ({"state": ["failed"]}, {"load_file[2]"}),
        ({"state": ["failed", "upstream_failed"]}, {"load_file[2]", "summarize"}),
        ({"task_ids": ["list_files"], "state": ["success"]}, {"list_files"}),
        ({"pool": ["no such pool"]}, set()),
        ({"duration_gte": 3600}, set()),
        ({"start_date_lte": "2020-01-01T00:00:00Z"}, set()),
    ],
)
async def test_a_filter_leaves_what_it_says(
    session: Session, run: dict[str, str], arguments: dict[str, Any], labels: set[str]
) -> None:
    answer = await session.ok("get_task_instances", **run, **arguments)
    assert set(labelled(answer)) == labels
    if not labels:
        assert answer["note"] == f"None matches; try without {next(iter(arguments))}."


async def test_across_dags_and_runs(session: Session, run: dict[str, str]) -> None:
    answer = await session.ok("get_task_instances", state=["failed"], limit=100, fields=["pool"])
    mine = [row for row in answer["task_instances"] if row["dag_run_id"] == run["dag_run_id"]]
    assert [(row["dag_id"], row["task_id"], row["map_index"], row["pool"]) for row in mine] == [
        ("load_files", "load_file", 2, "default_pool")
    ]


async def test_page_by_page(session: Session, run: dict[str, str]) -> None:
    first = await session.ok("get_task_instances", limit=4, **run)
    rest = await session.ok("get_task_instances", limit=4, offset=first["next_offset"], **run)
    assert len({**labelled(first), **labelled(rest)}) == 6
    assert "next_offset" not in rest


async def test_what_is_not_there(session: Session, run: dict[str, str]) -> None:
    assert "no_such_dag" in await session.error("get_task_instances", dag_id="no_such_dag")
    message = await session.error("get_task_instances", dag_id="load_files", dag_run_id="no_such_run")
    assert "no_such_run" in message
    assert "dag_run_id needs dag_id" in await session.error("get_task_instances", dag_run_id=run["dag_run_id"])
