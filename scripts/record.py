"""Record what the real servers answer: `make record`, or of one tool `make record TOOLS=get_dag`.

The unit tests replay it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import anyio
import httpx
from mcp import Client

from airflow_mcp.server import build_server
from airflow_mcp.tools.context import make_app
from tests.fakes import Airflow
from tests.oracle import Oracle
from tests.recordings import FOLDER, Exchange, described, recorded_runs, written
from tests.scenarios import BROKEN, CONSUMER, calls
from tests.servers import DAG_IDS, RECORDED, real_airflow

CALLS = 100  # the most requests of one call


class Recorder(httpx.AsyncHTTPTransport):
    """Passes requests on, and keeps each with its answer, by the tool that sent it."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: dict[str, list[Exchange]] = {}
        self.tool = ""
        self.at = 0

    def begin(self, call: int, tool: str) -> None:
        """The requests that follow are of this call."""
        self.at, self.tool = call * CALLS, tool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        body, kind = await response.aread(), response.headers.get("content-type", "")
        if not request.url.path.startswith("/auth/"):
            self.exchanges.setdefault(self.tool, []).append(
                {
                    "at": self.at,
                    "request": described(request),
                    "status": response.status_code,
                    "type": kind,
                    "body": json.loads(body) if "json" in kind and "ndjson" not in kind else body.decode(),
                }
            )
            self.at += 1
        plain = {name: value for name, value in response.headers.items() if name != "content-encoding"}
        return httpx.Response(response.status_code, headers=plain, content=body)


def main() -> int:
    """Start each server, or those that AIRFLOW names, record the tools, or those that TOOLS names, and write it."""
    for name in os.environ.get("AIRFLOW", "").split() or RECORDED:
        with real_airflow(name) as oracle:
            runs = scene(oracle)
            for tool, exchanges in anyio.run(record, oracle, runs, os.environ.get("TOOLS", "").split()).items():
                (FOLDER / name).mkdir(parents=True, exist_ok=True)
                text = scrubbed(written(exchanges), oracle, runs)
                (FOLDER / name / f"{tool}.jsonl").write_text(text, encoding="utf-8")
    return 0


def scene(oracle: Oracle) -> dict[str, str]:
    """A run that really failed in one map index, two whose DAG is paused, and a broken file.

    One of the two is running, and a task of it has failed without a log.
    """
    (oracle.server.dags_folder / "broken.py").write_text(BROKEN)
    oracle.wait_for_import_error("broken.py")
    (oracle.server.dags_folder / "consumer.py").write_text(CONSUMER)
    oracle.wait_for_dags("consumer")
    oracle.pause("history", True)
    history = oracle.trigger("history", "2026-02-01T05:00:00+00:00")
    oracle.pause("failing", True)
    failing = oracle.trigger("failing", "2026-02-03T05:00:00+00:00")
    oracle.put("failing", failing, {"chained": None, "long": "failed"}, run="running")
    oracle.pause("load_files", False)
    failed = oracle.trigger("load_files", "2026-02-02T05:00:00+00:00")
    oracle.wait_for_run("load_files", failed)
    logical_date = str(oracle.run("history", history)["logical_date"])
    token = str(oracle.dag("sales_etl").get("file_token"))
    runs = {"history": history, "load_files": failed, "failing": failing}
    return {**runs, "logical_date": logical_date, "file_token": token}


async def record(oracle: Oracle, runs: dict[str, str], tools: Collection[str]) -> dict[str, list[Exchange]]:
    """Make every call of these tools, or of all, once; gives by tool what went over the wire."""
    recorder = Recorder()

    @asynccontextmanager
    async def parts(settings: Any) -> Any:
        airflow = Airflow(settings.instances[0], recorder)
        yield make_app(settings, airflow)
        await airflow.aclose()

    async with Client(build_server(oracle.settings(), parts)) as client:
        for number, (tool, arguments) in enumerate(calls(oracle.server.release.name, runs)):
            if not tools or tool in tools:
                recorder.begin(number, tool)
                await client.call_tool(tool, arguments)
    return recorder.exchanges


def scrubbed(text: str, oracle: Oracle, runs: dict[str, str]) -> str:
    """Without what is of the machine alone."""
    host = oracle.call("GET", "dags/load_files/dagRuns/~/taskInstances")["task_instances"][0]["hostname"]
    text = text.replace(str(oracle.server.home), "/opt/airflow").replace(str(oracle.server.venv), "/opt/venv")
    for name, value in recorded_runs(oracle.server.release.name).items():
        if name in ("history", "load_files", "failing"):
            text = text.replace(quote(runs[name], safe=""), value).replace(runs[name], value)
    # A file token is the path of a DAG file, encoded: the first of its DAGs names it.
    for dag_id in sorted(DAG_IDS):
        if token := oracle.dag(dag_id).get("file_token"):
            text = text.replace(token, f"file-token-of-{dag_id}")
    for place in ('"hostname":"{}"', '"body":"{}\\n', " on host {}", "worker '{}'"):
        text = text.replace(place.format(host), place.format("worker-1"))
    return text.replace('"unixname":"root"', '"unixname":"airflow"')


if __name__ == "__main__":
    sys.exit(main())
