"""Resources: what tools tell of a DAG, its code, a run or a log, each at an address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from airflow_mcp.errors import UnknownNameError

INSTANCE = "default"
"""The one Airflow that there is."""


@dataclass(frozen=True)
class ResourceSpec:
    """A template of addresses, and the tool that answers for them."""

    name: str
    title: str
    description: str
    template: str
    tool: str

    def ids(self, address: str) -> dict[str, str] | None:
        """The ids in an address; None for one of another template."""
        segments, wanted = address.split("/"), self.template.split("/")
        if len(segments) != len(wanted):
            return None
        found = {}
        for segment, name in zip(segments, wanted, strict=True):
            if name.startswith("{"):
                found[name.strip("{}")] = unquote(segment)
            elif segment != name:
                return None
        return found


_DAG = "airflow://{instance}/dags/{dag_id}"
_RUN = f"{_DAG}/runs/{{dag_run_id}}"
RESOURCES = (
    ResourceSpec("dag", "A DAG", "As get_dag tells of it.", _DAG, "get_dag"),
    ResourceSpec(
        "dag_source", "The code of a DAG", "Its file, as get_dag_source shows it.", f"{_DAG}/source", "get_dag_source"
    ),
    ResourceSpec("dag_run", "A DAG run", "As get_dag_run tells of it.", _RUN, "get_dag_run"),
    ResourceSpec(
        "task_log",
        "The log of a task",
        "What tells of errors, else the end.",
        f"{_RUN}/tasks/{{task_id}}/log",
        "get_task_log",
    ),
)


def resource_at(address: str) -> tuple[ResourceSpec, dict[str, str]]:
    """What is at an address: its template, and the arguments for its tool.

    Raises UnknownNameError, which lists the templates, or names the instance that there is.
    """
    for spec in RESOURCES:
        if ids := spec.ids(address):
            if (instance := ids.pop("instance")) != INSTANCE:
                raise UnknownNameError(f"Unknown instance: {instance}. There is: {INSTANCE}.")
            return spec, ids
    raise UnknownNameError(
        f"No resource has this address. There are: {', '.join(each.template for each in RESOURCES)}."
    )
