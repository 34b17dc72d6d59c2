"""The DAG endpoints that read, and patch_dag: one method an endpoint, one body for both versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.failures import LOOK_UP
from airflow_mcp.airflow.graph import running_order, upstream_of
from airflow_mcp.airflow.last_runs import LastRuns
from airflow_mcp.errors import ForbiddenError, InvalidArgumentError, NotFoundError, RejectedError
from airflow_mcp.models.changes import DagChange, PatchDag, Prepared
from airflow_mcp.models.dags import ROW, Dag, DagDetails, DagList, DagSource, GetDag, GetDags, GetDagSource
from airflow_mcp.models.tasks import GetTask, GetTasks, Task, TaskDetails, TaskList
from airflow_mcp.text import shorten

PAGE = 100  # the most that Airflow gives at once, unless it is set up otherwise
MOST_PAGES = 200
SOURCE_LINES = 300
SOURCE_CHARACTERS = 24_000
LONGEST_LINE = 2000


DagT = TypeVar("DagT", bound=Dag)


class Dags:
    """The DAGs of one Airflow."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow
        self._last_runs = LastRuns(airflow)

    async def find(self, args: GetDags) -> DagList:
        """A page of DAGs, with the fields of a row and those asked for.

        Routes: GET /dags, POST /dags/~/dagRuns/list. Raises InvalidArgumentError for an order that this version does
        not have.
        """
        dialect = await self._airflow.dialect()
        if args.order_by and args.order_by.removeprefix("-") not in dialect.dag_orders:
            raise InvalidArgumentError(
                "order_by", f"{dialect.airflow} orders DAGs by {', '.join(sorted(dialect.dag_orders))} only."
            )
        by_owner = args.owners and not dialect.filters_owners
        by_last_run = args.last_run_state and not dialect.filters_last_run
        if by_owner or by_last_run:
            rows, total = await self._list_here(args)
        else:
            rows, total = await self._page(args, args.limit, args.offset)
        states, unknown = await self._last_states(rows)
        dags = [
            Dag.model_validate({**row, "last_run_state": states.get(row["dag_id"])}).pick(args.fields or (), always=ROW)
            for row in rows
        ]
        end = args.offset + len(dags)
        return DagList(
            dags=dags,
            total=total,
            returned=len(dags),
            next_offset=end if dags and end < total else None,
            note=unknown if dags else await self._why_empty(args, total),
        )

    async def _last_states(self, rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, str], str | None]:
        """By DAG the state of its last run, and why it is not known."""
        try:
            runs = await self._last_runs.of([row["dag_id"] for row in rows])
        except ForbiddenError as error:
            return {}, f"last_run_state is left out. {error}"
        return {dag_id: run["state"] for dag_id, run in runs.items()}, None

    async def _page(self, args: GetDags, limit: int, offset: int) -> tuple[Sequence[dict[str, Any]], int]:
        dialect = await self._airflow.dialect()
        wanted = {
            "order_by": args.order_by or "dag_id",
            "tags": args.tags,
            "owners": args.owners if dialect.filters_owners else None,
            "dag_id_pattern": args.dag_id_pattern,
            "paused": args.paused,
            "last_run_state": args.last_run_state if dialect.filters_last_run else None,
            "only_active": args.only_active,
        }
        query = {dialect.renamed.get(name, name): value for name, value in wanted.items() if value is not None}
        answer = await self._airflow.read("dags", query={"limit": limit, "offset": offset, **query})
        return answer["dags"], answer["total_entries"]

    async def _list_here(self, args: GetDags) -> tuple[Sequence[dict[str, Any]], int]:
        """Airflow 2 lacks some filters: look at every DAG that the others leave, as Airflow 3 would."""
        found: list[dict[str, Any]] = []
        seen = 0
        for _ in range(MOST_PAGES):
            rows, total = await self._page(args, PAGE, seen)
            seen += len(rows)
            found += await self._kept(args, rows)
            if not rows or seen >= total:
                return found[args.offset : args.offset + args.limit], len(found)
        raise InvalidArgumentError(
            "owners" if args.owners else "last_run_state",
            f"there are more than {seen} DAGs to look through here: add tags or dag_id_pattern.",
        )

    async def _kept(self, args: GetDags, rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        if args.owners:
            wanted = [owner.lower() for owner in args.owners]
            rows = [row for row in rows if any(part in ", ".join(row["owners"]).lower() for part in wanted)]
        if args.last_run_state:
            runs = await self._last_runs.of([row["dag_id"] for row in rows])
            rows = [row for row in rows if runs.get(row["dag_id"], {}).get("state") == args.last_run_state]
        return rows

    async def _why_empty(self, args: GetDags, total: int) -> str:
        if total:
            return f"offset {args.offset} is past the end: {total} DAGs match."
        narrowing = [f"paused={str(args.paused).lower()}"] if args.paused is not None else []
        narrowing += ["only_active"] if args.only_active else []
        if narrowing:
            wider = args.model_copy(update={"paused": None, "only_active": False, "offset": 0, "limit": 1})
            left_out = (await self.find(wider)).total
            if left_out:
                return f"No DAG matches; {left_out} match without {' and '.join(narrowing)}."
        if args.last_run_state:
            return f"No DAG matches whose last run is {args.last_run_state}."
        if args.tags or args.owners or args.dag_id_pattern:
            return "No DAG matches, paused and inactive ones included. Try a shorter dag_id_pattern, or no tags."
        return "No DAG: none is loaded, or this user may see none. Import errors hide DAGs too."

    async def get(self, args: GetDag) -> Dag:
        """One DAG. Route: GET /dags/{dag_id}. Raises NotFoundError."""
        return _picked(Dag.model_validate(await self._dag(args.dag_id)), args)

    async def details(self, args: GetDag) -> DagDetails:
        """One DAG with all that Airflow tells. Route: GET /dags/{dag_id}/details. Raises NotFoundError."""
        await self._airflow.require(args.fields or ())
        answer = await self._airflow.read("dags/{dag_id}/details", {"dag_id": args.dag_id})
        if not answer.get("owners"):
            # Airflow 2's details leave the owners empty.
            answer["owners"] = (await self._dag(args.dag_id))["owners"]
        return _picked(DagDetails.model_validate(answer), args)

    async def last_known(self, dag_id: str) -> DagDetails:
        """The same, or what is left of a DAG whose file is gone: Airflow 2 has no details of it.

        Routes: GET /dags/{dag_id}/details, GET /dags/{dag_id}. Raises NotFoundError.
        """
        try:
            return await self.details(GetDag(dag_id=dag_id))
        except NotFoundError:
            return DagDetails.model_validate(await self._dag(dag_id))

    async def _dag(self, dag_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._airflow.read("dags/{dag_id}", {"dag_id": dag_id})
        return answer

    async def source(self, args: GetDagSource) -> DagSource:
        """Numbered lines of a DAG's source.

        Route: GET /dagSources/{file_token} on Airflow 2, the token looked up; GET /dagSources/{dag_id} on 3.
        Raises NotFoundError, NeedsVersionError, InvalidArgumentError for a line that there is not.
        """
        await self._airflow.require(name for name in ("file_token", "version_number") if getattr(args, name))
        dialect = await self._airflow.dialect()
        ids = {"file_token": args.file_token or ""} if args.dag_id is None else {"dag_id": args.dag_id}
        if args.dag_id is not None and "file_token" in dialect.source_route:
            ids = {"file_token": (await self._dag(args.dag_id))["file_token"]}
        query = {"version_number": args.version_number} if args.version_number else None
        answer = await self._airflow.read(dialect.source_route, ids, query=query)
        return _lines(answer["content"] or "", args)

    async def tasks(self, args: GetTasks) -> TaskList:
        """The tasks of a DAG, in the order in which they run unless `order_by` says otherwise.

        Route: GET /dags/{dag_id}/tasks. Raises NotFoundError, RejectedError for an order that there is not.
        """
        tasks = await self.graph(args.dag_id, args.order_by)
        page = tasks[args.offset : args.offset + args.limit]
        end = args.offset + len(page)
        past_end = f"offset {args.offset} is past the end: there are {len(tasks)} tasks."
        return TaskList(
            dag_id=args.dag_id,
            tasks=page,
            total=len(tasks),
            returned=len(page),
            next_offset=end if page and end < len(tasks) else None,
            note=None if page else past_end if tasks else "This DAG has no tasks.",
        )

    async def task(self, args: GetTask) -> TaskDetails:
        """One task. Route: GET /dags/{dag_id}/tasks/{task_id}, and the list for what is upstream.

        Raises NotFoundError, with near ids for a task that there is not.
        """
        graph = {task.task_id: task for task in await self.graph(args.dag_id)}
        require_tasks([args.task_id], graph, args.dag_id)
        route = "dags/{dag_id}/tasks/{task_id}"
        answer = await self._airflow.read(route, {"dag_id": args.dag_id, "task_id": args.task_id})
        there = graph[args.task_id].model_dump(include={"upstream_task_ids", "downstream_task_ids"})
        return TaskDetails.model_validate({**answer, **there})

    async def graph(self, dag_id: str, order_by: str | None = None) -> list[Task]:
        """All tasks of a DAG with their upstream ids. Route: GET /dags/{dag_id}/tasks. Raises NotFoundError."""
        query = {"order_by": order_by} if order_by else None
        try:
            answer = await self._airflow.read("dags/{dag_id}/tasks", {"dag_id": dag_id}, query=query)
        except NotFoundError:  # Airflow 2 does not say which DAG
            raise NotFoundError(f"Not found: there is no DAG {dag_id}. {LOOK_UP}") from None
        except RejectedError:
            if order_by is None:
                raise
            raise InvalidArgumentError(
                "order_by", f"Airflow cannot order tasks by {order_by!r}; try task_id, or leave it out."
            ) from None
        downstream = {row["task_id"]: sorted(row["downstream_task_ids"] or []) for row in answer["tasks"]}
        upstream = upstream_of(downstream)
        tasks = [
            Task.model_validate({**row, **_neighbours(row["task_id"], downstream, upstream)}) for row in answer["tasks"]
        ]
        if order_by is None:
            place = running_order(downstream)
            tasks.sort(key=lambda task: place[task.task_id])
        return tasks

    async def prepare_patch(self, args: PatchDag) -> Prepared[DagChange]:
        """Pause or unpause a DAG. Route: PATCH /dags/{dag_id}. Raises NotFoundError, ForbiddenError."""
        before = bool((await self._dag(args.dag_id))["is_paused"])
        verb = "Pause" if args.is_paused else "Unpause"
        already = f"{args.dag_id} is {'paused' if before else 'not paused'} already: nothing to change."

        async def apply() -> None:
            await self._airflow.change(
                "PATCH",
                "dags/{dag_id}",
                {"dag_id": args.dag_id},
                query={"update_mask": ["is_paused"]},
                body={"is_paused": args.is_paused},
            )

        same = before == args.is_paused
        return Prepared(
            preview=DagChange(
                summary=already if same else f"{verb} {args.dag_id}.",
                dag_id=args.dag_id,
                is_paused_before=before,
                is_paused_after=args.is_paused,
            ),
            items=() if same else (f"{args.dag_id} is_paused={before}",),
            apply=apply,
        )


def _picked(dag: DagT, args: GetDag) -> DagT:
    return dag.pick(args.fields, always=("dag_id",)) if args.fields else dag


def require_tasks(task_ids: Sequence[str], known: Collection[str], dag_id: str) -> None:
    """Refuse task ids that the DAG does not have, with near ones that it has. Raises NotFoundError."""
    for task_id in task_ids:
        if task_id not in known:
            near = get_close_matches(task_id, known, n=3, cutoff=0.5)
            hint = f"Did you mean {', '.join(near)}?" if near else "get_tasks lists its tasks."
            raise NotFoundError(f"DAG {dag_id} has no task {task_id!r}. {hint}")


def _neighbours(
    task_id: str, downstream: Mapping[str, Sequence[str]], upstream: Mapping[str, Sequence[str]]
) -> dict[str, Sequence[str]]:
    return {"upstream_task_ids": sorted(upstream[task_id]), "downstream_task_ids": downstream[task_id]}


def _lines(content: str, args: GetDagSource) -> DagSource:
    # As Python counts lines: a form feed begins no new one.
    lines = content.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    total = len(lines)
    if args.start_line > max(total, 1):
        raise InvalidArgumentError("start_line", f"is {args.start_line}; the file has {total} lines.")
    end = min(args.end_line or total, args.start_line + SOURCE_LINES - 1, total)
    numbered: list[str] = []
    size = 0
    for number in range(args.start_line, end + 1):
        line = f"{number}|{shorten(lines[number - 1], LONGEST_LINE)}"
        size += len(line)
        if numbered and size > SOURCE_CHARACTERS:
            end = number - 1
            break
        numbered.append(line)
    return DagSource(
        dag_id=args.dag_id,
        version_number=args.version_number,
        total_lines=total,
        start_line=args.start_line,
        end_line=end,
        next_line=end + 1 if end < total else None,
        source="\n".join(numbered),
    )
