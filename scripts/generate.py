"""Write the files that follow from the code: schema snapshots, the tables of README and docs, server.json.

With `--check` nothing is written: the exit status is 1 when a file is out of date.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from airflow_mcp import __version__
from airflow_mcp.instance import Instance, variable
from airflow_mcp.models.page import row_of
from airflow_mcp.prompts import PromptSpec, load_prompts
from airflow_mcp.release import Until
from airflow_mcp.resources import RESOURCES
from airflow_mcp.settings import Policy
from airflow_mcp.tools.releases import Marked, marked
from airflow_mcp.tools.schema import input_schema
from airflow_mcp.tools.sdk import to_mcp
from airflow_mcp.tools.spec import ToolSpec
from airflow_mcp.tools.toolsets import ALL_TOOLS

ROOT = Path(__file__).parent.parent
SNAPSHOTS = "tests/contract/schemas"
MATRIX = "tests/matrix.json"
VERSIONS = "docs/versions.md"
SERVER_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
NAMESPACE = "io.github.airflow-ops-mcp"
START, END = "<!-- generated:", "<!-- /generated -->"
FORMATS = {"number": "number", "integer": "number", "boolean": "boolean", "file-path": "filepath"}


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write the generated files, or check them. Gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; name each file that is out of date")
    if not parser.parse_args(argv).check:
        write(root)
        return 0
    names = out_of_date(root)
    for name in names:
        print(f"{name} is out of date", file=sys.stderr)
    if names:
        print("Run: make generate", file=sys.stderr)
    return 1 if names else 0


def write(root: Path) -> None:
    """Bring every generated file up to date, and remove the snapshots of tools that are gone."""
    files = generated(root)
    for name in _leftovers(root, files):
        (root / name).unlink()
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def out_of_date(root: Path) -> list[str]:
    """The generated files that differ from what would be written, are missing, or should be gone."""
    files = generated(root)
    differ = [name for name, text in files.items() if _read(root / name) != text]
    return sorted(differ + _leftovers(root, files))


def generated(root: Path) -> dict[str, str]:
    """Every generated file, by its path below the root, and its text."""
    specs = ALL_TOOLS
    return {
        **{f"{SNAPSHOTS}/{spec.name}.json": _json(snapshot(spec)) for spec in specs},
        "README.md": readme(_read(root / "README.md"), specs),
        VERSIONS: versions(_read(root / VERSIONS), specs, json.loads(_read(root / MATRIX) or "{}")),
        "server.json": _json(server_json()),
    }


def snapshot(spec: ToolSpec) -> dict[str, Any]:
    """A tool as a client sees it."""
    tool = to_mcp(spec)
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input_schema,
        "outputSchema": tool.output_schema,
        "annotations": tool.annotations.model_dump(by_alias=True, exclude_none=True) if tool.annotations else None,
    }


def readme(text: str, specs: Sequence[ToolSpec]) -> str:
    """The README with new tables between its markers."""
    parts = {
        "tools": tools_table(specs),
        "settings": settings_table(),
        "prompts": prompts_table(),
        "resources": resources_table(),
    }
    for name, content in parts.items():
        text = _between("README.md", text, name, content)
    return text


def versions(text: str, specs: Sequence[ToolSpec], matrix: dict[str, Any]) -> str:
    """The page on versions with new tables between its markers."""
    content = f"{versions_table(specs, matrix)}\n{what_needs_a_release(specs)}"
    return _between(VERSIONS, text, "versions", content)


def tools_table(specs: Sequence[ToolSpec]) -> str:
    """One row a tool."""
    rows = [(f"`{spec.name}`", spec.description, "yes" if spec.changes else "no", _arguments(spec)) for spec in specs]
    cost = sum(tokens(seen_by_a_model(spec)) for spec in specs)
    table = _table(("Tool", "What it does", "Changes?", "Arguments (**required**)"), rows)
    return f"{table}\nWhat a model sees of them before a call: {cost:,} o200k tokens, counted by `make generate`.\n"


def prompts_table() -> str:
    """One row a prompt."""
    rows = [(f"`{spec.name}`", spec.description, _arguments_of(spec)) for spec in load_prompts()]
    return _table(("Prompt", "What for", "Arguments (**required**)"), rows)


def _arguments_of(spec: PromptSpec) -> str:
    return ", ".join(f"**`{each.name}`**" if each.required else f"`{each.name}`" for each in spec.arguments)


def resources_table() -> str:
    """One row a template of addresses."""
    return _table(("Resource", "What is there"), [(f"`{spec.template}`", spec.description) for spec in RESOURCES])


def versions_table(specs: Sequence[ToolSpec], matrix: dict[str, Any]) -> str:
    """One row a tool, one column a version of Airflow: whether all live tests that call it pass."""
    results = matrix.values()
    rows = [(f"`{spec.name}`", *(_outcome(each["tools"].get(spec.name, {})) for each in results)) for spec in specs]
    rows.append(("all live tests", *(_outcome(each["tests"]) for each in results)))
    return _table(("Live tests", *(each["version"] for each in results)), rows)


def _outcome(counts: dict[str, int]) -> str:
    if counts.get("failed"):
        return "**fail**"
    return "pass" if counts.get("passed") else "none"


def what_needs_a_release(specs: Sequence[ToolSpec]) -> str:
    """One row a release, oldest first: what it has that those before it refuse; and what Airflow 3 has no more."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    told = [spec for spec in specs if not spec.previews]  # what a change needs, its preview does
    marks = [(each, spec) for spec in told for each in [*marked(spec.arguments), *marked(row_of(spec.answer))]]
    marks += [(Marked(spec.name, spec.since), spec) for spec in told if spec.since]
    for each, spec in sorted(marks, key=lambda pair: (isinstance(pair[0].mark, Until), pair[0].mark.first)):
        needs = each.mark.needs if isinstance(each.mark, Until) else f"{each.mark.needs} or newer"
        found.setdefault(needs, {}).setdefault(spec.name, {})[f"`{each}`"] = None
    rows = ((needs, "; ".join(_of_tool(tool, parts) for tool, parts in found[needs].items())) for needs in found)
    return _table(("Needs", "What"), rows)


def _of_tool(tool: str, parts: Iterable[str]) -> str:
    return f"`{tool}`" if f"`{tool}`" in parts else f"{', '.join(parts)} of `{tool}`"


def seen_by_a_model(spec: ToolSpec) -> str:
    """What of a tool is in a model's context before it is called, as compact JSON."""
    seen = {key: value for key, value in snapshot(spec).items() if key in ("name", "description", "inputSchema")}
    return json.dumps(seen, ensure_ascii=False, separators=(",", ":"))


def tokens(text: str) -> int:
    """How many tokens of the o200k vocabulary a text is; counted offline."""
    return len(_encoding().encode(text))


@cache
def _encoding() -> Any:
    with warnings.catch_warnings():
        # It opens its own data in a way that Python 3.11 calls deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        import bpe_openai  # type: ignore[import-untyped]  # noqa: PLC0415 - once it is needed

        return bpe_openai.get_encoding("o200k_base")


def settings_table() -> str:
    """One row a setting."""
    rows = [
        (f"`{variable(name)}`", f"`{_text(part['default'])}`" if "default" in part else "", part["description"])
        for name, part in _settings().items()
    ]
    return _table(("Variable", "Default", "What it does"), rows)


def server_json() -> dict[str, Any]:
    """The entry for the MCP registry."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = {
        "registryType": "pypi",
        "identifier": project["name"],
        "version": __version__,
        "transport": {"type": "stdio"},
        "environmentVariables": [_environment_variable(name, part) for name, part in _settings().items()],
    }
    return {
        "$schema": SERVER_SCHEMA,
        "name": f"{NAMESPACE}/{project['name']}",
        "description": project["description"],
        "version": __version__,
        "packages": [package],
    }


def _environment_variable(name: str, part: dict[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {
        "name": variable(name),
        "description": part["description"].replace("`", ""),
        "isRequired": False,
    }
    if part.get("format") == "password":
        about["isSecret"] = True
    form = FORMATS.get(part.get("format", part["type"]))
    if form:
        about["format"] = form
    if "default" in part:
        about["default"] = _text(part["default"])
    if "enum" in part:
        about["choices"] = part["enum"]
    return about


def _settings() -> dict[str, dict[str, Any]]:
    """Each with its default, which the schemas of tools leave out where it goes without saying."""
    return {
        name: part | ({} if model.model_fields[name].default is None else {"default": model.model_fields[name].default})
        for model in (Instance, Policy)
        for name, part in input_schema(model)["properties"].items()
    }


def _arguments(spec: ToolSpec) -> str:
    if spec.previews:
        return f"those of `{spec.previews}`, without `confirm` and `plan`"
    schema = input_schema(spec.arguments)
    required = schema.get("required", [])
    optional = [name for name in schema["properties"] if name not in required]
    return ", ".join([f"**`{name}`**" for name in required] + [f"`{name}`" for name in optional])


def _text(value: Any) -> str:
    """A default as it would stand in the environment."""
    return value if isinstance(value, str) else json.dumps(value)


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def _between(file: str, text: str, name: str, content: str) -> str:
    start = f"{START} {name} -->"
    before, found, rest = text.partition(start)
    if not found:
        raise SystemExit(f"{file}: the marker {start} is missing")
    old, found, after = rest.partition(END)
    if not found or START in old:
        raise SystemExit(f"{file}: the marker {END} after {start} is missing")
    return f"{before}{start}\n{content}{END}{after}"


def _leftovers(root: Path, files: Iterable[str]) -> list[str]:
    there = {file.relative_to(root).as_posix() for file in (root / SNAPSHOTS).glob("*")}
    return sorted(there - set(files))


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
