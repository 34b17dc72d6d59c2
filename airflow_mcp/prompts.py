"""Prompts: one Markdown file each, its title, tools, arguments and evidence as TOML between two lines of `+++`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Any

from pydantic import Field, create_model

from airflow_mcp.models.arguments import read_arguments
from airflow_mcp.models.base import Arguments, Date, Id

INSTRUCTIONS = "instructions.md"
ON_CHANGES = "instructions_on_changes.md"

TYPES: dict[str, Any] = {"id": Id, "moment": Date}
"""What an argument can be: the types of the tools' arguments."""


@dataclass(frozen=True)
class PromptArgument:
    """An argument of a prompt; `type` is one of TYPES."""

    name: str
    type: str
    description: str
    required: bool = True


@dataclass(frozen=True)
class Evidence:
    """A call of a tool whose answer stands in the prompt, at `$name`."""

    name: str
    tool: str
    arguments: Mapping[str, Any]
    """`$name` stands for an argument of the prompt; one that is absent is not sent."""

    def asked(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The arguments of the call, with those of the prompt put in."""
        filled = {name: _filled(value, values) for name, value in self.arguments.items()}
        return {name: value for name, value in filled.items() if value is not None}


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    return values.get(value[1:]) if isinstance(value, str) and value.startswith("$") else value


@dataclass(frozen=True)
class PromptSpec:
    """A prompt as its file has it. `$name` in the text stands for an argument, or for evidence."""

    name: str
    title: str
    description: str
    tools: frozenset[str]
    """The tools that it needs."""
    arguments: tuple[PromptArgument, ...]
    evidence: tuple[Evidence, ...]
    model: type[Arguments]
    text: str

    def read(self, given: Mapping[str, str]) -> dict[str, str]:
        """The arguments as they were meant; one that is absent is left out. Raises WrongArgumentsError."""
        return read_arguments(self.model, given).model_dump(mode="json", exclude_none=True)

    def render(self, values: Mapping[str, str], evidence: Mapping[str, str]) -> str:
        """The text with the arguments and the evidence put in; an argument that is absent is empty."""
        return Template(self.text).substitute({**dict.fromkeys(self.model.model_fields, ""), **values, **evidence})


@cache  # they come with the package, and are the same for every server of a process
def load_prompts() -> tuple[PromptSpec, ...]:
    """All prompts, by name."""
    found = sorted(_folder().iterdir(), key=lambda file: file.name)
    names = (file for file in found if file.name.endswith(".md") and file.name not in (INSTRUCTIONS, ON_CHANGES))
    return tuple(_parse(file) for file in names)


def load_instructions(*, changes: bool) -> str:
    """What the server tells every model at the start, about changes only where it offers some."""
    names = [INSTRUCTIONS, ON_CHANGES] if changes else [INSTRUCTIONS]
    return "\n".join((_folder() / name).read_text(encoding="utf-8").strip() for name in names)


def _folder() -> Traversable:
    packaged = files("airflow_mcp") / "_prompts"
    # In a checkout they stand at its top; a built package carries them inside.
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "prompts"


def _parse(file: Traversable) -> PromptSpec:
    _, head, text = file.read_text(encoding="utf-8").split("+++\n", 2)
    about = tomllib.loads(head)
    arguments = tuple(PromptArgument(**argument) for argument in about.get("arguments", []))
    return PromptSpec(
        name=file.name.removesuffix(".md"),
        title=about["title"],
        description=about["description"],
        tools=frozenset(about["tools"]),
        arguments=arguments,
        evidence=tuple(
            Evidence(name, call["tool"], call.get("arguments", {})) for name, call in about["evidence"].items()
        ),
        model=_model(arguments),
        text=text.strip(),
    )


def _model(arguments: Iterable[PromptArgument]) -> type[Arguments]:
    fields: dict[str, Any] = {
        each.name: (
            TYPES[each.type] if each.required else TYPES[each.type] | None,
            Field(... if each.required else None, description=each.description),
        )
        for each in arguments
    }
    return create_model("PromptArguments", __base__=Arguments, **fields)
