"""The log of a task instance, read piece by piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.instances import Instances
from airflow_mcp.airflow.log_lines import LogLines
from airflow_mcp.airflow.task_instances import NO_STATUS, TaskInstance, route_to
from airflow_mcp.errors import NotFoundError
from airflow_mcp.excerpt import Errors, Excerpt, Head, Line, Matches, Tail, gaps
from airflow_mcp.models.logs import GetTaskLog, TaskLog
from airflow_mcp.text import beginning

CHARACTERS = 2
"""Of a log to a token, at least: times and numbers take many."""
MOST_GAPS = 10


class Logs:
    """The task logs of one Airflow."""

    def __init__(self, airflow: Airflow, instances: Instances) -> None:
        self._airflow = airflow
        self._instances = instances

    async def read(self, args: GetTaskLog) -> TaskLog:
        """A part of the log of one try, the latest unless it is named.

        Route: GET …/taskInstances/{task_id}/logs/{try_number}, and the task instance itself. Raises NotFoundError.
        """
        instance = await self._instances.one(args)
        latest, state = instance["try_number"], instance["state"] or NO_STATUS
        number = args.try_number or latest
        if number > latest:
            raise NotFoundError(f"try_number: there is no try {number} yet: the latest is {latest}.")
        if number == 0:
            return TaskLog(try_number=0, state=state, total_lines=0, note="It has not started, so it has no log.")
        lines = await self.lines(_named(args), number, lambda: _excerpt(args))
        return _answer(args, lines, number, state if number == latest else None)

    async def lines(self, instance: TaskInstance, try_number: int, start: Callable[[], Excerpt]) -> LogLines:
        """The log of one try, given line by line to an excerpt.

        Route: GET …/taskInstances/{task_id}/logs/{try_number}.
        """
        dialect = await self._airflow.dialect()
        route, ids = route_to(instance.dag_id, instance.dag_run_id, instance.task_id)
        lines: LogLines = await self._airflow.stream(
            f"{route}/logs/{{try_number}}",
            {**ids, "try_number": try_number},
            query={"full_content": True, "map_index": instance.map_index},
            accept=dialect.log_type,
            start=lambda: LogLines(start(), events=dialect.log_type != "text/plain"),
        )
        lines.end()
        return lines


def _named(args: GetTaskLog) -> TaskInstance:
    index = -1 if args.map_index is None else args.map_index
    return TaskInstance(args.dag_id, args.dag_run_id, args.task_id, index, NO_STATUS)


def _excerpt(args: GetTaskLog) -> Excerpt:
    budget, start = args.max_tokens * CHARACTERS, args.start_line or 1
    if args.grep is not None:
        return Matches(re.compile(args.grep), budget, start)
    if args.start_line or args.show == "head":
        return Head(budget, start)
    return Tail(budget) if args.show == "tail" else _ErrorsOrEnd(budget)


class _ErrorsOrEnd:
    """The errors; the end where there is none."""

    def __init__(self, budget: int) -> None:
        self.errors, self._end = Errors(budget), Tail(budget)

    def add(self, line: Line) -> None:
        self.errors.add(line)
        self._end.add(line)

    def kept(self) -> list[Line]:
        return self.errors.kept() or self._end.kept()


def _answer(args: GetTaskLog, lines: LogLines, number: int, state: str | None) -> TaskLog:
    kept = lines.excerpt.kept()
    missing = gaps(kept, lines.total)
    more = f"and {len(missing) - MOST_GAPS} more gaps"
    reads_on = isinstance(lines.excerpt, (Head, Matches)) and kept and kept[-1].number < lines.total
    return TaskLog(
        try_number=number,
        state=state,
        total_lines=lines.total,
        left_out=([*missing[:MOST_GAPS], more] if len(missing) > MOST_GAPS else missing) or None,
        next_line=kept[-1].number + 1 if reads_on else None,
        note=_note(args, lines),
        log=_text(kept, args.max_tokens) or None,
    )


def _text(lines: Sequence[Line], most_tokens: int) -> str:
    text = "\n".join(map(str, lines))
    # One line is kept in any case, and may be longer than all that there is room for.
    return text if len(text) <= most_tokens * CHARACTERS else f"{beginning(text, most_tokens)}…"


def _note(args: GetTaskLog, lines: LogLines) -> str | None:
    excerpt = lines.excerpt
    if not lines.total:
        return "The log is empty, or Airflow no longer has it."
    if isinstance(excerpt, Matches):
        return f"{excerpt.found} lines match." if excerpt.found else "No line matches."
    if isinstance(excerpt, _ErrorsOrEnd):
        found = excerpt.errors.found
        return f"{found} errors." if found else "No error in it: these are the last lines."
    if args.start_line and args.start_line > lines.total:
        return f"start_line {args.start_line} is past the end."
    return None
