"""Rules that hold for every tool."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS
from pydantic import ValidationError

from airflow_mcp.errors import WrongArgumentsError
from airflow_mcp.handlers import offered_tools
from airflow_mcp.models.arguments import read_arguments
from airflow_mcp.models.base import Arguments
from airflow_mcp.models.changes import ConfirmedArguments
from airflow_mcp.models.page import Page
from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from airflow_mcp.tools.spec import ToolSpec
from scripts.generate import snapshot
from tests.examples import EXAMPLES

pytestmark = pytest.mark.anyio

# Nothing listens there, should a call that must be refused get through.
NOWHERE = "http://127.0.0.1:9"
TOOLS = offered_tools(Settings.for_one())
SCALARS = {"string", "integer", "number", "boolean"}
NOT_PORTABLE = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "not", "title", "prefixItems"}
HTTP_WORDS = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE|REST)\b|(?i:http|endpoint)")

every_tool = pytest.mark.parametrize("spec", TOOLS, ids=lambda spec: spec.name)
every_change = pytest.mark.parametrize("spec", [each for each in TOOLS if each.changes], ids=lambda spec: spec.name)


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema in a schema, itself first. Names of properties are not keywords."""
    if isinstance(node, list):
        for part in node:
            yield from schemas(part)
    elif isinstance(node, dict):
        yield node
        for keyword, value in node.items():
            named = keyword in ("properties", "$defs") and isinstance(value, dict)
            for part in value.values() if named else [value]:
                yield from schemas(part)


def keywords(schema: dict[str, Any]) -> set[str]:
    return {keyword for part in schemas(schema) for keyword in part}


def inputs(spec: ToolSpec) -> dict[str, Any]:
    schema: dict[str, Any] = snapshot(spec)["inputSchema"]
    return schema


def outputs(spec: ToolSpec) -> dict[str, Any]:
    schema: dict[str, Any] = snapshot(spec)["outputSchema"]
    return schema


def properties(spec: ToolSpec) -> dict[str, Any]:
    found: dict[str, Any] = inputs(spec)["properties"]
    return found


def problems(spec: ToolSpec, arguments: dict[str, Any]) -> dict[str, str]:
    """What the tool has against each of these arguments, as it takes them from a client."""
    try:
        read_arguments(spec.arguments, arguments)
    except WrongArgumentsError as error:
        assert isinstance(error.__cause__, ValidationError)
        return {str(each["loc"][0]): each["type"] for each in error.__cause__.errors() if each["loc"]}
    return {}


LISTS = [spec for spec in TOOLS if issubclass(spec.answer, Page)]
every_list = pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)


@every_tool
def test_description_is_short(spec: ToolSpec) -> None:
    text = snapshot(spec)["description"]
    assert text.endswith(".")
    assert len(text) <= 200
    assert len(re.split(r"(?<=[.!?])\s+", text)) <= 2


@every_tool
def test_argument_descriptions_are_short(spec: ToolSpec) -> None:
    long = {name: part["description"] for name, part in properties(spec).items() if "description" in part}
    assert {name: text for name, text in long.items() if len(text.split()) > 20} == {}


@every_tool
def test_no_words_of_http(spec: ToolSpec) -> None:
    described = [snapshot(spec)["title"], snapshot(spec)["description"]]
    described += [part.get("description", "") for part in schemas(inputs(spec))]
    described += [part.get("description", "") for part in schemas(outputs(spec))]
    assert [text for text in described if HTTP_WORDS.search(text)] == []


def test_titles_differ() -> None:
    titles = [snapshot(spec)["title"] for spec in TOOLS]
    assert all(titles)
    assert len(set(titles)) == len(titles)


@every_tool
def test_input_schema_is_portable(spec: ToolSpec) -> None:
    schema = inputs(spec)
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert "additionalProperties" not in schema
    assert keywords(schema) & NOT_PORTABLE == set()
    assert set(schema.get("required", [])) <= set(schema["properties"])


@every_tool
def test_input_schema_is_flat(spec: ToolSpec) -> None:
    for name, part in properties(spec).items():
        inner = part["items"] if part["type"] == "array" else part
        assert inner["type"] in SCALARS, name


@every_tool
def test_unknown_arguments_are_refused(spec: ToolSpec) -> None:
    assert problems(spec, {"no_such_argument": 1})["no_such_argument"] == "extra_forbidden"


@every_tool
async def test_client_is_told_of_an_unknown_argument(spec: ToolSpec) -> None:
    async with Client(build_server(Settings.for_one(url=NOWHERE))) as client:
        result = await client.call_tool(spec.name, {"dag_id": "etl", "confirm": True, "dry_run": True})
    assert result.is_error
    assert getattr(result.content[0], "text", "").startswith("Nothing was done. ")
    assert "dry_run: no such argument." in getattr(result.content[0], "text", "")


@every_tool
def test_only_changes_take_confirm_and_plan(spec: ToolSpec) -> None:
    assert issubclass(spec.arguments, ConfirmedArguments) == spec.changes
    assert {"confirm", "plan"} & set(properties(spec)) == ({"confirm", "plan"} if spec.changes else set())


@every_change
def test_confirm_is_required(spec: ToolSpec) -> None:
    assert "confirm" in inputs(spec)["required"]
    assert properties(spec)["confirm"]["type"] == "boolean"
    assert "default" not in properties(spec)["confirm"]
    assert problems(spec, {})["confirm"] == "missing"


@every_change
@pytest.mark.parametrize("value", ["yes", "true", "", 1, 0, 1.0, None, [True], {}], ids=repr)
def test_confirm_is_strict(spec: ToolSpec, value: object) -> None:
    assert problems(spec, {"confirm": value})["confirm"] == "bool_type"


@every_change
@pytest.mark.parametrize("value", [True, False])
def test_confirm_takes_booleans(spec: ToolSpec, value: bool) -> None:
    assert "confirm" not in problems(spec, {"confirm": value})


def without(arguments: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in names}


def taken(spec: ToolSpec, arguments: dict[str, Any]) -> Arguments | str:
    """The arguments as the tool takes them from a client, or what it has against them."""
    try:
        return read_arguments(spec.arguments, arguments)
    except WrongArgumentsError as error:
        return str(error)


@every_tool
@pytest.mark.parametrize("nothing", [None, ""], ids=repr)
def test_null_and_empty_text_of_an_optional_argument_are_not_given(spec: ToolSpec, nothing: object) -> None:
    fields = spec.arguments.model_fields
    optional = {name: field for name, field in fields.items() if not field.is_required()}
    for name in optional:
        needed = without(EXAMPLES[spec.name], name)
        told = taken(spec, {**needed, name: nothing})
        if name == "task_ids" and nothing == "":  # of all tasks, where some were meant
            assert told == "Nothing was done. task_ids: is an empty list; leave it out where all are meant."
        else:
            assert told == taken(spec, needed), name


@every_tool
def test_one_text_is_a_list_of_one(spec: ToolSpec) -> None:
    for name in [name for name, part in properties(spec).items() if part["type"] == "array"]:
        given = EXAMPLES[spec.name]
        one = {"state": "failed", "update_mask": "is_paused"}.get(name, "a,b")
        assert getattr(read_arguments(spec.arguments, {**given, name: one}), name) == [one]


@every_tool
def test_map_index_minus_1_is_all_as_airflow_has_it(spec: ToolSpec) -> None:
    if "map_index" in properties(spec):
        for every in (-1, "-1"):
            given = {**EXAMPLES[spec.name], "map_index": every}
            assert getattr(read_arguments(spec.arguments, given), "map_index", 0) is None
        assert problems(spec, {"map_index": -2})["map_index"] == "greater_than_equal"


@every_tool
@pytest.mark.parametrize("value", ["2026-01-31", "2026-01-31T06:00:00", "20260131", 20260131, "now", True], ids=repr)
def test_a_date_has_its_time_zone(spec: ToolSpec, value: object) -> None:
    for name in {"since", "until", "start_date", "end_date", "logical_date"} & set(properties(spec)):
        assert problems(spec, {name: value})[name] == "value_error"
        assert name not in problems(spec, {name: "2026-01-31T06:00+01:00"})


@every_change
def test_a_change_has_a_preview_that_takes_the_same_and_changes_nothing(spec: ToolSpec) -> None:
    preview = spec.preview
    assert preview
    assert preview in TOOLS
    assert (preview.name, preview.previews, preview.changes) == (f"preview_{spec.name}", spec.name, False)
    assert properties(preview) == without(properties(spec), "confirm", "plan")
    assert outputs(preview) == outputs(spec)


@pytest.mark.parametrize("spec", [each for each in TOOLS if each.changes or each.previews], ids=lambda spec: spec.name)
@pytest.mark.parametrize("value", ["no", "true", "off", 1, 0, 1.0, [True], {}], ids=repr)
def test_what_decides_a_change_is_strict(spec: ToolSpec, value: object) -> None:
    decide = [name for name, part in properties(spec).items() if part["type"] == "boolean"]
    assert decide
    told = problems(spec, dict.fromkeys(decide, value))
    assert {name: told.get(name) for name in decide} == dict.fromkeys(decide, "bool_type")


@every_change
def test_plan_is_an_optional_string(spec: ToolSpec) -> None:
    assert "plan" not in inputs(spec)["required"]
    assert properties(spec)["plan"]["type"] == "string"
    assert outputs(spec)["properties"]["plan"]["type"] == "string"


@every_tool
def test_annotations_are_true(spec: ToolSpec) -> None:
    assert snapshot(spec)["annotations"] == {
        "readOnlyHint": not spec.changes,
        "destructiveHint": spec.destructive,
        "idempotentHint": spec.idempotent,
        "openWorldHint": False,
    }
    if not spec.changes:
        assert not spec.destructive
        assert spec.idempotent


@every_tool
def test_output_schema_is_closed(spec: ToolSpec) -> None:
    schema = outputs(spec)
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert keywords(schema) & {"$ref", "$defs"} == set()
    assert set(schema.get("required", [])) <= set(schema["properties"])


@every_tool
def test_what_is_about_a_dag_carries_its_link(spec: ToolSpec) -> None:
    """A run, a task or a task instance too: the answer, or each that it tells of. Rows of many DAGs need none."""
    if "dag_id" in inputs(spec).get("required", []) or (spec not in LISTS and "dag_id" in properties(spec)):
        told = outputs(spec)["properties"]
        parts = [part["items"].get("properties", {}) for part in told.values() if part.get("type") == "array"]
        assert [each["url"] for each in (told, *parts) if "url" in each]


def test_the_list_tools_are_found() -> None:
    assert {"get_dags", "get_tasks"} <= {spec.name for spec in LISTS}


@every_list
def test_lists_are_paged(spec: ToolSpec) -> None:
    limit, offset = properties(spec)["limit"], properties(spec)["offset"]
    assert limit == {"type": "integer", "maximum": 100}
    assert spec.arguments.model_fields["limit"].default == 25
    assert offset == {"type": "integer"}
    bad = problems(spec, {"limit": 0, "offset": -1})
    assert (bad["limit"], bad["offset"]) == ("greater_than_equal", "greater_than_equal")
    given = outputs(spec)
    assert {"total", "returned"} <= set(given["required"])
    assert {given["properties"][name]["type"] for name in ("total", "returned", "next_offset")} == {"integer"}
    assert "next_offset" not in given["required"]


@pytest.mark.parametrize("read_only", [False, True])
async def test_read_only_offers_no_change(read_only: bool) -> None:
    async with Client(build_server(Settings.for_one(read_only=read_only))) as client:
        listed = (await client.list_tools()).tools
    names = {spec.name for spec in TOOLS if not (read_only and spec.changes)}
    assert {tool.name for tool in listed} == names
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed) == read_only
    assert {f"preview_{spec.name}" for spec in TOOLS if spec.changes} <= names


async def test_previews_can_be_left_out_as_tools() -> None:
    async with Client(build_server(Settings.for_one(preview_tools=False))) as client:
        listed = (await client.list_tools()).tools
    assert {tool.name for tool in listed} == {spec.name for spec in TOOLS if not spec.previews}


@every_change
async def test_read_only_knows_no_change(spec: ToolSpec) -> None:
    async with Client(build_server(Settings.for_one(url=NOWHERE, read_only=True))) as client:
        with pytest.raises(MCPError, match=f"^Unknown tool: {spec.name}[.] ") as refused:
            await client.call_tool(spec.name, {"confirm": False})
    assert refused.value.code == INVALID_PARAMS


async def test_an_unknown_tool_is_an_error_of_the_protocol_with_near_names() -> None:
    async with Client(build_server(Settings.for_one(url=NOWHERE))) as client:
        with pytest.raises(
            MCPError, match=r"^Unknown tool: get_dagz\. Did you mean get_dag or get_dags or "
        ) as refused:
            await client.call_tool("get_dagz", {})
    assert refused.value.code == INVALID_PARAMS
