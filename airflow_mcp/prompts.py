"""Prompts: one Markdown file each, its title and arguments as TOML between two lines of `+++`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

INSTRUCTIONS = "instructions.md"
ON_CHANGES = "instructions_on_changes.md"


@dataclass(frozen=True)
class PromptArgument:
    """An argument of a prompt."""

    name: str
    description: str
    required: bool = True


@dataclass(frozen=True)
class PromptSpec:
    """A prompt as its file has it. `$name` in the text stands for an argument."""

    name: str
    title: str
    description: str
    arguments: tuple[PromptArgument, ...]
    text: str

    def render(self, arguments: dict[str, str]) -> str:
        """The text with the arguments put in; one that is absent is empty."""
        values = {argument.name: arguments.get(argument.name, "") for argument in self.arguments}
        return Template(self.text).substitute(values)


def load_prompts() -> list[PromptSpec]:
    """All prompts, by name."""
    found = sorted(_folder().iterdir(), key=lambda file: file.name)
    return [_parse(file) for file in found if file.name.endswith(".md") and file.name not in (INSTRUCTIONS, ON_CHANGES)]


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
    return PromptSpec(
        name=file.name.removesuffix(".md"),
        title=about["title"],
        description=about["description"],
        arguments=tuple(PromptArgument(**argument) for argument in about.get("arguments", [])),
        text=text.strip(),
    )
