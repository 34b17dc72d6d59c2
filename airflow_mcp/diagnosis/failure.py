"""Why a task instance failed, as its log tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from anyio import to_thread

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.logs import not_started, read_log, why_no_lines
from airflow_mcp.airflow.one_task_instance import Ids
from airflow_mcp.airflow.task_instance_lists import InstanceRow
from airflow_mcp.models.states import NO_STATUS
from airflow_mcp.text.evidence import Evidence
from airflow_mcp.text.evidence.blocks import of_a_library
from airflow_mcp.text.evidence.line import alike
from airflow_mcp.text.kept import KeptLine
from airflow_mcp.text.raised import Frame, Raised, RaisedReader
from airflow_mcp.text.windows import Tail

CAUSED_BY = "; caused by "
LONGEST_ERROR = 300


@dataclass(frozen=True)
class Failure:
    """What the log of a try tells of its failure."""

    row: InstanceRow
    chain: Sequence[Raised]
    """The exceptions, the cause first."""
    lines: Sequence[KeptLine]
    note: str | None
    """Why there are no lines."""

    @property
    def tells(self) -> bool:
        """Whether the log tells why."""
        return bool(self.chain or self.lines)

    @property
    def error(self) -> str:
        """The exception and what caused it; else the line that tells most, or why there is none."""
        if not self.chain:
            return self.note or (self.lines[-1].text.strip()[:LONGEST_ERROR] if self.lines else "The log is empty.")
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

    def lines(self) -> list[KeptLine]:
        """What is kept, in order."""
        return self._evidence.lines() or self._end.lines()

    @property
    def chain(self) -> list[Raised]:
        """What was raised."""
        return self._raised.chain


async def read_failure(api: Api, row: InstanceRow, most: int) -> Failure:
    """The log of the latest try of a task instance, `most` characters of it at most.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}.
    """
    state, number = row.state or NO_STATUS, row.try_number or 0
    if note := not_started(api, state, number):
        return Failure(row, (), (), note)
    ids = Ids(dag_id=row.dag_id, dag_run_id=row.dag_run_id, task_id=row.task_id)
    reader = _Reader(most)
    log, total = await read_log(api, ids, row.map_index, number, reader)
    lines = await to_thread.run_sync(reader.lines)
    return Failure(row, reader.chain, lines, None if total else why_no_lines(state, log))
