"""The settings, read from the environment: one variable `AIRFLOW_MCP_<NAME>` a field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from airflow_mcp.errors import SettingsError, problem_of
from airflow_mcp.ids import near
from airflow_mcp.instance import PREFIX, Instance, variable

ConfirmPolicy = Literal["argument", "plan"]


class Policy(BaseModel):
    """How this server shows changes, and what it asks for before it makes one, at whichever Airflow."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    confirm: ConfirmPolicy = Field(
        "argument",
        description="What a change needs: `argument` (confirm=true), or `plan` (confirm=true and the plan of "
        "a preview that is not out of date).",
    )
    preview_tools: bool = Field(
        True,
        description="Offer each preview as a read-only tool of its own, for clients that ask a person before each call "
        "of one that is not; `false` saves their tokens, and confirm=false still previews.",
    )


FIELDS = {**Instance.model_fields, **Policy.model_fields}
"""Every setting by its name, in the order in which they are listed."""


@dataclass(frozen=True)
class Settings:
    """The Airflows to work with, and the policy that holds for all of them."""

    instances: tuple[Instance, ...]
    policy: Policy

    @classmethod
    def for_one(cls, **given: Any) -> Self:
        """The settings for one Airflow, by the names of the fields. Raises ValidationError."""
        policy = {name: given.pop(name) for name in Policy.model_fields if name in given}
        return cls((Instance.model_validate(given),), Policy.model_validate(policy))

    @property
    def read_only(self) -> bool:
        """Whether nothing may be changed, at any of them."""
        return all(instance.read_only for instance in self.instances)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; an empty variable counts as not set.

    Raises SettingsError with one line that names the variable at fault, never its value.
    """
    given = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value.strip()}
    known = {variable(field): field for field in FIELDS}
    for name in sorted(given.keys() - known.keys()):
        likely = near(name.removeprefix(PREFIX).lower(), FIELDS)
        hint = f" Did you mean {variable(likely[0])}?" if likely else ""
        raise SettingsError(f"{name} is not a setting.{hint}")
    try:
        return Settings.for_one(**{known[name]: value for name, value in given.items()})
    except ValidationError as error:
        raise SettingsError(_first_line(error)) from None


_PLAINLY = {
    "bool_parsing": "must be true or false",
    "float_parsing": "must be a number",
    "greater_than": "must be greater than {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
}
"""What pydantic says of a text that was to be another thing, for a person who wrote the text."""


def _first_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    plainly = _PLAINLY.get(first["type"])
    problem = plainly.format(**first.get("ctx", {})) if plainly else problem_of(first["msg"])
    if not first["loc"]:
        return problem
    return f"{variable(str(first['loc'][0]))}: {problem[0].lower()}{problem[1:]}"
