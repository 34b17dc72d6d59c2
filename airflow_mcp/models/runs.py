"""DAG runs: the arguments and answers of get_dag_runs."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, JsonValue

from airflow_mcp.models.base import Answer, Id, Moment, Pattern, Remark
from airflow_mcp.models.dags import DagArguments, DagVersion
from airflow_mcp.models.page import Page, PageArguments, WindowArguments
from airflow_mcp.models.states import RunState
from airflow_mcp.release import Since

RunDate = Literal["start_date", "end_date", "run_after", "logical_date"]

ROW = ("state", "run_type", "start_date", "duration_seconds", "url")
"""The fields of a row of get_dag_runs, unless others are asked for."""


class GetDagRuns(WindowArguments, PageArguments):
    """Arguments of get_dag_runs."""

    dag_id: Id | None = None
    state: list[RunState] | None = None
    run_type: Annotated[str | None, Since("3")] = Field(None, description="manual, …")
    date_field: Annotated[RunDate, Since("3", value="run_after")] = Field("start_date", description="for since, until")
    triggering_user_name_pattern: Annotated[Pattern | None, Since("3.1")] = None
    conf_contains: Annotated[str | None, Since("3.2")] = None
    fields: list[str] | None = Field(None, description="only these: conf, note, …")


def _run_type(value: Any) -> Any:
    """Airflow 2 says dataset for asset."""
    return "asset_triggered" if value == "dataset_triggered" else value


class GetDagRun(DagArguments):
    """Arguments of get_dag_run."""

    dag_run_id: Id | None = Field(None, description="default: the latest")


class DagRun(Answer):
    """A run of a DAG."""

    rest: ClassVar = "get_dag_runs with less fields, or a smaller limit, leaves more room for each."

    dag_id: str | None = None
    dag_run_id: str
    state: str | None = None
    run_type: Annotated[str | None, BeforeValidator(_run_type)] = None
    start_date: Moment | None = None
    duration_seconds: float | None = Field(None, description="until now, if it runs")
    url: str | None = None
    end_date: Moment | None = None
    logical_date: Moment | None = None
    run_after: Annotated[Moment | None, Since("3")] = None
    queued_at: Annotated[Moment | None, Since("3")] = None
    data_interval_start: Moment | None = None
    data_interval_end: Moment | None = None
    triggered_by: Annotated[str | None, Since("3")] = None
    triggering_user_name: Annotated[str | None, Since("3.1")] = None
    conf: dict[str, JsonValue] | None = None
    note: Remark | None = None
    partition_key: Annotated[str | None, Since("3.2")] = None
    bundle_version: Annotated[str | None, Since("3")] = None
    dag_versions: Annotated[list[DagVersion] | None, Since("3")] = None


class DagRunDetails(DagRun):
    """A run with how it stands: its task instances by state, and how long it usually takes."""

    rest: ClassVar = "get_dag_runs with fields=[conf] has more room for it."

    usual_duration_seconds: float | None = Field(None, description="median of the last 20 that succeeded")
    task_states: dict[str, int] | None = Field(None, description="how many task instances are in each state")
    waits_for: str | None = Field(None, description="if queued: what holds it, as far as Airflow tells")


class DagRunList(Page[DagRun]):
    """A page of DAG runs."""

    rest: ClassVar = "A smaller limit leaves more room for each."
    rows: list[DagRun] = Field(alias="dag_runs")
