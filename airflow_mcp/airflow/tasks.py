"""The tasks of a DAG, and their graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.graph import running_order, upstream_of
from airflow_mcp.airflow.route import TASKS, Route, may_read
from airflow_mcp.errors import NotFoundError, UnfitAnswerError
from airflow_mcp.ids import near
from airflow_mcp.models.base import Answer
from airflow_mcp.models.tasks import Task, TaskDetails, TaskList

LIST = Route("GET", "dags/{dag_id}/tasks", may_read(*TASKS))
GET = Route("GET", "dags/{dag_id}/tasks/{task_id}", may_read(*TASKS))


class TaskRow(Task):
    """A task as Airflow lists it."""

    upstream_task_ids: list[str] = Field(default_factory=list)
    downstream_task_ids: Annotated[list[str], BeforeValidator(lambda told: told or [])]
    depends_on_past: bool | None = None
    wait_for_downstream: bool | None = None

    @property
    def looks_back(self) -> bool:
        """Whether it waits for itself in the run before."""
        return bool(self.depends_on_past or self.wait_for_downstream)


class _Tasks(Answer):
    tasks: list[TaskRow]


async def list_tasks(
    api: Api, dag_id: str, *, limit: int = 25, offset: int = 0, order_by: str | None = None
) -> TaskList:
    """A page of a DAG's tasks, in the order in which they run unless `order_by` says otherwise.

    Route: GET /dags/{dag_id}/tasks. Raises NotFoundError.
    """
    tasks = await all_tasks(api, dag_id, order_by)
    note = None if tasks else "This DAG has no tasks."
    page = tasks[offset : offset + limit]
    return TaskList.of(page, len(tasks), offset, note, dag_id=dag_id, url=api.links.to(dag_id))


async def get_task(api: Api, dag_id: str, task_id: str) -> TaskDetails:
    """One task. Route: GET /dags/{dag_id}/tasks/{task_id}, and the list for what is upstream.

    Where the list cannot be had for another task's sake, a note says so. Raises NotFoundError, with near ids for a task
    that there is not.
    """
    url = api.links.to(dag_id, task_id=task_id)
    try:
        tasks = {task.task_id: task for task in await all_tasks(api, dag_id)}
    except UnfitAnswerError as error:  # it may be for another task
        details = await api.read(GET, TaskDetails, dag_id=dag_id, task_id=task_id)
        note = f"What is upstream is not known. {error.what}"
        return details.model_copy(update={"url": url, "upstream_task_ids": None, "note": note})
    require_tasks([task_id], tasks, dag_id)
    details = await api.read(GET, TaskDetails, dag_id=dag_id, task_id=task_id)
    neighbours = tasks[task_id].model_dump(include={"upstream_task_ids", "downstream_task_ids"})
    return details.model_copy(update={"url": url, **neighbours})


async def all_tasks(api: Api, dag_id: str, order_by: str | None = None) -> list[TaskRow]:
    """All tasks of a DAG with their neighbours. Route: GET /dags/{dag_id}/tasks. Raises as list_tasks does."""
    query = {"order_by": order_by} if order_by else None
    rows = (await api.read(LIST, _Tasks, query=query, dag_id=dag_id)).tasks
    downstream = {row.task_id: sorted(row.downstream_task_ids) for row in rows}
    upstream = upstream_of(downstream)
    if order_by is None:
        place = running_order(downstream)
        rows.sort(key=lambda row: place[row.task_id])
    return [row.model_copy(update=_neighbours(row.task_id, downstream, upstream)) for row in rows]


async def depending_on_past(api: Api, dag_id: str) -> list[str]:
    """The tasks that wait for themselves in the run before. Route: GET /dags/{dag_id}/tasks."""
    return [row.task_id for row in await all_tasks(api, dag_id) if row.looks_back]


def require_tasks(task_ids: Sequence[str], known: Collection[str], dag_id: str) -> None:
    """Refuse task ids that the DAG does not have, with near ones that it has. Raises NotFoundError."""
    for task_id in task_ids:
        if task_id not in known:
            in_groups = [each for each in known if each.endswith(f".{task_id}")]
            likely = in_groups[:3] or near(task_id, known, most=3, cutoff=0.5)
            hint = f"Did you mean {', '.join(likely)}?" if likely else "get_tasks lists its tasks."
            raise NotFoundError(f"DAG {dag_id} has no task {task_id!r}. {hint}")


def _neighbours(
    task_id: str, downstream: Mapping[str, Sequence[str]], upstream: Mapping[str, Sequence[str]]
) -> dict[str, Sequence[str]]:
    return {"upstream_task_ids": sorted(upstream[task_id]), "downstream_task_ids": downstream[task_id]}
