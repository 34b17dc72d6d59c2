"""What a failed task instance left behind: the error in its log, and the lines of code around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_mcp.airflow.dags import Dags
from airflow_mcp.airflow.logs import Logs
from airflow_mcp.airflow.task_instances import TaskInstance
from airflow_mcp.diagnosis.cause import Cause, Frame, cause
from airflow_mcp.errors import AirflowMcpError
from airflow_mcp.excerpt import Errors, Line
from airflow_mcp.models.dags import GetDagSource

_AIRFLOWS_OWN = re.compile(
    "|".join(
        (
            *("::(?:end)?group", "Filling up the DagBag", "Worker startup", "DAG bundles loaded", "Current task"),
            *("Dependencies all met", "Starting attempt", "Executing <", "Started process", r"Running: \["),
            *(r"Job \d+: Subtask", "Running <TaskInstance", "Exporting env vars", "Marking task as", "Task exited"),
            *(r"\d+ downstream tasks scheduled", "Task instance is in running state", "Previous state of"),
        )
    )
)
LOG_CHARACTERS = 20_000
AROUND = 3
"""Lines of code before and after the one that failed."""


@dataclass(frozen=True)
class Code:
    """The source of a DAG as a run had it: its file, and its version where Airflow keeps some."""

    dag_id: str
    file: str
    version: int | None = None


class UsersErrors(Errors):
    """The errors, and around them what the task itself said."""

    def add(self, line: Line) -> None:
        """Take the next line."""
        if not _AIRFLOWS_OWN.search(line.text):
            super().add(line)


class Evidence:
    """Reads it."""

    def __init__(self, dags: Dags, logs: Logs) -> None:
        self._dags = dags
        self._logs = logs

    async def cause(self, instance: TaskInstance, try_number: int) -> Cause | None:
        """The last error in the log of a try; None where the log has none."""
        lines = await self._logs.lines(instance, try_number, lambda: UsersErrors(LOG_CHARACTERS))
        return cause(lines.excerpt.kept())

    async def source(self, frame: Frame, code: Code) -> str | None:
        """The lines around a frame, the one that failed marked; None where the frame is in another file."""
        if frame.file != code.file:
            return None
        try:
            found = await self._dags.source(
                GetDagSource(
                    dag_id=code.dag_id,
                    version_number=code.version,
                    start_line=max(frame.line - AROUND, 1),
                    end_line=frame.line + AROUND,
                )
            )
        except AirflowMcpError:
            return None  # the file is shorter now, or may not be read: the error and its place are told all the same
        mark = f"{frame.line}|"
        return "\n".join(f"> {line}" if line.startswith(mark) else f"  {line}" for line in found.source.split("\n"))
