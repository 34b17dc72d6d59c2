"""The log of a task instance: read as a stream of lines, of which some are shown."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from anyio import to_thread

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.mapped import label
from airflow_mcp.airflow.one_task_instance import ONE, Ids, read_instance, read_tries
from airflow_mcp.airflow.route import DAGS, TASK_INSTANCES, Route, may_read
from airflow_mcp.errors import NotFoundError
from airflow_mcp.models.base import Answer
from airflow_mcp.models.logs import Mode, TaskLog
from airflow_mcp.models.states import NO_STATUS
from airflow_mcp.models.task_instances import Try
from airflow_mcp.text.clean import one_line
from airflow_mcp.text.log_lines import EventLog, LogLines, TextLog
from airflow_mcp.text.windows import Errors, Grep, Head, Reader, Rest, Tail, Window, numbered

LOG = Route("GET", f"{ONE}/logs/{{try_number}}", may_read(*DAGS, "Task Logs", in_2=(*TASK_INSTANCES, "Task Logs")))

WAITING = frozenset({"scheduled", "queued"})
RUNNING = frozenset({"running", "deferred", "restarting", "up_for_reschedule"})
NOT_RUN = {
    "upstream_failed": "It did not run: a task before it failed. The cause is in the log of that task.",
    "skipped": "It was skipped, so it has no log.",
    "removed": "It did not run: the task is no longer in the DAG.",
}
NO_WORKER = ("No host supplied", "Hostname not available")
"""What Airflow says of a log that it looks for on no host: a consequence, and never the cause."""
_NOT_SERVED = "Could not read served logs: "
GONE = ("Log file not found", f"{_NOT_SERVED}404", f"{_NOT_SERVED}Client error '404")
PLACES = ("/", "Found ")
"""How begins what tells only where Airflow found the log."""
SCHEME = 10
CONTEXT_LINES = 2


class _Instance(Answer):
    state: str | None
    try_number: int


async def get_task_log(
    api: Api,
    *,
    dag_id: str,
    dag_run_id: str,
    task_id: str,
    map_index: int | None = None,
    try_number: int | None = None,
    mode: Mode = "errors",
    grep: Sequence[str] | None = None,
    from_line: int | None = None,
    max_characters: int = 6000,
) -> TaskLog:
    """Some lines of the log of one try, the latest unless it is named; `max_characters` of them at most.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}, after the task instance,
    and its tries where another than the latest is asked for.
    Raises NotFoundError, which names the map indexes, or the tries, that there are.
    """
    ids = Ids(dag_id=dag_id, dag_run_id=dag_run_id, task_id=task_id)
    instance = await read_instance(api, ids, map_index, _Instance)
    url = api.links.to(**ids, map_index=map_index)
    state, latest = instance.state or NO_STATUS, instance.try_number
    number = latest if try_number is None else try_number
    if number == latest and (note := not_started(api, state, number)):
        return TaskLog(state=state, try_number=number, total_lines=0, url=url, note=note)
    try_state = None if number == latest else await _state_of_try(api, ids, map_index, number, latest)
    window = _window(mode, grep, from_line, max_characters)
    try:
        log, total = await read_log(api, ids, map_index, number, window)
    except NotFoundError:
        await _state_of_try(api, ids, map_index, number, latest)
        raise
    runs = number == latest and state in RUNNING
    kept = await to_thread.run_sync(window.lines)  # other calls go on
    rest = window.rest(total) if total else Rest(why_no_lines(try_state or state, log))
    notes = [rest.note, f"It is still running: from_line={total + 1} reads on later." if runs else None]
    return TaskLog(
        state=state,
        try_number=number,
        try_state=try_state,
        total_lines=total,
        next_line=rest.next_line or (total + 1 if runs else None),
        date=log.date,
        url=url,
        note=" ".join(note for note in notes if note) or None,
        log=numbered(kept, max_characters) or None,
    )


def _window(mode: Mode, grep: Sequence[str] | None, from_line: int | None, most: int) -> Window:
    if mode == "errors" and not grep and not from_line:
        return Errors(most)
    start = from_line or 1
    window = Head(most, start) if mode == "head" or from_line else Tail(most)
    return Grep(window, grep, CONTEXT_LINES, most, start) if grep else window


async def read_log(api: Api, ids: Ids, map_index: int | None, number: int, reader: Reader) -> tuple[LogLines, int]:
    """Give each line of the log of a try to a reader; gives how many lines there were."""
    log: LogLines = TextLog() if api.release < (3, 0) else EventLog()
    query: dict[str, int | bool] = {"full_content": True}
    if map_index is not None:
        query["map_index"] = map_index
    total = 0
    async with aclosing(api.lines(LOG, query=query, **ids, try_number=number)) as raw:
        async for each in raw:
            for line in log.read(each):
                total += 1
                reader.add(total, line)
    return log, total


async def _state_of_try(api: Api, ids: Ids, map_index: int | None, number: int, latest: int) -> str | None:
    """The state of an earlier try; None where Airflow does not tell.

    Raises NotFoundError, which names the tries that there are.
    """
    tries = await read_tries(api, ids, map_index) or [Try(try_number=each) for each in range(1, latest + 1)]
    states = {each.try_number: each.state for each in tries if each.try_number}
    if number not in states:
        there = f"there are {', '.join(map(str, sorted(states)))}" if states else "there is none"
        raise NotFoundError(f"try_number: task {label(ids['task_id'], map_index)} has no try {number}; {there}.")
    return states[number]


def not_started(api: Api, state: str, number: int) -> str | None:
    """Why the latest try has no log yet, or will have none; None where it may have one."""
    if not number:
        return NOT_RUN.get(state, f"It has not started: its state is {state}.")
    if state in WAITING and api.release >= (2, 10):  # earlier ones count a try when it starts
        before = f" try_number={number - 1} shows the try before." if number > 1 else ""
        return f"Try {number} has not started: its state is {state}.{before}"
    return None


def why_no_lines(state: str, log: LogLines) -> str:
    """Why a log has no lines, as far as can be told."""
    if note := NOT_RUN.get(state):
        return note
    if state in RUNNING:
        return "Nothing is logged yet."
    if any(each in source for source in log.sources for each in NO_WORKER):
        return "No worker is recorded for this try: it never began. The scheduler, the executor or a person ended it."
    said = [source for source in log.sources if not source.startswith(PLACES) and "://" not in source[:SCHEME]]
    if not said:
        return "The log is empty."
    what = "The log is gone" if any(source.startswith(GONE) for source in said) else "The log could not be read"
    return f"{what}. Airflow says: {one_line(' '.join(said))}"
