"""The decorators that make a function a tool: one that looks, or one that changes something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import create_model

from airflow_mcp.airflow.changes.prepared import ChangeT, Prepared
from airflow_mcp.models.base import Answer, Arguments
from airflow_mcp.models.changes import ChangeArguments, ConfirmedArguments
from airflow_mcp.release import Since
from airflow_mcp.tools.context import Call

ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)
ChangeArgumentsT = TypeVar("ChangeArgumentsT", bound=ChangeArguments)
AnswerT = TypeVar("AnswerT", bound=Answer)


@dataclass(frozen=True)
class ToolSpec:
    """A tool: what a model sees of it, and the function behind it."""

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    answer: type[Answer]
    function: Callable[[Call, Any], Awaitable[Any]]
    """Gives the answer; of a change, what it would do and how it is done."""
    changes: bool
    destructive: bool
    idempotent: bool
    since: Since | None = None
    """The release that has it first; None where all have it."""
    preview: ToolSpec | None = None
    """Of a change, the tool that only shows it."""
    previews: str = ""
    """Of a tool that only shows a change, the one that makes it."""


def tool(
    title: str, *, since: str | None = None
) -> Callable[[Callable[[Call, ArgumentsT], Awaitable[AnswerT]]], ToolSpec]:
    """Make a tool that looks of an async function `(call, args) -> answer`; its docstring is what a model reads.

    `since` names the Airflow that has it first.
    """
    first = Since(since) if since else None

    def decorate(function: Callable[[Call, ArgumentsT], Awaitable[AnswerT]]) -> ToolSpec:
        answer = get_type_hints(function)["return"]
        return _spec(function, title, answer, idempotent=True, since=first)

    return decorate


def change(
    title: str, *, destructive: bool = False, idempotent: bool = True
) -> Callable[[Callable[[Call, ChangeArgumentsT], Awaitable[Prepared[ChangeT]]]], ToolSpec]:
    """Make two tools of an async function `(call, args) -> Prepared`, which itself changes nothing.

    The tool of its name takes `confirm` and `plan` too; the guard does what is prepared, after the person's yes.
    `preview_` and its name is read-only: it shows what is prepared, and gives the plan for it.
    """

    def decorate(function: Callable[[Call, ChangeArgumentsT], Awaitable[Prepared[ChangeT]]]) -> ToolSpec:
        [answer] = get_args(get_type_hints(function)["return"])
        made = _spec(function, title, answer, changes=True, destructive=destructive, idempotent=idempotent)
        preview = replace(
            made,
            name=f"preview_{made.name}",
            title=f"Preview: {_lower(title)}",
            description=f"Only preview, change nothing: {_lower(made.description)}",
            changes=False,
            destructive=False,
            idempotent=True,
            previews=made.name,
        )
        return replace(made, arguments=_confirmed(made.arguments), preview=preview)

    return decorate


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _confirmed(arguments: type[Arguments]) -> type[Arguments]:
    """The same arguments, with `confirm` and `plan`."""
    return create_model(arguments.__name__, __base__=(ConfirmedArguments, arguments))


def _spec(
    function: Callable[[Call, Any], Awaitable[Any]],
    title: str,
    answer: type[Answer],
    *,
    changes: bool = False,
    destructive: bool = False,
    idempotent: bool,
    since: Since | None = None,
) -> ToolSpec:
    needs = [f"Needs {since.needs}."] if since else []
    return ToolSpec(
        name=function.__name__,
        title=title,
        description=" ".join([*(function.__doc__ or "").split(), *needs]),
        arguments=get_type_hints(function)["args"],
        answer=answer,
        function=function,
        changes=changes,
        destructive=destructive,
        idempotent=idempotent,
        since=since,
    )
