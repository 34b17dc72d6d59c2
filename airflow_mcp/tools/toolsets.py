"""The toolsets: which tools belong together, and which of them are offered."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from airflow_mcp.errors import SettingsError
from airflow_mcp.settings import PREFIX
from airflow_mcp.tools import admin, assets, backfills, dags, diagnosis, hitl, runs, tasks
from airflow_mcp.tools.spec import ToolSpec, tools_of

TOOLSETS: Mapping[str, ModuleType] = {
    "dags": dags,
    "runs": runs,
    "tasks": tasks,
    "diagnosis": diagnosis,
    "assets": assets,
    "admin": admin,
    "backfills": backfills,
    "hitl": hitl,
}
DEFAULT = ("dags", "runs", "tasks", "diagnosis")


def chosen_tools(words: str) -> list[ToolSpec]:
    """The tools that `default`, `all`, names of toolsets, and `-name` to leave one out, stand for.

    Raises SettingsError for a name that there is not, and where nothing is left.
    """
    given = [word.strip() for word in words.split(",") if word.strip()]
    left_out = {word.removeprefix("-") for word in given if word.startswith("-")}
    named = [word for word in given if not word.startswith("-")] or ["default"]
    groups = {"default": DEFAULT, "all": tuple(TOOLSETS), **{name: (name,) for name in TOOLSETS}}
    for name in (*named, *left_out):
        if name not in groups:
            raise SettingsError(
                f"{PREFIX}TOOLSETS: there is no toolset {name!r}. There are {', '.join(groups)}; -name leaves one out."
            )
    kept = {each for name in named for each in groups[name]} - {each for name in left_out for each in groups[name]}
    if not kept:
        raise SettingsError(f"{PREFIX}TOOLSETS: leaves no toolset. Name at least one of {', '.join(TOOLSETS)}.")
    return [spec for name, toolset in TOOLSETS.items() if name in kept for spec in tools_of(toolset)]
