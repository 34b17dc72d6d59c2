"""Finding task instances: what a clear would touch, and in which state each of them is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Generic, TypeVar

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dag_lists import PAGE
from airflow_mcp.airflow.external_markers import explain_fault
from airflow_mcp.airflow.mapped import label
from airflow_mcp.airflow.names import renamed
from airflow_mcp.airflow.route import TASK_INSTANCES, Route, may_edit, may_read
from airflow_mcp.airflow.runs import require_logical_date
from airflow_mcp.errors import NOTHING_CHANGED, ConflictError, ServerFaultError, TooLargeError
from airflow_mcp.models.base import Answer
from airflow_mcp.models.changes import Relatives
from airflow_mcp.models.states import NO_STATUS
from airflow_mcp.release import Release

LIST = Route("POST", "dags/~/dagRuns/~/taskInstances/list", may_read(*TASK_INSTANCES), lists=True)
CLEAR = Route("POST", "dags/{dag_id}/clearTaskInstances", may_edit(*TASK_INSTANCES), dry_run="body")
FAILED = frozenset({"failed", "upstream_failed"})
MOST_INSTANCES = 10_000
MOST_IDS = 100  # in one request
MOST_COMPARED = 1000  # that are listed only to tell what a change leaves out, or what moves besides
NEIGHBOURS = ("include_future", "include_past")
RELATIVES = tuple(Relatives.model_fields)


@dataclass(frozen=True, order=True)
class TaskInstance:
    """One task instance; `map_index` is -1 for a task that is not mapped, as Airflow has it."""

    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: int
    state: str

    @property
    def label(self) -> str:
        """The task's id, with the map index of a mapped one."""
        return label(self.task_id, self.map_index)

    def __str__(self) -> str:
        return f"{self.dag_id} {self.dag_run_id} {self.label}: {self.state}"

    @property
    def ids(self) -> dict[str, str | int]:
        """What stands for it in a route."""
        return {
            "dag_id": self.dag_id,
            "dag_run_id": self.dag_run_id,
            "task_id": self.task_id,
            "map_index": self.map_index,
        }

    @property
    def reference(self) -> tuple[str, str, str]:
        """What Airflow 2's dry runs tell of it: DAG, run and task, without map index and state."""
        return self.dag_id, self.dag_run_id, self.task_id


class Reference(Answer):
    """What Airflow 2's dry runs tell of a task instance."""

    dag_id: str
    dag_run_id: str
    task_id: str


class Row(Reference):
    """What all other answers tell of it."""

    map_index: int
    state: str | None


class _References(Answer):
    task_instances: list[Reference]


class Rows(Answer):
    """Some task instances."""

    task_instances: list[Row]


RowT = TypeVar("RowT", bound=Answer)


class InstancesPage(Answer, Generic[RowT]):
    """A page of task instances, and how many there are."""

    task_instances: list[RowT]
    total_entries: int


_Page = InstancesPage[Row]


async def would_clear(api: Api, dag_id: str, body: Mapping[str, Any]) -> list[TaskInstance]:
    """What a clear with this body would touch, and in which state it is.

    Route: POST /dags/{dag_id}/clearTaskInstances with dry_run. Raises NotFoundError for an unknown run.
    """
    if api.release >= (3, 0):
        try:
            return from_airflow((await api.dry_run(CLEAR, Rows, body, dag_id=dag_id)).task_instances)
        except ServerFaultError as fault:
            await explain_fault(api, dag_id, fault)
            raise
    references = (await api.dry_run(CLEAR, _References, body, dag_id=dag_id)).task_instances
    return await _with_states(api, references, body)


async def _with_states(api: Api, references: Sequence[Reference], body: Mapping[str, Any]) -> list[TaskInstance]:
    """Airflow 2 tells neither map index nor state: find those that its references stand for."""
    states = FAILED if body.get("only_failed") else {"running"} if body.get("only_running") else None
    candidates = await of_references(api, references)
    return matching(references, (each for each in candidates if states is None or each.state in states))


async def unchanged(api: Api, instances: Sequence[TaskInstance]) -> list[TaskInstance]:
    """Those that are in the same state as before. Route: POST /dags/~/dagRuns/~/taskInstances/list."""
    now = set(await of_references(api, instances))
    return [each for each in instances if each in now]


async def of_references(api: Api, references: Sequence[Reference | TaskInstance]) -> list[TaskInstance]:
    """All task instances of the tasks and runs of these references. Raises TooLargeError over MOST_INSTANCES.

    A request names MOST_IDS runs and tasks at most: Airflow puts each into one expression, which databases bound.
    """
    if len(references) > MOST_INSTANCES:
        raise too_many(len(references))
    found: list[TaskInstance] = []
    for dag_id in sorted({row.dag_id for row in references}):
        of_dag = [row for row in references if row.dag_id == dag_id]
        run_ids, task_ids = sorted({row.dag_run_id for row in of_dag}), sorted({row.task_id for row in of_dag})
        for some_runs, some_tasks in product(_portions(run_ids), _portions(task_ids)):
            body = {"dag_ids": [dag_id], "dag_run_ids": some_runs, "task_ids": some_tasks}
            found += await _pages(api, body, MOST_INSTANCES - len(found))
    return found


def _portions(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + MOST_IDS] for start in range(0, len(ids), MOST_IDS)]


async def of_runs(api: Api, dag_id: str, dag_run_ids: Iterable[str], most: int) -> list[TaskInstance]:
    """All task instances of some runs; none where they are more than `most`.

    Route: POST /dags/~/dagRuns/~/taskInstances/list.
    """
    found: list[TaskInstance] = []
    try:
        for some in _portions(sorted(dag_run_ids)):
            found += await _pages(api, {"dag_ids": [dag_id], "dag_run_ids": some}, most - len(found))
    except TooLargeError:
        return []
    return found


async def _pages(api: Api, body: Mapping[str, Any], most: int = MOST_INSTANCES) -> list[TaskInstance]:
    return [*dict.fromkeys(from_airflow(await all_pages(api, _Page, body, at_once=PAGE, most=most)))]


async def all_pages(
    api: Api, shape: type[InstancesPage[RowT]], body: Mapping[str, Any], *, at_once: int, most: int = MOST_INSTANCES
) -> list[RowT]:
    """All task instances that match, `at_once` a request. Raises TooLargeError for more than `most`.

    Route: POST /dags/~/dagRuns/~/taskInstances/list.
    """
    found: list[RowT] = []
    while True:
        answer = await api.read(LIST, shape, body={**body, "page_limit": at_once, "page_offset": len(found)})
        if answer.total_entries > most:
            raise too_many(answer.total_entries)
        found += answer.task_instances
        if not answer.task_instances or len(found) >= answer.total_entries:
            return found


async def date_of_run(api: Api, dag_id: str, dag_run_id: str | None, args: Relatives) -> str | None:
    """The logical date of a run that is named, where the runs before or after it go along; None elsewhere.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}. Raises NotFoundError, InvalidArgumentError for a run without one.
    """
    names = [name for name in NEIGHBOURS if getattr(args, name)]
    # Without one Airflow 3 would take no other run along, or all of them.
    return await require_logical_date(api, dag_id, dag_run_id, names[0]) if names and dag_run_id else None


def by_date(release: Release, body: Mapping[str, Any], logical_date: str | None) -> dict[str, Any]:
    """The body of a clear with its run's date instead of its id, where Airflow takes other runs along only so."""
    if logical_date is None or release != (3, 0):
        return dict(body)
    rest = {name: value for name, value in body.items() if name != "dag_run_id"}
    return {**rest, "start_date": logical_date, "end_date": logical_date}


async def count_between(
    api: Api, dag_id: str, args: Relatives, dates: tuple[str | None, str | None], task_ids: Iterable[str]
) -> int:
    """How many there are of these tasks, or of all, from one logical date to another.

    With the past or the future taken along there is no such end. Route: POST /dags/~/dagRuns/~/taskInstances/list.
    """
    wanted = {
        "dag_ids": [dag_id],
        "logical_date_gte": None if args.include_past else dates[0],
        "logical_date_lte": None if args.include_future else dates[1],
    }
    body = renamed(api.release, {name: value for name, value in wanted.items() if value})
    number = 0
    for some in _portions(sorted(task_ids)) or [()]:
        of_tasks = {"task_ids": some} if some else {}
        number += (await api.read(LIST, _Page, body={**body, **of_tasks, "page_limit": 1})).total_entries
        if number > MOST_INSTANCES:
            break
    return number


async def count_in_run(api: Api, dag_id: str, dag_run_id: str, states: Sequence[str]) -> int:
    """How many of a run are in these states. Route: POST /dags/~/dagRuns/~/taskInstances/list."""
    body = {"dag_ids": [dag_id], "dag_run_ids": [dag_run_id], "state": [*states], "page_limit": 1}
    return (await api.read(LIST, _Page, body=body)).total_entries


async def count_of_task(api: Api, dag_id: str, dag_run_id: str | None, task_id: str) -> int:
    """How many there are of a task in a run, or in all. Route: POST /dags/~/dagRuns/~/taskInstances/list."""
    of_run = {"dag_run_ids": [dag_run_id]} if dag_run_id else {}
    body = {"dag_ids": [dag_id], **of_run, "task_ids": [task_id], "page_limit": 1}
    return (await api.read(LIST, _Page, body=body)).total_entries


def too_many(number: int) -> TooLargeError:
    """The error for more task instances than can be looked at."""
    return TooLargeError(
        f"{number} task instances are too many to look at: name a run, a shorter time, or fewer tasks."
    )


def from_airflow(rows: Iterable[Row]) -> list[TaskInstance]:
    """Read Airflow's task instances."""
    return [
        TaskInstance(row.dag_id, row.dag_run_id, row.task_id, row.map_index, row.state or NO_STATUS) for row in rows
    ]


def matching(references: Sequence[Reference], candidates: Iterable[TaskInstance]) -> list[TaskInstance]:
    """The candidates that Airflow 2's references stand for.

    Raises ConflictError when their numbers differ: a state moved between the two looks.
    """
    wanted = Counter((row.dag_id, row.dag_run_id, row.task_id) for row in references)
    found = [each for each in candidates if each.reference in wanted]
    if Counter(each.reference for each in found) != wanted:
        changed = ConflictError("Task instances changed state while they were looked at.", "Call again.")
        raise changed.with_effects(NOTHING_CHANGED)
    return found
