"""Every recorded call, played again: the same answers from both versions, valid against their schemas."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp.types import CallToolResult

from airflow_mcp.tools.schema import output_schema
from airflow_mcp.tools.toolsets import chosen_tools
from tests.replay import Replay, replayed
from tests.scenarios import calls, previews, reads
from tests.servers import RECORDED
from tests.session import text_of

pytestmark = pytest.mark.anyio

SPECS = {spec.name: spec for spec in chosen_tools("all")}
# What only Airflow 3 tells, and what holds a date or a path of its own.
DIFFERS = {
    "active_runs_count",
    "bundle_name",
    "code",
    "components",
    "dag_version",
    "dag_versions",
    "default_args",
    "duration_seconds",
    "end_date",
    "last_parsed_time",
    "latest_dag_version",
    "log",
    "log_around",
    "next_dagrun_logical_date",
    "next_run",
    "owner_links",
    "plan",
    "queued_at",
    "queued_when",
    "rendered_map_index",
    "run_after",
    "next",
    "operator",
    "schedule",
    "start_date",
    "timestamp",
    "timetable_description",
    "total_lines",
    "triggered_by",
    "triggering_user_name",
    "url",
}


OTHERWISE = {
    ("get_health", "None"),  # the DAG with human decisions is in one of them alone
    ("get_version", "None"),
    ("get_providers", "None"),
    ("get_event_logs", "None"),  # the two name their events each in its own way
    ("get_task_log", "None"),  # around what a task says, each Airflow has lines of its own
    ("set_dag_run_state", "success"),  # Airflow 3.3 skips what has not run; those before set all to success
}


async def play(version: str) -> list[tuple[str, dict[str, Any], CallToolResult]]:
    replay = Replay(version)
    async with replayed(replay, toolsets="all") as session:
        return [
            (tool, arguments, await session.client.call_tool(tool, arguments))
            for tool, arguments in calls(version, replay.runs)
        ]


@pytest.mark.parametrize("version", RECORDED)
async def test_every_answer_fits_its_schema(version: str) -> None:
    played = await play(version)
    assert {tool for tool, _, _ in played} == set(SPECS)
    for tool, arguments, result in played:
        if not result.is_error:
            Draft202012Validator(output_schema(SPECS[tool].answer)).validate(result.structured_content)
            assert "null" not in str(result.structured_content), (tool, arguments)
        else:
            assert "bug" not in text_of(result), (tool, arguments, text_of(result))
            assert "fields" in arguments or not text_of(result).startswith("fields:"), (tool, text_of(result))


@pytest.mark.parametrize("version", RECORDED)
async def test_only_a_confirmed_call_sends_a_change(version: str) -> None:
    replay = Replay(version)
    async with replayed(replay, toolsets="all") as session:
        for tool, arguments in [*reads(), *previews(replay.runs)]:
            await session.client.call_tool(tool, arguments)
    for request in replay.sent("POST", "PATCH", "PUT", "DELETE"):
        harmless = request.url.path.endswith(("/dry_run", "/list")) or b'"dry_run":true' in request.content
        assert harmless, (request.method, request.url, request.content)


def compared(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: compared(item) for name, item in value.items() if name not in DIFFERS}
    if isinstance(value, list):
        return sorted((compared(item) for item in value), key=str)
    return value


async def test_both_versions_answer_alike() -> None:
    two, three = await play("2.11"), await play("3.3")
    runs = [Replay(version).runs for version in ("2.11", "3.3")]
    alike = 0
    for (tool, arguments, left), (_, same_arguments, right) in zip(two, three, strict=True):
        if arguments != same_arguments and set(arguments) != set(same_arguments):
            continue  # options that only one of them has
        if left.is_error or right.is_error or (tool, str(arguments.get("state"))) in OTHERWISE:
            continue
        texts = [
            json.dumps(compared(result.structured_content), sort_keys=True)
            .replace(run["history"], "H")
            .replace(run["load_files"], "L")
            for result, run in zip((left, right), runs, strict=True)
        ]
        assert texts[0] == texts[1], (tool, arguments)
        alike += 1
    assert alike > 25
