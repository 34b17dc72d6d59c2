"""The command as a process, without an Airflow: wrong settings, an Airflow that is down, and the end of the process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from airflow_mcp.handlers import offered_tools
from airflow_mcp.settings import Settings
from tests.session import Session

COMMAND = [sys.executable, "-m", "airflow_mcp"]


def environment(**settings: str) -> dict[str, str]:
    """The caller's environment with these settings only."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_MCP_")}
    return inherited | {f"AIRFLOW_MCP_{name.upper()}": value for name, value in settings.items()}


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def nowhere() -> str:
    """An address at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.anyio
async def test_it_lists_its_tools_while_airflow_is_down_and_a_call_says_so(nowhere: str, tmp_path: Path) -> None:
    server = StdioServerParameters(
        command=COMMAND[0], args=COMMAND[1:], env=environment(url=nowhere, username="admin", password="s3cret-pw")
    )
    with (tmp_path / "log").open("w") as log:
        async with Client(stdio_client(server, errlog=log)) as client:
            offered = {tool.name for tool in (await client.list_tools()).tools}
            assert offered == {spec.name for spec in offered_tools(Settings.for_one())}
            message = await Session(client).error("get_dags")
            change = await Session(client).error("patch_dag", dag_id="sales", is_paused=True, confirm=True)
    for text in (message, change):
        assert text.startswith(f"Cannot reach Airflow at {nowhere}: ")
        assert "Is Airflow's web server up, and AIRFLOW_MCP_URL right? `airflow-mcp check` tells more." in text
    assert "s3cret-pw" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("settings", "arguments", "named"),
    [
        ({"url": "http://admin:s3cret-pw@airflow.test"}, [], "AIRFLOW_MCP_URL"),
        ({"timeout": "soon"}, [], "AIRFLOW_MCP_TIMEOUT"),
        ({"pasword": "s3cret-pw"}, [], "AIRFLOW_MCP_PASWORD is not a setting. Did you mean AIRFLOW_MCP_PASSWORD?"),
        ({"username": "admin", "password": "s3cret-pw", "token": "s3cret-pw"}, ["check"], "AIRFLOW_MCP_TOKEN"),
        ({"token_file": "/there/is/no/such/file"}, ["check"], "AIRFLOW_MCP_TOKEN_FILE"),
        ({}, ["--transport", "http", "--host", "0.0.0.0"], "--host 0.0.0.0"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(
    settings: dict[str, str], arguments: list[str], named: str
) -> None:
    done = run(*arguments, **settings)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("airflow-mcp: ")
    assert named in line
    assert "s3cret-pw" not in line


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("--transport", "http", "--port", port)
    assert done.returncode != 0
    assert done.stdout == ""
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    assert {entry["level"] for entry in entries} == {"ERROR"}, "it says that it serves, or no error"
    assert "address already in use" in entries[0]["message"]
    assert entries[-1]["message"] == f"not serving: 127.0.0.1:{port} cannot be listened at; give another --port"


def test_in_a_terminal_it_says_what_it_waits_for() -> None:
    person, terminal = os.openpty()
    try:
        with subprocess.Popen(
            COMMAND, env=environment(), stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stderr
                told = [process.stderr.readline() for _ in range(3)]
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(10)
            assert process.stdout
            assert process.stdout.read() == ""
    finally:
        os.close(person)
        os.close(terminal)
    assert told[0].startswith("airflow-mcp waits for an MCP client on standard input")
    assert "`airflow-mcp check`" in told[1]
    assert told[2] == "Ctrl-C ends it.\n"


def test_it_ends_when_the_client_closes_its_input() -> None:
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_over_stdio_it_ends_at_a_signal(number: signal.Signals) -> None:
    hello = (
        b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",'
        b'"capabilities":{},"clientInfo":{"name":"test","version":"1"}}}\n'
    )
    with subprocess.Popen(
        COMMAND,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        try:
            process.stdin.write(hello)
            process.stdin.flush()
            assert b'"result"' in process.stdout.readline()
            process.send_signal(number)
            process.wait(5)
            assert b"Traceback" not in process.stderr.read()
        finally:
            process.kill()
