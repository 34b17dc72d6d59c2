"""Assets on real servers: who makes them, what their events cause, and what a DAG still waits for."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from tests.oracle import Oracle
from tests.session import Session, connect

pytestmark = pytest.mark.anyio

ORDERS, RATES = "s3://lake/orders.parquet", "s3://lake/rates.parquet"


@pytest.fixture
async def assets(oracle: Oracle) -> AsyncIterator[Session]:
    async with connect(oracle, toolsets="assets,runs") as session:
        yield session


@pytest.fixture(scope="module")
def caused(oracles: dict[str, Oracle]) -> dict[str, tuple[str, str]]:
    """By version, a run that made the asset, and the run that this started."""
    found = {}
    for version, oracle in oracles.items():
        for dag_id in ("reads_orders", "reads_both", "makes_orders"):
            oracle.pause(dag_id, False)
        before = {run["dag_run_id"] for run in runs(oracle, "reads_orders")}
        made = oracle.trigger("makes_orders")
        assert oracle.wait_for_run("makes_orders", made) == "success"
        deadline = time.monotonic() + 120
        while not (new := [run for run in runs(oracle, "reads_orders") if run["dag_run_id"] not in before]):
            assert time.monotonic() < deadline, "the asset started no run"
            time.sleep(0.5)
        found[version] = made, str(new[0]["dag_run_id"])
    return found


def runs(oracle: Oracle, dag_id: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = oracle.call("GET", f"dags/{dag_id}/dagRuns")["dag_runs"]
    return rows


async def test_who_makes_an_asset_and_who_waits_for_it(assets: Session) -> None:
    answer = await assets.ok("get_assets", uri_pattern="orders")
    [row] = answer["assets"]
    assert row["uri"] == ORDERS
    assert row["producing_tasks"] == ["makes_orders.write"]
    assert sorted(row["consuming_dags"]) == ["reads_both", "reads_orders"]
    of_dag = await assets.ok("get_assets", dag_ids=["reads_both"])
    assert [each["uri"] for each in of_dag["assets"]] == [ORDERS, RATES]
    none = await assets.ok("get_assets", uri_pattern="no such asset")
    assert (none["total"], none["note"]) == (0, "No asset matches.")


async def test_which_runs_an_event_caused_and_which_event_a_run(
    assets: Session, oracle: Oracle, caused: dict[str, tuple[str, str]]
) -> None:
    made, started = caused[oracle.server.release.name]
    answer = await assets.ok("get_asset_events", uri=ORDERS, source_dag_id="makes_orders", source_run_id=made)
    [event] = answer["asset_events"]
    assert (event["uri"], event["source_dag_id"], event["source_task_id"]) == (ORDERS, "makes_orders", "write")
    assert any(each.startswith(f"reads_orders {started}: ") for each in event["caused_runs"])
    back = await assets.ok("get_upstream_asset_events", dag_id="reads_orders", dag_run_id=started)
    assert made in [each["source_run_id"] for each in back["asset_events"]]
    none = await assets.ok("get_upstream_asset_events", dag_id="makes_orders", dag_run_id=made)
    assert (none["asset_events"], none["note"]) == ([], "No asset caused this run.")
    assert "There is no asset s3://lake/order." in await assets.error("get_asset_events", uri="s3://lake/order")


async def test_what_a_dag_still_waits_for(assets: Session, oracle: Oracle, caused: dict[str, tuple[str, str]]) -> None:
    answer = await assets.ok("get_queued_asset_events", dag_id="reads_both")
    assert [each["uri"] for each in answer["received"]] == [ORDERS]
    assert answer["awaited"] == [RATES]
    done = await assets.ok("get_queued_asset_events", dag_id="reads_orders")
    assert (done["received"], done["awaited"]) == ([], [ORDERS])
    none = await assets.ok("get_queued_asset_events", dag_id="history")
    assert none["note"] == "No asset starts this DAG."
    assert "no_such_dag" in await assets.error("get_queued_asset_events", dag_id="no_such_dag")


async def test_an_asset_is_made(assets: Session, oracle: Oracle, caused: dict[str, tuple[str, str]]) -> None:
    if oracle.major == 2:
        message = await assets.error("materialize_asset", uri=ORDERS, confirm=True)
        here = f"Airflow {oracle.server.release.version}"
        assert message == f"materialize_asset needs Airflow 3. This is {here}. There, trigger the DAG that makes it."
        return
    preview, done = await assets.confirmed("materialize_asset", uri=ORDERS)
    assert (preview["dag_id"], preview["is_paused"]) == ("makes_orders", False)
    assert oracle.wait_for_run("makes_orders", done["dag_run_id"]) == "success"
    assert "no DAG makes s3://lake/rates.parquet" in await assets.error("materialize_asset", uri=RATES, confirm=True)
