"""DAG runs: the arguments and answers of get_dag_runs and get_dag_run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, JsonValue, model_validator

from airflow_mcp.models.base import Arguments, Id, Linked, Moment, Untrusted
from airflow_mcp.models.dags import DagArguments, DagVersion

ROW = ("dag_run_id", "state", "run_type", "logical_date", "start_date", "duration_seconds")
"""The fields of a row of get_dag_runs, unless more are asked for; across DAGs also the DAG's id."""

State = Literal["queued", "running", "success", "failed"]
RunType = Literal["scheduled", "manual", "backfill", "asset_triggered"]


class GetDagRuns(Arguments):
    """Arguments of get_dag_runs."""

    dag_id: Id | None = Field(None, description="default: runs of all DAGs")
    state: list[State] | None = None
    run_type: list[RunType] | None = Field(None, description="Airflow 3")
    logical_date_gte: AwareDatetime | None = None
    logical_date_lte: AwareDatetime | None = None
    start_date_gte: AwareDatetime | None = Field(None, description="started since; with a zone")
    start_date_lte: AwareDatetime | None = None
    end_date_gte: AwareDatetime | None = None
    end_date_lte: AwareDatetime | None = None
    limit: int = Field(25, ge=1, le=100)
    offset: int = Field(0, ge=0)
    fields: list[str] | None = Field(None, description="also: end_date, note, conf, triggering_user_name, queued_at")


class GetDagRun(DagArguments):
    """Arguments of get_dag_run."""

    dag_run_id: Id | None = Field(None, description="default: the latest")
    fields: list[str] | None = Field(None, description="only these fields")


def _run_type(value: Any) -> Any:
    """Airflow 2 says dataset for asset."""
    return "asset_triggered" if value == "dataset_triggered" else value


class DagRun(Linked):
    """A run of a DAG."""

    dag_id: str | None = None
    dag_run_id: str
    state: str | None = None
    run_type: Annotated[str | None, BeforeValidator(_run_type)] = None
    logical_date: Moment | None = None
    run_after: Moment | None = None
    queued_at: Moment | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    duration_seconds: float | None = None
    data_interval_start: Moment | None = None
    data_interval_end: Moment | None = None
    triggered_by: str | None = None
    triggering_user_name: str | None = None
    conf: dict[str, JsonValue] | None = None
    note: Untrusted | None = None
    dag_versions: list[DagVersion] | None = None
    bundle_version: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _duration(cls, data: Any) -> Any:
        """From its dates, since only the newest Airflow tells it."""
        if not (isinstance(data, dict) and data.get("start_date") and data.get("end_date")):
            return data
        start, end = (datetime.fromisoformat(data[name]) for name in ("start_date", "end_date"))
        return {**data, "duration_seconds": round((end - start).total_seconds(), 1)}


class DagRunList(Linked):
    """A page of DAG runs."""

    runs: list[DagRun]
    total: int
    returned: int
    next_offset: int | None = None
    note: str | None = Field(None, description="why it may be empty")
