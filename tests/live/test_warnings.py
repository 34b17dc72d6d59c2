"""What a preview warns of, and that it comes so, on both real servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.live.test_changing import listed
from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio

HELD = """
import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(
    dag_id="held",
    schedule=None,
    catchup=False,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    max_active_runs=1,
    default_args={"depends_on_past": True},
)
def held():
    @task
    def work(): ...

    work()


held()
"""
FIRST, SECOND = "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z"


def write(file: Path, text: str) -> None:
    file.write_text(text)


@pytest.fixture
def held(oracle: Oracle) -> Iterator[Path]:
    """The file of a DAG with one run at a time, each task of which waits for the one before; gone at the end."""
    file = oracle.server.dags_folder / "held.py"
    write(file, HELD)
    try:
        oracle.wait_for_dags("held")
        yield file
    finally:
        file.unlink()
        oracle.delete_gone("held")


async def test_what_holds_a_cleared_run(session: Session, oracle: Oracle, held: Path) -> None:
    runs = [oracle.trigger("held", date) for date in (FIRST, SECOND)]
    oracle.put("held", runs[1], {}, run="running")

    async def warned(**more: Any) -> Any:
        oracle.put("held", runs[0], {"work": "failed"}, run="failed")
        preview = await session.ok("clear_task_instances", dag_id="held", dag_run_id=runs[0], confirm=False, **more)
        return preview.get("warnings")

    assert await warned() == ["held is paused: its runs wait until patch_dag unpauses it."]

    unpausing, _ = await session.confirmed("patch_dag", dag_id="held", is_paused=False)
    assert unpausing["warnings"] == ["1 run of it, queued or running, goes on."]

    assert await warned() == [
        f"max_active_runs of held is 1: runs that are queued wait until a running one ends ({runs[1]}).",
        "Tasks that depend on the run before (work): a running run that waits there for a queued one never ends. "
        "Set what waits to failed with set_task_instances_state; clear it afterwards.",
    ]
    assert await warned(reset_dag_runs=False) is None
    await session.confirmed("clear_task_instances", dag_id="held", dag_run_id=runs[0])
    await anyio.sleep(2)  # the scheduler looks each second
    assert [oracle.run("held", run_id)["state"] for run_id in runs] == ["queued", "running"]
    await session.confirmed(
        "set_task_instances_state", dag_id="held", dag_run_id=runs[1], task_id="work", new_state="failed"
    )
    assert oracle.wait_for_run("held", runs[0]) == "success"

    oracle.pause("held", True)
    write(held, f"{HELD}\nimport nope\n")
    oracle.wait_for_import_error("held.py")
    broken = "The file of held does not import: nothing of it runs until it does (get_import_errors)."
    assert (await warned())[1:] == [broken]
    preview = await session.ok("patch_dag", dag_id="held", is_paused=False, confirm=False)
    assert preview["warnings"] == [broken]


async def test_what_starts_when_a_dag_is_unpaused(session: Session, oracle: Oracle) -> None:
    oracle.pause("diamond", True)
    preview = await session.ok("patch_dag", dag_id="diamond", is_paused=False, confirm=False)
    due = preview["warnings"][-1]
    assert due.startswith("A run starts at once: it was due 20")
    assert due.endswith("Z. catchup is off, so it is the only one until the next is due.")


async def test_setting_what_failed_leaves_the_run_as_it_ended(session: Session, oracle: Oracle) -> None:
    oracle.pause("setups", True)
    run_id = oracle.trigger("setups")
    arguments: dict[str, Any] = {"dag_id": "setups", "dag_run_id": run_id, "task_id": "report"}
    oracle.put("setups", run_id, {"report": "failed", "work[1]": "failed"}, run="failed")
    one_of_two = await session.ok("set_task_instances_state", new_state="success", confirm=False, **arguments)
    assert "warnings" not in one_of_two
    oracle.put("setups", run_id, {"work[1]": "success"}, run="failed")
    all_of_them, _ = await session.confirmed("set_task_instances_state", new_state="success", **arguments)
    assert all_of_them["warnings"] == [
        f"Run {run_id} stays failed, though none of its tasks has failed then: mark the run itself in Airflow's UI, or "
        "clear a task that may run again (clear_task_instances with task_ids and only_failed=false)."
    ]
    oracle.put("setups", run_id, {}, run="success")
    failed, _ = await session.confirmed("set_task_instances_state", new_state="failed", **arguments)
    assert failed["warnings"][0].startswith(f"Run {run_id} stays success, though a task of it has failed then: ")


async def test_a_process_that_is_stopped_is_told(session: Session, oracle: Oracle) -> None:
    oracle.pause("setups", True)
    run_id = oracle.trigger("setups")
    oracle.put("setups", run_id, {"create": "running"}, run="running")
    arguments: dict[str, Any] = {"dag_id": "setups", "dag_run_id": run_id}
    words = "create is running: Airflow stops the process at its next heartbeat, and "
    cleared = await session.ok("clear_task_instances", only_failed=False, confirm=False, **arguments)
    assert cleared["warnings"][0] == f"{words}then runs it again."
    preview, _ = await session.confirmed("set_task_instances_state", task_id="create", new_state="success", **arguments)
    assert preview["warnings"] == [f"{words}what is downstream may start before."]


async def test_what_was_torn_down_is_told_with_what_sets_it_up_again(session: Session, oracle: Oracle) -> None:
    oracle.pause("setups", True)
    run_id = oracle.trigger("setups")
    names = ("create", "work[0]", "work[2]", "delete")
    scene = {**dict.fromkeys(names, "success"), "work[1]": "failed", "report": "upstream_failed"}
    oracle.put("setups", run_id, scene, run="failed")
    arguments: dict[str, Any] = {"dag_id": "setups", "dag_run_id": run_id}
    preview = await session.ok("clear_task_instances", confirm=False, **arguments)
    indexed = oracle.server.release.name not in ("2.7", "2.8", "2.9", "2.10", "2.11", "3.0")
    named = ["work[1]" if indexed else "work", "report"]
    [line, paused] = preview["warnings"]
    assert "(create, delete) have succeeded and are left out, so it runs after its teardown, without its setup." in line
    assert all(f'"{each}"' in line for each in (*named, "create", "delete"))
    assert paused.startswith("setups is paused: ")

    named += ["create", "delete"]
    told, _ = await session.confirmed("clear_task_instances", task_ids=named, only_failed=False, **arguments)
    assert {"create", "delete"} < set(listed(told["runs"], run_id))
    assert paused == " ".join(told["warnings"])
    oracle.put("setups", run_id, {**scene, "delete": None}, run="running")  # its teardown is still to come
    preview = await session.ok("clear_task_instances", confirm=False, **arguments)
    assert preview["warnings"] == [paused]
