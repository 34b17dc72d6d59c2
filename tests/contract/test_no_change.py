"""No tool's function can change anything by itself, whatever its arguments: only the guard holds what can."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any, cast

import anyio
import httpx
import pytest
from pydantic import ValidationError

from airflow_mcp.airflow.api import Server
from airflow_mcp.airflow.changes.prepared import Prepared
from airflow_mcp.airflow.writer import Writer
from airflow_mcp.errors import AirflowMcpError
from airflow_mcp.instance import Instance
from airflow_mcp.models.base import Answer, Arguments
from airflow_mcp.models.changes import TaskInstancesChange
from airflow_mcp.tools.context import Call
from airflow_mcp.tools.schema import input_schema
from airflow_mcp.tools.spec import ToolSpec
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.examples import agreeable, examples
from tests.fakes import LOGIN, URL, OfRelease
from tests.routes import NAMED

pytestmark = pytest.mark.anyio

IDS = {"dag_id": "history", "dag_run_id": "a run", "task_id": "first", "file_token": "a-token"}
TOOLS = ALL_TOOLS
DATE = "2026-01-01T00:00:00Z"
VALUES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [0, 1, 25],
    "string": ["first", DATE],
    "array": [["first"], ["first[0]"]],
}
TRIES = 200
JSON = {"content-type": "application/json"}
LISTS = ("/dags/~/dagRuns/list", "/dags/~/dagRuns/~/taskInstances/list")


class OnlyLooks(OfRelease):
    """A good Airflow of this version, to which nothing may come but a read or a marked dry run."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.came: set[str] = set()
        self._dice = random.Random(7)
        self._agreed = [httpx.Response(200, json=agreeable(IDS, version, index)).content for index in (-1, 0)]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body = json.loads(request.content) if request.content else {}
        lists = request.method == "POST" and path.endswith(LISTS)
        marked = path.endswith("/clearTaskInstances") and body.get("dry_run") is True
        dry = request.method == "PATCH" and path.startswith("/api/v2/") and path.endswith("/dry_run")
        login = path == LOGIN
        assert request.method == "GET" or lists or marked or dry or login, f"sent a change: {request.method} {path}"
        self.came.add("a dry run" if marked or dry else "a read")
        return await super().answer(request)

    async def rest(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=JSON, content=self._dice.choice(self._agreed))


def arguments(spec: ToolSpec, dice: random.Random) -> list[Arguments]:
    """Arguments of all kinds, each once, with every option on and off, and every value that the schema names."""
    properties = input_schema(spec.arguments)["properties"]
    example = examples()[spec.name]
    found: dict[str, Arguments] = {}
    for _ in range(TRIES):
        given: dict[str, Any] = {}
        for name, part in properties.items():
            values: list[Any] = part["enum"] if "enum" in part else VALUES[str(part["type"])]
            chosen = dice.choice(values)
            given |= {name: example.get(name, chosen)} if dice.random() < 0.5 else {}
            given |= {name: chosen} if dice.random() < 0.2 else {}
        with suppress(ValidationError):  # no tool's function gets these
            args = spec.arguments.model_validate({**example, **given} if spec.changes or spec.previews else given)
            found[repr(args)] = args
    return list(found.values())


@pytest.mark.parametrize("version", ["2.7.3", "2.11.2", "3.0.6", "3.1.8", "3.3.2"])
@pytest.mark.parametrize("spec", TOOLS, ids=lambda spec: spec.name)
async def test_no_function_of_a_tool_changes_anything(spec: ToolSpec, version: str) -> None:
    seen, looks, tried = 0, OnlyLooks(version), arguments(spec, random.Random(7))
    server = Server(Instance(url=URL), looks)
    api = await server.api()
    for args in tried:
        try:
            given = await spec.function(Call(api), args)
        except AirflowMcpError:
            continue  # refused, such as a value that this release does not have
        assert isinstance(given, Prepared) is (spec.changes or bool(spec.previews))
        seen += 1
    assert seen >= max(1, min(10, len(tried) // 3))  # the others name what is not there
    assert looks.came >= ({"a dry run"} if issubclass(spec.answer, TaskInstancesChange) else {"a read"})


async def test_what_looks_refuses_a_route_that_changes_something() -> None:
    api = await Server(Instance(url=URL, api_version="v2"), OnlyLooks("3.3.2")).api()
    ids: dict[str, Any] = {**IDS, "map_index": 0}
    changing = [route for route in NAMED if not route.reads]
    assert len(changing) >= 5
    for route in changing:
        with pytest.raises(ValueError, match="changes something"):
            await api.read(route, Answer, body={"dry_run": True}, **ids)
        with pytest.raises(ValueError, match="changes something"):
            api.lines(route, **ids)


async def test_no_dry_run_is_sent_where_it_was_seen_to_change_something() -> None:
    api = await Server(Instance(url=URL, api_version="v1"), OnlyLooks("2.11.2")).api()
    dry, ids = set(), cast("dict[str, Any]", {**IDS, "map_index": 0})
    for route in NAMED:
        try:
            await api.dry_run(route, Answer, {}, **ids)
            dry.add(route.path)
        except ValueError:
            pass
    assert dry == {"dags/{dag_id}/clearTaskInstances"}  # updateTaskInstancesState sets the states


async def test_a_change_that_is_answered_with_nothing_is_made() -> None:
    [patch] = [route for route in NAMED if route.path == "dags/{dag_id}" and route.method == "PATCH"]
    answers = httpx.MockTransport(lambda _: httpx.Response(204))
    server = Server(Instance(url=URL, api_version="v2", token="t"), answers)
    assert await Writer(server, await server.api()).send(patch, body={}, dag_id="etl") == {}


def test_the_probe_sees_a_change() -> None:
    async def change() -> None:
        server = Server(Instance(url=URL, api_version="v2", token="t"), OnlyLooks("3.3.2"))
        [patch] = [route for route in NAMED if route.path == "dags/{dag_id}" and route.method == "PATCH"]
        await Writer(server, await server.api()).send(patch, body={}, dag_id="etl")

    with pytest.raises(AssertionError, match="sent a change"):
        anyio.run(change)
