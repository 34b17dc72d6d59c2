"""resolve_url on both real servers: each link that our answers give, and those of alerts, lead to what they name."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio

IDS = ("dag_id", "dag_run_id", "task_id", "map_index")


def named(answer: Any) -> dict[str, Any]:
    return {name: answer[name] for name in IDS if answer.get(name) is not None}


async def test_each_link_of_ours_leads_to_what_it_names(session: Session, oracle: Oracle) -> None:
    odd, dag = {"dag_id": "отчёт.v1"}, {"dag_id": "load_files"}
    run = {**dag, "dag_run_id": oracle.failed_runs["load_files"]}
    mapped = {**run, "task_id": "load_file", "map_index": 2}
    plain = {**run, "task_id": "list_files"}
    preview = {"confirm": False}
    links = set()
    for tool, ids, more in (
        ("explain_dag_state", odd, {}),
        ("get_dag", odd, {}),
        ("get_dag_details", odd, {}),
        ("get_dag_source", odd, {}),
        ("get_tasks", odd, {}),
        ("get_task", {**dag, "task_id": "load_file"}, {}),
        ("get_dag_run", run, {}),
        ("diagnose_dag_run", run, {}),
        ("get_task_instance", plain, {}),
        ("get_task_instance", mapped, {}),
        ("get_task_log", mapped, {}),
        ("get_xcom_entries", run, {}),
        ("get_xcom", plain, {}),
        ("patch_dag", odd, {"is_paused": True, **preview}),
        ("clear_task_instances", run, preview),
        ("set_task_instances_state", mapped, {"new_state": "success", **preview}),
    ):
        url = (await session.ok(tool, **ids, **more))["url"]
        if url not in links:
            answer = await session.ok("resolve_url", url=url)
            assert (named(answer), answer["url"]) == (ids, url)
            assert "not_there" not in answer
        links.add(url)
    [group] = (await session.ok("find_failures", **dag))["failures"]
    rows = (await session.ok("get_task_instances", **run))["task_instances"]
    for url, task_id in ((group["url"], "load_file"), *((row["url"], row["task_id"]) for row in rows)):
        answer = await session.ok("resolve_url", url=url)
        assert {**run, "task_id": task_id}.items() <= named(answer).items()
        links.add(url)
    with closing(oracle.browser()) as browser:
        assert {url: status for url in links if (status := browser.get(url).status_code) != 200} == {}


async def test_links_of_alerts(session: Session, oracle: Oracle) -> None:
    run_id = oracle.failed_runs["sales_etl"]
    run = {"dag_id": "sales_etl", "dag_run_id": run_id}
    failed = {**run, "task_id": "validate"}
    base, at = oracle.server.url, quote(run_id, safe="")
    oracle.pause("history", True)
    date = "2026-05-01T00:00:00+00:00"
    dated = oracle.trigger("history", date)
    for path, ids, state, following in (
        (f"/dags/sales_etl/grid?dag_run_id={at}&task_id=validate&tab=logs", failed, "failed", "get_task_log("),
        (f"/dags/sales_etl/runs/{run_id}/tasks/validate?try_number=1", failed, "failed", "get_task_log("),
        (f"/dags/sales_etl/graph?dag_run_id={run_id}", run, "failed", "diagnose_dag_run("),
        (f"/dags/sales_etl/runs/{at}", run, "failed", "diagnose_dag_run("),
        ("/tree?dag_id=sales_etl", {"dag_id": "sales_etl"}, "active", "get_dag("),
        (
            f"/log?dag_id=history&task_id=first&execution_date={quote(date)}&map_index=-1",
            {"dag_id": "history", "dag_run_id": dated, "task_id": "first"},
            "no_status",
            "explain_dag_state(",
        ),
    ):
        answer = await session.ok("resolve_url", url=f"{base}{path}")
        assert (named(answer), answer["state"]) == (ids, state)
        assert answer["next"].startswith(following)
    assert oracle.states("sales_etl", run_id)["validate"] == "failed"
    oracle.put("history", dated, {}, run="failed")


async def test_what_is_gone_is_told(session: Session, oracle: Oracle) -> None:
    run_id = oracle.failed_runs["sales_etl"]
    for path, says in (
        (f"/dags/sales_etl/runs/{quote(run_id, safe='')}0", f"Did you mean {run_id}"),
        (f"/dags/sales_etl/grid?dag_run_id={quote(run_id, safe='')}&task_id=validat", "Did you mean validate"),
        ("/dags/no_such_dag", "not found"),
    ):
        answer = await session.ok("resolve_url", url=f"{oracle.server.url}{path}")
        assert says in answer["not_there"]
    message = await session.error("resolve_url", url="https://evil.example.com/dags/sales_etl")
    assert message.startswith("url: is of https://evil.example.com/dags; this Airflow is at ")
