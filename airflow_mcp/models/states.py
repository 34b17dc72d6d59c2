"""The states of Airflow."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

RunState = Literal["queued", "running", "success", "failed"]

NO_STATUS = "no_status"
"""What Airflow's UI calls the state of a task instance that has none yet."""
TASK_STATES = (
    *("success", "running", "failed", "upstream_failed", "skipped", "up_for_retry", "up_for_reschedule", "queued"),
    *("scheduled", "deferred", "removed", "restarting", "awaiting_input", NO_STATUS),
)
ENDED = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})
RUN_ENDED = frozenset({"success", "failed"})
NOT_STARTED = frozenset({"queued", "scheduled", NO_STATUS})


def _task_state(value: str) -> str:
    if value not in TASK_STATES:
        raise ValueError(f"is not one of {', '.join(TASK_STATES)}")
    return value


TaskState = Annotated[str, AfterValidator(_task_state)]
"""A state of a task instance. A model knows them; the schema need not name them."""
