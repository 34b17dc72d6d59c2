"""The DAGs that wait on the assets of another one."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import AliasChoices, Field

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import Route, may_read
from airflow_mcp.models.base import Answer

GET_IN_2 = Route("GET", "datasets", may_read("Datasets"))
GET = Route("GET", "assets", may_read("Assets", "Asset Aliases"))
LIMIT = 100


class _Task(Answer):
    dag_id: str
    task_id: str


class _Dag(Answer):
    dag_id: str


class _Asset(Answer):
    uri: str
    scheduled_dags: list[_Dag] = Field(validation_alias=AliasChoices("scheduled_dags", "consuming_dags"))
    producing_tasks: list[_Task]


class _Assets(Answer):
    assets: list[_Asset] = Field(validation_alias=AliasChoices("assets", "datasets"))


async def dags_waiting_for(api: Api, dag_id: str, task_ids: Collection[str]) -> list[str]:
    """The DAGs that are scheduled on assets of these tasks, each with the asset: `reports (s3://orders)`.

    None before Airflow 2.9, which does not find assets by DAG. Route: GET /assets, on Airflow 2 GET /datasets.
    """
    if api.release < (2, 9) or not task_ids:
        return []
    route = GET_IN_2 if api.release < (3, 0) else GET
    answer = await api.read(route, _Assets, query={"dag_ids": dag_id, "limit": LIMIT})
    found = {
        consumer.dag_id: asset.uri
        for asset in reversed(answer.assets)
        if any(task.dag_id == dag_id and task.task_id in task_ids for task in asset.producing_tasks)
        for consumer in asset.scheduled_dags
    }
    return [f"{each} ({found[each]})" for each in sorted(found)]
