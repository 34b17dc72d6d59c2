"""Which tools are offered for which words."""

from __future__ import annotations

import re

import pytest

from airflow_mcp.__main__ import main
from airflow_mcp.errors import SettingsError
from airflow_mcp.server import build_server, instructions, offered_tools
from airflow_mcp.settings import Settings
from airflow_mcp.tools.toolsets import DEFAULT, TOOLSETS, chosen_tools


def toolsets(words: str) -> list[str]:
    """The toolsets of which a tool is offered."""
    names = {spec.name for spec in chosen_tools(words)}
    return [name for name in TOOLSETS if names & {spec.name for spec in chosen_tools(name)}]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("default", list(DEFAULT)),
        ("all", list(TOOLSETS)),
        ("runs", ["runs"]),
        (" runs , dags,", ["dags", "runs"]),
        ("-runs", [name for name in DEFAULT if name != "runs"]),
        ("all,-dags", [name for name in TOOLSETS if name != "dags"]),
        ("", list(DEFAULT)),
    ],
)
def test_words_choose_toolsets(words: str, offered: list[str]) -> None:
    assert toolsets(words) == offered


def test_no_tool_is_in_two_toolsets() -> None:
    names = [spec.name for spec in chosen_tools("all")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("words", ["rums", "dags,rums", "all,-rums"])
def test_an_unknown_toolset_is_refused_with_those_that_there_are(words: str) -> None:
    with pytest.raises(SettingsError, match=r"AIRFLOW_MCP_TOOLSETS: there is no toolset 'rums'\. There are default,"):
        offered_tools(Settings(toolsets=words))


def test_nothing_left_is_refused() -> None:
    with pytest.raises(SettingsError, match="leaves no toolset"):
        chosen_tools("dags,-dags")


def test_an_unknown_toolset_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_MCP_TOOLSETS", "dags")
    assert main(["--toolsets", "rums"]) == 2
    assert capsys.readouterr().err.startswith("airflow-mcp: AIRFLOW_MCP_TOOLSETS: there is no toolset 'rums'.")


def test_instructions_speak_of_changes_only_where_there_are_some() -> None:
    assert "confirm" in str(build_server(Settings()).instructions)
    assert "confirm" not in str(build_server(Settings(toolsets="diagnosis")).instructions)


@pytest.mark.parametrize("words", ["default", *TOOLSETS])
def test_instructions_name_no_tool_that_is_not_there(words: str) -> None:
    text = instructions(Settings(toolsets=words))
    offered = {spec.name for spec in chosen_tools(words)}
    named = {spec.name for spec in chosen_tools("all") if re.search(rf"\b{spec.name}\b", text)}
    assert named <= offered
    assert "<untrusted>" in text
