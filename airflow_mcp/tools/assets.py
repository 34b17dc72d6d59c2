"""The toolset `assets`: what tasks make, and which runs that starts. Airflow 2 calls them datasets."""

from airflow_mcp.models.assets import (
    AssetEventList,
    AssetList,
    GetAssetEvents,
    GetAssets,
    GetQueuedAssetEvents,
    GetUpstreamAssetEvents,
    Materialization,
    MaterializeAsset,
    QueuedAssetEvents,
    UpstreamAssetEvents,
)
from airflow_mcp.tools.context import App
from airflow_mcp.tools.spec import tool


@tool("List assets")
async def get_assets(app: App, args: GetAssets) -> AssetList:
    """Find assets (datasets): which tasks make them, which DAGs wait for them, the last event."""
    return await app.assets.find(args)


@tool("List asset events", user_text=True)
async def get_asset_events(app: App, args: GetAssetEvents) -> AssetEventList:
    """When assets were made, newest first: by which run, and which runs that caused."""
    return await app.assets.events(args)


@tool("List the asset events behind a run", user_text=True)
async def get_upstream_asset_events(app: App, args: GetUpstreamAssetEvents) -> UpstreamAssetEvents:
    """Which asset events caused a run."""
    return await app.assets.upstream(args)


@tool("List what a DAG waits for")
async def get_queued_asset_events(app: App, args: GetQueuedAssetEvents) -> QueuedAssetEvents:
    """Which assets a DAG got since its last run, and which it still waits for."""
    return await app.assets.queued(args)


@tool("Materialize an asset", changes=True, idempotent=False)
async def materialize_asset(app: App, args: MaterializeAsset) -> Materialization:
    """Run the DAG that makes an asset. Airflow 3."""
    return await app.guard.carry_out("materialize_asset", args, await app.assets.prepare_materialization(args))
