"""Prompts: one Markdown file each, its title, arguments and evidence as TOML between two lines of `+++`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Any

INSTRUCTIONS = "instructions.md"
ON_CHANGES = "instructions_on_changes.md"


@dataclass(frozen=True)
class PromptArgument:
    """An argument of a prompt."""

    name: str
    description: str
    required: bool = True


@dataclass(frozen=True)
class Evidence:
    """A call of a tool whose answer stands in the prompt, at `$name`."""

    name: str
    tool: str
    arguments: Mapping[str, Any]
    """`$name` in a value stands for an argument of the prompt; one that is left out is not sent."""

    def asked(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The arguments of the call."""
        filled = {name: _filled(value, given) for name, value in self.arguments.items()}
        return {name: value for name, value in filled.items() if value != ""}


@dataclass(frozen=True)
class PromptSpec:
    """A prompt as its file has it. `$name` in the text stands for an argument, or for evidence."""

    name: str
    title: str
    description: str
    arguments: tuple[PromptArgument, ...]
    evidence: tuple[Evidence, ...]
    text: str

    def render(self, arguments: Mapping[str, str], evidence: Mapping[str, str]) -> str:
        """The text with the arguments and the evidence put in; an argument that is absent is empty."""
        values = {argument.name: arguments.get(argument.name, "") for argument in self.arguments}
        return Template(self.text).substitute({**values, **evidence})


def load_prompts() -> list[PromptSpec]:
    """All prompts, by name."""
    found = sorted(_folder().iterdir(), key=lambda file: file.name)
    return [_parse(file) for file in found if file.name.endswith(".md") and file.name not in (INSTRUCTIONS, ON_CHANGES)]


def load_instructions(*, changes: bool) -> str:
    """What the server tells every model at the start, about changes only where it offers some."""
    names = [INSTRUCTIONS, ON_CHANGES] if changes else [INSTRUCTIONS]
    return "\n".join((_folder() / name).read_text(encoding="utf-8").strip() for name in names)


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    return given.get(value[1:], "") if isinstance(value, str) and value.startswith("$") else value


def _folder() -> Traversable:
    packaged = files("airflow_mcp") / "_prompts"
    # In a checkout they stand at its top; a built package carries them inside.
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "prompts"


def _parse(file: Traversable) -> PromptSpec:
    _, head, text = file.read_text(encoding="utf-8").split("+++\n", 2)
    about = tomllib.loads(head)
    return PromptSpec(
        name=file.name.removesuffix(".md"),
        title=about["title"],
        description=about["description"],
        arguments=tuple(PromptArgument(**argument) for argument in about.get("arguments", [])),
        evidence=tuple(Evidence(name, **call) for name, call in about.get("evidence", {}).items()),
        text=text.strip(),
    )
