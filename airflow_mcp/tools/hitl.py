"""The toolset `hitl`: the decisions that tasks wait for, human in the loop."""

from airflow_mcp.models.hitl import GetHitlDetails, HitlAnswer, HitlDetailList, RespondHitl
from airflow_mcp.tools.context import App
from airflow_mcp.tools.spec import tool


@tool("List human decisions", user_text=True)
async def get_hitl_details(app: App, args: GetHitlDetails) -> HitlDetailList:
    """Tasks that wait for a human decision: question, options, params, who may answer. Airflow 3.1."""
    return await app.hitl.find(args)


@tool("Answer a human decision", changes=True, destructive=True, idempotent=False, user_text=True)
async def respond_hitl(app: App, args: RespondHitl) -> HitlAnswer:
    """Give a waiting task its answer, in a human's name: ask the human first. Airflow 3.1."""
    return await app.guard.carry_out("respond_hitl", args, await app.hitl.prepare(args))
