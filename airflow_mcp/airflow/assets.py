"""The endpoints of assets, which Airflow 2 calls datasets: one method an endpoint, one body for both versions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import PAGE, Dags
from airflow_mcp.airflow.instances import Instances
from airflow_mcp.airflow.pages import about, filtered, page
from airflow_mcp.errors import ConflictError, InvalidArgumentError, NotFoundError
from airflow_mcp.masking import masked
from airflow_mcp.models.assets import (
    Asset,
    AssetEvent,
    AssetEventList,
    AssetList,
    GetAssetEvents,
    GetAssets,
    GetQueuedAssetEvents,
    GetUpstreamAssetEvents,
    Materialization,
    MaterializeAsset,
    QueuedAssetEvent,
    QueuedAssetEvents,
    UpstreamAssetEvents,
)
from airflow_mcp.models.changes import Prepared
from airflow_mcp.models.dags import GetDag

Row = Mapping[str, Any]
LONGEST_EXTRA = 500


class Assets:
    """The assets of one Airflow."""

    def __init__(self, airflow: Airflow, dags: Dags, instances: Instances) -> None:
        self._airflow = airflow
        self._dags = dags
        self._instances = instances

    async def find(self, args: GetAssets) -> AssetList:
        """A page of assets. Route: GET /assets, and on Airflow 2 GET /datasets.

        Raises NotFoundError where there are none of a DAG that there is not.
        """
        dialect = await self._airflow.dialect()
        wanted: dict[str, Any] = {"uri_pattern": args.uri_pattern} if args.uri_pattern else {}
        if args.dag_ids:
            wanted |= await self._of_dags(args.dag_ids)
        route, query = dialect.assets.assets, {**wanted, "order_by": "uri"}
        if wanted and not dialect.counts_filtered_assets:
            rows, total = await filtered(self._airflow, route, route, args, query=query)
        else:
            rows, total = await page(self._airflow, route, route, args, query)
        if not total:
            await self._require_dags(args.dag_ids or ())
        found = [Asset.model_validate(row) for row in rows]
        return AssetList(assets=found, **about(found, total, args, "No asset matches."))

    async def _require_dags(self, dag_ids: Sequence[str]) -> None:
        for dag_id in dag_ids:
            await self._dags.get(GetDag(dag_id=dag_id))

    async def _of_dags(self, dag_ids: Sequence[str]) -> dict[str, str | list[str]]:
        # Airflow 2 wants them in one, with commas.
        joined = (await self._airflow.dialect()).joins_dag_ids
        return {"dag_ids": ",".join(dag_ids) if joined else [*dag_ids]}

    async def _named(self, uri: str) -> Row:
        """The asset with exactly this URI. Raises NotFoundError."""
        route = (await self._airflow.dialect()).assets.assets
        rows, _ = await filtered(
            self._airflow,
            route,
            route,
            GetAssets(),
            keep=lambda row: bool(row["uri"] == uri),
            query={"uri_pattern": uri},
        )
        if rows:
            return rows[0]
        raise NotFoundError(f"There is no asset {uri}. get_assets finds them by a part of the URI.")

    async def events(self, args: GetAssetEvents) -> AssetEventList:
        """A page of events, the newest first. Route: GET /assets/events, and on Airflow 2 GET /datasets/events.

        Raises NotFoundError for an asset that there is not, and where there are none of a DAG, run or task that there
        is not.
        """
        names = (await self._airflow.dialect()).assets
        sources = ("source_dag_id", "source_task_id", "source_run_id", "source_map_index")
        query = {name: value for name in sources if (value := getattr(args, name)) is not None}
        if args.uri:
            query[names.id] = (await self._named(args.uri))["id"]
        page: dict[str, Any] = {"limit": args.limit, "offset": args.offset, "order_by": "-timestamp"}
        answer = await self._airflow.read(f"{names.assets}/events", query={**query, **page})
        found, total = [_event(row) for row in answer[names.events]], answer["total_entries"]
        if args.source_dag_id and not total:
            tasks = [args.source_task_id] if args.source_task_id else ()
            await self._instances.require(args.source_dag_id, args.source_run_id, tasks)
        return AssetEventList(asset_events=found, **about(found, total, args, "No event matches."))

    async def upstream(self, args: GetUpstreamAssetEvents) -> UpstreamAssetEvents:
        """The events that caused a run.

        Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/upstreamAssetEvents, or …/upstreamDatasetEvents on Airflow 2.
        Raises NotFoundError.
        """
        names = (await self._airflow.dialect()).assets
        ids = {"dag_id": args.dag_id, "dag_run_id": args.dag_run_id}
        answer = await self._airflow.read(names.upstream, ids)
        found = [_event(row) for row in answer[names.events]]
        note = None if found else "No asset caused this run."
        return UpstreamAssetEvents(asset_events=found, note=note)

    async def queued(self, args: GetQueuedAssetEvents) -> QueuedAssetEvents:
        """What a DAG got since its last run, and what it still waits for.

        Routes: GET /dags/{dag_id}/assets/queuedEvents, or /dags/{dag_id}/datasets/queuedEvent on Airflow 2, and those
        of find. Raises NotFoundError for a DAG that there is not.
        """
        await self._dags.get(GetDag(dag_id=args.dag_id))
        names = (await self._airflow.dialect()).assets
        answer = await self._airflow.read(names.assets, query={**await self._of_dags([args.dag_id]), "limit": PAGE})
        rows = [(row["id"], Asset.model_validate(row)) for row in answer[names.assets]]
        consumed = {id_: asset.uri for id_, asset in rows if args.dag_id in asset.consuming_dags}
        try:
            answer = await self._airflow.read(names.queued, {"dag_id": args.dag_id})
        except NotFoundError:  # which is how Airflow says that there are none
            answer = {"queued_events": []}
        received = [
            QueuedAssetEvent(uri=row.get("uri") or consumed.get(row.get("asset_id"), "?"), since=row["created_at"])
            for row in answer["queued_events"]
        ]
        got = {each.uri for each in received}
        return QueuedAssetEvents(
            received=received,
            awaited=sorted(uri for uri in consumed.values() if uri not in got),
            note=None if consumed else "No asset starts this DAG.",
        )

    async def prepare_materialization(self, args: MaterializeAsset) -> Prepared[Materialization]:
        """Run the DAG that makes an asset. Route: POST /assets/{asset_id}/materialize.

        Raises NeedsVersionError on Airflow 2, NotFoundError, ConflictError where several DAGs make it.
        """
        await self._airflow.require(("materialize_asset",), "There, trigger the DAG that makes it.")
        asset = await self._named(args.uri)
        producers = sorted({task["dag_id"] for task in asset["producing_tasks"]})
        if not producers:
            raise InvalidArgumentError("uri", f"no DAG makes {args.uri}.")
        if len(producers) > 1:
            raise ConflictError(
                f"{len(producers)} DAGs make {args.uri}: {', '.join(producers)}. Nothing was changed. Start one of "
                "them with trigger_dag_run."
            )
        [dag_id] = producers
        is_paused = bool((await self._dags.get(GetDag(dag_id=dag_id))).is_paused)

        async def apply() -> dict[str, Any]:
            made = await self._airflow.change("POST", "assets/{asset_id}/materialize", {"asset_id": asset["id"]})
            return {"dag_run_id": made["dag_run_id"]}

        waits = " It is paused: the run waits in the queue until it is unpaused (patch_dag)." if is_paused else ""
        return Prepared(
            preview=Materialization(
                summary=f"Start a run of {dag_id}, which makes {args.uri}.{waits}",
                uri=args.uri,
                dag_id=dag_id,
                is_paused=is_paused,
            ),
            items=(f"{dag_id} new run, is_paused={is_paused}",),
            apply=apply,
        )


def _event(row: Row) -> AssetEvent:
    extra = json.dumps(masked(row["extra"]), ensure_ascii=False)[:LONGEST_EXTRA] if row.get("extra") else None
    return AssetEvent.model_validate({**row, "extra": extra})
