"""From a tool of ours, and what a call of it came to, to the types of the MCP SDK."""

from __future__ import annotations

from functools import cache

from mcp.types import CallToolResult, TextContent, Tool, ToolAnnotations

from airflow_mcp.tools.run import Result
from airflow_mcp.tools.schema import input_schema, output_schema
from airflow_mcp.tools.spec import ToolSpec


@cache  # its schemas take milliseconds to make
def to_mcp(spec: ToolSpec) -> Tool:
    """The SDK's tool for one of ours, with exactly our schemas."""
    return Tool(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        input_schema=input_schema(spec.arguments),
        output_schema=output_schema(spec.answer),
        annotations=ToolAnnotations(
            read_only_hint=not spec.changes,
            destructive_hint=spec.destructive,
            idempotent_hint=spec.idempotent,
            open_world_hint=False,  # each reaches the Airflow that is set, and nothing else
        ),
    )


def to_result(result: Result) -> CallToolResult:
    """The SDK's result of a call."""
    return CallToolResult(
        content=[TextContent(text=result.text)], structured_content=result.data, is_error=result.is_error
    )
