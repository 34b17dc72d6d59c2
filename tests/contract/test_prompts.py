"""The prompts and the instructions: they load, render, reach the client, and name what exists."""

from __future__ import annotations

import re
from string import Template

import httpx
import pytest
from mcp import Client

from airflow_mcp.prompts import PromptSpec, load_instructions, load_prompts
from airflow_mcp.server import build_server, offered_tools
from airflow_mcp.settings import Settings
from scripts.generate import ROOT, snapshot
from tests.replay import Replay, replayed

pytestmark = pytest.mark.anyio

TOOL_NAME = re.compile(r"\b(?:get|patch|clear|set|diagnose|explain|wait|trigger|delete|resolve|create)_[a-z_]+")
ARGUMENT_NAME = re.compile(r"\b([a-z_]+)=")
TOOLS = {spec.name: snapshot(spec) for spec in offered_tools(Settings(toolsets="all"))}
PROMPTS = load_prompts()
TEXTS = {"instructions": load_instructions(changes=True)} | {spec.name: spec.text for spec in PROMPTS}

every_prompt = pytest.mark.parametrize("spec", PROMPTS, ids=lambda spec: spec.name)
every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())


def values(spec: PromptSpec) -> dict[str, str]:
    return {each.name: f"a value for {each.name}" for each in spec.arguments}


def test_every_file_is_loaded() -> None:
    assert set(TEXTS) | {"instructions_on_changes"} == {file.stem for file in (ROOT / "prompts").iterdir()}
    assert len(PROMPTS) >= 2


@every_prompt
def test_prompt_renders_all_its_arguments(spec: PromptSpec) -> None:
    found = {each.name: f"what {each.tool} found" for each in spec.evidence}
    text = spec.render(values(spec), found)
    assert "$" not in text
    assert [value for value in found.values() if value not in text] == []
    asked = [value for each in spec.evidence for value in each.asked(values(spec)).values()]
    assert [value for value in values(spec).values() if value not in text and value not in asked] == []


@every_prompt
def test_prompt_brings_evidence_that_its_tools_take(spec: PromptSpec) -> None:
    assert spec.evidence
    for each in spec.evidence:
        known = TOOLS[each.tool]["inputSchema"]["properties"]
        assert set(each.arguments) <= set(known)
        assert each.arguments.get("confirm", False) is False  # a prompt changes nothing
        assert {value[1:] for value in each.arguments.values() if str(value).startswith("$")} <= set(values(spec))


@every_text
def test_text_names_tools_that_exist(text: str) -> None:
    named = set(TOOL_NAME.findall(text))
    assert named - set(TOOLS) == set()


@every_text
def test_text_names_arguments_that_exist(text: str) -> None:
    known = {name for tool in TOOLS.values() for name in tool["inputSchema"]["properties"]}
    assert set(ARGUMENT_NAME.findall(text)) - known == set()


async def test_client_lists_the_prompts() -> None:
    async with Client(build_server(Settings(toolsets="all"))) as client:
        listed = (await client.list_prompts()).prompts
    assert [(each.name, each.title, each.description) for each in listed] == [
        (spec.name, spec.title, spec.description) for spec in PROMPTS
    ]
    assert [[(arg.name, arg.description, arg.required) for arg in each.arguments or ()] for each in listed] == [
        [(arg.name, arg.description, arg.required) for arg in spec.arguments] for spec in PROMPTS
    ]


@every_prompt
async def test_client_gets_the_prompt(spec: PromptSpec) -> None:
    async def forbidden(request: httpx.Request) -> httpx.Response | None:
        signs_in = request.url.path.endswith("/auth/token")
        return None if signs_in else httpx.Response(403, json={"detail": "Forbidden"})

    async with replayed(Replay("3.3", forbidden), api_version="v2", toolsets="all") as session:
        messages = (await session.client.get_prompt(spec.name, values(spec))).messages
    assert [message.role for message in messages] == ["user"]
    text = getattr(messages[0].content, "text", "")
    opening = Template(spec.text.partition(f"${spec.evidence[0].name}")[0]).safe_substitute(values(spec))
    assert text.startswith(opening)
    # What could not be had is named, and the rest of the prompt is there all the same.
    assert "(403)" in text
    assert text.endswith(spec.text.splitlines()[-1])


@pytest.mark.parametrize("read_only", [False, True])
async def test_server_sends_the_instructions(read_only: bool) -> None:
    names = ["instructions.md"] if read_only else ["instructions.md", "instructions_on_changes.md"]
    async with Client(build_server(Settings(read_only=read_only))) as client:
        sent = client.instructions
    assert sent == "\n".join((ROOT / "prompts" / name).read_text(encoding="utf-8").strip() for name in names)
