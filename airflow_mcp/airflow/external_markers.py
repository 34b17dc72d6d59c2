"""Releases of Airflow that fail where an ExternalTaskMarker is cleared."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.tasks import all_tasks
from airflow_mcp.errors import NeedsVersionError, ServerFaultError
from airflow_mcp.models.tasks import Task

_OPERATOR = "ExternalTaskMarker"
"""Airflow goes by the name as well."""


def external_markers(tasks: Iterable[Task]) -> list[str]:
    """The tasks behind which Airflow clears another DAG."""
    return [task.task_id for task in tasks if task.operator == _OPERATOR]


async def explain_fault(api: Api, dag_id: str, fault: ServerFaultError) -> None:
    """Raise a ServerFaultError that says why, where a clear fails on Airflow 3.0 for a marker."""
    markers = external_markers(await all_tasks(api, dag_id)) if api.release == (3, 0) else []
    if markers:
        raise ServerFaultError(
            f"{fault.what} {api.airflow} does so to each clear that reaches an {_OPERATOR}, and {dag_id} has one: "
            f"{markers[0]}.",
            "Airflow 3.1 can. Here, clear the tasks before it by name, without include_downstream.",
        )


def refuse_half_done(api: Api, dag_id: str, markers: Iterable[str]) -> None:
    """Refuse to set a state after which these markers would be cleared: before 2.9 Airflow stops half way.

    Raises NeedsVersionError.
    """
    names = list(markers)
    if names and api.release < (2, 9):
        raise NeedsVersionError(
            "Setting a state after which an ExternalTaskMarker is cleared",
            "Airflow 2.9",
            f"{api.airflow} sets it, answers 500 and clears nothing. Clear {names[0]} of {dag_id} first "
            "(clear_task_instances), then set the state.",
        )
