"""The events of assets that a DAG has got since its last run."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import Route, may_read
from airflow_mcp.errors import NotFoundError
from airflow_mcp.models.base import Answer

GET_IN_2 = Route("GET", "dags/{dag_id}/datasets/queuedEvent", may_read("DAGs", "Datasets"))
GET = Route("GET", "dags/{dag_id}/assets/queuedEvents", may_read("DAGs", "Assets"))


class _Event(Answer):
    asset: int | str = Field(validation_alias=AliasChoices("asset_id", "uri"))


class _Events(Answer):
    queued_events: list[_Event]


async def queued_events(api: Api, dag_id: str) -> set[int | str]:
    """The assets that have an event for a DAG: their ids on Airflow 3, their URIs on 2.

    Route: GET /dags/{dag_id}/datasets/queuedEvent on Airflow 2, GET /dags/{dag_id}/assets/queuedEvents on 3.
    """
    try:
        answer = await api.read(GET_IN_2 if api.release < (3, 0) else GET, _Events, dag_id=dag_id)
    except NotFoundError:  # most releases say so of none
        return set()
    return {event.asset for event in answer.queued_events}
