"""Assets, which Airflow 2 calls datasets: arguments and answers of the toolset `assets`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from airflow_mcp.models.admin import Page, Paging
from airflow_mcp.models.base import Answer, Id, Linked, Moment
from airflow_mcp.models.changes import Change, ChangeArguments
from airflow_mcp.models.dags import DagArguments
from airflow_mcp.models.task_instances import MapIndex


def _in_short(in_short: Callable[[Any], str]) -> BeforeValidator:
    """Each row of Airflow's in a few words; what is in words already stays."""
    return BeforeValidator(lambda rows: [row if isinstance(row, str) else in_short(row) for row in rows or ()])


TASKS = _in_short(lambda row: f"{row['dag_id']}.{row['task_id']}")
DAGS = _in_short(lambda row: str(row["dag_id"]))
RUNS = _in_short(lambda row: f"{row['dag_id']} {row.get('run_id') or row['dag_run_id']}: {row['state']}")


def _group(value: Any) -> Any:
    return None if value == "asset" else value  # which all are in


def _timestamp(value: Any) -> Any:
    return value.get("timestamp") if isinstance(value, dict) else value


class GetAssets(Paging):
    """Arguments of get_assets."""

    uri_pattern: str | None = Field(None, description="part of the URI")
    dag_ids: list[Id] | None = Field(None, description="made or awaited by these")


class Asset(Answer):
    """An asset, who makes it, and who waits for it."""

    uri: str
    name: str | None = None
    group: Annotated[str | None, BeforeValidator(_group)] = None
    producing_tasks: Annotated[list[str], TASKS] = Field(default_factory=list)
    consuming_dags: Annotated[list[str], DAGS] = Field(
        default_factory=list, validation_alias=AliasChoices("scheduled_dags", "consuming_dags")
    )
    last_event: Annotated[Moment | None, BeforeValidator(_timestamp)] = Field(
        None, validation_alias=AliasChoices("last_asset_event", "last_event")
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        """A name that only repeats the URI, as Airflow gives it by default, says nothing."""
        return {**data, "name": None} if data.get("name") == data.get("uri") else data


class AssetList(Page):
    """A page of assets."""

    assets: list[Asset]


class GetAssetEvents(Paging):
    """Arguments of get_asset_events."""

    uri: str | None = Field(None, description="of the asset, whole")
    source_dag_id: Id | None = None
    source_task_id: Id | None = None
    source_run_id: Id | None = None
    source_map_index: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _of_a_dag(self) -> Self:
        if not self.source_dag_id and (self.source_task_id or self.source_run_id or self.source_map_index is not None):
            raise ValueError("source_dag_id: give it along with the ids of its runs and tasks")
        return self


class AssetEvent(Answer):
    """That an asset was made or changed, by whom, and what that caused."""

    timestamp: Moment
    uri: str | None = Field(None, validation_alias=AliasChoices("uri", "dataset_uri"))
    source_dag_id: str | None = None
    source_run_id: str | None = None
    source_task_id: str | None = None
    source_map_index: MapIndex = None
    caused_runs: Annotated[list[str], RUNS] = Field(
        default_factory=list, validation_alias=AliasChoices("created_dagruns", "caused_runs")
    )
    extra: str | None = None


class AssetEventList(Page):
    """A page of asset events."""

    asset_events: list[AssetEvent]


class GetUpstreamAssetEvents(DagArguments):
    """Arguments of get_upstream_asset_events."""

    dag_run_id: Id


class UpstreamAssetEvents(Linked):
    """The asset events that caused a run."""

    asset_events: list[AssetEvent]
    note: str | None = None


class GetQueuedAssetEvents(DagArguments):
    """Arguments of get_queued_asset_events."""


class QueuedAssetEvent(Answer):
    """An asset that a DAG already got."""

    uri: str
    since: Moment


class QueuedAssetEvents(Linked):
    """What a DAG got since its last run, and what it still waits for."""

    received: list[QueuedAssetEvent]
    awaited: list[str] = Field(description="URIs of which no event came yet")
    note: str | None = None


class MaterializeAsset(ChangeArguments):
    """Arguments of materialize_asset."""

    uri: str = Field(description="of the asset, whole")


class Materialization(Change, Linked):
    """A run that would make an asset, or does."""

    uri: str
    dag_id: str
    is_paused: bool
    dag_run_id: str | None = None
