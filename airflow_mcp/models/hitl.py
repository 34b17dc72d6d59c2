"""Human decisions that tasks wait for: the arguments and answers of get_hitl_details and respond_hitl."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from airflow_mcp.models.base import Answer, Arguments, Id, JsonObject, Moment, Names, Untrusted
from airflow_mcp.models.changes import Change, ChangeArguments
from airflow_mcp.models.dags import DagArguments, Param


class GetHitlDetails(Arguments):
    """Arguments of get_hitl_details."""

    dag_id: Id | None = Field(None, description="default: all DAGs")
    answered: bool = Field(False, description="true: those that were answered")
    limit: int = Field(25, ge=1, le=100)
    offset: int = Field(0, ge=0)


class RespondHitl(ChangeArguments, DagArguments):
    """Arguments of respond_hitl."""

    dag_run_id: Id
    task_id: Id
    map_index: int = Field(-1, ge=-1, description="of a mapped task")
    chosen_options: list[str] = Field(min_length=1)
    params_input: JsonObject | None = Field(None, description="JSON object: values of its params")


def _index(value: Any) -> Any:
    return None if value == -1 else value


def _name(value: Any) -> Any:
    return value["name"] if isinstance(value, dict) else value


class HitlDetail(Answer):
    """A decision that a task waits for, or was given."""

    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: Annotated[int | None, BeforeValidator(_index)] = None
    subject: Untrusted
    body: Untrusted | None = None
    options: list[str]
    defaults: list[str] | None = None
    multiple: bool = False
    params: dict[str, Param] | None = None
    assigned_users: Names | None = Field(None, description="who may answer; none named: all who may edit")
    created_at: Moment | None = None
    responded_at: Moment | None = None
    responded_by: Annotated[str | None, BeforeValidator(_name)] = Field(None, validation_alias="responded_by_user")
    chosen_options: list[str] | None = None
    params_input: dict[str, JsonValue] | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_ids(cls, data: Any) -> Any:
        """Its task instance holds whose it is; what is empty says nothing."""
        if not (isinstance(data, dict) and "task_instance" in data):
            return data
        ids = {name: data["task_instance"][name] for name in ("dag_id", "dag_run_id", "task_id", "map_index")}
        return {name: value for name, value in data.items() if value not in ([], {})} | ids


class HitlDetailList(Answer):
    """A page of decisions."""

    hitl_details: list[HitlDetail]
    total: int
    returned: int
    next_offset: int | None = None
    note: str | None = Field(None, description="why it may be empty")


class HitlAnswer(Change):
    """An answer to a task: previewed, or given."""

    question: HitlDetail
    chosen_options: list[str]
    params_input: dict[str, JsonValue] | None = None
