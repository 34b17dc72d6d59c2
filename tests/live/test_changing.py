"""The three changing tools against both real servers: nothing without confirm, and exactly what was shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import anyio
import pytest
from mcp.types import CallToolResult

from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.oracle import Oracle
from tests.servers import VIEWER
from tests.session import Session, connect, text_of

pytestmark = pytest.mark.anyio

DAYS = count(1)
States = dict[str, str | None]


def listed(runs: list[dict[str, Any]] | None, run_id: str) -> dict[str, str]:
    """What a preview lists of one run, in the oracle's names."""
    return {
        row["task_id"] if "map_index" not in row else f"{row['task_id']}[{row['map_index']}]": row["state"]
        for run in runs or []
        if run["dag_run_id"] == run_id
        for row in run["task_instances"]
    }


def moved(before: States, after: States) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


@pytest.fixture
def history(oracle: Oracle) -> Iterator[Any]:
    """Makes runs of a paused DAG, a day apart: their task instances are there, and only the test moves them."""
    oracle.pause("history", True)

    def make() -> str:
        day = datetime(2026, 2, 1, 5, tzinfo=UTC) + timedelta(days=next(DAYS))
        return oracle.trigger("history", day.isoformat())

    yield make


def set_states(oracle: Oracle, run_id: str, **states: str) -> None:
    """Set the scene: by task, the state of all its instances."""
    indexes = {"part": ("part[0]", "part[1]", "part[2]")}
    oracle.put(
        "history", run_id, {name: state for task, state in states.items() for name in indexes.get(task, (task,))}
    )


# -- patch_dag


async def test_patch_dag_previews_then_pauses(session: Session, oracle: Oracle) -> None:
    oracle.pause("mapped_group", False)
    preview = await session.ok("patch_dag", dag_id="mapped_group", is_paused=True, confirm=False)
    assert (preview["done"], preview["is_paused_before"], preview["is_paused_after"]) == (False, False, True)
    assert oracle.dag("mapped_group")["is_paused"] is False
    done = await session.ok("patch_dag", dag_id="mapped_group", is_paused=True, update_mask=["is_paused"], confirm=True)
    assert done["done"] is True
    assert oracle.dag("mapped_group")["is_paused"] is True


async def test_patch_dag_with_nothing_to_change(session: Session, oracle: Oracle) -> None:
    oracle.pause("mapped_group", True)
    answer = await session.ok("patch_dag", dag_id="mapped_group", is_paused=True, confirm=True)
    assert answer["done"] is False
    assert answer["summary"] == "mapped_group is already paused: nothing to change."


async def test_patch_dag_refuses_another_mask(session: Session, oracle: Oracle) -> None:
    message = await session.error(
        "patch_dag", dag_id="mapped_group", is_paused=True, update_mask=["description"], confirm=True
    )
    assert "update_mask: Airflow lets only is_paused be changed" in message


async def test_a_plan_is_out_of_date_once_the_state_moved(session: Session, oracle: Oracle) -> None:
    oracle.pause("mapped_group", True)
    arguments: dict[str, Any] = {"dag_id": "mapped_group", "is_paused": False}
    plan = (await session.ok("patch_dag", confirm=False, **arguments))["plan"]
    oracle.pause("mapped_group", False)
    message = await session.error("patch_dag", confirm=True, plan=plan, **arguments)
    assert (
        "plan: is out of date: it had mapped_group is_paused=True. As it is now: mapped_group is already unpaused"
        in message
    )
    assert "Nothing was changed." in message
    oracle.pause("mapped_group", True)
    message = await session.error("patch_dag", confirm=True, plan=plan, dag_id="diamond", is_paused=False)
    assert "plan: is out of date: it had mapped_group is_paused=True, and now there is diamond is_paused=" in message


async def test_a_plan_is_good_once(session: Session, oracle: Oracle) -> None:
    oracle.pause("mapped_group", True)
    arguments: dict[str, Any] = {"dag_id": "mapped_group", "is_paused": False}
    preview, _ = await session.confirmed("patch_dag", **arguments)
    oracle.pause("mapped_group", True)
    message = await session.error("patch_dag", confirm=True, plan=preview["plan"], **arguments)
    assert message.startswith("plan: was used: a plan can be used once")
    assert oracle.dag("mapped_group")["is_paused"] is True
    await session.confirmed("patch_dag", **arguments)
    assert oracle.dag("mapped_group")["is_paused"] is False


async def test_of_four_clears_at_once_with_one_plan_one_is_done(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    set_states(oracle, run_id, first="failed")
    arguments = {"dag_id": "history", "dag_run_id": run_id, "task_ids": ["first"]}
    plan = (await session.ok("clear_task_instances", confirm=False, **arguments))["plan"]
    results: list[CallToolResult] = []

    async def clear() -> None:
        results.append(await session.call("clear_task_instances", {**arguments, "confirm": True, "plan": plan}))

    async with anyio.create_task_group() as calls:
        for _ in range(4):
            calls.start_soon(clear)
    assert [result.is_error for result in results] == [False, True, True, True]
    assert {text_of(result)[:15] for result in results[1:]} == {"plan: was used:"}
    assert oracle.states("history", run_id)["first"] is None


async def test_the_policy_plan_wants_one(oracle: Oracle) -> None:
    oracle.pause("mapped_group", True)
    arguments: dict[str, Any] = {"dag_id": "mapped_group", "is_paused": False}
    async with connect(oracle, confirm="plan") as session:
        for plan in ({}, {"plan": "zz"}):
            message = await session.error("patch_dag", confirm=True, **plan, **arguments)
            assert ("not known to this server" if plan else "changes nothing without one") in message
            assert "Preview it again" in message
        assert oracle.dag("mapped_group")["is_paused"] is True
        await session.confirmed("patch_dag", **arguments)
        assert oracle.dag("mapped_group")["is_paused"] is False


# -- clear_task_instances


async def test_clear_runs_a_failed_chain_again(session: Session, oracle: Oracle) -> None:
    run_id = oracle.failed_runs["sales_etl"]
    tries = oracle.tries("sales_etl", run_id)
    arguments: dict[str, Any] = {"dag_id": "sales_etl", "dag_run_id": run_id}
    preview = await session.ok("clear_task_instances", confirm=False, **arguments)
    assert listed(preview["runs"], run_id) == {
        "validate": "failed",
        "load": "upstream_failed",
        "report": "upstream_failed",
    }
    assert preview["total"] == 3
    assert preview["left_out"] == ["extract_orders: success, and only_failed is on"]
    assert oracle.tries("sales_etl", run_id) == tries
    assert oracle.run("sales_etl", run_id)["state"] == "failed"

    done = await session.ok("clear_task_instances", confirm=True, plan=preview["plan"], **arguments)
    assert done["done"] is True
    assert oracle.wait_for_run("sales_etl", run_id, "queued", "running") in ("queued", "running")
    assert oracle.wait_for_run("sales_etl", run_id) == "failed"
    again = oracle.tries("sales_etl", run_id)
    assert again["validate[-1]"] == tries["validate[-1]"] + 1
    assert again["extract_orders[-1]"] == tries["extract_orders[-1]"]


async def test_clear_one_map_index(session: Session, oracle: Oracle) -> None:
    run_id = oracle.failed_runs["load_files"]
    arguments: dict[str, Any] = {"dag_id": "load_files", "dag_run_id": run_id, "confirm": False}
    failed = await session.ok("clear_task_instances", task_ids=["load_file[2]"], **arguments)
    assert listed(failed["runs"], run_id) == {"load_file[2]": "failed"}
    left_out = await session.ok("clear_task_instances", task_ids=["load_file[1]", "load_file[2]"], **arguments)
    assert left_out["left_out"] == ["load_file[1]: success, and only_failed is on"]
    unknown = await session.error("clear_task_instances", task_ids=["load_file[7]"], **arguments)
    assert unknown.endswith(
        "no task instance load_file[7] in the runs that were asked for; its map indexes are 0 to 3."
    )
    one: dict[str, Any] = {**arguments, "task_ids": ["load_file[1]"], "only_failed": False}
    if oracle.major == 3:
        preview = await session.ok("clear_task_instances", **one)
        assert listed(preview["runs"], run_id) == {"load_file[1]": "success"}
    else:
        message = await session.error("clear_task_instances", **one)
        here = f"Airflow {oracle.server.release.version}"
        assert message.startswith(f"Clearing one map index needs Airflow 3. {here} would clear load_file[0], load_file")


async def test_clear_one_map_index_really(session: Session, oracle: Oracle) -> None:
    run_id = oracle.failed_runs["load_files"]
    before = oracle.tries("load_files", run_id)
    await session.confirmed("clear_task_instances", dag_id="load_files", dag_run_id=run_id, task_ids=["load_file[2]"])
    assert oracle.wait_for_run("load_files", run_id, "queued", "running")
    assert oracle.wait_for_run("load_files", run_id) == "failed"
    after = oracle.tries("load_files", run_id)
    assert {name for name in after if after[name] != before[name]} == {"load_file[2]"}


async def test_clear_one_map_index_and_what_is_below(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    set_states(oracle, run_id, first="success", part="success", last="success")
    before = oracle.states("history", run_id)
    arguments: dict[str, Any] = {"dag_id": "history", "dag_run_id": run_id, "only_failed": False}
    arguments |= {"task_ids": ["part[1]"], "include_downstream": True}
    release = oracle.server.release
    if release.name == "3.0" or oracle.major == 2:
        message = await session.error("clear_task_instances", confirm=True, **arguments)
        here = f"Airflow {release.version}"  # with relatives, 3.0 would clear other indexes too
        assert message.startswith(f"Clearing one map index needs Airflow 3.1. {here} would clear part[0], part[2] too.")
        assert oracle.states("history", run_id) == before
    else:
        await session.confirmed("clear_task_instances", **arguments)
        assert moved(before, oracle.states("history", run_id)) == {"part[1]", "last"}


async def test_clear_takes_relatives_along(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    set_states(oracle, run_id, first="success", part="success", last="success")
    arguments: dict[str, Any] = {"dag_id": "history", "dag_run_id": run_id, "only_failed": False}
    everything = {"first", "part[0]", "part[1]", "part[2]", "last"}
    for options, expected in (
        ({}, everything),
        ({"task_ids": ["part"]}, {"part[0]", "part[1]", "part[2]"}),
        ({"task_ids": ["last"], "include_upstream": True}, everything),
        ({"task_ids": ["first"], "include_downstream": True}, everything),
        ({"task_ids": ["first", "last"]}, {"first", "last"}),
    ):
        preview = await session.ok("clear_task_instances", confirm=False, **arguments, **options)
        assert set(listed(preview["runs"], run_id)) == expected, options
        assert set(listed(preview["runs"], run_id).values()) == {"success"}
    before = oracle.states("history", run_id)
    preview, _ = await session.confirmed(
        "clear_task_instances", task_ids=["part"], include_downstream=True, **arguments
    )
    after = oracle.states("history", run_id)
    assert moved(before, after) == set(listed(preview["runs"], run_id)) == everything - {"first"}
    assert after["last"] is None


async def test_clear_takes_other_runs_along(session: Session, oracle: Oracle, history: Any) -> None:
    first, second, third = history(), history(), history()
    for run_id in (first, second, third):
        set_states(oracle, run_id, first="failed")
    arguments: dict[str, Any] = {"dag_id": "history", "dag_run_id": second, "task_ids": ["first"], "confirm": False}
    future = await session.ok("clear_task_instances", include_future=True, **arguments)
    assert {run["dag_run_id"] for run in future["runs"]} == {second, third}
    past = await session.ok("clear_task_instances", include_past=True, **arguments)
    runs = {run["dag_run_id"] for run in past["runs"]}
    assert {first, second} <= runs
    assert third not in runs
    day = oracle.run("history", second)["logical_date"]
    dated = await session.ok(
        "clear_task_instances", dag_id="history", start_date=day, end_date=day, task_ids=["first"], confirm=False
    )
    assert [run["dag_run_id"] for run in dated["runs"]] == [second]


async def test_clear_by_dates_names_the_runs_without_a_date(session: Session, oracle: Oracle) -> None:
    oracle.pause("mapped_group", True)
    run_id = oracle.trigger("mapped_group")
    preview = await session.ok(
        "clear_task_instances",
        dag_id="mapped_group",
        start_date="2026-01-01T00:00:00Z",
        only_failed=False,
        confirm=False,
    )
    line = f"run {run_id}: no logical date, so clear it by dag_run_id"
    assert (line in preview.get("left_out", [])) is (oracle.major == 3)
    assert (run_id in {run["dag_run_id"] for run in preview["runs"]}) is (oracle.major == 2)


async def test_clear_leaves_a_finished_run_finished_if_told(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    set_states(oracle, run_id, first="failed")
    path = f"dags/history/dagRuns/{run_id.replace(':', '%3A').replace('+', '%2B')}"
    for reset, expected in ((False, "failed"), (True, "queued")):
        oracle.call("PATCH", path, json={"state": "failed"})
        await session.ok(
            "clear_task_instances",
            dag_id="history",
            dag_run_id=run_id,
            only_failed=False,
            reset_dag_runs=reset,
            confirm=True,
        )
        assert oracle.run("history", run_id)["state"] == expected


async def test_clear_refuses_what_moved_since_the_preview(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    set_states(oracle, run_id, first="failed")
    arguments: dict[str, Any] = {"dag_id": "history", "dag_run_id": run_id, "task_ids": ["first", "last"]}
    plan = (await session.ok("clear_task_instances", confirm=False, **arguments))["plan"]
    set_states(oracle, run_id, last="failed")
    before = oracle.states("history", run_id)
    message = await session.error("clear_task_instances", confirm=True, plan=plan, **arguments)
    assert "plan: is out of date: now there is history " in message
    assert "last" in message
    assert "As it is now: Clear 2 task instances (2 failed) in 1 run of history" in message
    assert oracle.states("history", run_id) == before


CLEAR_OPTIONS: dict[str, tuple[Any, str]] = {
    "include_subdags": (True, "Airflow 2"),
    "include_parentdag": (True, "Airflow 2"),
    "run_on_latest_version": (True, "Airflow 3.1"),
    "prevent_running_task": (True, "Airflow 3.2"),
    "note": ("cleared by a test", "Airflow 3.3"),
}


@pytest.mark.parametrize("option", CLEAR_OPTIONS)
async def test_a_clear_option_works_or_is_refused_by_name(
    session: Session, oracle: Oracle, history: Any, option: str
) -> None:
    run_id = history()
    set_states(oracle, run_id, first="failed")
    value, needs = CLEAR_OPTIONS[option]
    arguments: dict[str, Any] = {"dag_id": "history", "dag_run_id": run_id, "task_ids": ["first"], option: value}
    if oracle.takes(option):
        await session.confirmed("clear_task_instances", **arguments)
        assert oracle.states("history", run_id)["first"] is None
    else:
        message = await session.error("clear_task_instances", confirm=True, **arguments)
        assert message == f"{option} needs {needs}. This is Airflow {oracle.server.release.version}."
        assert oracle.states("history", run_id)["first"] == "failed"


async def test_all_clear_options_of_this_version_go_together(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    set_states(oracle, run_id, first="failed")
    own = {option: value for option, (value, _) in CLEAR_OPTIONS.items() if oracle.takes(option)}
    await session.confirmed("clear_task_instances", dag_id="history", dag_run_id=run_id, task_ids=["first"], **own)
    assert oracle.states("history", run_id)["first"] is None


# -- set_task_instances_state


SETTING: list[tuple[str, dict[str, Any], set[str]]] = [
    ("first", {}, {"first"}),
    ("first", {"include_downstream": True}, {"first", "part[0]", "part[1]", "part[2]", "last"}),
    ("last", {"include_upstream": True}, {"first", "part[0]", "part[1]", "part[2]", "last"}),
    ("part", {}, {"part[0]", "part[1]", "part[2]"}),
    ("part", {"map_index": 1}, {"part[1]"}),
    ("part", {"map_index": 1, "include_downstream": True}, {"part[1]", "last"}),
    ("part", {"map_index": 2, "include_upstream": True}, {"first", "part[2]"}),
    (
        "part",
        {"include_upstream": True, "include_downstream": True},
        {"first", "part[0]", "part[1]", "part[2]", "last"},
    ),
]


@pytest.mark.parametrize(
    ("task_id", "options", "expected", "new_state"),
    [*((*each, "success") for each in SETTING), ("first", {}, {"first"}, "skipped"), (*SETTING[4], "skipped")],
)
async def test_set_state_does_exactly_what_its_preview_says(
    session: Session,
    oracle: Oracle,
    history: Any,
    task_id: str,
    options: dict[str, Any],
    expected: set[str],
    new_state: str,
) -> None:
    run_id = history()
    before = oracle.states("history", run_id)
    arguments = {"dag_id": "history", "dag_run_id": run_id, "task_id": task_id, "new_state": new_state, **options}
    if new_state == "skipped" and not oracle.sets_skipped:
        message = await session.error("set_task_instances_state", confirm=True, **arguments)
        here = oracle.server.release.version
        assert message == f"new_state=skipped needs Airflow 2.9. This is Airflow {here}."
        assert oracle.states("history", run_id) == before
        return
    preview, done = await session.confirmed("set_task_instances_state", **arguments)
    after = oracle.states("history", run_id)
    assert set(listed(preview["runs"], run_id)) == expected == moved(before, after)
    assert {after[name] for name in expected} == {new_state}
    assert done["total"] == len(expected)


async def test_set_state_tells_what_airflow_clears_with_it(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    set_states(oracle, run_id, first="failed", part="failed", last="failed")
    before = oracle.states("history", run_id)
    assert set(before.values()) == {"failed"}
    preview, _ = await session.confirmed(
        "set_task_instances_state", dag_id="history", dag_run_id=run_id, task_id="first", new_state="success"
    )
    after = oracle.states("history", run_id)
    assert listed(preview["runs"], run_id) == {"first": "failed"}
    cleared = set(listed(preview["also_cleared"], run_id))
    assert cleared == {"part[0]", "part[1]", "part[2]", "last"}
    assert moved(before, after) == cleared | {"first"}
    assert {after[name] for name in cleared} == {None}


async def test_set_state_of_one_index_tells_what_airflow_clears(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    set_states(oracle, run_id, part="failed", last="failed")
    before = oracle.states("history", run_id)
    preview, _ = await session.confirmed(
        "set_task_instances_state",
        dag_id="history",
        dag_run_id=run_id,
        task_id="part",
        map_index=1,
        new_state="success",
    )
    after = oracle.states("history", run_id)
    assert set(listed(preview["also_cleared"], run_id)) == {"last"}
    assert moved(before, after) == {"part[1]", "last"}
    assert (after["part[1]"], after["last"], after["part[0]"]) == ("success", None, "failed")


@pytest.mark.parametrize("new_state", ["success", "failed"])
@pytest.mark.parametrize(
    "options",
    [
        {"include_upstream": True},
        {"include_downstream": True},
        {"map_index": 2, "include_upstream": True},
        {"map_index": 2, "include_upstream": True, "include_downstream": True},
    ],
)
async def test_set_state_among_failed_ones_changes_what_it_says(
    session: Session, oracle: Oracle, history: Any, options: dict[str, Any], new_state: str
) -> None:
    run_id = history()
    scene = {"first": "skipped", "part": "failed", "last": "failed" if new_state == "success" else "skipped"}
    if not oracle.sets_skipped:
        scene = {task_id: state for task_id, state in scene.items() if state != "skipped"}
    set_states(oracle, run_id, **scene)
    before = oracle.states("history", run_id)
    preview, _ = await session.confirmed(
        "set_task_instances_state",
        dag_id="history",
        dag_run_id=run_id,
        task_id="part",
        new_state=new_state,
        **options,
    )
    after = oracle.states("history", run_id)
    told = {**listed(preview["runs"], run_id), **listed(preview.get("also_cleared"), run_id)}
    assert moved(before, after) == set(told)
    assert {after[name] for name in listed(preview.get("also_cleared"), run_id)} <= {None}


@pytest.mark.parametrize("task_id", ["first", "part"])
async def test_set_state_takes_other_runs_along(session: Session, oracle: Oracle, history: Any, task_id: str) -> None:
    runs = [history() for _ in range(3)]
    arguments: dict[str, Any] = {"dag_id": "history", "dag_run_id": runs[1], "task_id": task_id}
    before = [oracle.states("history", run_id) for run_id in runs]
    preview, _ = await session.confirmed(
        "set_task_instances_state", new_state="success", include_future=True, **arguments
    )
    after = [oracle.states("history", run_id) for run_id in runs]
    assert {run["dag_run_id"] for run in preview["runs"]} == {runs[1], runs[2]}
    for index, run_id in enumerate(runs):
        assert moved(before[index], after[index]) == set(listed(preview["runs"], run_id))
    past = await session.ok(
        "set_task_instances_state", new_state="failed", include_past=True, confirm=False, **arguments
    )
    assert {runs[0], runs[1]} <= {run["dag_run_id"] for run in past["runs"]}
    assert runs[2] not in {run["dag_run_id"] for run in past["runs"]}


async def test_set_state_by_logical_date(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    await session.confirmed(
        "set_task_instances_state",
        dag_id="history",
        logical_date=oracle.run("history", run_id)["logical_date"],
        task_id="last",
        new_state="failed",
    )
    assert oracle.states("history", run_id)["last"] == "failed"
    message = await session.error(
        "set_task_instances_state",
        dag_id="history",
        logical_date="2031-01-01T00:00:00Z",
        task_id="last",
        new_state="failed",
        confirm=True,
    )
    assert message.startswith("DAG history has no run with logical_date 2031-01-01T00:00:00+00:00.")


async def test_set_state_with_nothing_to_set(session: Session, oracle: Oracle, history: Any) -> None:
    run_id = history()
    set_states(oracle, run_id, part="success")
    answer = await session.ok(
        "set_task_instances_state",
        dag_id="history",
        dag_run_id=run_id,
        task_id="part",
        new_state="success",
        confirm=True,
    )
    assert (answer["done"], answer["total"]) == (False, 0)
    assert answer["left_out"] == ["part[0-2]: already success"]


async def test_set_state_needs_a_date_to_take_other_runs_along(session: Session, oracle: Oracle) -> None:
    oracle.pause("mapped_group", True)
    run_id = oracle.trigger("mapped_group")
    before = oracle.states("mapped_group", run_id)
    arguments: dict[str, Any] = {"dag_id": "mapped_group", "dag_run_id": run_id, "task_id": "each.check"}
    arguments |= {"new_state": "success", "include_future": True}
    if oracle.major == 2:  # gives every run a logical date
        preview = await session.ok("set_task_instances_state", confirm=False, **arguments)
        assert set(listed(preview["runs"], run_id)) == {"each.check[0]", "each.check[1]", "each.check[2]"}
    else:
        message = await session.error("set_task_instances_state", confirm=True, **arguments)
        assert message == f"include_future: run {run_id} has no logical date, so no run is before or after it."
    assert oracle.states("mapped_group", run_id) == before


# -- who may


async def test_a_viewer_reads_and_may_not_change(oracle: Oracle, history: Any) -> None:
    run_id = history()
    before = (oracle.states("history", run_id), oracle.dag("history")["is_paused"])
    async with connect(oracle, VIEWER) as session:
        assert (await session.ok("get_dag", dag_id="history"))["dag_id"] == "history"
        for tool, arguments in (
            ("patch_dag", {"is_paused": False}),
            ("clear_task_instances", {"dag_run_id": run_id, "only_failed": False}),
            ("set_task_instances_state", {"dag_run_id": run_id, "task_id": "first", "new_state": "failed"}),
        ):
            message = await session.error(tool, dag_id="history", confirm=True, **arguments)
            assert "403" in message, tool
    assert (oracle.states("history", run_id), oracle.dag("history")["is_paused"]) == before


async def test_read_only_offers_no_change(oracle: Oracle) -> None:
    async with connect(oracle, read_only=True) as session:
        offered = {tool.name for tool in (await session.client.list_tools()).tools}
        assert offered == {spec.name for spec in ALL_TOOLS if not spec.changes}
        assert offered.isdisjoint({"patch_dag", "clear_task_instances", "set_task_instances_state"})
        assert (await session.ok("get_dags"))["total"] > 0


async def test_a_read_only_server_shows_a_change_and_gives_no_plan(oracle: Oracle, history: Any) -> None:
    run = {"dag_id": "history", "dag_run_id": history()}
    async with connect(oracle, read_only=True) as session:
        clear = await session.ok("preview_clear_task_instances", **run, task_ids=["first"], only_failed=False)
        state = await session.ok("preview_set_task_instances_state", **run, task_id="first", new_state="failed")
        pause = await session.ok("preview_patch_dag", dag_id="history", is_paused=False)
    for shown in (clear, state, pause):
        assert shown["done"] is False
        assert "plan" not in shown
        assert (
            shown["next"] == "Nothing was changed. This server is read-only: it can show this change and not make it."
        )
    assert (
        listed(clear["runs"], run["dag_run_id"]) == listed(state["runs"], run["dag_run_id"]) == {"first": "no_status"}
    )
    assert pause["is_paused_before"] is True


async def test_who_may_not_clear_is_told_that_airflow_wants_it_for_a_preview(oracle: Oracle, history: Any) -> None:
    async with connect(oracle, VIEWER) as session:
        message = await session.error("preview_clear_task_instances", dag_id="history", dag_run_id=history())
    assert "(403)" in message
    assert "Airflow asks for this even to preview: nothing would be changed." in message
