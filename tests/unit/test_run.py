"""The runner alone, without the SDK."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import pytest

from airflow_mcp.airflow.api import Server
from airflow_mcp.errors import NotFoundError, UnknownNameError, VersionChangedError
from airflow_mcp.models.base import Answer, Arguments
from airflow_mcp.settings import Settings
from airflow_mcp.tools.context import Call, make_app
from airflow_mcp.tools.run import Result, Runner
from airflow_mcp.tools.spec import ToolSpec, tool

pytestmark = pytest.mark.anyio


class Greet(Arguments):
    name: str
    words: list[str] | None = None


class Greeting(Answer):
    text: str


class Hiding(Server):
    def hide(self, text: str) -> str:
        return text.replace("s3cret", "[hidden]")


def runner(spec: ToolSpec) -> Runner:
    settings = Settings.for_one(api_version="v2")  # so nothing is sent to find out
    return Runner([spec], make_app(settings, Hiding(settings.instances[0])))


def greeter(*outcomes: Exception | None) -> ToolSpec:
    """A tool that fails as told, one call after the other, and then greets."""
    left = [*outcomes]

    @tool("Greet")
    async def greet(call: Call, args: Greet) -> Greeting:
        """Greet."""
        if left and (error := left.pop(0)):
            raise error
        if args.name == "sleeper":
            await anyio.sleep(60)
        return Greeting(text=" ".join(["hello", args.name, *(args.words or [])]))

    return greet


async def call(spec: ToolSpec, **arguments: Any) -> Result:
    return await runner(spec).call("greet", arguments)


async def test_an_answer_is_data_and_text() -> None:
    result = await call(greeter(), name="world", words='["and", "moon"]')
    assert (result.data, result.text) == ({"text": "hello world and moon"}, '{"text":"hello world and moon"}')
    assert not result.is_error


async def test_wrong_arguments_are_named_and_nothing_is_called() -> None:
    result = await call(greeter(AssertionError()), nam="world", words=7)
    assert result.is_error
    assert result.text.startswith("Nothing was done. name: is required.")
    assert "words: input should be a valid list." in result.text
    assert "nam: no such argument. Did you mean name?" in result.text


async def test_a_tool_that_is_not_offered() -> None:
    with pytest.raises(UnknownNameError, match=r"^Unknown tool: greets\. There are: greet\.$"):
        await runner(greeter()).call("greets", {})


async def test_another_version_is_asked_once_more() -> None:
    assert (await call(greeter(VersionChangedError("moved")), name="world")).data == {"text": "hello world"}
    again = await call(greeter(VersionChangedError("moved"), VersionChangedError("moved on")), name="world")
    assert (again.is_error, again.text) == (True, "moved on")


async def test_a_call_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "airflow_mcp")
    await call(greeter(), name="world")
    await call(greeter(NotFoundError("no world")), name="world")
    await call(greeter())
    with anyio.move_on_after(0.01):
        await call(greeter(), name="sleeper")
    outcomes = [message.rsplit(" ", 2)[0] for message in caplog.messages]
    assert outcomes == ["greet ok", "greet NotFoundError", "greet WrongArgumentsError", "greet cancelled"]


async def test_a_bug_is_told_and_logged_without_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    result = await call(greeter(ZeroDivisionError("s3cret")), name="world")
    assert "greet failed inside this server (ZeroDivisionError)" in result.text
    assert "s3cret" not in result.text + caplog.text
    assert "ZeroDivisionError: [hidden]" in caplog.text


async def test_an_answer_that_does_not_fit_its_model_is_no_wrong_argument() -> None:
    @tool("Greet")
    async def greet(call: Call, args: Greet) -> Greeting:
        """Greet."""
        return Greeting.model_validate({})

    assert "failed inside this server (ValidationError)" in (await call(greet, name="world")).text
