"""A client of our server, for tests: calls that must succeed, and calls that must fail."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp import Client
from mcp.types import CallToolResult, TextContent

from airflow_mcp.server import build_server
from tests.oracle import Oracle

CALLED: set[str] = set()
"""The tools that were called; the live tests' conftest empties it before each test."""


def text_of(result: CallToolResult) -> str:
    """The text of a result, which is all of it but for the structured part."""
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


def unfenced(text: str) -> str:
    """What stands between the fences of an answer, both of which have one code."""
    match = re.fullmatch(r"<untrusted-([0-9a-f]{8})>\n(.*)\n</untrusted-\1>", text, re.DOTALL)
    assert match, text
    return match[2]


class Session:
    """A client connected to our server, in memory."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        """Call a tool, which may fail; gives all of its result."""
        CALLED.add(tool)
        return await self.client.call_tool(tool, arguments)

    async def ok(self, tool: str, **arguments: Any) -> Any:
        """Call a tool that must succeed; gives its structured answer."""
        result = await self.call(tool, arguments)
        assert not result.is_error, text_of(result)
        return result.structured_content

    async def error(self, tool: str, **arguments: Any) -> str:
        """Call a tool that must fail; gives its message."""
        result = await self.call(tool, arguments)
        assert result.is_error, result.structured_content
        return text_of(result)

    async def confirmed(self, tool: str, **arguments: Any) -> tuple[Any, Any]:
        """Preview a change with the tool for that, then make exactly that; gives both answers."""
        preview = await self.ok(f"preview_{tool}", **arguments)
        assert preview["done"] is False
        return preview, await self.ok(tool, confirm=True, plan=preview["plan"], **arguments)


@asynccontextmanager
async def connect(oracle: Oracle, user: str = "admin", **settings: Any) -> AsyncIterator[Session]:
    async with Client(build_server(oracle.settings(user, **settings))) as client:
        yield Session(client)
