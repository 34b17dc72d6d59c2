"""patch_dag: pausing and unpausing a DAG."""

from __future__ import annotations

from airflow_mcp.airflow import dags
from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.changes.prepared import Prepared
from airflow_mcp.airflow.changes.unpausing import what_starts
from airflow_mcp.airflow.route import DAGS, Route, may_edit
from airflow_mcp.airflow.writer import Writer
from airflow_mcp.models.changes import DagChange
from airflow_mcp.models.dags import Dag

PATCH = Route("PATCH", "dags/{dag_id}", may_edit(*DAGS))


class _Paused(Dag):
    is_paused: bool


async def prepare_pause(api: Api, dag_id: str, *, is_paused: bool) -> Prepared[DagChange]:
    """Pause or unpause a DAG. Route: PATCH /dags/{dag_id}. Raises NotFoundError, ForbiddenError."""
    dag = await api.read(dags.GET, _Paused, dag_id=dag_id)
    before = dag.is_paused
    items = (_item(dag),)
    verb = "Pause" if is_paused else "Unpause"
    already = f"{dag_id} is already {verb.lower()}d: nothing to change."

    async def apply(writer: Writer) -> None:
        query = {"update_mask": ["is_paused"]}
        await writer.send(PATCH, query=query, body={"is_paused": is_paused}, dag_id=dag_id)

    async def left() -> set[str]:
        return {_item(await api.read(dags.GET, _Paused, dag_id=dag_id))}

    same = before == is_paused
    starting = [] if same or is_paused else await what_starts(api, dag)
    return Prepared(
        preview=DagChange(
            done=False,
            summary=already if same else f"{verb} {dag_id}.",
            warnings=starting or None,
            url=api.links.to(dag_id),
            dag_id=dag_id,
            is_paused_before=before,
            is_paused_after=is_paused,
        ),
        done=f"{verb}d {dag_id}.",
        items=() if same else items,
        left=left,
        apply=apply,
    )


def _item(dag: _Paused) -> str:
    return f"{dag.dag_id} is_paused={dag.is_paused}"
