"""What every tool has at hand, made once for the life of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from airflow_mcp.airflow.administration import Administration
from airflow_mcp.airflow.assets import Assets
from airflow_mcp.airflow.backfills import Backfills
from airflow_mcp.airflow.clear import Clear
from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import Dags
from airflow_mcp.airflow.hitl import Hitl
from airflow_mcp.airflow.instance import Instance
from airflow_mcp.airflow.instances import Instances
from airflow_mcp.airflow.links import Links
from airflow_mcp.airflow.logs import Logs
from airflow_mcp.airflow.pools import Pools
from airflow_mcp.airflow.run_changes import RunChanges
from airflow_mcp.airflow.runs import Runs
from airflow_mcp.airflow.set_state import SetState
from airflow_mcp.airflow.trigger import Trigger
from airflow_mcp.airflow.wait import Progress, Wait
from airflow_mcp.airflow.xcoms import Xcoms
from airflow_mcp.diagnosis.dag_state import ExplainState
from airflow_mcp.diagnosis.evidence import Evidence
from airflow_mcp.diagnosis.health import LookAtHealth
from airflow_mcp.diagnosis.resolve import ResolveLink
from airflow_mcp.diagnosis.run import DiagnoseRun
from airflow_mcp.guard.confirm import Guard
from airflow_mcp.settings import Settings


async def _nobody_asks(done: float, total: float | None, message: str | None) -> None:
    """For a call of which no client wants to know how far it is."""


@dataclass(frozen=True)
class App:
    """The endpoints of the Airflow at hand, and the guard before its changes."""

    dags: Dags
    clear: Clear
    set_state: SetState
    runs: Runs
    trigger: Trigger
    run_changes: RunChanges
    wait: Wait
    instances: Instances
    logs: Logs
    xcoms: Xcoms
    diagnose_run: DiagnoseRun
    explain_state: ExplainState
    health: LookAtHealth
    resolve: ResolveLink
    links: Links
    assets: Assets
    administration: Administration
    pools: Pools
    backfills: Backfills
    hitl: Hitl
    guard: Guard
    progress: Progress = field(default=_nobody_asks)
    """Tells the client of a call how far it is; each call has its own."""


def make_app(settings: Settings, airflow: Airflow) -> App:
    """Put the parts together. Nothing is sent."""
    dags, runs = Dags(airflow), Runs(airflow)
    instances = Instances(airflow, dags)
    logs, instance = Logs(airflow, instances), Instance(airflow)
    return App(
        dags=dags,
        clear=Clear(airflow, dags),
        set_state=SetState(airflow, dags),
        runs=runs,
        trigger=Trigger(airflow, dags),
        run_changes=RunChanges(airflow),
        wait=Wait(airflow, runs),
        instances=instances,
        logs=logs,
        xcoms=Xcoms(airflow, instances),
        diagnose_run=DiagnoseRun(airflow, dags, runs, Evidence(dags, logs)),
        explain_state=ExplainState(airflow, dags, instance),
        health=LookAtHealth(airflow, instance),
        resolve=ResolveLink(airflow, dags, runs, instances),
        links=Links(airflow),
        assets=Assets(airflow, dags, instances),
        administration=Administration(airflow),
        pools=Pools(airflow, instance),
        backfills=Backfills(airflow),
        hitl=Hitl(airflow),
        guard=Guard(settings),
    )


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[App]:
    """The parts for these settings; the connections are closed at the end."""
    airflow = Airflow(settings)
    try:
        yield make_app(settings, airflow)
    finally:
        await airflow.aclose()
