"""The toolset `backfills`: runs for dates that have passed, many at once."""

from airflow_mcp.models.backfills import (
    BackfillChange,
    BackfillList,
    CreateBackfill,
    GetBackfills,
    NewBackfill,
    SteerBackfill,
)
from airflow_mcp.tools.context import App
from airflow_mcp.tools.spec import tool


@tool("List a DAG's backfills")
async def get_backfills(app: App, args: GetBackfills) -> BackfillList:
    """A DAG's backfills, newest first: range, paused, completed. Airflow 3."""
    return await app.backfills.find(args)


@tool("Create a backfill", changes=True, destructive=True, idempotent=False)
async def create_backfill(app: App, args: CreateBackfill) -> NewBackfill:
    """Run a scheduled DAG for a range of past dates. Airflow 3."""
    return await app.guard.carry_out("create_backfill", args, await app.backfills.prepare_new(args))


@tool("Pause a backfill", changes=True)
async def pause_backfill(app: App, args: SteerBackfill) -> BackfillChange:
    """Let a backfill start no more runs. Airflow 3."""
    return await app.guard.carry_out("pause_backfill", args, await app.backfills.prepare("pause", args))


@tool("Unpause a backfill", changes=True)
async def unpause_backfill(app: App, args: SteerBackfill) -> BackfillChange:
    """Let a paused backfill go on. Airflow 3."""
    return await app.guard.carry_out("unpause_backfill", args, await app.backfills.prepare("unpause", args))


@tool("Cancel a backfill", changes=True, destructive=True)
async def cancel_backfill(app: App, args: SteerBackfill) -> BackfillChange:
    """End a backfill for good; queued runs become failed, running ones go on. Airflow 3."""
    return await app.guard.carry_out("cancel_backfill", args, await app.backfills.prepare("cancel", args))
