"""DAGs: the arguments and answers of get_dags, get_dag, get_dag_details and get_dag_source."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue, model_validator

from airflow_mcp.models.base import Answer, Arguments, DisplayName, Id, Moment, Names, Remark, Seconds, Untrusted
from airflow_mcp.models.page import Page, PageArguments, ordered_by
from airflow_mcp.models.states import RunState
from airflow_mcp.release import Since, Until

LAST_RUN = ("last_run_state", "last_run_id", "last_run_at")
ROW = ("dag_id", "dag_display_name", "is_paused", "schedule", "next_run", *LAST_RUN, "tags", "owners")
"""The fields of a row of get_dags, unless others are asked for."""


class DagArguments(Arguments):
    """One DAG."""

    dag_id: Id


class GetDags(PageArguments):
    """Arguments of get_dags."""

    order_by: Annotated[
        str | None,
        ordered_by("dag_id", "next_dagrun", "last_run_state", "last_run_start_date"),
        Since("3", value="next_dagrun"),
        Since("3", value="last_run_state"),
        Since("3", value="last_run_start_date"),
    ] = Field(None, description="-dag_id for descending")
    tags: list[str] | None = Field(None, description="any of these")
    owners: list[str] | None = Field(None, description="any of these, or parts")
    dag_id_pattern: str | None = Field(None, description="part of it; % matches anything")
    paused: bool | None = None
    last_run_state: Annotated[RunState | None, Since("3")] = None
    only_active: bool = Field(True, description="false: also without a file")
    fields: list[str] | None = Field(None, description="only these: description, fileloc, …")


class GetDag(DagArguments):
    """Arguments of get_dag and get_dag_details."""

    fields: list[str] | None = Field(None, description="only these")


class GetDagSource(Arguments):
    """Arguments of get_dag_source."""

    dag_id: Id | None = None
    file_token: Annotated[str | None, Until("3")] = Field(None, description="instead of dag_id")
    version_number: Annotated[int | None, Since("3")] = Field(None, ge=1)
    start_line: int = Field(1, ge=1)
    end_line: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.dag_id is None) == (self.file_token is None):
            raise ValueError("dag_id, file_token: give exactly one")
        if self.end_line and self.end_line < self.start_line:
            raise ValueError("end_line: is before start_line")
        return self


def _schedule(value: Any) -> Any:
    """Airflow 2 gives an object: a cron expression, an interval, or a list of them."""
    if not isinstance(value, dict):
        return value
    if "value" in value:
        return value["value"]
    parts = {name: number for name, number in value.items() if not name.startswith("__") and number}
    # A relative delta: plural names are steps, singular ones (`day: 1`) fix a part of the date.
    steps = [f"{number} {name}" for name, number in parts.items() if name.endswith("s")]
    fixed = [f"{name} {number}" for name, number in parts.items() if not name.endswith("s")]
    text = f"every {' '.join(steps)}" if steps else ""
    return f"{text} on {', '.join(fixed)}".strip() if fixed else text or None


def _stripped(value: Any) -> Any:
    """Airflow 2 splits "ana, ben" at the comma alone."""
    return [owner.strip() if isinstance(owner, str) else owner for owner in value] if isinstance(value, list) else value


def _zone(value: Any) -> Any:
    """Airflow 2.7 gives the printed form of an object: Timezone('UTC')."""
    return value.removeprefix("Timezone('").removesuffix("')") if isinstance(value, str) else value


class Dag(Answer):
    """A DAG, as a list or a first look needs it."""

    rest: ClassVar = "get_dag_details with one name in fields leaves more room for it; get_dag_source shows the file."

    dag_id: str
    dag_display_name: DisplayName = None
    is_paused: bool | None = None
    active: bool | None = Field(None, description="false: its file is gone", validation_alias="is_active")
    schedule: Annotated[str | None, BeforeValidator(_schedule)] = Field(
        None, validation_alias=AliasChoices("timetable_summary", "schedule_interval")
    )
    next_run: Moment | None = Field(
        None,
        description="when the next run is due",
        validation_alias=AliasChoices("next_dagrun_run_after", "next_dagrun_create_after"),
    )
    tags: Names | None = None
    owners: Annotated[list[str], BeforeValidator(_stripped)] | None = None
    description: Remark | None = None
    timetable_description: str | None = None
    fileloc: str | None = None
    url: str | None = None
    last_parsed_time: Moment | None = None
    has_import_errors: bool | None = None
    max_active_runs: int | None = None
    max_active_tasks: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _active(cls, data: Any) -> Any:
        if isinstance(data, dict) and "is_stale" in data:
            return {**data, "is_active": not data["is_stale"]}
        return data


class DagVersion(Answer):
    """A version of a DAG (Airflow 3)."""

    version_number: int
    bundle_name: str | None = None
    bundle_version: str | None = None
    created_at: Moment | None = None


class Param(Answer):
    """A parameter of a DAG: its default and its JSON schema."""

    value: JsonValue = None
    schema_: dict[str, JsonValue] | None = Field(None, alias="schema")
    description: Remark | None = None


class DagDetails(Dag):
    """A DAG with all that Airflow tells of it."""

    doc_md: Untrusted | None = None
    params: dict[str, Param] | None = None
    default_args: Annotated[dict[str, JsonValue] | None, Since("3.1")] = None
    timezone: Annotated[str | None, BeforeValidator(_zone)] = Field(
        None, description="as Airflow tells it: often UTC, where the schedule has a zone of its own"
    )
    start_date: Moment | None = None
    end_date: Moment | None = None
    catchup: bool | None = None
    dag_run_timeout_seconds: Seconds | None = Field(None, validation_alias="dag_run_timeout")
    next_dagrun_logical_date: Moment | None = Field(
        None, validation_alias=AliasChoices("next_dagrun_logical_date", "next_dagrun")
    )
    active_runs_count: Annotated[int | None, Since("3.2")] = None
    max_consecutive_failed_dag_runs: Annotated[int | None, Since("2.9")] = None
    has_task_concurrency_limits: bool | None = None
    is_paused_upon_creation: bool | None = None
    render_template_as_native_obj: bool | None = None
    template_search_path: list[str] | None = Field(
        None, validation_alias=AliasChoices("template_search_path", "template_searchpath")
    )
    asset_expression: Annotated[dict[str, JsonValue] | None, Since("2.9")] = Field(
        None, validation_alias=AliasChoices("asset_expression", "dataset_expression")
    )
    owner_links: Annotated[dict[str, str] | None, Since("3")] = None
    bundle_name: Annotated[str | None, Since("3")] = None
    latest_dag_version: Annotated[DagVersion | None, Since("3")] = None
    note: str | None = Field(None, description="what is missing")


class DagRow(Dag):
    """A DAG in a list, with its last run."""

    last_run_state: str | None = Field(None, description="none: no run yet")
    last_run_id: str | None = None
    last_run_at: Moment | None = Field(None, description="its start")


class DagList(Page[DagRow]):
    """A page of DAGs."""

    rest: ClassVar = "A smaller limit leaves more room for each; get_dag shows one."
    rows: list[DagRow] = Field(alias="dags")


class DagSource(Answer):
    """Lines of a DAG's source, each with its number."""

    rest: ClassVar = "Ask for fewer lines at once: start_line, end_line."
    dag_id: str | None = None
    version_number: int | None = None
    total_lines: int
    start_line: int
    end_line: int
    next_line: int | None = None
    url: str | None = None
    note: str | None = Field(None, description="where it is not what stands in the file now")
    source: Untrusted
