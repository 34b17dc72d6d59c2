"""Runs among 300,000: what is listed, and what is counted."""

from __future__ import annotations

import pytest

from tests.scale.population import OLDEST, SomeDag, all_dags
from tests.session import Session

pytestmark = pytest.mark.anyio

EVERY = [run for dag in all_dags() for run in dag.runs]


@pytest.mark.parametrize("number", [OLDEST, 4711])
async def test_the_newest_of_a_dag(session: Session, number: int) -> None:
    dag = SomeDag(number)
    answer = await session.ok("get_dag_runs", dag_id=dag.dag_id, limit=3)
    assert [row["dag_run_id"] for row in answer["dag_runs"]] == [run.run_id for run in dag.runs[:-4:-1]]
    assert (answer["total"], answer.get("next_offset")) == (len(dag.runs), 3 if len(dag.runs) > 3 else None)


async def test_what_failed_is_counted(session: Session) -> None:
    dag = SomeDag(OLDEST)
    answer = await session.ok("get_dag_runs", dag_id=dag.dag_id, state=["failed"], limit=1)
    assert answer["total"] == sum(run.state == "failed" for run in dag.runs)


async def test_all_are_counted(session: Session) -> None:
    most = await session.ok("get_dag_runs", until="2035-01-01T00:00:00Z", date_field="logical_date", limit=1)
    assert most["total"] == len(EVERY)


async def test_a_window_holds_what_started_in_it(session: Session) -> None:
    dag = SomeDag(OLDEST)
    first, last = dag.runs[1000], dag.runs[1011]
    window = {"since": first.logical_date.isoformat(), "until": last.logical_date.isoformat()}
    answer = await session.ok("get_dag_runs", dag_id=dag.dag_id, **window)
    assert [row["dag_run_id"] for row in answer["dag_runs"]] == [run.run_id for run in dag.runs[1011:999:-1]]


async def test_a_last_run_that_is_not_looked_at_says_so(session: Session) -> None:
    """The newest 1,000 runs of these ten are all of the one."""
    answer = await session.ok("get_dags", dag_id_pattern="flow_0000%")
    rows = {row["dag_id"]: row["last_run_state"] for row in answer["dags"]}
    assert rows[SomeDag(OLDEST).dag_id] == SomeDag(OLDEST).runs[-1].state
    assert {rows[SomeDag(number).dag_id] for number in (6, 8, 9)} == {"unknown"}
    assert answer["note"].startswith("unknown: not among the newest 1000 runs of these DAGs")
