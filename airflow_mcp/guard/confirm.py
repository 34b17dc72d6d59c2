"""No change without `confirm=true`, and none that differs from the preview whose plan is given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence

from airflow_mcp.airflow.api import Api, Server
from airflow_mcp.airflow.changes.prepared import ChangeT, Prepared
from airflow_mcp.airflow.writer import Writer
from airflow_mcp.errors import NOTHING_CHANGED, AirflowMcpError, ConflictError, MayHaveHappenedError, PlanError
from airflow_mcp.guard.plans import Plans
from airflow_mcp.models.changes import ChangeArguments, ConfirmedArguments
from airflow_mcp.settings import Policy

MOST_DIFFERENCES = 5  # of what is gone, and of what is new

Prepare = Callable[[], Awaitable[Prepared[ChangeT]]]
"""Looks at what would be changed."""

_PREVIEW_AGAIN = "Preview it again, show that to the person, and after their yes call with its plan."


class Guard:
    """Carries out changes of one Airflow under a policy. Remembers what it previewed, to tell what moved since."""

    def __init__(self, policy: Policy, server: Server) -> None:
        self._policy = policy
        self._server = server
        self._plans = Plans()

    async def preview(self, tool: str, args: ChangeArguments, prepare: Prepare[ChangeT]) -> ChangeT:
        """Show what this tool would change, with the plan for it."""
        change = await prepare()
        return self._shown(tool, self._digest(tool, args, change.items), change)

    async def carry_out(self, tool: str, args: ConfirmedArguments, api: Api, prepare: Prepare[ChangeT]) -> ChangeT:
        """Preview a change, or make it.

        With `confirm=false` the preview comes back with its plan. With
        `confirm=true` the change is made, once; a plan that is out of date or was used, or that the policy wants
        and is not there, raises PlanError, and nothing was sent. Calls with one plan wait for each other. Raises
        MayHaveHappenedError where the outcome is not known, with what a second look tells of it.
        """
        if args.confirm and args.plan is not None:
            return await self._as_planned(tool, args, args.plan, api, prepare)
        if args.confirm and self._policy.confirm == "plan":
            raise _refused("is required: this server changes nothing without one.")
        if not args.confirm:
            return await self.preview(tool, args, prepare)
        change = await prepare()
        return await self._make(self._digest(tool, args, change.items), change, api)

    async def _as_planned(
        self, tool: str, args: ConfirmedArguments, plan: str, api: Api, prepare: Prepare[ChangeT]
    ) -> ChangeT:
        previewed = self._plans.get(plan)
        if previewed is None:
            raise _refused(
                "is not known to this server: no preview of it gave this plan, or it did so before this server "
                "started, or long ago."
            )
        async with previewed.lock:
            if previewed.used:
                raise _refused("was used: a plan can be used once, whether its change worked or not.")
            change = await prepare()
            digest = self._digest(tool, args, change.items)
            if digest != previewed.change:
                moved = _moved(previewed.items, change.items)
                raise _refused(f"is out of date: {moved}. As it is now: {change.preview.summary}")
            return await self._make(digest, change, api)

    async def _make(self, digest: str, change: Prepared[ChangeT], api: Api) -> ChangeT:
        if not change.items:
            return change.preview
        self._plans.use_up(digest)
        try:
            await change.apply(Writer(self._server, api))
        except (MayHaveHappenedError, ConflictError) as error:
            raise await _looked_again(error, change) from None
        return change.preview.model_copy(update={"done": True, "summary": change.done})

    def _shown(self, tool: str, digest: str, change: Prepared[ChangeT]) -> ChangeT:
        if not change.items:
            return change.preview
        if self._server.instance.read_only:
            following = f"{NOTHING_CHANGED} This server is read-only: it can show this change and not make it."
            return change.preview.model_copy(update={"next": following})
        plan = self._plans.add(digest, change.items)
        following = (
            f"{NOTHING_CHANGED} Show this to the person. Only after their yes: {tool} with the same arguments, "
            f"confirm=true and plan={plan}."
        )
        return change.preview.model_copy(update={"plan": plan, "next": following})

    def _digest(self, tool: str, args: ChangeArguments, items: Sequence[str]) -> str:
        """Of exactly this change: another argument, instance, thing or state gives another."""
        arguments = args.model_dump(mode="json", exclude={"confirm", "plan"})
        text = json.dumps([self._server.instance.url, tool, arguments, list(items)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


async def _looked_again(error: AirflowMcpError, change: Prepared[ChangeT]) -> AirflowMcpError:
    """The error of a change whose outcome is not known, or that came too late, with what is seen of it since."""
    expected = set(change.items) - change.stays
    if not expected:
        return error
    try:
        left = expected.intersection(await change.left())
    except AirflowMcpError:
        return error
    if not left:
        by = "another call" if isinstance(error, ConflictError) else "this call or another"
        seen = f"all of it has changed, by {by} at the same time."
    elif left == expected:
        seen = "nothing of it has changed so far."
    else:
        seen = f"{len(expected) - len(left)} of {len(expected)} have changed so far."
    return error.with_effects(f"{error.effects} Looked at again since: {seen}".strip())


def _refused(problem: str) -> PlanError:
    return PlanError(f"plan: {problem}", _PREVIEW_AGAIN).with_effects(NOTHING_CHANGED)


def _moved(before: Sequence[str] | None, now: Sequence[str]) -> str:
    """What differs from a preview, in short."""
    if before is None:
        return "something moved, or the arguments differ (the preview was too large to keep)"
    gone, new = sorted(set(before) - set(now)), sorted(set(now) - set(before))
    if not gone and not new:
        return "the arguments are not those of the preview"
    told = [*_listed("it had", gone), *_listed("now there is", new)]
    return ", and ".join(told)


def _listed(what: str, items: Sequence[str]) -> list[str]:
    more = f" and {len(items) - MOST_DIFFERENCES} more" if len(items) > MOST_DIFFERENCES else ""
    return [f"{what} {'; '.join(items[:MOST_DIFFERENCES])}{more}"] if items else []
