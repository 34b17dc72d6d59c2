"""Whether Airflow's own parts work: its database, scheduler, triggerer and DAG processor."""

from __future__ import annotations

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import Route
from airflow_mcp.models.base import Answer, Moment

GET_IN_2 = Route("GET", "health")
GET = Route("GET", "monitor/health")


class _Part(Answer):
    status: str | None = None
    latest_scheduler_heartbeat: Moment | None = None
    latest_triggerer_heartbeat: Moment | None = None
    latest_dag_processor_heartbeat: Moment | None = None


class _Health(Answer):
    metadatabase: _Part | None = None
    scheduler: _Part
    triggerer: _Part | None = None
    dag_processor: _Part | None = None


class Component(Answer):
    """A part of Airflow's: a process, or its database."""

    name: str
    healthy: bool | None
    """None where none ever ran: on Airflow 2 the DAG processor is mostly a part of the scheduler."""
    heartbeat: Moment | None


async def components(api: Api) -> dict[str, Component]:
    """The metadatabase; scheduler, triggerer and dag_processor, unhealthy after 30 s without a heartbeat.

    Route: GET /health on Airflow 2, GET /monitor/health on 3.
    """
    health = await api.read(GET_IN_2 if api.release < (3, 0) else GET, _Health)
    parts = {
        "metadatabase": (health.metadatabase, None),
        "scheduler": (health.scheduler, health.scheduler.latest_scheduler_heartbeat),
        "triggerer": (health.triggerer, health.triggerer and health.triggerer.latest_triggerer_heartbeat),
        "dag_processor": (
            health.dag_processor,
            health.dag_processor and health.dag_processor.latest_dag_processor_heartbeat,
        ),
    }
    return {
        name: Component(name=name, healthy=part.status == "healthy" if part and part.status else None, heartbeat=beat)
        for name, (part, beat) in parts.items()
    }
