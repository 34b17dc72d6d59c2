"""Task instances and one run on both real servers, checked against what the server itself says of them."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio


def real_instances(oracle: Oracle, dag_id: str = "~", run_id: str = "~") -> list[dict[str, Any]]:
    path = f"dags/{quote(dag_id, safe='~')}/dagRuns/{quote(run_id, safe='~')}/taskInstances"
    return oracle.all_of(path, "task_instances")


def _run(run: dict[str, str]) -> dict[str, str]:
    return {"dag_id": run["dag_id"], "run_id": run["dag_run_id"]}


async def test_a_run_in_running_order_with_its_mapped_task_summed_up(session: Session, oracle: Oracle) -> None:
    run_id = oracle.failed_runs["load_files"]
    run = {"dag_id": "load_files", "dag_run_id": run_id}
    answer = await session.ok("get_task_instances", **run)
    listed, mapped, after = answer["task_instances"]
    assert [row["task_id"] for row in (listed, mapped, after)] == ["list_files", "load_file", "summarize"]
    assert (listed["state"], answer["total"]) == ("success", 3)
    assert (mapped["states"], mapped["failed_map_indexes"]) == ({"success": 3, "failed": 1}, "2")
    assert after["state"] == "upstream_failed"
    base = f"{oracle.server.url}/dags/load_files"
    fields = ["state", "operator", "duration_seconds", "url"]
    one = await session.ok("get_task_instances", **run, task_id="load_file", map_index=2, fields=fields)
    [row] = one["task_instances"]
    assert (row["map_index"], row["state"]) == (2, "failed")
    [real] = [each for each in real_instances(oracle, "load_files", run_id) if each["map_index"] == 2]
    assert row["operator"] == real["operator"]
    start, end = (datetime.fromisoformat(real[name]) for name in ("start_date", "end_date"))
    assert row["duration_seconds"] == pytest.approx((end - start).total_seconds(), abs=0.1)
    encoded = quote(run_id, safe="")
    if oracle.major == 3:
        assert row["url"] == f"{base}/runs/{encoded}/tasks/load_file/mapped/2"
    else:
        assert row["url"] == f"{base}/grid?dag_run_id={encoded}&task_id=load_file&map_index=2"


async def test_across_runs_and_dags_the_filters_are_the_servers(session: Session, oracle: Oracle) -> None:
    failed = oracle.failed_runs
    real = [row for row in real_instances(oracle) if row["state"] == "failed"]
    answer = await session.ok("get_task_instances", state=["failed"], limit=100)
    rows = answer["task_instances"]
    assert answer["total"] == len(real)
    assert {(row["dag_id"], row["dag_run_id"], row["task_id"], row.get("map_index", -1)) for row in rows} == {
        (row["dag_id"], row["dag_run_id"], row["task_id"], row["map_index"]) for row in real
    }
    assert ("load_files", failed["load_files"]) in {(row["dag_id"], row["dag_run_id"]) for row in rows}
    history = await session.ok("get_task_instances", dag_id="load_files", task_id="load_file", state=["failed"])
    assert {row["task_id"] for row in history["task_instances"]} == {"load_file"}
    none = await session.ok("get_task_instances", dag_id="load_files", since="2041-01-01T00:00:00Z")
    assert (none["total"], none["note"]) == (0, "No task instance matches.")
    by_operator = {"dag_id": "load_files", "operator": "_PythonDecoratedOperator", "state": ["failed"]}
    if oracle.server.release.name > "3.0":
        assert (await session.ok("get_task_instances", **by_operator))["total"] == history["total"]
    else:
        assert "operator needs Airflow 3.1, or dag_id and dag_run_id" in await session.error(
            "get_task_instances", **by_operator
        )


async def test_one_run(session: Session, oracle: Oracle) -> None:
    run_id = oracle.failed_runs["load_files"]
    answer = await session.ok("get_dag_run", dag_id="load_files", dag_run_id=run_id)
    real = Counter(row["state"] for row in real_instances(oracle, "load_files", run_id))
    assert answer["task_states"] == real == {"success": 4, "failed": 1, "upstream_failed": 1}
    assert (answer["state"], answer["run_type"], answer["dag_run_id"]) == ("failed", "manual", run_id)
    assert "waits_for" not in answer
    if oracle.major == 3:
        assert answer["triggered_by"] == "rest_api"
        assert [version["version_number"] for version in answer["dag_versions"]] == [1]


async def test_a_queued_run_of_a_paused_dag_says_what_holds_it(session: Session, oracle: Oracle) -> None:
    oracle.pause("passwords", True)
    run_id = oracle.trigger("passwords")
    answer = await session.ok("get_dag_run", dag_id="passwords")
    assert (answer["dag_run_id"], answer["state"]) == (run_id, "queued")
    assert answer["waits_for"] == "passwords is paused: its runs wait until patch_dag unpauses it."


async def test_what_there_is_not(session: Session, oracle: Oracle) -> None:
    assert "made up" in await session.error("get_dag_run", dag_id="history", dag_run_id="made up")
    assert "made up" in await session.error("get_task_instances", dag_id="history", dag_run_id="made up")
    assert "no_such_dag" in await session.error("get_dag_run", dag_id="no_such_dag")


async def test_what_tasks_handed_over(session: Session, oracle: Oracle) -> None:
    run = {"dag_id": "load_files", "dag_run_id": oracle.failed_runs["load_files"]}
    listed = await session.ok("get_xcom_entries", **run)
    keys = {(row["task_id"], row.get("map_index")) for row in listed["xcom_entries"] if row["key"] == "return_value"}
    assert keys == {("list_files", None), ("load_file", 0), ("load_file", 1), ("load_file", 3)}
    files = await session.ok("get_xcom", **run, task_id="list_files")
    one = await session.ok("get_xcom", **run, task_id="load_file", map_index=3)
    names = ["north.csv", "east.csv", "south.csv", "west.csv"]
    route = f"/api/v{oracle.major - 1}/dags/any/dagRuns/any/taskInstances/any/xcomEntries/any"
    if "stringify" in oracle.document.taken("GET", route):
        assert (files["type"], files["value"]) == ("array", names)
        assert (one["type"], one["value"]) == ("number", 250)
    else:
        assert (files["type"], files["value"], one["value"]) == ("string", str(names), "250")
        assert files["note"] == "As Python prints it: this Airflow gives no JSON."
    missing = await session.error("get_xcom", **run, task_id="load_file", map_index=2)
    assert "load_file[2] has no XCom 'return_value' in this run. It handed over return_value[0]" in missing
    assert "It handed nothing over" in await session.error("get_xcom", **run, task_id="summarize")


async def test_one_task_instance(session: Session, oracle: Oracle) -> None:
    run = {"dag_id": "load_files", "dag_run_id": oracle.failed_runs["load_files"]}
    one = await session.ok("get_task_instance", **run, task_id="load_file", map_index=2, rendered_fields=True)
    [real] = [row for row in real_instances(oracle, **_run(run)) if row["map_index"] == 2]
    assert (one["map_index"], one["state"], one["try_number"]) == (2, "failed", real["try_number"])
    assert [(each["try_number"], each["state"]) for each in one.get("tries", ())] == [
        (number, "failed") for number in range(1, real["try_number"] + 1) if oracle.has("tries")
    ]
    assert one["rendered_fields"]["op_kwargs"]
    assert "waits_for" not in one
    plain = await session.ok("get_task_instance", **run, task_id="list_files")
    assert ("dag_version" in plain) is (oracle.major == 3)
    assert "rendered_fields" not in plain
    mapped = await session.error("get_task_instance", **run, task_id="load_file")
    assert mapped.startswith("map_index: task load_file is mapped, with map indexes 0-3 in this run; failed: 2.")
    not_mapped = await session.error("get_task_instance", **run, task_id="list_files", map_index=2)
    assert not_mapped.startswith("map_index: task list_files is not mapped in this run; leave map_index out.")
    unknown = await session.error("get_task_instance", **run, task_id="no_such_task")
    assert f"Run {run['dag_run_id']} of load_files has no task instance of task_id 'no_such_task'. " in unknown


async def test_what_a_task_instance_waits_for(session: Session, oracle: Oracle) -> None:
    oracle.pause("passwords", True)
    run_id = oracle.trigger("passwords")
    one = await session.ok("get_task_instance", dag_id="passwords", dag_run_id=run_id, task_id="load")
    assert one["state"] == "no_status"
    reasons = one.get("waits_for", ())
    assert any(reason.startswith("Dag Not Paused: ") for reason in reasons) is oracle.has("dependencies")
