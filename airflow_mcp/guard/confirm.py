"""No change without `confirm=true`, and none that differs from the preview whose plan is given."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from airflow_mcp.errors import AirflowMcpError, PlanError
from airflow_mcp.models.changes import ChangeArguments, ChangeT, Prepared
from airflow_mcp.models.diagnosis import NextStep
from airflow_mcp.settings import Settings

REMEMBERED_PLANS = 256
MOST_REMEMBERED_ITEMS = 1000
MOST_DIFFERENCES = 10

_DONE = "Done: "


class Guard:
    """Carries out changes under the settings' policy. Remembers what it previewed, to tell what moved since."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._previewed: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    async def carry_out(self, tool: str, args: ChangeArguments, change: Prepared[ChangeT]) -> ChangeT:
        """Preview a change, or make it.

        With `confirm=false` the preview comes back with its plan. With `confirm=true` the change is made, once;
        a plan that no longer fits, or that the policy wants and is not there, raises PlanError, and nothing
        was sent.
        """
        plan = self._plan(tool, args, change.items)
        if not args.confirm:
            return self._preview(plan, change)
        if args.plan is not None and args.plan != plan:
            raise PlanError(self._drift(args.plan, plan, change))
        if args.plan is None and self._settings.confirm == "plan":
            raise PlanError(
                "plan: this server changes nothing without one. Call with confirm=false, show the preview, then "
                "call again with confirm=true and its plan. Nothing was changed."
            )
        if not change.items:
            return change.preview
        known_now = await change.apply() or {}
        return change.preview.model_copy(update={"done": True, "summary": _DONE + change.preview.summary, **known_now})

    async def next_step(
        self, tool: str, args: ChangeArguments, prepare: Callable[[], Awaitable[Prepared[ChangeT]]]
    ) -> NextStep | None:
        """A change that is ready to be confirmed, with its preview; None where there is none, or none may be made."""
        if self._settings.read_only:
            return None
        try:
            shown = await self.carry_out(tool, args.model_copy(update={"confirm": False}), await prepare())
        except AirflowMcpError:
            return None  # this is advice: what was asked for is answered without it
        if shown.plan is None:
            return None
        arguments = args.model_dump(mode="json", exclude_unset=True) | {"confirm": True, "plan": shown.plan}
        return NextStep(tool=tool, arguments=arguments, preview=shown.summary)

    def _preview(self, plan: str, change: Prepared[ChangeT]) -> ChangeT:
        if not change.items:
            return change.preview
        if len(change.items) <= MOST_REMEMBERED_ITEMS:
            self._previewed[plan] = change.items
            self._previewed.move_to_end(plan)
        while len(self._previewed) > REMEMBERED_PLANS:
            self._previewed.popitem(last=False)
        following = f"Nothing was changed. To do it: the same arguments with confirm=true and plan={plan}."
        return change.preview.model_copy(update={"plan": plan, "next": following})

    def _plan(self, tool: str, args: ChangeArguments, items: Sequence[str]) -> str:
        """The name of exactly this change here: another argument, instance, thing or state gives another."""
        arguments = args.model_dump(mode="json", exclude={"confirm", "plan"})
        text = json.dumps([self._settings.url, tool, arguments, list(items)], sort_keys=True)
        return base64.b32encode(hashlib.sha256(text.encode()).digest()[:10]).decode().lower()

    def _drift(self, given: str, plan: str, change: Prepared[ChangeT]) -> str:
        before = self._previewed.get(given)
        if before is None:
            moved = "it belongs to other arguments, or the preview is long ago, or was too large to keep"
        else:
            gone = [f"-{item}" for item in sorted(set(before) - set(change.items))]
            new = [f"+{item}" for item in sorted(set(change.items) - set(before))]
            differences = gone + new
            more = f" and {len(differences) - MOST_DIFFERENCES} more" if len(differences) > MOST_DIFFERENCES else ""
            moved = "; ".join(differences[:MOST_DIFFERENCES]) + more if differences else "the arguments differ"
        return (
            f"plan: {given} no longer holds: {moved}. Nothing was changed. As it is now: {change.preview.summary} "
            f"Its plan is {plan}."
        )
