"""How long a run or a task instance took, which not every Airflow tells."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_mcp.models.runs import DagRun
from airflow_mcp.models.task_instances import TaskInstanceRow


def seconds_taken(of: DagRun | TaskInstanceRow) -> float | None:
    """Seconds from its start to its end, or until now while it runs; None for what has not started."""
    end = of.end_date or (datetime.now(UTC) if of.state == "running" else None)
    if of.start_date is None or end is None:
        return None
    return round(max((end - of.start_date).total_seconds(), 0), 1)
