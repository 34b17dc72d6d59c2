"""No change without confirm=true, and none but the one whose plan is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from airflow_mcp.errors import ConflictError, PlanError
from airflow_mcp.guard.confirm import MOST_DIFFERENCES, REMEMBERED_PLANS, Guard
from airflow_mcp.models.changes import DagChange, PatchDag, Prepared
from airflow_mcp.settings import Settings

pytestmark = pytest.mark.anyio

ITEMS = ("sales is_paused=False",)


class Change:
    """A change by hand, which counts how often it is made."""

    def __init__(self, items: Sequence[str] = ITEMS) -> None:
        self.items = tuple(items)
        self.applied = 0

    def prepared(self) -> Prepared[DagChange]:
        preview = DagChange(
            done=False, summary="Pause sales.", dag_id="sales", is_paused_before=False, is_paused_after=True
        )
        return Prepared(preview, self.items, self._apply)

    async def _apply(self) -> None:
        self.applied += 1


def guard(url: str = "http://airflow.test", **settings: Any) -> Guard:
    return Guard(Settings(url=url, **settings))


def arguments(*, confirm: bool, plan: str | None = None, dag_id: str = "sales") -> PatchDag:
    return PatchDag(dag_id=dag_id, is_paused=True, confirm=confirm, plan=plan)


async def preview(of: Guard, change: Change, dag_id: str = "sales", tool: str = "patch_dag") -> DagChange:
    return await of.carry_out(tool, arguments(confirm=False, dag_id=dag_id), change.prepared())


async def plan_of(of: Guard, change: Change, dag_id: str = "sales", tool: str = "patch_dag") -> str:
    plan = (await preview(of, change, dag_id, tool)).plan
    assert plan
    return plan


async def confirm(of: Guard, change: Change, plan: str | None = None) -> DagChange:
    return await of.carry_out("patch_dag", arguments(confirm=True, plan=plan), change.prepared())


async def refused(of: Guard, change: Change, plan: str | None) -> str:
    with pytest.raises(PlanError) as caught:
        await confirm(of, change, plan)
    assert change.applied == 0
    assert "Nothing was changed." in str(caught.value)
    return str(caught.value)


async def test_a_preview_changes_nothing_and_says_how_to_go_on() -> None:
    change = Change()
    shown = await preview(guard(), change)
    assert change.applied == 0
    assert (shown.done, shown.summary) == (False, "Pause sales.")
    assert shown.next == f"Nothing was changed. To do it: the same arguments with confirm=true and plan={shown.plan}."


async def test_a_preview_with_a_plan_changes_nothing_either() -> None:
    ours, change = guard(), Change()
    plan = await plan_of(ours, change)
    again = await ours.carry_out("patch_dag", arguments(confirm=False, plan=plan), change.prepared())
    assert (change.applied, again.done, again.plan) == (0, False, plan)


async def test_a_confirmed_change_is_made_once() -> None:
    change = Change()
    done = await confirm(guard(), change)
    assert change.applied == 1
    assert (done.done, done.summary) == (True, "Done: Pause sales.")
    assert (done.plan, done.next) == (None, None)


@pytest.mark.parametrize("policy", ["argument", "plan"])
async def test_a_plan_that_holds_is_carried_out(policy: str) -> None:
    ours, change = guard(confirm=policy), Change()
    done = await confirm(ours, change, await plan_of(ours, change))
    assert (done.done, change.applied) == (True, 1)


async def test_a_plan_holds_for_another_process_too() -> None:
    change = Change()
    plan = await plan_of(guard(), change)
    assert (await confirm(guard(confirm="plan"), change, plan)).done is True


async def test_the_policy_plan_changes_nothing_without_one() -> None:
    message = await refused(guard(confirm="plan"), Change(), None)
    assert message.startswith("plan: this server changes nothing without one. Call with confirm=false")


@pytest.mark.parametrize("plan", ["", " ", "aaaaaaaaaaaaaaaa", "null"])
async def test_a_plan_that_is_none_is_refused(plan: str) -> None:
    for policy in ("argument", "plan"):
        message = await refused(guard(confirm=policy), Change(), plan)
        assert "it belongs to other arguments, or the preview is long ago, or was too large to keep" in message


async def test_a_plan_of_other_arguments_is_refused() -> None:
    ours = guard()
    plan = await plan_of(ours, Change(), dag_id="other")
    message = await refused(ours, Change(), plan)
    assert message.startswith(f"plan: {plan} no longer holds: the arguments differ.")


async def test_a_plan_of_another_tool_is_refused() -> None:
    ours = guard()
    await refused(ours, Change(), await plan_of(ours, Change(), tool="clear_task_instances"))


async def test_a_plan_for_another_airflow_is_refused() -> None:
    plan = await plan_of(guard("http://staging.test"), Change())
    await refused(guard("http://production.test"), Change(), plan)


async def test_what_moved_since_is_named_and_the_new_plan_given() -> None:
    ours, now = guard(), Change(["b", "c"])
    plan = await plan_of(ours, Change(["a", "b"]))
    message = await refused(ours, now, plan)
    new_plan = await plan_of(ours, now)
    assert message == (
        f"plan: {plan} no longer holds: -a; +c. Nothing was changed. As it is now: Pause sales. Its plan is {new_plan}."
    )
    assert (await confirm(ours, now, new_plan)).done is True


@pytest.mark.parametrize(("new", "more"), [(MOST_DIFFERENCES, ""), (MOST_DIFFERENCES + 3, " and 3 more.")])
async def test_at_most_ten_differences_are_named(new: int, more: str) -> None:
    ours = guard()
    plan = await plan_of(ours, Change(["same"]))
    message = await refused(ours, Change(["same", *(f"item {number}" for number in range(new))]), plan)
    assert message.count("+item") == MOST_DIFFERENCES == 10
    assert (" more." in message) is bool(more)
    assert more in message


async def test_with_nothing_to_change_nothing_is_sent() -> None:
    change = Change([])
    for ours in (guard(), guard(confirm="plan")):
        shown = await preview(ours, change)
        assert (shown.done, shown.plan, shown.next) == (False, None, None)
    done = await confirm(guard(), change)
    assert (done.done, change.applied, done.summary) == (False, 0, "Pause sales.")


async def test_a_plan_whose_change_somebody_made_meanwhile_is_refused() -> None:
    ours = guard()
    plan = await plan_of(ours, Change())
    message = await refused(ours, Change([]), plan)
    assert f"no longer holds: -{ITEMS[0]}. Nothing was changed." in message


async def test_a_change_that_fails_is_not_told_as_done() -> None:
    async def fail() -> None:
        raise ConflictError("somebody else was first")

    change = Change().prepared()
    with pytest.raises(ConflictError, match="somebody else was first"):
        await guard().carry_out("patch_dag", arguments(confirm=True), Prepared(change.preview, change.items, fail))


async def test_previews_are_forgotten_oldest_first() -> None:
    ours = guard()
    plans = [await plan_of(ours, Change([f"state {number}"])) for number in range(REMEMBERED_PLANS + 1)]
    forgotten = await refused(ours, Change(), plans[0])
    assert "it belongs to other arguments, or the preview is long ago, or was too large to keep" in forgotten
    for number in (1, REMEMBERED_PLANS):
        message = await refused(ours, Change(), plans[number])
        assert f"-state {number}; +{ITEMS[0]}" in message


async def test_a_forgotten_plan_still_holds_while_nothing_moved() -> None:
    ours, change = guard(), Change()
    plan = await plan_of(ours, change)
    for number in range(REMEMBERED_PLANS):
        await plan_of(ours, Change([f"state {number}"]))
    assert (await confirm(ours, change, plan)).done is True


async def test_a_preview_made_again_counts_as_new() -> None:
    ours = guard()
    plan = await plan_of(ours, Change(["first"]))
    for number in range(REMEMBERED_PLANS - 1):
        await plan_of(ours, Change([f"state {number}"]))
    await plan_of(ours, Change(["first"]))
    await plan_of(ours, Change(["one more"]))
    assert "-first" in await refused(ours, Change(), plan)


async def test_a_plan_names_exactly_its_items() -> None:
    ours = guard()
    assert await plan_of(ours, Change(["a", "b"])) == await plan_of(ours, Change(["a", "b"]))
    assert await plan_of(ours, Change(["a", "b"])) != await plan_of(ours, Change(["a, b"]))
