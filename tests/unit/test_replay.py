"""Every recorded call, played again: the same answers from both versions, valid against their schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp.types import CallToolResult

from airflow_mcp.airflow.pages import page_at
from airflow_mcp.tools.schema import output_schema
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.fakes import URL, Replay
from tests.replay import replayed
from tests.scenarios import calls, previews, reads
from tests.servers import RECORDED
from tests.session import text_of

pytestmark = pytest.mark.anyio

SPECS = {spec.name: spec for spec in ALL_TOOLS}
IDS = ("dag_id", "dag_run_id", "task_id", "map_index")
# What only Airflow 3 tells, and what holds a date or a path of its own.
DIFFERS = {
    "active_runs_count",
    "bundle_name",
    "components",
    "dag_version",
    "dag_versions",
    "date",
    "default_args",
    "duration_seconds",
    "end_date",
    "evidence",
    "first",
    "last",
    "executor",
    "filename",
    "hostname",
    "last_parsed_time",
    "last_run_at",
    "latest_dag_version",
    "log",
    "longest_running",
    "next",
    "next_dagrun_logical_date",
    "next_run",
    "not_there",
    "operator",
    "owner_links",
    "plan",
    "queued_at",
    "queued_when",
    "rendered_fields",
    "rendered_map_index",
    "run_after",
    "schedule",
    "scheduled_when",
    "start_date",
    "timestamp",
    "timetable_description",
    "total_lines",
    "tries",
    "triggered_by",
    "triggering_user_name",
    "url",
}


OWN = {"get_event_logs"}
"""Tools that tell what each Airflow has by its own names: what is logged differs too."""


async def play(version: str) -> list[tuple[str, dict[str, Any], CallToolResult]]:
    replay = Replay(version)
    async with replayed(replay) as session:
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


@pytest.mark.parametrize("version", RECORDED)
async def test_every_link_leads_to_what_the_answer_is_about(version: str) -> None:
    with_links = set()
    runs = Replay(version).runs
    for tool, arguments, result in await play(version):
        if result.is_error:
            continue
        asked = named(arguments) | ({"dag_run_id": runs["history"]} if "logical_date" in arguments else {})
        told = list(links_in(result.structured_content, asked))
        for ids, url in told:
            assert named(vars(page_at(url, [URL]))) == ids, (tool, arguments)
        has_its_own = "url" in SPECS[tool].answer.model_fields and "fields" not in arguments
        if has_its_own and named(result.structured_content or {}) | asked:
            assert told, (tool, arguments)
        with_links |= {tool} if told else set()
    across_dags = {"get_dags", "get_event_logs", "get_health", "get_import_errors"}
    not_recorded = {"compare_dag_runs", "find_flaky_tasks"}  # but without a run to tell of
    assert set(SPECS) - with_links == across_dags | not_recorded


def named(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in IDS if told.get(name) is not None}


def links_in(told: Any, around: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The links in an answer, each with the ids of what it is of: those that stand beside it, or else around it."""
    ids = {**around, **named(told)}
    url = told.get("url")
    if url and "last_run_id" in told:  # of the failures of some tasks the latest, of the first of them
        map_index = named({"map_index": page_at(url, [URL]).map_index})
        ids |= {"dag_run_id": told["last_run_id"], "task_id": told["tasks"][0], **map_index}
    if url:
        yield ids, url
    for rows in told.values():
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                yield from links_in(row, ids)


@pytest.mark.parametrize("version", RECORDED)
async def test_only_a_confirmed_call_sends_a_change(version: str) -> None:
    replay = Replay(version)
    async with replayed(replay) as session:
        for tool, arguments in [*reads(), *previews(replay.runs)]:
            await session.client.call_tool(tool, arguments)
    for request in replay.sent("POST", "PATCH", "PUT", "DELETE"):
        harmless = request.url.path.endswith(("/dry_run", "/list")) or b'"dry_run":true' in request.content
        assert harmless, (request.method, request.url, request.content)


def compared(value: Any) -> Any:
    if isinstance(value, dict):
        # What is said of a log counts its lines.
        differs = DIFFERS | {"note"} if "log" in value else DIFFERS
        if "summary" in value:
            value = {**value, "summary": re.sub(" at 20[-0-9T:]+Z", " at some time", value["summary"])}
        return {name: compared(item) for name, item in value.items() if name not in differs}
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
        if left.is_error or right.is_error or tool in OWN:
            continue
        texts = [
            re.sub(
                "untrusted-[0-9a-f]{8}", "untrusted", json.dumps(compared(result.structured_content), sort_keys=True)
            )
            .replace(run["history"], "H")
            .replace(run["load_files"], "L")
            .replace("/opt/airflow/dags/", "")  # Airflow 3 tells paths within the folder
            for result, run in zip((left, right), runs, strict=True)
        ]
        assert texts[0] == texts[1], (tool, arguments)
        alike += 1
    assert alike > 25
