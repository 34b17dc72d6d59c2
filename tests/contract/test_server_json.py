"""The entry for the MCP registry: what its schema asks for, and what the settings really take."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
from mcp import Client

from airflow_mcp import __version__
from airflow_mcp.__main__ import main
from airflow_mcp.instance import PREFIX, variable
from airflow_mcp.server import build_server
from airflow_mcp.settings import FIELDS, Settings, load_settings
from scripts.generate import ROOT

pytestmark = pytest.mark.anyio

ENTRY: dict[str, Any] = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
PACKAGE: dict[str, Any] = ENTRY["packages"][0]
VARIABLES: dict[str, dict[str, Any]] = {each["name"]: each for each in PACKAGE["environmentVariables"]}
SEMANTIC_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?")


def test_entry_is_what_the_registry_takes() -> None:
    assert set(ENTRY) == {"$schema", "name", "description", "version", "packages"}
    assert ENTRY["$schema"] == "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", ENTRY["name"])
    assert 3 <= len(ENTRY["name"]) <= 200
    assert 1 <= len(ENTRY["description"]) <= 100
    assert SEMANTIC_VERSION.fullmatch(ENTRY["version"])
    assert len(ENTRY["version"]) <= 255


def test_package_is_what_the_registry_takes() -> None:
    assert len(ENTRY["packages"]) == 1
    assert set(PACKAGE) == {"registryType", "identifier", "version", "transport", "environmentVariables"}
    assert PACKAGE["registryType"] == "pypi"
    assert PACKAGE["transport"] == {"type": "stdio"}


@pytest.mark.parametrize("variable", VARIABLES.values(), ids=VARIABLES.keys())
def test_variable_is_what_the_registry_takes(variable: dict[str, Any]) -> None:
    kinds = {"name": str, "description": str, "default": str, "isRequired": bool, "isSecret": bool, "choices": list}
    assert {key for key in variable if not isinstance(variable[key], kinds.get(key, str))} == set()
    assert set(variable) <= {*kinds, "format"}
    assert variable.get("format", "string") in {"string", "number", "boolean", "filepath"}
    assert variable["description"]
    assert variable["isRequired"] is False


def test_variables_are_the_settings() -> None:
    assert list(VARIABLES) == [variable(name) for name in FIELDS]
    secret = {name for name, variable in VARIABLES.items() if variable.get("isSecret")}
    names = ("PASSWORD", "TOKEN", "TOKEN_COMMAND", "COOKIE", "CLIENT_KEY_PASSWORD", "HEADERS")
    assert secret == {f"{PREFIX}{name}" for name in names}


def test_defaults_are_those_of_the_settings() -> None:
    defaults = {name: variable["default"] for name, variable in VARIABLES.items() if "default" in variable}
    assert len(defaults) == sum(field.default is not None for field in FIELDS.values())
    assert load_settings(defaults) == Settings.for_one()


@pytest.mark.parametrize("setting", ["api_version", "confirm"])
def test_choices_are_taken(setting: str) -> None:
    name = PREFIX + setting.upper()
    choices = VARIABLES[name]["choices"]
    assert VARIABLES[name]["default"] in choices
    for choice in choices:
        settings = load_settings({name: choice})
        assert (settings.instances[0].model_dump() | settings.policy.model_dump())[setting] == choice


async def test_versions_and_names_agree(capsys: pytest.CaptureFixture[str]) -> None:
    async with Client(build_server(Settings.for_one())) as client:
        server = client.server_info
    assert server
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    shown = capsys.readouterr().out.strip()
    assert {ENTRY["version"], PACKAGE["version"], server.version, shown} == {__version__}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {PACKAGE["identifier"], server.name, ENTRY["name"].partition("/")[2]} == {project["name"]}
    assert ENTRY["description"] == project["description"]
