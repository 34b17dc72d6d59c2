"""`airflow-mcp demo`: an operator's morning on a real Airflow, through this server, as a client would do it."""

from __future__ import annotations

import json
import os
import sys
import time
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
from airflow_mcp.instance import variable

DAGS = Path(__file__).parent / "dags"

Answer = dict[str, Any]


def run_demo(airflow: str, *, keep: bool) -> int:
    """Install and start an Airflow, walk through its tools, stop it. Gives the exit status.

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
            await _find_out(operator, runs[SALES])
            await _repair(operator, server, runs[SALES])
            await _pause(operator)
            await _set_state(operator, runs[FILES])


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
        """Call a tool that must succeed."""
        result = await self._client.call_tool(tool, arguments)
        require(not result.is_error, f"{tool}: {_text(result.content)}")
        return result.structured_content or {}


def _text(content: list[Any]) -> str:
    return str(content[0].text)


async def _find_out(operator: Operator, run_id: str) -> None:
    diagnosis = await operator.ask("What is broken?", "diagnose_dag_run", _diagnosis)
    require(diagnosis["dag_id"] == SALES, "it is not of the run that failed last")
    require([each["error"] for each in diagnosis["causes"]] == ["KeyError: 'amount'"], "the cause is not named")
    failed = await operator.ask("What else failed?", "get_dag_runs", _runs, state=["failed"])
    require({row["dag_id"] for row in failed["dag_runs"]} == {SALES, FILES}, "not the runs that failed are listed")
    run = {"dag_id": SALES, "dag_run_id": run_id}
    tasks = await operator.ask(f"Where did {SALES} fail?", "get_task_instances", _instances, **run)
    require([row["task_id"] for row in tasks["task_instances"]][1] == "validate", "validate did not run second")
    log = await operator.ask(
        "What does its log say?", "get_task_log", lambda answer: str(answer["log"]), **run, task_id="validate"
    )
    require("'amount'" in log["log"], "the log does not show the exception")
    await operator.ask("Which DAGs are there?", "get_dags", _rows)
    await operator.ask(
        "What is this DAG?", "get_dag", _facts("description", "owners", "schedule", "next_run"), dag_id=SALES
    )
    await operator.ask(
        "What can be set when it runs?", "get_dag_details", _facts("params"), dag_id=SALES, fields=["params"]
    )
    tasks = await operator.ask("How do its tasks hang together?", "get_tasks", _graph, dag_id=SALES)
    require([task["task_id"] for task in tasks["tasks"]][1] == "validate", "validate is not the second task")
    await operator.ask(
        "And the one that failed?",
        "get_task",
        _facts("operator", "upstream_task_ids", "retries"),
        dag_id=SALES,
        task_id="validate",
    )
    source = await operator.call("get_dag_source", dag_id=SALES)
    line = next(int(text.partition("|")[0]) for text in source["source"].splitlines() if 'order["amount"] > 0' in text)
    shown = await operator.ask(
        "Show me the code around that line.",
        "get_dag_source",
        lambda answer: str(answer["source"]),
        dag_id=SALES,
        start_line=line - 4,
        end_line=line + 2,
    )
    require('order["amount"]' in shown["source"], "the failing line is not in the source")


async def _repair(operator: Operator, server: Standalone, run_id: str) -> None:
    orders = [{"id": number, "region": "eu", "amount": 100.0} for number in (1041, 1042, 1043)]
    (server.home / "orders.json").write_text(json.dumps(orders))
    say("\n    An order has no amount. Somebody mends the data (orders.json); now the failed tasks can run again.")
    run = {"dag_id": SALES, "dag_run_id": run_id}
    preview = await operator.ask("What would be cleared in that run?", "preview_clear_task_instances", _change, **run)
    require(preview["total"] == 3, "the preview does not list three task instances")
    await operator.refused(
        'A model that did not read on sends confirm="yes": refused.', "clear_task_instances", **run, confirm="yes"
    )
    done = await operator.ask(
        "Yes: exactly that.", "clear_task_instances", _change, **run, confirm=True, plan=preview["plan"]
    )
    require(done["done"], "the clear was not done")
    await _watch(operator, run)


async def _watch(operator: Operator, run: dict[str, str]) -> None:
    """Look at the run until it ends."""
    deadline, seen = time.monotonic() + PATIENCE, ""
    say("\n    Watching it run, with get_dag_run:")
    while True:
        answer = await operator.call("get_dag_run", **run)
        shown = f"{answer['state']}: {_counted(answer['task_states'])}"
        if shown != seen:
            say(f"    | {shown}")
            seen = shown
        if answer["state"] == "success":
            return
        require(answer["state"] != "failed", f"the run failed again: {shown}")
        require(time.monotonic() < deadline, f"the run did not end: {shown}")
        await anyio.sleep(2)


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
    listed = await operator.ask("What is paused now?", "get_dags", _rows, paused=True)
    require([row["dag_id"] for row in listed["dags"]] == [DAILY], f"{DAILY} is not the one that is paused")


async def _set_state(operator: Operator, run_id: str) -> None:
    one = {"dag_id": FILES, "dag_run_id": run_id, "task_id": "load_file", "map_index": 2, "new_state": "skipped"}
    preview = await operator.ask(
        "One file of four is broken for good: skip just that one. What would that do?",
        "preview_set_task_instances_state",
        _change,
        **one,
    )
    require(preview["total"] == 1 and bool(preview["also_cleared"]), "the preview is not what it should be")
    done = await operator.ask("Yes.", "set_task_instances_state", _change, **one, confirm=True, plan=preview["plan"])
    require(done["done"], "the state was not set")


def _diagnosis(answer: Answer) -> str:
    lines = [answer["summary"]]
    for cause in answer["causes"]:
        lines += [f"{cause['task_id']}: {cause['error']}", cause["evidence"]]
        lines += [f"before: {cause['before']}", f"running it again {cause['run_again']}"]
    return "\n".join([*lines, f"blocked: {answer['blocked']}", answer["next"]])


def _rows(answer: Answer) -> str:
    rows = [
        f"{row['dag_id']:<14}{'paused' if row['is_paused'] else 'active':<8}{row.get('schedule', '-'):<12}"
        f"{','.join(row['tags'])}"
        for row in answer["dags"]
    ]
    return "\n".join([*rows, f"{answer['returned']} of {answer['total']}"])


def _runs(answer: Answer) -> str:
    return "\n".join(
        f"{row['dag_id']} {row['dag_run_id']}: {row['state']}\n  {row['url']}" for row in answer["dag_runs"]
    )


def _instances(answer: Answer) -> str:
    rows = answer["task_instances"]
    return "\n".join(f"{row['task_id']}: {row.get('state') or _counted(row['states'])}" for row in rows)


def _counted(states: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in states.items())


def _facts(*names: str) -> Callable[[Answer], str]:
    return lambda answer: "\n".join(f"{name}: {json.dumps(answer[name], ensure_ascii=False)}" for name in names)


def _graph(answer: Answer) -> str:
    return "\n".join(
        f"{task['task_id']} -> {', '.join(task['downstream_task_ids']) or 'end'}" for task in answer["tasks"]
    )


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
        variable("url"): server.url,
        variable("username"): server.username,
        variable("password"): server.password,
    }


def _tell_how_to_go_on(server: Standalone) -> None:
    entry = {"command": sys.executable, "args": ["-m", "airflow_mcp"], "env": client_environment(server)}
    keep_running(server.home, server.pid)
    say(f"\nAirflow goes on at {server.url} ({server.username} / {server.password}).")
    say("`make demo ARGS=--stop`, or `airflow-mcp demo --stop`, ends it and removes its folder.\n")
    say("For Claude Desktop, in claude_desktop_config.json:\n")
    say(json.dumps({"mcpServers": {"airflow": entry}}, indent=2))
