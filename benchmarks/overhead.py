"""What a call of get_dag over stdio costs more than the bare HTTP call: `make overhead`.

Ours, mcp-airflow-api, an empty server on the same SDK, and httpx alone, before one fake Airflow in its own process.
They take turns, so that what else the machine does meets all of them alike.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

PEER = "mcp-airflow-api==3.1.5"
WARM = 30
ANSWERS_WITHIN = 30  # seconds
DAG = {
    "dag_id": "sales_etl",
    "dag_display_name": "sales_etl",
    "is_paused": True,
    "is_stale": False,
    "last_parsed_time": "2026-11-29T09:24:05.687958Z",
    "last_parse_duration": 0.5318311489972984,
    "bundle_name": "dags-folder",
    "relative_fileloc": "sales_etl.py",
    "fileloc": "/opt/airflow/dags/sales_etl.py",
    "description": "Orders of the shop into the warehouse.",
    "timetable_summary": "0 6 * * *",
    "timetable_description": "At 06:00",
    "tags": [{"name": name, "dag_id": "sales_etl", "dag_display_name": "sales_etl"} for name in ("etl", "sales")],
    "max_active_tasks": 16,
    "max_active_runs": 16,
    "max_consecutive_failed_dag_runs": 0,
    "has_task_concurrency_limits": False,
    "has_import_errors": False,
    "next_dagrun_logical_date": "2026-11-29T06:00:00Z",
    "next_dagrun_data_interval_start": "2026-11-29T06:00:00Z",
    "next_dagrun_data_interval_end": "2026-11-29T06:00:00Z",
    "next_dagrun_run_after": "2026-11-29T06:00:00Z",
    "owners": ["ana"],
    "is_backfillable": True,
    "file_token": "file-token-3",
}
EMPTY = """
import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import CallToolResult, TextContent

async def call_tool(context, params):
    return CallToolResult(content=[TextContent(text="{}")])

async def main():
    server = Server("empty", on_call_tool=call_tool)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())

anyio.run(main)
"""

Call = Callable[[], Awaitable[None]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=10, help="of each in a round")
    parser.add_argument("--no-peer", action="store_true", help="install and measure nothing but what is here")
    parser.add_argument("--airflow", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.airflow:
        asyncio.run(serve_airflow())
        return
    with tempfile.TemporaryDirectory() as folder:
        peer = None if args.no_peer else install_peer(Path(folder))
        taken = asyncio.run(measure(peer, args.rounds, args.calls))
    print(table(taken))


def install_peer(folder: Path) -> Path:
    """The peer's command, in an environment of its own."""
    uv = os.environ.get("UV", "uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    python = folder / "venv/bin/python"
    subprocess.run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, PEER], check=True)
    return folder / "venv/bin/mcp-airflow-api"


async def measure(peer: Path | None, rounds: int, calls: int) -> Mapping[str, Sequence[float]]:
    """Milliseconds of each call, by what was called."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fake_airflow())
        python = sys.executable
        given = {"URL": url, "USERNAME": "admin", "PASSWORD": "s3cret-pw"}
        ours = {f"AIRFLOW_MCP_{name}": value for name, value in given.items()}
        theirs = {f"AIRFLOW_API_{name}": value for name, value in given.items() if name != "URL"}
        theirs |= {"AIRFLOW_API_BASE_URL": f"{url}/api", "AIRFLOW_API_VERSION": "v2"}
        cases: dict[str, Call] = {
            "httpx alone": await stack.enter_async_context(bare(url)),
            "an empty server on the same SDK": await stack.enter_async_context(stdio([python, "-c", EMPTY], {})),
            "this server": await stack.enter_async_context(stdio([python, "-m", "airflow_mcp"], ours)),
        }
        if peer:
            cases[PEER.replace("==", " ")] = await stack.enter_async_context(stdio([str(peer)], theirs))
        for call in cases.values():
            for _ in range(WARM):
                await call()
        taken: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, call in cases.items():
                for _ in range(calls):
                    start = time.perf_counter()
                    await call()
                    taken[name].append((time.perf_counter() - start) * 1000)
        return taken


def table(taken: Mapping[str, Sequence[float]]) -> str:
    """Medians, and what they are above the bare call, in Markdown."""
    bare = median(taken["httpx alone"])
    lines = ["| one call of get_dag | median ms | more than httpx alone, ms |", "| --- | ---: | ---: |"]
    for name, each in taken.items():
        more = median(each) - bare
        # An empty server asks nobody: all of its call is its own.
        own = {"httpx alone": "", "an empty server on the same SDK": "(asks no Airflow)"}.get(name, f"{more:.2f}")
        lines.append(f"| {name} | {median(each):.2f} | {own} |")
    return "\n".join(lines)


# -- what is called


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Call]:
    """The call that all the others make too."""
    async with httpx.AsyncClient(headers={"authorization": "Bearer a-token"}) as client:

        async def call() -> None:
            answer = await client.get(f"{url}/api/v2/dags/sales_etl")
            assert answer.json()["dag_id"] == "sales_etl"

        yield call


@asynccontextmanager
async def stdio(command: Sequence[str], settings: Mapping[str, str]) -> AsyncIterator[Call]:
    """A call of a server over stdio, by a client that does next to nothing."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=inherited | dict(settings),
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=2**24,
    )
    try:
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
        await exchange(process, "initialize", hello)
        await send(process, {"jsonrpc": "2.0", "method": "notifications/initialized"})

        async def call() -> None:
            answer = await exchange(process, "tools/call", {"name": "get_dag", "arguments": {"dag_id": "sales_etl"}})
            assert not answer["result"].get("isError"), answer

        yield call
    finally:
        process.kill()
        await process.wait()


async def exchange(process: Process, method: str, params: Any) -> Any:
    """The answer to a request."""
    await send(process, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    assert process.stdout
    async with asyncio.timeout(ANSWERS_WITHIN):
        while True:
            answer = json.loads(await process.stdout.readline())
            if answer.get("id") == 1:
                return answer


async def send(process: Process, message: Any) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(message).encode() + b"\n")
    await process.stdin.drain()


# -- Airflow


@asynccontextmanager
async def fake_airflow() -> AsyncIterator[str]:
    """An Airflow 3.3 in its own process, and its address."""
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, "--airflow", stdout=PIPE)
    try:
        assert process.stdout
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def serve_airflow() -> None:
    """Answer each request at once with the same DAG; connections are kept."""
    body = json.dumps(DAG | {"version": "3.3.2", "access_token": "a-token"}).encode()
    head = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = await reader.readuntil(b"\r\n\r\n")
                lines = [line.partition(b":") for line in asked.lower().splitlines()]
                length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
                await reader.readexactly(length)
                writer.write(b"HTTP/1.1 %s\r\n%s%s" % (b"201 C" if b"/auth/" in asked else b"200 OK", head, body))
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
