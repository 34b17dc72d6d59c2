"""Previews of changes in one run of a DAG with 1,500 and with 5,000 tasks, on Airflow 2.11 and 3.3: `make wide`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import anyio
from mcp import Client

from airflow_mcp.server import build_server
from scripts.generate import tokens
from tests.oracle import Oracle
from tests.releases import LAST
from tests.servers import real_airflow

SIZES = (1500, 5000)
FAILED = 20
SOURCE = """
import pendulum

try:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.empty import EmptyOperator

for size in {sizes}:
    with DAG(f"wide_{{size}}", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC")) as dag:
        first = EmptyOperator(task_id="first")
        first >> [EmptyOperator(task_id=f"load_{{number:04}}") for number in range(1, size)]
    globals()[dag.dag_id] = dag
"""
CASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (f"clear what failed ({FAILED})", "clear_task_instances", {}),
    ("clear the whole run", "clear_task_instances", {"only_failed": False}),
    (
        "clear a task and all downstream of it",
        "clear_task_instances",
        {"task_ids": ["first"], "include_downstream": True},
    ),
    ("set a task and all downstream of it", "set_task_instances_state", {"task_id": "first", "new_state": "success"}),
)


def main() -> None:
    """Print the table."""
    print("| preview | Airflow | tasks | seconds | tokens |")
    print("| --- | --- | ---: | ---: | ---: |")
    for name in LAST:
        with real_airflow(name) as oracle:
            (oracle.server.dags_folder / "wide.py").write_text(SOURCE.format(sizes=SIZES))
            oracle.wait_for_dags(*(f"wide_{size}" for size in SIZES), seconds=300)
            for row in anyio.run(rows, oracle):
                print(f"| {' | '.join(row)} |", flush=True)


async def rows(oracle: Oracle) -> list[tuple[str, ...]]:
    """What each preview of each DAG takes: by name, Airflow, tasks, seconds, tokens."""
    found: list[tuple[str, ...]] = []
    async with Client(build_server(oracle.settings())) as client:
        for size in SIZES:
            for name, tool, arguments in calls(oracle, size):
                start = time.perf_counter()
                result = await client.call_tool(tool, arguments)
                seconds = time.perf_counter() - start
                assert not result.is_error, result.content
                answer = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
                here = oracle.server.release.name
                found.append((name, here, f"{size:,}", f"{seconds:.1f}", f"{tokens(answer):,}"))
    return found


def calls(oracle: Oracle, size: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The cases, in a run of the DAG of this size of which some tasks have failed."""
    dag_id = f"wide_{size}"
    run_id = oracle.trigger(dag_id)
    failed = {f"load_{number:04}": "failed" for number in range(1, FAILED + 1)}
    oracle.put(dag_id, run_id, failed, run="failed")
    for name, tool, more in CASES:
        relatives = {"include_downstream": True} if tool == "set_task_instances_state" else {}
        yield name, tool, {"dag_id": dag_id, "dag_run_id": run_id, "confirm": False, **relatives, **more}


if __name__ == "__main__":
    main()
