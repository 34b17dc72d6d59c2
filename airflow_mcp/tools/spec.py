"""The decorator that makes a function a tool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar, get_type_hints

from airflow_mcp.models.base import Answer, Arguments
from airflow_mcp.tools.context import App

ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)
AnswerT = TypeVar("AnswerT", bound=Answer)


@dataclass(frozen=True)
class ToolSpec:
    """A tool: what a model sees of it, and the function behind it."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    answer: type[Answer]
    function: Callable[[App, Any], Awaitable[Answer]]
    changes: bool
    destructive: bool
    idempotent: bool
    user_text: bool
    """Whether the answer holds free text of Airflow's users: source, docs, a description."""

    async def call(self, app: App, args: Arguments) -> Answer:
        """The answer, with its link."""
        return await app.links.added(await self.function(app, args), args)


def tool(
    title: str,
    *,
    changes: bool = False,
    destructive: bool = False,
    idempotent: bool = True,
    user_text: bool = False,
) -> Callable[[Callable[[App, ArgumentsT], Awaitable[AnswerT]]], ToolSpec]:
    """Make a tool of an async function `(app, arguments) -> answer`; its docstring is what a model reads."""

    def decorate(function: Callable[[App, ArgumentsT], Awaitable[AnswerT]]) -> ToolSpec:
        hints = get_type_hints(function)
        return ToolSpec(
            name=function.__name__,
            title=title,
            description=" ".join((function.__doc__ or "").split()),
            arguments=hints["args"],
            answer=hints["return"],
            function=function,
            changes=changes,
            destructive=destructive,
            idempotent=idempotent,
            user_text=user_text,
        )

    return decorate


def tools_of(toolset: ModuleType) -> list[ToolSpec]:
    """The tools of a module, in the order in which they stand there."""
    return [each for each in vars(toolset).values() if isinstance(each, ToolSpec)]
