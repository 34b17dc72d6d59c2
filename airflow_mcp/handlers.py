"""What the server answers to each request of the protocol: tools, prompts, resources, completion."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
)

from airflow_mcp.airflow.together import together
from airflow_mcp.completion import completions
from airflow_mcp.errors import UnknownNameError, WrongArgumentsError
from airflow_mcp.ids import unknown
from airflow_mcp.prompts import PromptSpec, load_prompts
from airflow_mcp.resources import RESOURCES, resource_at
from airflow_mcp.settings import Settings
from airflow_mcp.text.outgoing import as_message
from airflow_mcp.tools.run import Runner
from airflow_mcp.tools.sdk import to_mcp, to_result
from airflow_mcp.tools.spec import ToolSpec
from airflow_mcp.tools.toolsets import ALL_TOOLS

JSON = "application/json"

Context = ServerRequestContext[Runner, Any]


def offered_tools(settings: Settings) -> list[ToolSpec]:
    """The tools that these settings offer: none that changes anything in read-only mode."""
    previews = settings.policy.preview_tools
    return [
        spec for spec in ALL_TOOLS if not (spec.changes and settings.read_only) and not (spec.previews and not previews)
    ]


def offered_prompts(settings: Settings) -> list[PromptSpec]:
    """The prompts that need no tool but those offered."""
    offered = {spec.name for spec in offered_tools(settings)}
    return [prompt for prompt in load_prompts() if prompt.tools <= offered]


class Handlers:
    """What the server answers to each request of the protocol."""

    def __init__(self, settings: Settings) -> None:
        self.specs = offered_tools(settings)
        self.tools = [to_mcp(spec) for spec in self.specs]
        self._prompts = {spec.name: spec for spec in offered_prompts(settings)}

    async def list_tools(self, _: Context, __: object) -> ListToolsResult:
        """tools/list."""
        return ListToolsResult(tools=self.tools)

    async def call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        """tools/call."""
        try:
            return to_result(await context.lifespan_context.call(params.name, params.arguments or {}))
        except UnknownNameError as error:
            raise _invalid_params(error) from error

    async def list_prompts(self, _: Context, __: object) -> ListPromptsResult:
        """prompts/list."""
        return ListPromptsResult(prompts=[_to_mcp(spec) for spec in self._prompts.values()])

    async def get_prompt(self, context: Context, params: GetPromptRequestParams) -> GetPromptResult:
        """prompts/get: the text of a prompt, with what its tools answer now."""
        spec = self._prompts.get(params.name)
        if not spec:
            raise _invalid_params(UnknownNameError(unknown("prompt", params.name, self._prompts)))
        try:
            values = spec.read(params.arguments or {})
        except WrongArgumentsError as error:
            raise _invalid_params(error) from error
        text = spec.render(values, await _evidence(context.lifespan_context, spec, values))
        message = PromptMessage(role="user", content=TextContent(text=text))
        return GetPromptResult(description=spec.description, messages=[message])

    async def list_resources(self, _: Context, __: object) -> ListResourcesResult:
        """resources/list: none by itself, there are too many; the templates tell of all."""
        return ListResourcesResult(resources=[])

    async def list_resource_templates(self, _: Context, __: object) -> ListResourceTemplatesResult:
        """resources/templates/list."""
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(
                    name=spec.name,
                    title=spec.title,
                    description=spec.description,
                    uri_template=spec.template,
                    mime_type=JSON,
                )
                for spec in RESOURCES
            ]
        )

    async def read_resource(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        """resources/read: what the tool answers whose template the address fits."""
        try:
            spec, ids = resource_at(params.uri)
        except UnknownNameError as error:
            raise _invalid_params(error) from error
        result = await context.lifespan_context.call(spec.tool, ids)
        if result.is_error:
            raise MCPError(INTERNAL_ERROR, result.text)
        return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, mime_type=JSON, text=result.text)])

    async def complete(self, context: Context, params: CompleteRequestParams) -> CompleteResult:
        """completion/complete: ids that there are, for an argument of a prompt or in the address of a resource."""
        given = (params.context.arguments if params.context else None) or {}
        asked = params.argument
        return CompleteResult(
            completion=Completion(values=await completions(context.lifespan_context, asked.name, asked.value, given))
        )


async def _evidence(runner: Runner, spec: PromptSpec, values: Mapping[str, str]) -> dict[str, str]:
    """What the tools of a prompt answer, by the name in its text. Raises MCPError where none does."""
    results = await together(*(partial(runner.call, each.tool, each.asked(values)) for each in spec.evidence))
    if all(result.is_error for result in results):
        raise MCPError(INTERNAL_ERROR, results[0].text)
    return {each.name: result.text for each, result in zip(spec.evidence, results, strict=True)}


def _invalid_params(error: Exception) -> MCPError:
    return MCPError(INVALID_PARAMS, as_message(str(error)))


def _to_mcp(spec: PromptSpec) -> Prompt:
    return Prompt(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        arguments=[
            PromptArgument(name=each.name, description=each.description, required=each.required)
            for each in spec.arguments
        ],
    )
