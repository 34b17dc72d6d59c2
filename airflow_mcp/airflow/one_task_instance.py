"""One task instance: its state, its tries, and what is behind it."""

from __future__ import annotations

from typing import Any, TypedDict, TypeVar

from pydantic import RootModel

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.durations import seconds_taken
from airflow_mcp.airflow.mapped import ranges
from airflow_mcp.airflow.route import TASK_INSTANCES, Route, may_read
from airflow_mcp.airflow.task_instance_lists import all_of_run, require_in_run
from airflow_mcp.airflow.task_instances import FAILED
from airflow_mcp.airflow.together import together
from airflow_mcp.errors import NotFoundError, RouteMissingError
from airflow_mcp.models.base import Answer
from airflow_mcp.models.states import NO_STATUS
from airflow_mcp.models.task_instances import TaskInstanceDetails, Try

ONE = "dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}"
GET = Route("GET", ONE, may_read(*TASK_INSTANCES))
GET_MAPPED = Route("GET", f"{ONE}/{{map_index}}", may_read(*TASK_INSTANCES))
LIST_TRIES = Route("GET", f"{ONE}/tries", may_read(*TASK_INSTANCES))
LIST_TRIES_MAPPED = Route("GET", f"{ONE}/{{map_index}}/tries", may_read(*TASK_INSTANCES))
GET_LINKS = Route("GET", f"{ONE}/links", may_read(*TASK_INSTANCES))
GET_DEPENDENCIES = Route("GET", f"{ONE}/dependencies", may_read(*TASK_INSTANCES))
GET_DEPENDENCIES_MAPPED = Route("GET", f"{ONE}/{{map_index}}/dependencies", may_read(*TASK_INSTANCES))
UNSCHEDULED = "Task Instance State"
"""A reason that comes with every task instance that is not scheduled yet, and says no more than that."""

ShapeT = TypeVar("ShapeT", bound=Answer)


class Ids(TypedDict):
    """What names a task instance in a route."""

    dag_id: str
    dag_run_id: str
    task_id: str


class _Tries(Answer):
    task_instances: list[Try]


class _Links(Answer):
    extra_links: dict[str, str | None]


class _LinksOf2(RootModel[dict[str, Any]]):
    pass


class Dependency(Answer):
    """Why the scheduler does not run a task instance, as Airflow tells it."""

    name: str
    reason: str | None = None


class _Dependencies(Answer):
    dependencies: list[Dependency]


async def get_task_instance(
    api: Api, dag_id: str, dag_run_id: str, task_id: str, *, map_index: int | None = None, rendered_fields: bool = False
) -> TaskInstanceDetails:
    """One task instance with its tries, the links of its operator, and what it waits for.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}, and those below it for tries, links and
    dependencies. Raises NotFoundError, which names the map indexes that there are.
    """
    ids = Ids(dag_id=dag_id, dag_run_id=dag_run_id, task_id=task_id)
    instance, tries, links, waits_for = await together(
        lambda: read_instance(api, ids, map_index, TaskInstanceDetails),
        lambda: read_tries(api, ids, map_index),
        lambda: _links(api, ids, map_index),
        lambda: _waits_for(api, ids, map_index),
    )
    update = {
        **ids,
        "map_index": map_index,
        "duration_seconds": seconds_taken(instance),
        "state": instance.state or NO_STATUS,
        "tries": tries or None,
        "extra_links": links or None,
        "waits_for": waits_for or None,
        "rendered_fields": instance.rendered_fields if rendered_fields else None,
        "url": api.links.to(**ids, map_index=map_index),
    }
    details: TaskInstanceDetails = instance.model_copy(update=update)
    return details


async def read_instance(api: Api, ids: Ids, map_index: int | None, shape: type[ShapeT]) -> ShapeT:
    """A task instance. Raises NotFoundError, which names the map indexes that there are."""
    try:
        return await _read(api, (GET, GET_MAPPED), ids, map_index, shape)
    except NotFoundError:
        raise await _what_there_is(api, ids) from None


async def read_tries(api: Api, ids: Ids, map_index: int | None) -> list[Try]:
    """The tries of a task instance, the latest included; none before Airflow 2.10, which does not tell."""
    try:
        return (await _read(api, (LIST_TRIES, LIST_TRIES_MAPPED), ids, map_index, _Tries)).task_instances
    except (RouteMissingError, NotFoundError):
        return []


async def _read(api: Api, routes: tuple[Route, Route], ids: Ids, map_index: int | None, shape: type[ShapeT]) -> ShapeT:
    """What the one route tells of a plain task, or the other of a mapped one."""
    plain, mapped = routes
    if map_index is None:
        return await api.read(plain, shape, **ids)
    return await api.read(mapped, shape, **ids, map_index=map_index)


async def _links(api: Api, ids: Ids, map_index: int | None) -> dict[str, str]:
    """None for a mapped one before Airflow 2.10, which cannot be asked for its links."""
    if map_index is not None and api.release < (2, 10):
        return {}
    query = None if map_index is None else {"map_index": map_index}
    try:
        if api.release < (3, 0):
            links: dict[str, Any] = (await api.read(GET_LINKS, _LinksOf2, query=query, **ids)).root
        else:
            links = dict((await api.read(GET_LINKS, _Links, query=query, **ids)).extra_links)
    except NotFoundError:  # of a task that is in the DAG no more, or of a task instance that there is not
        return {}
    return {name: link for name, link in links.items() if link and isinstance(link, str)}


async def _waits_for(api: Api, ids: Ids, map_index: int | None) -> list[str]:
    return [f"{each.name}: {each.reason}" for each in await dependencies(api, ids, map_index)]


async def dependencies(api: Api, ids: Ids, map_index: int | None) -> list[Dependency]:
    """The scheduler's reasons, which Airflow tells of what is not scheduled yet; none before 2.10.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/dependencies.
    """
    if api.release < (2, 10):
        return []
    routes = (GET_DEPENDENCIES, GET_DEPENDENCIES_MAPPED)
    try:
        reasons = (await _read(api, routes, ids, map_index, _Dependencies)).dependencies
    except NotFoundError:
        return []
    return [each for each in reasons if each.name != UNSCHEDULED]


async def _what_there_is(api: Api, ids: Ids) -> NotFoundError:
    """What to say of a task instance that there is not: for a mapped task, which map indexes there are.

    Raises NotFoundError where it is the DAG, the run or the task that is not there.
    """
    rows = await all_of_run(api, **ids)
    mapped = {row.map_index: row.state for row in rows if row.map_index is not None}
    task = ids["task_id"]
    if mapped:
        failed = ranges(index for index, state in mapped.items() if state in FAILED)
        some = f"; failed: {failed}" if failed else ""
        return NotFoundError(f"map_index: task {task} is mapped, with map indexes {ranges(mapped)} in this run{some}.")
    if not rows:
        await require_in_run(api, **ids)
    return NotFoundError(f"map_index: task {task} is not mapped in this run; leave map_index out.")
