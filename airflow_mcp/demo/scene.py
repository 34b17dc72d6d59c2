"""The scene of the demo: each of its DAGs has run once, and two have failed. Set without this project's client."""

from __future__ import annotations

import time

import anyio
import httpx

from airflow_mcp.demo.console import DemoError, require, say, signs_of_life
from airflow_mcp.demo.standalone import Standalone

SALES, FILES, DAILY = "sales_etl", "load_files", "daily_report"
PATIENCE = 240  # seconds for a run to end


async def break_things(server: Standalone) -> dict[str, str]:
    """Run the three DAGs once; two of them fail. Gives the id of each run."""
    say(f"\nRunning {DAILY}, {FILES} and {SALES}; the last two fail. (A schedule starts a run of today, too.)")
    with signs_of_life():
        async with httpx.AsyncClient(
            base_url=f"{server.url}/api/v{server.release.major - 1}/", timeout=30, trust_env=False
        ) as rest:
            if server.release.major == 2:
                rest.auth = httpx.BasicAuth(server.username, server.password)
            else:
                credentials = {"username": server.username, "password": server.password}
                token = (await rest.post(f"{server.url}/auth/token", json=credentials)).json()["access_token"]
                rest.headers["authorization"] = f"Bearer {token}"
            return {dag_id: await _run_once(rest, dag_id, expected) for dag_id, expected in _EXPECTED.items()}


_EXPECTED = {DAILY: "success", FILES: "failed", SALES: "failed"}


async def _run_once(rest: httpx.AsyncClient, dag_id: str, expected: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while (await rest.patch(f"dags/{dag_id}", json={"is_paused": False})).status_code == 404:
        if time.monotonic() > deadline:
            raise DemoError(f"Airflow did not load {dag_id}")
        await anyio.sleep(1)
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    run = (await rest.post(f"dags/{dag_id}/dagRuns", json={"logical_date": now})).raise_for_status().json()
    run_id = str(run["dag_run_id"])
    while (state := run["state"]) not in ("success", "failed"):
        if time.monotonic() > deadline:
            raise DemoError(f"the run of {dag_id} is still {state}")
        await anyio.sleep(1)
        run = (await rest.get(f"dags/{dag_id}/dagRuns/{run_id.replace('+', '%2B')}")).raise_for_status().json()
    require(state == expected, f"the run of {dag_id} ended as {state}, not {expected}")
    return run_id
