"""Diagnosis: the arguments and answers of diagnose_dag_run, explain_dag_state and get_health."""

from __future__ import annotations

from pydantic import Field, JsonValue

from airflow_mcp.models.base import Answer, Arguments, Id, Linked, Moment, Untrusted
from airflow_mcp.models.dags import DagArguments


class DiagnoseDagRun(DagArguments):
    """Arguments of diagnose_dag_run."""

    dag_run_id: Id | None = Field(None, description="default: the latest that failed")


class Failure(Answer):
    """A task that failed by itself: the map indexes that failed in the same way together."""

    task_id: str
    map_indexes: str | None = None
    tries: str | None = None
    operator: str | None = None
    error: str | None = None
    caused_by: str | None = Field(None, description="the error behind it")
    at: list[str] | None = Field(None, description="the user's own code, the innermost last")
    source: Untrusted | None = None
    log_around: Untrusted | None = Field(None, description="the lines before and after the error")
    history: str | None = None


class NextStep(Answer):
    """A call that is ready to be made, once a person has said yes to its preview."""

    tool: str
    arguments: dict[str, JsonValue]
    preview: str


class RunDiagnosis(Linked):
    """Why a run failed, and what would help."""

    dag_id: str
    dag_run_id: str
    state: str | None = None
    run_type: str | None = None
    logical_date: Moment | None = None
    start_date: Moment | None = None
    duration_seconds: float | None = None
    tasks: str
    failures: list[Failure]
    failed_after: list[str] | None = Field(None, description="failed below one of these")
    blocked: list[str] | None = Field(None, description="waiting behind them")
    code: str | None = Field(None, description="whether it changed since the last good run")
    note: str | None = None
    missing: list[str] | None = Field(None, description="what could not be looked at")
    next: NextStep | None = None


class ExplainDagState(DagArguments):
    """Arguments of explain_dag_state."""


class Reason(Answer):
    """Something that holds a DAG."""

    what: str
    facts: str
    do: str | None = None


class DagState(Linked):
    """Why a DAG does not run, or that it does."""

    dag_id: str
    is_paused: bool | None = None
    schedule: str | None = None
    next_run: Moment | None = None
    last_run: str | None = None
    active_runs: str | None = None
    reasons: list[Reason] = Field(description="the likeliest first")
    missing: list[str] | None = Field(None, description="what could not be looked at")


class GetHealth(Arguments):
    """Arguments of get_health."""


class LongRunning(Answer):
    """A task instance that has been running for long."""

    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: int | None = None
    running_seconds: int


class Health(Answer):
    """The instance at a glance."""

    problems: list[str] = Field(description="empty: none was found")
    components: str
    dags: str
    failing: list[str] | None = Field(None, description="DAGs whose last run failed, in the last 24 hours")
    import_errors: list[str] | None = Field(None, description="file: error")
    tasks: str
    pools: str
    longest_running: list[LongRunning] | None = None
    missing: list[str] | None = Field(None, description="what could not be looked at")
