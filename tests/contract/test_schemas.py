"""The generated files are up to date, and `make generate` keeps them so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from scripts import generate

pytestmark = pytest.mark.anyio

EMPTY_README = """# Title

<!-- generated: tools -->
<!-- /generated -->

In between.

<!-- generated: settings -->
<!-- /generated -->
<!-- generated: prompts -->
<!-- /generated -->
<!-- generated: resources -->
<!-- /generated -->

The end.
"""
EMPTY_VERSIONS = """# Versions

<!-- generated: versions -->
<!-- /generated -->

The end of these.
"""


def snapshots() -> dict[str, Any]:
    return {file.stem: json.loads(file.read_text()) for file in (generate.ROOT / generate.SNAPSHOTS).glob("*.json")}


def test_generated_files_are_up_to_date() -> None:
    assert generate.out_of_date(generate.ROOT) == [], "run: make generate"


async def test_snapshots_are_what_a_client_sees() -> None:
    async with Client(build_server(Settings.for_one())) as client:
        listed = (await client.list_tools()).tools
    assert {tool.name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed} == snapshots()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "README.md").write_text(EMPTY_README)
    (tmp_path / generate.VERSIONS).parent.mkdir()
    (tmp_path / generate.VERSIONS).write_text(EMPTY_VERSIONS)
    generate.write(tmp_path)
    return tmp_path


def test_writing_makes_the_check_pass_and_keeps_the_text_around(checkout: Path) -> None:
    assert generate.main(["--check"], checkout) == 0
    text = (checkout / "README.md").read_text()
    assert "| `get_dags` |" in text
    assert "| `AIRFLOW_MCP_URL` | `http://localhost:8080` |" in text
    assert "o200k tokens, counted by `make generate`." in text
    assert outside_of_tables(text) == EMPTY_README
    versions = (checkout / generate.VERSIONS).read_text()
    assert "| Airflow 3.3 or newer | `note` of `clear_task_instances` |" in versions
    assert outside_of_tables(versions) == EMPTY_VERSIONS


def outside_of_tables(text: str) -> str:
    return re.sub(r"(<!-- generated: \w+ -->\n).*?(<!-- /generated -->)", r"\1\2", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", ["README.md", generate.VERSIONS, "server.json", f"{generate.SNAPSHOTS}/get_dags.json"])
def test_check_names_a_file_that_differs(checkout: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    file = checkout / name
    old = file.read_text().replace("get_dags", "get_all").replace("AIRFLOW_MCP_URL", "AIRFLOW_MCP_HOST")
    file.write_text(old)
    assert generate.main(["--check"], checkout) == 1
    assert capsys.readouterr().err == f"{name} is out of date\nRun: make generate\n"
    assert file.read_text() == old


def test_check_names_a_file_that_is_missing(checkout: Path) -> None:
    (checkout / "server.json").unlink()
    assert generate.out_of_date(checkout) == ["server.json"]


def test_snapshot_of_a_tool_that_is_gone_is_named_and_removed(checkout: Path) -> None:
    gone = checkout / generate.SNAPSHOTS / "drop_dag.json"
    gone.write_text("{}")
    assert generate.out_of_date(checkout) == [f"{generate.SNAPSHOTS}/drop_dag.json"]
    assert generate.main([], checkout) == 0
    assert not gone.exists()


@pytest.mark.parametrize(
    ("name", "cut", "named"),
    [
        ("README.md", "<!-- generated: tools -->", "<!-- generated: tools -->"),
        ("README.md", "<!-- generated: settings -->", "<!-- generated: settings -->"),
        ("README.md", "<!-- /generated -->", "<!-- /generated --> after <!-- generated: tools -->"),
        (generate.VERSIONS, "<!-- generated: versions -->", "<!-- generated: versions -->"),
        (generate.VERSIONS, "<!-- /generated -->", "<!-- /generated --> after <!-- generated: versions -->"),
    ],
)
def test_missing_marker_is_an_error_that_names_it(checkout: Path, name: str, cut: str, named: str) -> None:
    file = checkout / name
    broken = file.read_text().replace(cut, "", 1)
    file.write_text(broken)
    with pytest.raises(SystemExit, match=f"{name}: the marker {named} is missing"):
        generate.main([], checkout)
    assert file.read_text() == broken
