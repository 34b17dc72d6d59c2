"""What a preview of set_task_instances_state says where Airflow itself does more than it is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.live.test_changing import States, listed, moved
from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio


@pytest.fixture
def renamed_run(oracle: Oracle) -> Iterator[str]:
    """A failed run of a DAG in which the task that failed has another name by now."""
    oracle.wait_for_task("renamed", "old")
    oracle.pause("renamed", True)
    run_id = oracle.trigger("renamed")
    oracle.put("renamed", run_id, {"old": "failed", "next": "upstream_failed"}, run="failed")
    file = oracle.server.dags_folder / "renamed.py"
    text = file.read_text()
    try:
        file.write_text(text.replace('"old"', '"new_name"'))
        oracle.wait_for_task("renamed", "new_name")
        yield run_id
    finally:
        file.write_text(text)


async def test_a_preview_leaves_a_run_alone_whose_dag_has_changed(
    session: Session, oracle: Oracle, renamed_run: str
) -> None:
    before = oracle.states("renamed", renamed_run)
    assert before == {"old": "failed", "next": "upstream_failed"}
    arguments: dict[str, Any] = {"dag_id": "renamed", "dag_run_id": renamed_run}
    setting = {"task_id": "next", "new_state": "success", "include_upstream": True, **arguments}
    for options in ({}, {"include_upstream": False}):
        preview = await session.ok("set_task_instances_state", confirm=False, **{**setting, **options})
        assert listed(preview["runs"], renamed_run) == {"next": "upstream_failed"}
        assert oracle.states("renamed", renamed_run) == before
    cleared = await session.ok("clear_task_instances", confirm=False, **arguments)
    assert listed(cleared["runs"], renamed_run) == before
    assert "old: set to removed" in cleared["warnings"][0]
    assert "new_name: added, for the task is new in the DAG." in cleared["warnings"][0]
    gone = {**arguments, "task_ids": ["old"], "confirm": False}
    if oracle.major == 2 or oracle.server.release.name == "3.0":
        message = await session.error("clear_task_instances", **gone)
        assert message.startswith("DAG renamed has no task 'old' any more, and Airflow ")
    else:
        answer = await session.ok("clear_task_instances", **gone)
        assert listed(answer["runs"], renamed_run) == {"old": "failed"}
        assert "new_name: added" in answer["warnings"][0]

    _, done = await session.confirmed("set_task_instances_state", **setting)
    # Setting a state, Airflow 2 fits the run to the DAG; it tells so.
    also = {"old": "removed", "new_name": None} if oracle.major == 2 else {"old": "failed"}
    assert oracle.states("renamed", renamed_run) == {"next": "success", **also}
    assert ("old: set to removed" in done["summary"]) == (oracle.major == 2)
    assert ("new_name: added" in done["summary"]) == (oracle.major == 2)


@pytest.fixture
def setups_run(oracle: Oracle) -> str:
    """A run in which all has succeeded but work[1]."""
    oracle.pause("setups", True)
    run_id = oracle.trigger("setups")
    names = ("create", "work[0]", "work[2]", "report", "delete")
    oracle.put("setups", run_id, {**dict.fromkeys(names, "success"), "work[1]": "failed"}, run="failed")
    return run_id


DOWN, UP = {"include_downstream": True}, {"include_upstream": True}
WORK = {"work[0]", "work[2]"}
SETUPS: list[tuple[str, str, dict[str, Any], States, set[str], set[str] | None]] = [
    ("work", "failed", DOWN, {}, WORK | {"report"}, set()),
    ("work", "success", {}, {}, {"work[1]"}, set()),
    ("work", "success", {}, {"create": "failed"}, {"work[1]"}, {"create"}),
    ("work", "success", {"map_index": 1}, {"create": "failed", "delete": "failed"}, {"work[1]"}, {"create", "delete"}),
    ("work", "success", DOWN, {"create": "failed", "report": "failed"}, {"work[1]", "report"}, {"create"}),
    ("work", "success", UP, {"create": "failed"}, {"create", "work[1]"}, set()),
    ("work", "failed", UP, {}, WORK | {"create"}, {"create"}),
    ("report", "success", DOWN, {"create": "failed", "report": None}, {"report"}, {"create"}),
    ("report", "failed", DOWN, {}, {"report"}, set()),
    ("create", "failed", DOWN, {}, WORK | {"create", "report"}, None),
]
"""Task, new state and options, what is in another state than success; what is set; and which of setup and teardown are
cleared, None where that depends on the release."""


@pytest.mark.parametrize(("task_id", "new_state", "options", "scene", "to_set", "to_clear"), SETUPS)
async def test_setups_and_teardowns_go_along_as_the_preview_says(
    session: Session,
    oracle: Oracle,
    setups_run: str,
    task_id: str,
    new_state: str,
    options: dict[str, Any],
    scene: States,
    to_set: set[str],
    to_clear: set[str] | None,
) -> None:
    oracle.put("setups", setups_run, scene, run="failed")
    before = oracle.states("setups", setups_run)
    preview, _ = await session.confirmed(
        "set_task_instances_state",
        dag_id="setups",
        dag_run_id=setups_run,
        task_id=task_id,
        new_state=new_state,
        **options,
    )
    after = oracle.states("setups", setups_run)
    told = set(listed(preview["runs"], setups_run))
    cleared = set(listed(preview.get("also_cleared"), setups_run))
    assert moved(before, after) == told | cleared
    assert {name: after[name] for name in told - cleared} == dict.fromkeys(told - cleared, new_state)
    assert {name: after[name] for name in cleared} == dict.fromkeys(cleared)
    assert told == to_set, cleared
    assert to_clear is None or cleared & {"create", "delete"} == to_clear


async def test_later_runs_are_set_as_the_preview_says(session: Session, oracle: Oracle) -> None:
    oracle.pause("diamond", True)
    # Of a daily DAG, the third of them off its schedule.
    dates = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T05:00:00Z", "2026-03-04T00:00:00Z")
    runs = [oracle.trigger("diamond", date) for date in dates]
    oracle.put("diamond", runs[3], {"z_first": "success", "m_left": "failed"}, run="failed")
    before = {run_id: oracle.states("diamond", run_id) for run_id in runs}
    preview, _ = await session.confirmed(
        "set_task_instances_state",
        dag_id="diamond",
        dag_run_id=runs[1],
        task_id="z_first",
        new_state="success",
        include_future=True,
    )
    told = {}
    for run_id in runs:
        told[run_id] = {*listed(preview["runs"], run_id), *listed(preview.get("also_cleared"), run_id)}
        assert moved(before[run_id], oracle.states("diamond", run_id)) == told[run_id]
    assert (told[runs[0]], told[runs[1]], told[runs[3]]) == (set(), {"z_first"}, {"m_left"})


MARKERS = """
import pendulum

try:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.providers.standard.sensors.external_task import ExternalTaskMarker
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.empty import EmptyOperator
    from airflow.sensors.external_task import ExternalTaskMarker

START = pendulum.datetime(2026, 1, 1, tz="UTC")
with DAG("waited_for", schedule=None, start_date=START):
    marker = ExternalTaskMarker(task_id="marker", external_dag_id="waiting", external_task_id="waits")
    EmptyOperator(task_id="work") >> marker
with DAG("waiting", schedule=None, start_date=START):
    EmptyOperator(task_id="waits")
"""
MARKED = ("waited_for", "waiting")


@pytest.fixture
def marked_runs(oracle: Oracle) -> Iterator[list[str]]:
    """Runs of two DAGs, the second of which waits for the first; what waits has failed."""
    file = oracle.server.dags_folder / "marked.py"
    file.write_text(MARKERS)
    try:
        oracle.wait_for_dags(*MARKED)
        runs = [oracle.trigger(dag_id, "2026-02-01T00:00:00Z") for dag_id in MARKED]
        oracle.put("waiting", runs[1], {"waits": "failed"}, run="failed")
        yield runs
    finally:
        file.unlink()
        oracle.delete_gone(*MARKED)


async def test_another_dag_is_cleared_behind_a_marker_that_has_failed_alone(
    session: Session, oracle: Oracle, marked_runs: list[str]
) -> None:
    first, second = marked_runs
    arguments: dict[str, Any] = {"dag_id": "waited_for", "dag_run_id": first, "task_id": "work"}
    if oracle.server.release.name == "3.0":
        message = await session.error("set_task_instances_state", confirm=False, new_state="failed", **arguments)
        assert "to each clear that reaches an ExternalTaskMarker, and waited_for has one: marker." in message
        assert "Airflow 3.1 can." in message
        assert "ry again" not in message
        return
    half_done = oracle.server.release.name in ("2.7", "2.8")
    goes_on = oracle.major == 2 and not half_done
    for new_state, marker, behind in (
        ("failed", None, False),
        ("success", "failed", True),
        ("failed", "success", False),
    ):
        oracle.put("waited_for", first, {"marker": marker}, run="failed")
        if behind and half_done:
            message = await session.error("set_task_instances_state", confirm=False, new_state=new_state, **arguments)
            assert "Clear marker of waited_for first (clear_task_instances), then set the state." in message
            named = {"dag_id": "waited_for", "dag_run_id": first, "task_ids": ["marker"]}
            await session.confirmed("clear_task_instances", **named)
        preview, _ = await session.confirmed("set_task_instances_state", new_state=new_state, **arguments)
        told = [run for run in preview.get("also_cleared", []) if run.get("dag_id") == "waiting"]
        assert bool(told) is (behind and goes_on), (new_state, preview)
        assert oracle.states("waiting", second) == {"waits": None if told else "failed"}
        held = [line.split(":")[0] for line in preview.get("warnings", []) if "is paused" in line]
        assert held == ["waited_for is paused", *(["waiting is paused"] if told else [])][: 2 * behind]
        oracle.put("waiting", second, {"waits": "failed"}, run="failed")


async def test_a_run_whose_id_has_slashes_is_changed_where_airflow_can(session: Session, oracle: Oracle) -> None:
    oracle.pause("setups", True)
    run_id = oracle.trigger("setups", dag_run_id=f"team/{uuid4()}")
    oracle.put("setups", run_id, {"create": "failed"}, run="failed")
    arguments: dict[str, Any] = {"dag_id": "setups", "dag_run_id": run_id}
    setting = {**arguments, "task_id": "create", "new_state": "success"}
    if oracle.major == 2:
        preview, _ = await session.confirmed("set_task_instances_state", **setting)
        assert listed(preview["runs"], run_id) == {"create": "failed"}
        oracle.put("setups", run_id, {"create": "failed"}, run="failed")
    else:
        message = await session.error("set_task_instances_state", confirm=False, **setting)
        assert message == (
            'dag_run_id: must not contain "/". clear_task_instances without include_past and include_future takes it.'
        )
    preview, done = await session.confirmed("clear_task_instances", **arguments)
    assert listed(preview["runs"], run_id) == {"create": "failed"}
    assert done["done"] is True
