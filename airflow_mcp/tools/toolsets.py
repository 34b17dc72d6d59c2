"""The toolsets: which tools there are, by what they are about."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from airflow_mcp.tools import dags, diagnosis, event_logs, runs, tasks
from airflow_mcp.tools.spec import ToolSpec


@dataclass(frozen=True)
class Toolset:
    """Tools about one subject."""

    name: str
    tools: tuple[ToolSpec, ...]

    @classmethod
    def of(cls, module: ModuleType) -> Toolset:
        """The tools of a module, in the order in which they stand there, the preview of a change before it."""
        specs = [each for each in vars(module).values() if isinstance(each, ToolSpec)]
        tools = tuple(each for spec in specs for each in (spec.preview, spec) if each)
        return cls(module.__name__.rpartition(".")[2], tools)


TOOLSETS = tuple(map(Toolset.of, (diagnosis, dags, runs, tasks, event_logs)))
ALL_TOOLS = tuple(tool for toolset in TOOLSETS for tool in toolset.tools)
