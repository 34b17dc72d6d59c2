"""`airflow-mcp demo`: an operator's morning on a real Airflow, through this server, as a client would do it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from airflow_mcp.demo.console import DemoError, require, say, signs_of_life
from airflow_mcp.demo.kept import keep as keep_running
from airflow_mcp.demo.kept import stop_kept
from airflow_mcp.demo.releases import RELEASES, StandaloneError
from airflow_mcp.demo.scene import DAILY, FILES, PATIENCE, SALES, break_things
from airflow_mcp.demo.standalone import Standalone

DAGS = Path(__file__).parent / "dags"

Answer = dict[str, Any]
NextStep = dict[str, Any]


def run_demo(airflow: str, *, keep: bool) -> int:
    """Install and start an Airflow, go from what is broken to what runs again, stop it. Gives the exit status.

    With `keep` it goes on running, and the configuration for a client is printed.
    """
    server = Standalone(RELEASES[airflow], dags=[DAGS], report=say, keep=keep)
    try:
        with ExitStack() as stack:
            with signs_of_life():
                stack.enter_context(server)
            anyio.run(_walk, server)
            if keep:
                stack.pop_all()
                _tell_how_to_go_on(server)
    except (StandaloneError, DemoError) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    say("\nEvery step did what it says." + ("" if keep else " Airflow is stopped, and its folder is gone."))
    return 0


def stop_demo() -> int:
    """End the servers that were kept. Gives the exit status."""
    try:
        homes = stop_kept()
    except StandaloneError as error:
        print(error, file=sys.stderr)
        return 1
    say(f"Stopped {len(homes)} Airflow{'' if len(homes) == 1 else 's'} of earlier demos.")
    return 0


async def _walk(server: Standalone) -> None:
    runs = await break_things(server)
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", **client_environment(server)}
    parameters = StdioServerParameters(command=sys.executable, args=["-m", "airflow_mcp"], env=environment)
    with Path(os.devnull).open("w") as quiet:  # noqa: ASYNC230 - the server's log is no part of the show
        async with Client(stdio_client(parameters, errlog=quiet)) as client:
            operator = Operator(client)
            sales = {"dag_id": SALES, "dag_run_id": runs[SALES]}
            step = await _find_out(operator, sales)
            await _repair(operator, server, sales, step)
            await _skip_one(operator, {"dag_id": FILES, "dag_run_id": runs[FILES]})
            await _pause(operator)


class Operator:
    """Asks in words, calls a tool, and shows the short answer."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._step = 0

    async def ask(self, question: str, tool: str, show: Callable[[Answer], str], **arguments: Any) -> Answer:
        """One step: print the question, the call and what `show` makes of the answer."""
        self._step += 1
        say(f"\n{self._step:>2}. {question}")
        say(f"    {tool}({', '.join(f'{name}={json.dumps(value)}' for name, value in arguments.items())})")
        answer = await self.call(tool, **arguments)
        for line in show(answer).splitlines():
            say(f"    | {line}")
        return answer

    async def refused(self, question: str, tool: str, **arguments: Any) -> None:
        """One step that the server must refuse."""
        self._step += 1
        say(f"\n{self._step:>2}. {question}")
        say(f"    {tool}({', '.join(f'{name}={json.dumps(value)}' for name, value in arguments.items())})")
        result = await self._client.call_tool(tool, arguments)
        require(result.is_error, f"{tool} was not refused")
        say(f"    | {_text(result.content)}")

    async def call(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool that must succeed, and print what it tells on the way."""

        async def on_the_way(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
            if message not in told:
                told.append(message)
                say(f"    | … {message}")

        told: list[str | None] = []
        result = await self._client.call_tool(tool, arguments, progress_callback=on_the_way)
        require(not result.is_error, f"{tool}: {_text(result.content)}")
        return result.structured_content or {}


def _text(content: list[Any]) -> str:
    return str(content[0].text)


async def _find_out(operator: Operator, run: dict[str, str]) -> NextStep:
    """From "what is broken?" to the call that would help."""
    health = await operator.ask("What is broken?", "get_health", _health)
    require(SALES in health["failing"], f"{SALES} is not among what fails")
    found = await operator.ask(f"Why did {SALES} fail?", "diagnose_dag_run", _diagnosis, **run)
    [failure] = found["failures"]
    require(failure["error"] == "KeyError: 'amount'", "the diagnosis does not tell the error")
    require('order["amount"]' in failure["source"], "the failing line is not in the diagnosis")
    step: NextStep = found["next"]
    return step


async def _repair(operator: Operator, server: Standalone, run: dict[str, str], step: NextStep) -> None:
    orders = [{"id": number, "region": "eu", "amount": 100.0} for number in (1041, 1042, 1043)]
    (server.home / "orders.json").write_text(json.dumps(orders))
    say("\n    An order has no amount. Somebody mends the data (orders.json); now the failed tasks can run again.")
    refused = {**step["arguments"], "confirm": "yes"}
    await operator.refused('A model that did not read on sends confirm="yes": refused.', step["tool"], **refused)
    done = await operator.ask("Yes: exactly that.", step["tool"], _change, **step["arguments"])
    require(done["done"] and done["total"] == 3, "the three task instances were not cleared")
    ended = await operator.ask("Did it work?", "wait_for_dag_run", _waited, **run, timeout_seconds=PATIENCE)
    require(ended["state"] == "success", f"the run ended as {ended['state']}: {ended}")


async def _skip_one(operator: Operator, run: dict[str, str]) -> None:
    found = await operator.ask(f"And {FILES}?", "diagnose_dag_run", _diagnosis, **run)
    [failure] = found["failures"]
    require(failure["map_indexes"] == "2", "the diagnosis does not name the map index")
    one = {**run, "task_id": "load_file", "map_index": 2, "new_state": "skipped"}
    preview = await operator.ask(
        "That file is broken for good: skip just that one. What would that do?",
        "set_task_instances_state",
        _change,
        **one,
        confirm=False,
    )
    require(preview["total"] == 1 and bool(preview["also_cleared"]), "the preview is not what it should be")
    done = await operator.ask("Yes.", "set_task_instances_state", _change, **one, confirm=True, plan=preview["plan"])
    require(done["done"], "the state was not set")
    ended = await operator.ask("How does it end?", "wait_for_dag_run", _waited, **run, timeout_seconds=PATIENCE)
    require(ended["state"] == "success", f"the run ended as {ended['state']}: {ended}")


async def _pause(operator: Operator) -> None:
    paused = await operator.ask(
        f"Pause {DAILY}: the warehouse is down for an hour.",
        "patch_dag",
        _facts("summary", "is_paused_before", "is_paused_after"),
        dag_id=DAILY,
        is_paused=True,
        confirm=True,
    )
    require(paused["done"], "the DAG was not paused")
    state = await operator.ask(
        f"(The next shift.) Why does {DAILY} not run?",
        "explain_dag_state",
        lambda answer: "\n".join(f"{each['what']}: {each['facts']}" for each in answer["reasons"]),
        dag_id=DAILY,
    )
    require(state["reasons"][0]["what"] == "The DAG is paused", "that it is paused is not told first")
    preview = await operator.ask(
        "Could it run just once?", "trigger_dag_run", _facts("summary", "plan"), dag_id=DAILY, confirm=False
    )
    require(preview["is_paused"], "that the run would wait is not told")
    listed = await operator.ask("What is there, and how did it go last?", "get_dags", _rows)
    rows = {row["dag_id"]: row for row in listed["dags"]}
    require(rows[DAILY]["is_paused"], f"{DAILY} is not paused")


def _rows(answer: Answer) -> str:
    rows = [
        f"{row['dag_id']:<14}{'paused' if row['is_paused'] else 'active':<8}{row.get('schedule', '-'):<12}"
        f"{row.get('last_run_state', '-'):<9}{','.join(row['tags'])}"
        for row in answer["dags"]
    ]
    return "\n".join([*rows, f"{answer['returned']} of {answer['total']}"])


def _health(answer: Answer) -> str:
    lines = [*answer["problems"], f"failing: {', '.join(answer['failing'])}", answer["components"], answer["dags"]]
    return "\n".join([*lines, f"tasks: {answer['tasks']}; pools: {answer['pools']}"])


def _diagnosis(answer: Answer) -> str:
    lines = [answer["tasks"]]
    for failure in answer["failures"]:
        index = f"[{failure['map_indexes']}]" if "map_indexes" in failure else ""
        lines += [f"{failure['task_id']}{index}: {failure['error']}", *failure["at"], failure["source"]]
        lines += [failure.get("log_around", ""), failure["history"]]
    lines += [f"blocked: {', '.join(answer['blocked'])}"]
    return "\n".join([*filter(None, lines), f"next: {answer['next']['preview']}"])


def _waited(answer: Answer) -> str:
    ended = f"{answer['done']} of {answer['total']} task instances ended"
    return f"{answer['state']}; {ended}, after {answer['waited_seconds']:.0f} s"


def _facts(*names: str) -> Callable[[Answer], str]:
    return lambda answer: "\n".join(f"{name}: {json.dumps(answer[name], ensure_ascii=False)}" for name in names)


def _states(answer: Answer) -> str:
    return "\n".join(
        ", ".join(f"{_label(row)}: {row['state']}" for row in run["task_instances"]) for run in answer["runs"]
    )


def _label(row: Answer) -> str:
    return f"{row['task_id']}[{row['map_index']}]" if "map_index" in row else str(row["task_id"])


def _change(answer: Answer) -> str:
    were = _states(answer)
    lines = [answer["summary"], f"(before) {were}" if answer["done"] else were]
    lines += [f"left out: {line}" for line in answer.get("left_out", [])]
    lines += [f"plan: {answer['plan']}"] if "plan" in answer else []
    return "\n".join(line for line in lines if line)


def client_environment(server: Standalone) -> dict[str, str]:
    """The settings of this server for an Airflow that runs here."""
    return {
        "AIRFLOW_MCP_URL": server.url,
        "AIRFLOW_MCP_USERNAME": server.username,
        "AIRFLOW_MCP_PASSWORD": server.password,
    }


def _tell_how_to_go_on(server: Standalone) -> None:
    entry = {"command": sys.executable, "args": ["-m", "airflow_mcp"], "env": client_environment(server)}
    keep_running(server.home, server.pid)
    say(f"\nAirflow goes on at {server.url} ({server.username} / {server.password}).")
    say("`make demo ARGS=--stop`, or `airflow-mcp demo --stop`, ends it and removes its folder.\n")
    say("For Claude Desktop, in claude_desktop_config.json:\n")
    say(json.dumps({"mcpServers": {"airflow": entry}}, indent=2))
