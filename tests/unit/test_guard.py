"""No change without confirm=true, and none but the one whose plan is given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

from airflow_mcp.airflow.api import Api, Known, Server
from airflow_mcp.airflow.changes.prepared import Prepared
from airflow_mcp.airflow.writer import Writer
from airflow_mcp.errors import AirflowMcpError, ConflictError, ForbiddenError, MayHaveHappenedError, PlanError
from airflow_mcp.guard.confirm import MOST_DIFFERENCES, Guard
from airflow_mcp.guard.plans import MOST_REMEMBERED_ITEMS, REMEMBERED_PLANS
from airflow_mcp.instance import Instance
from airflow_mcp.models.changes import ConfirmedArguments, DagChange, PatchDag
from airflow_mcp.settings import Policy
from airflow_mcp.tools.dags import patch_dag

pytestmark = pytest.mark.anyio

API = Api(Server(Instance()), Known("v2", "3.3.2", None))
ITEMS = ("sales is_paused=False",)
NOT_KNOWN = "plan: is not known to this server: no preview of it gave this plan,"


class Change:
    """A change by hand, which counts how often it is looked at and made."""

    def __init__(self, items: Sequence[str] = ITEMS, stays: frozenset[str] = frozenset()) -> None:
        self.items = tuple(items)
        self.stays = stays
        self.then: Sequence[str] | None = None
        """The items once it was sent."""
        self.second: AirflowMcpError | None = None
        """What a look after that raises."""
        self.looked = 0
        self.applied = 0
        self.fault: AirflowMcpError | None = None
        self.later: AirflowMcpError | None = None

    async def prepare(self) -> Prepared[DagChange]:
        await anyio.lowlevel.checkpoint()  # others come in between
        self.looked += 1
        if self.later:
            raise self.later
        preview = DagChange(
            done=False, summary="Pause sales.", url="/", dag_id="sales", is_paused_before=False, is_paused_after=True
        )
        return Prepared(preview, "Paused sales.", self.items, self._left, self._apply, stays=self.stays)

    async def _left(self) -> frozenset[str]:
        await anyio.lowlevel.checkpoint()
        if self.later:
            raise self.later
        return frozenset(self.items)

    async def _apply(self, writer: Writer) -> None:
        await anyio.lowlevel.checkpoint()
        if self.fault:
            self.items = self.items if self.then is None else tuple(self.then)
            self.later = self.second
            raise self.fault
        self.applied += 1


def guard(url: str = "http://airflow.test", **settings: Any) -> Guard:
    return Guard(Policy(**settings), Server(Instance(url=url)))


def arguments(*, confirm: bool, plan: str | None = None, dag_id: str = "sales") -> ConfirmedArguments:
    given = {"dag_id": dag_id, "is_paused": True, "confirm": confirm, "plan": plan}
    return cast("ConfirmedArguments", patch_dag.arguments.model_validate(given))


async def preview(of: Guard, change: Change, dag_id: str = "sales", tool: str = "patch_dag") -> DagChange:
    return await of.carry_out(tool, arguments(confirm=False, dag_id=dag_id), API, change.prepare)


async def plan_of(of: Guard, change: Change, dag_id: str = "sales", tool: str = "patch_dag") -> str:
    plan = (await preview(of, change, dag_id, tool)).plan
    assert plan
    return plan


async def confirm(of: Guard, change: Change, plan: str | None = None) -> DagChange:
    return await of.carry_out("patch_dag", arguments(confirm=True, plan=plan), API, change.prepare)


async def refused(of: Guard, change: Change, plan: str | None) -> str:
    with pytest.raises(PlanError) as caught:
        await confirm(of, change, plan)
    assert change.applied == 0
    assert "Nothing was changed." in str(caught.value)
    assert not re.search(r"\b[a-z2-7]{16}\b", str(caught.value))  # an error gives no plan, not even the old one
    return str(caught.value)


async def test_a_preview_changes_nothing_and_says_how_to_go_on() -> None:
    change = Change()
    shown = await preview(guard(), change)
    assert change.applied == 0
    assert (shown.done, shown.summary) == (False, "Pause sales.")
    assert shown.next == (
        "Nothing was changed. Show this to the person. Only after their yes: patch_dag with the same arguments, "
        f"confirm=true and plan={shown.plan}."
    )


async def test_the_tool_that_only_previews_gives_the_plan_of_the_change() -> None:
    ours, change = guard(), Change()
    shown = await ours.preview("patch_dag", PatchDag(dag_id="sales", is_paused=True), change.prepare)
    assert (change.applied, shown.plan) == (0, await plan_of(ours, change))
    assert (await confirm(ours, change, shown.plan)).done is True


async def test_a_read_only_server_previews_and_gives_no_plan() -> None:
    change, ours = Change(), Guard(Policy(), Server(Instance(url="http://airflow.test", read_only=True)))
    shown = await ours.preview("patch_dag", PatchDag(dag_id="sales", is_paused=True), change.prepare)
    assert (shown.done, shown.summary, shown.plan) == (False, "Pause sales.", None)
    assert shown.next == "Nothing was changed. This server is read-only: it can show this change and not make it."


async def test_a_preview_with_a_plan_changes_nothing_either() -> None:
    ours, change = guard(), Change()
    plan = await plan_of(ours, change)
    again = await ours.carry_out("patch_dag", arguments(confirm=False, plan=plan), API, change.prepare)
    assert (change.applied, again.done, again.plan) == (0, False, plan)


async def test_a_confirmed_change_is_made_once() -> None:
    change = Change()
    done = await confirm(guard(), change)
    assert change.applied == 1
    assert (done.done, done.summary) == (True, "Paused sales.")
    assert (done.plan, done.next) == (None, None)


@pytest.mark.parametrize("policy", ["argument", "plan"])
async def test_a_plan_that_holds_is_carried_out(policy: str) -> None:
    ours, change = guard(confirm=policy), Change()
    done = await confirm(ours, change, await plan_of(ours, change))
    assert (done.done, change.applied) == (True, 1)


async def test_a_plan_of_another_process_is_not_known() -> None:
    plan, change = await plan_of(guard(), Change()), Change()
    assert NOT_KNOWN in await refused(guard(), change, plan)
    assert change.looked == 0


async def test_plans_cannot_be_told_beforehand() -> None:
    plans = {await plan_of(guard(), Change()) for _ in range(100)}
    assert len(plans) == 100


async def test_a_plan_is_good_once() -> None:
    ours, change = guard(), Change()
    plan = await plan_of(ours, change)
    assert (await confirm(ours, change, plan)).done is True
    change.applied = 0  # and somebody has put it back meanwhile
    assert (await refused(ours, change, plan)).startswith("plan: was used: a plan can be used once")
    again = await plan_of(ours, change)
    assert again != plan
    assert (await confirm(ours, change, again)).done is True


async def test_of_calls_at_once_with_one_plan_the_first_is_carried_out() -> None:
    ours, change = guard(), Change()
    plan = await plan_of(ours, change)
    told: list[str] = []

    async def call() -> None:
        try:
            told.append((await confirm(ours, change, plan)).summary)
        except PlanError as error:
            assert change.applied == 1  # by now: it has waited
            told.append(str(error)[:15])

    async with anyio.create_task_group() as calls:
        for _ in range(4):
            calls.start_soon(call)
    assert change.applied == 1
    assert told == ["Paused sales.", *["plan: was used:"] * 3]


@pytest.mark.parametrize("fault", [ConflictError("somebody was first"), MayHaveHappenedError("no answer")])
async def test_a_plan_whose_change_fails_is_used_up_too(fault: AirflowMcpError) -> None:
    ours, change = guard(), Change()
    plan = await plan_of(ours, change)
    change.fault = fault
    with pytest.raises(type(fault)):
        await confirm(ours, change, plan)
    change.fault = None
    assert "plan: was used" in await refused(ours, change, plan)


@pytest.mark.parametrize(
    ("then", "seen"),
    [
        ((), "Looked at again since: all of it has changed, by this call or another at the same time."),
        (("a: failed", "c: no_status"), "Looked at again since: 1 of 2 have changed so far."),
        (("a: failed", "b: failed", "c: no_status"), "Looked at again since: nothing of it has changed so far."),
    ],
)
async def test_what_came_of_a_change_whose_answer_is_lost_is_looked_at(then: Sequence[str], seen: str) -> None:
    change = Change(("a: failed", "b: failed", "c: no_status"), stays=frozenset({"c: no_status"}))
    change.fault = MayHaveHappenedError("It answered 500.", "Look.")
    change.then = then
    with pytest.raises(MayHaveHappenedError) as caught:
        await confirm(guard(), change)
    assert str(caught.value) == f"It answered 500. {seen} Look."


async def test_a_change_that_came_too_late_is_told_as_made_by_another() -> None:
    change = Change()
    change.fault = ConflictError("The present state does not allow it (409).").with_effects("Nothing was changed.")
    change.then = ()
    with pytest.raises(ConflictError, match=r"changed\. Looked at again since: all of it has changed, by another"):
        await confirm(guard(), change)


@pytest.mark.parametrize("second", [ForbiddenError("no"), None])
async def test_what_cannot_be_seen_of_a_change_stays_open(second: AirflowMcpError | None) -> None:
    change = Change(("c: no_status",), stays=frozenset({"c: no_status"}))
    change.fault, change.second = MayHaveHappenedError("It answered 500.", "Look."), second
    with pytest.raises(MayHaveHappenedError) as caught:
        await confirm(guard(), change)
    assert str(caught.value) == "It answered 500. Look."


async def test_the_plan_of_a_change_that_was_made_without_it_is_used_up_too() -> None:
    ours, change = guard(), Change()
    plan = await plan_of(ours, change)
    assert (await confirm(ours, change)).done is True
    change.applied = 0
    assert "plan: was used" in await refused(ours, change, plan)


async def test_the_policy_plan_changes_nothing_without_one() -> None:
    message = await refused(guard(confirm="plan"), Change(), None)
    assert message.startswith(
        "plan: is required: this server changes nothing without one. Nothing was changed. Preview it again, show"
    )


@pytest.mark.parametrize("plan", ["", " ", "aaaaaaaaaaaaaaaa", "null"])
async def test_a_plan_that_is_none_is_refused(plan: str) -> None:
    for policy in ("argument", "plan"):
        message = await refused(guard(confirm=policy), change := Change(), plan)
        assert NOT_KNOWN in message
        assert change.looked == 0


async def test_a_plan_of_other_arguments_is_refused() -> None:
    ours = guard()
    plan = await plan_of(ours, Change(), dag_id="other")
    message = await refused(ours, Change(), plan)
    assert message.startswith("plan: is out of date: the arguments are not those of the preview.")


async def test_a_plan_of_another_tool_is_refused() -> None:
    ours = guard()
    await refused(ours, Change(), await plan_of(ours, Change(), tool="clear_task_instances"))


async def test_what_moved_since_is_named_and_no_plan_given() -> None:
    ours, now = guard(), Change(["b", "c"])
    plan = await plan_of(ours, Change(["a", "b"]))
    message = await refused(ours, now, plan)
    assert message == (
        "plan: is out of date: it had a, and now there is c. As it is now: Pause sales. Nothing was changed. Preview "
        "it again, show that to the person, and after their yes call with its plan."
    )
    assert (await confirm(ours, now, await plan_of(ours, now))).done is True


@pytest.mark.parametrize(("new", "more"), [(MOST_DIFFERENCES, ""), (MOST_DIFFERENCES + 3, " and 3 more.")])
async def test_a_few_differences_of_a_kind_are_named(new: int, more: str) -> None:
    ours = guard()
    plan = await plan_of(ours, Change(["same"]))
    message = await refused(ours, Change(["same", *(f"item {number}" for number in range(new))]), plan)
    assert message.count("item") == MOST_DIFFERENCES == 5
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
    assert f"out of date: it had {ITEMS[0]}. As it is now: Pause sales. Nothing was changed." in message


async def test_a_change_that_fails_is_not_told_as_done() -> None:
    change = Change()
    change.fault = ConflictError("somebody else was first")
    with pytest.raises(ConflictError, match="somebody else was first"):
        await confirm(guard(), change)


async def test_previews_are_forgotten_oldest_first() -> None:
    ours = guard()
    plans = [await plan_of(ours, Change([f"state {number}"])) for number in range(REMEMBERED_PLANS + 1)]
    assert NOT_KNOWN in await refused(ours, Change(["state 0"]), plans[0])
    for number in (1, REMEMBERED_PLANS):
        message = await refused(ours, Change(), plans[number])
        assert f"it had state {number}, and now there is {ITEMS[0]}." in message


async def test_a_preview_made_again_keeps_its_plan_and_counts_as_new() -> None:
    ours, change = guard(), Change()
    plan = await plan_of(ours, change)
    for number in range(REMEMBERED_PLANS - 1):
        await plan_of(ours, Change([f"state {number}"]))
    assert await plan_of(ours, change) == plan
    await plan_of(ours, Change(["one more"]))
    assert (await confirm(ours, change, plan)).done is True


async def test_a_forgotten_preview_made_again_has_a_plan_that_holds() -> None:
    ours, change = guard(), Change()
    await plan_of(ours, change)
    for number in range(REMEMBERED_PLANS):
        await plan_of(ours, Change([f"state {number}"]))
    assert (await confirm(ours, change, await plan_of(ours, change))).done is True


async def test_a_plan_names_exactly_its_items() -> None:
    ours = guard()
    assert await plan_of(ours, Change(["a", "b"])) == await plan_of(ours, Change(["a", "b"]))
    assert await plan_of(ours, Change(["a", "b"])) != await plan_of(ours, Change(["a, b"]))


@pytest.mark.parametrize(
    ("number", "told"), [(MOST_REMEMBERED_ITEMS, "it had item 0"), (MOST_REMEMBERED_ITEMS + 1, "too large")]
)
async def test_a_large_plan_holds_and_what_moved_is_named_up_to_a_size(number: int, told: str) -> None:
    ours, change = guard(), Change([f"item {each}" for each in range(number)])
    plan = await plan_of(ours, change)
    message = await refused(ours, Change(change.items[1:]), plan)
    assert told in message
    assert (await confirm(ours, change, plan)).done is True
