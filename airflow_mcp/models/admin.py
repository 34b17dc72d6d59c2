"""The instance and what is set up in it: arguments and answers of the toolset `admin`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, AwareDatetime, BeforeValidator, Field

from airflow_mcp.models.base import Answer, Arguments, Id, Moment, Untrusted
from airflow_mcp.models.changes import Change, ChangeArguments
from airflow_mcp.models.task_instances import MapIndex


class Paging(Arguments):
    """Which part of a list."""

    limit: int = Field(25, ge=1, le=100)
    offset: int = Field(0, ge=0)


class Page(Answer):
    """A part of a list."""

    total: int
    returned: int
    next_offset: int | None = None
    note: str | None = Field(None, description="why it may be empty")


class GetImportErrors(Paging):
    """Arguments of get_import_errors."""

    filename_pattern: str | None = Field(None, description="part of the file's name")


class BrokenFile(Answer):
    """A DAG file that cannot be imported."""

    filename: str
    bundle_name: str | None = None
    timestamp: Moment | None = None
    stack_trace: Untrusted | None = Field(None, description="its end")


class ImportErrorList(Page):
    """A page of import errors."""

    import_errors: list[BrokenFile]


class GetPools(Paging):
    """Arguments of get_pools."""


class Pool(Answer):
    """A pool, and who has its slots."""

    name: str
    slots: int
    open_slots: int
    occupied_slots: int
    running_slots: int
    queued_slots: int
    scheduled_slots: int
    deferred_slots: int | None = None
    include_deferred: bool | None = None
    description: str | None = None


class PoolList(Page):
    """A page of pools."""

    pools: list[Pool]


class SetPoolSlots(ChangeArguments):
    """Arguments of set_pool_slots."""

    pool: Id
    slots: int = Field(ge=-1, le=1_000_000, description="-1: without limit")


class PoolChange(Change):
    """A pool's change of slots."""

    pool: str
    slots_before: int
    slots_after: int
    occupied_slots: int


class GetVariables(Paging):
    """Arguments of get_variables."""

    key_pattern: str | None = Field(None, description="part of the key")


class Variable(Answer):
    """A variable; its value only where a setting of this server allows it."""

    key: str
    description: str | None = None
    value: Untrusted | None = None


class VariableList(Page):
    """A page of variables."""

    variables: list[Variable]


class GetConnections(Paging):
    """Arguments of get_connections."""

    connection_id_pattern: str | None = Field(None, description="part of the id")


class Connection(Answer):
    """A connection, without what signs it in."""

    connection_id: str
    conn_type: str | None = None
    host: str | None = None
    port: int | None = None
    schema_: str | None = Field(None, alias="schema")
    description: str | None = None


class ConnectionList(Page):
    """A page of connections."""

    connections: list[Connection]


class GetConfigOption(Arguments):
    """Arguments of get_config_option."""

    section: Id = Field(description="e.g. core")
    option: Id = Field(description="e.g. parallelism")


class ConfigOption(Answer):
    """An option of Airflow's configuration; what may be a secret is masked."""

    section: str
    option: str
    value: str


class GetProviders(Paging):
    """Arguments of get_providers."""

    name_pattern: str | None = Field(None, description="part of the package's name")


class Provider(Answer):
    """An installed provider."""

    package_name: str
    version: str


class ProviderList(Page):
    """A page of providers."""

    providers: list[Provider]


class GetVersion(Arguments):
    """Arguments of get_version."""


class Version(Answer):
    """Who speaks to whom."""

    airflow: str
    rest_api: str
    server: str = Field(description="of this MCP server")


class GetEventLogs(Paging):
    """Arguments of get_event_logs."""

    dag_id: Id | None = None
    dag_run_id: Id | None = None
    task_id: Id | None = None
    event: str | None = Field(None, description="e.g. trigger_dag_run, clear, failed")
    owner: str | None = Field(None, description="who did it")
    after: AwareDatetime | None = Field(None, description="with a zone")
    before: AwareDatetime | None = None


def _cut(value: Any) -> Any:
    return value if not isinstance(value, str) or len(value) <= 300 else f"{value[:300]}…"


class EventLog(Answer):
    """Something that somebody did, or that happened to a task."""

    when: Moment
    event: str
    owner: str | None = None
    dag_id: str | None = None
    dag_run_id: str | None = Field(None, validation_alias=AliasChoices("run_id", "dag_run_id"))
    task_id: str | None = None
    map_index: MapIndex = None
    extra: Annotated[str | None, BeforeValidator(_cut)] = None


class EventLogList(Page):
    """A page of event logs."""

    event_logs: list[EventLog]
