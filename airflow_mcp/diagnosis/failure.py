"""Why a task instance failed, as its log tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from anyio import to_thread

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.event_log import why_it_failed
from airflow_mcp.airflow.logs import not_started, read_log, why_no_lines
from airflow_mcp.airflow.one_task_instance import Ids, read_tries
from airflow_mcp.airflow.task_instance_lists import InstanceRow
from airflow_mcp.diagnosis.first_failed import FAILING
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.models.states import NO_STATUS
from airflow_mcp.text.evidence import Evidence
from airflow_mcp.text.evidence.blocks import of_a_library
from airflow_mcp.text.evidence.line import alike
from airflow_mcp.text.kept import KeptLine
from airflow_mcp.text.raised import Frame, Raised, RaisedReader
from airflow_mcp.text.windows import Tail

CAUSED_BY = "; caused by "
LONGEST_ERROR = 300
NO_ERROR = "No error is logged."


@dataclass(frozen=True)
class Failure:
    """What the log of a try tells of its failure."""

    row: InstanceRow
    chain: Sequence[Raised]
    """The exceptions, the cause first."""
    lines: Sequence[KeptLine]
    signs: bool
    """Whether any of the lines tells of a failure."""
    note: str | None
    """Why there are no lines."""
    said: str | None = None
    """What Airflow itself says of the failure, where the log tells nothing."""

    @property
    def tells(self) -> bool:
        """Whether it is known why."""
        return bool(self.chain or self.signs or self.said)

    @property
    def error(self) -> str:
        """The exception and what caused it; else what Airflow says, the line that tells most, or that none does."""
        if not self.chain:
            line = self.lines[-1].text.strip()[:LONGEST_ERROR] if self.signs else NO_ERROR
            return self.said or self.note or line
        raised = [each.error for each in reversed(self.chain)]
        ends = [raised[0], raised[-1]] if len(raised) > 1 and raised[0] != raised[-1] else raised[:1]
        return CAUSED_BY.join(each[:LONGEST_ERROR] for each in ends)

    @property
    def signature(self) -> str:
        """The same for errors that differ in digits and hashes alone."""
        return alike(self.error)

    @property
    def own_frames(self) -> list[Frame]:
        """The frames of the user's own code, of all exceptions of the chain."""
        frames = [frame for each in self.chain for frame in each.frames if not of_a_library(frame.file)]
        return list(dict.fromkeys(frames))


class _Reader:
    """Keeps the lines that tell why, the last ones where none does, and what was raised."""

    def __init__(self, most: int) -> None:
        self._evidence, self._end, self._raised = Evidence(most), Tail(most // 2), RaisedReader()

    def add(self, number: int, line: str) -> None:
        """Take the next line."""
        self._evidence.add(number, line)
        self._end.add(number, line)
        self._raised.add(number, line)

    def lines(self) -> tuple[list[KeptLine], bool]:
        """What is kept, in order, and whether any of it tells of a failure."""
        found = self._evidence.lines()
        return found or self._end.lines(), bool(found)

    @property
    def chain(self) -> list[Raised]:
        """What was raised."""
        return self._raised.chain


async def read_failures(api: Api, parts: Parts, name: str, rows: Sequence[InstanceRow], most: int) -> list[Failure]:
    """Why the latest try of each task instance failed, with `most` characters of its log at most.

    What cannot be read is told by `parts`, a log with this name. Routes: GET /eventLogs where a log tells of no error,
    and GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}.
    """
    reads = [partial(read_try, api, row, row.try_number or 0, most) for row in rows]
    failures = [each for each in await parts.look_at_some(name, reads) if each]
    silent = [place for place, each in enumerate(failures) if not each.tells]
    words = await parts.look_at_some(
        "the event log", [partial(why_it_failed, api, failures[place].row) for place in silent]
    )
    for place, said in zip(silent, words, strict=True):
        failures[place] = replace(failures[place], said=said)
    return failures


async def read_try(api: Api, row: InstanceRow, number: int, most: int) -> Failure:
    """What the log of one try tells.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}.
    """
    state = row.state or NO_STATUS
    if number == (row.try_number or 0) and (note := not_started(api, state, number)):
        return Failure(row, (), (), signs=False, note=note)
    ids = Ids(dag_id=row.dag_id, dag_run_id=row.dag_run_id, task_id=row.task_id)
    reader = _Reader(most)
    log, total = await read_log(api, ids, row.map_index, number, reader)
    lines, signs = await to_thread.run_sync(reader.lines)
    return Failure(row, reader.chain, lines, signs, None if total else why_no_lines(state, log))


async def last_failed_try(api: Api, row: InstanceRow) -> InstanceRow | None:
    """A task instance as it was at the last try before the latest that failed; None where none did, as it was cleared.

    Where Airflow does not tell, it is the try before the latest. Route: that of tries.
    """
    ids = Ids(dag_id=row.dag_id, dag_run_id=row.dag_run_id, task_id=row.task_id)
    last = row.try_number or 0
    tries = await read_tries(api, ids, row.map_index)
    failed = [each.try_number for each in tries if each.state in FAILING and each.try_number < last]
    number = max(failed, default=None) if tries else last - 1
    return row.model_copy(update={"state": "failed", "try_number": number}) if number else None
