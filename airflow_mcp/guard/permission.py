"""Whether a user may make a change, found out with one that Airflow refuses."""

from __future__ import annotations

from airflow_mcp.airflow.api import Api, Server
from airflow_mcp.airflow.changes.pause import PATCH
from airflow_mcp.airflow.writer import Writer


async def try_to_pause(server: Server, api: Api, dag_id: str, *, is_paused: bool) -> None:
    """Ask for a change of a DAG's id. Route: PATCH /dags/{dag_id}.

    Raises ForbiddenError for who may not pause it, and RejectedError for who may: Airflow looks at the permission
    first, and then refuses a mask that names another field than `is_paused`.
    """
    mask = {"update_mask": ["dag_id"]}
    await Writer(server, api).send(PATCH, query=mask, body={"is_paused": is_paused}, dag_id=dag_id)
