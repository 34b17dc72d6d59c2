"""Record what the real servers answer: `make record`. The unit tests replay it."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
from mcp import Client

from airflow_mcp.server import build_server
from airflow_mcp.tools.context import make_app
from tests.fakes import Airflow
from tests.oracle import Oracle
from tests.scenarios import calls
from tests.servers import RECORDED, real_airflow

FOLDER = Path(__file__).parent.parent / "tests" / "recorded"


class Recorder(httpx.AsyncHTTPTransport):
    """Passes requests on, and keeps each with its answer."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        body = await response.aread()
        if not request.url.path.startswith("/auth/"):
            self.exchanges.append(
                {
                    "request": described(request),
                    "status": response.status_code,
                    "type": response.headers.get("content-type", ""),
                    "body": json.loads(body) if "json" in response.headers.get("content-type", "") else body.decode(),
                }
            )
        plain = {name: value for name, value in response.headers.items() if name != "content-encoding"}
        return httpx.Response(response.status_code, headers=plain, content=body)


def described(request: httpx.Request) -> dict[str, Any]:
    """What tells one request from another, as sent."""
    return {
        "method": request.method,
        "path": request.url.raw_path.decode().partition("?")[0],
        "query": sorted(request.url.params.multi_items()),
        "body": json.loads(request.content) if request.content else None,
    }


def main() -> int:
    """Start each server, or those that AIRFLOW names, record, and write one file a version."""
    for name in os.environ.get("AIRFLOW", "").split() or RECORDED:
        with real_airflow(name) as oracle:
            recording = anyio.run(record, oracle)
            text = json.dumps(recording, indent=1, ensure_ascii=False) + "\n"
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / f"airflow-{name}.json").write_text(scrubbed(text, oracle), encoding="utf-8")
    return 0


def scene(oracle: Oracle) -> dict[str, str]:
    """A run that really failed in one map index, and one whose DAG is paused."""
    oracle.pause("history", True)
    history = oracle.trigger("history", "2026-02-01T05:00:00+00:00")
    oracle.pause("load_files", False)
    failed = oracle.trigger("load_files", "2026-02-02T05:00:00+00:00")
    oracle.wait_for_run("load_files", failed)
    return {
        "history": history,
        "load_files": failed,
        "logical_date": str(oracle.run("history", history)["logical_date"]),
        "file_token": str(oracle.dag("sales_etl").get("file_token")),
    }


async def record(oracle: Oracle) -> dict[str, Any]:
    """Make every call once; gives what went over the wire."""
    recorder, runs = Recorder(), scene(oracle)

    @asynccontextmanager
    async def parts(settings: Any) -> Any:
        airflow = Airflow(settings.instances[0], recorder)
        yield make_app(settings, airflow)
        await airflow.aclose()

    async with Client(build_server(oracle.settings(), parts)) as client:
        for tool, arguments in calls(oracle.server.release.name, runs):
            await client.call_tool(tool, arguments)
    return {"runs": runs, "exchanges": recorder.exchanges}


def scrubbed(text: str, oracle: Oracle) -> str:
    """Without what is of the machine alone."""
    host = oracle.call("GET", "dags/load_files/dagRuns/~/taskInstances")["task_instances"][0]["hostname"]
    text = text.replace(str(oracle.server.home), "/opt/airflow")
    # A file token is the path of a DAG file, encoded.
    for number, token in enumerate(sorted(set(re.findall(r'"file_token": "([^"]+)"', text)))):
        text = text.replace(token, f"file-token-{number}")
    return text.replace(f'"hostname": "{host}"', '"hostname": "worker-1"').replace(
        '"unixname": "root"', '"unixname": "airflow"'
    )


if __name__ == "__main__":
    sys.exit(main())
