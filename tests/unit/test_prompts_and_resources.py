"""Prompts that bring what their tools found, resources, and what completes the ids of both."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from mcp import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, PromptReference, ResourceTemplateReference, TextContent

from tests.examples import agreeable
from tests.fakes import OfRelease
from tests.replay import replayed
from tests.session import Session, text_of

pytestmark = pytest.mark.anyio

IDS = {"dag_id": "history", "dag_run_id": "manual__2026-11-21T00:00:00+00:00", "task_id": "load"}
CODE = re.compile(r"untrusted-\w+")
PROMPT = PromptReference(name="why_not_running")


class Agreeable(OfRelease):
    """An Airflow that has one DAG, with one run, of one task; it refuses what a test has it refuse."""

    def __init__(self, refused: str = "", **more: Any) -> None:
        super().__init__("3.3.2")
        self.refused, self.more = refused, more

    async def rest(self, request: httpx.Request) -> httpx.Response:
        if self.refused and self.refused in request.url.path:
            return httpx.Response(403, json={"detail": "not for you"})
        return httpx.Response(200, json=agreeable({**IDS, "file_token": "t"}, "3.3.2") | self.more)


async def prompt(session: Session, name: str, **arguments: str) -> str:
    [message] = (await session.client.get_prompt(name, arguments)).messages
    assert isinstance(message.content, TextContent)
    return message.content.text


def without_codes(answer: str) -> Any:
    """An answer as data, without the codes of its fences, of which each answer has its own."""
    return json.loads(CODE.sub("untrusted", answer))


async def test_a_prompt_holds_what_its_tool_answers() -> None:
    async with replayed(Agreeable()) as session:
        text = await prompt(session, "why_not_running", dag_id="history")
        answer = text_of(await session.call("explain_dag_state", {"dag_id": "history"}))
    assert json.loads(answer)["summary"]
    assert f"\n\n{answer}\n\n" in text


async def test_a_prompt_of_many_tools_goes_on_without_one_and_tells_why() -> None:
    async with replayed(Agreeable(refused="/dagSources/")) as session:
        text = await prompt(session, "explain_dag", dag_id="history")
    assert "not for you" in text
    assert '"task_id":"load"' in text


async def test_a_prompt_without_any_evidence_is_an_error() -> None:
    async with replayed(Agreeable(refused="/api/v2/dag")) as session:
        with pytest.raises(MCPError, match="not for you") as refused:
            await prompt(session, "explain_dag", dag_id="history")
    assert refused.value.code == INTERNAL_ERROR


async def test_the_preview_of_a_prompt_changes_nothing() -> None:
    fake = Agreeable(task_instances=[{**IDS, "map_index": -1, "state": "failed", "try_number": 1}])
    async with replayed(fake) as session:
        text = await prompt(session, "rerun_failed_tasks", dag_id="history", dag_run_id=IDS["dag_run_id"])
    assert '"plan":' in text, text
    sent = [json.loads(each.content) for each in fake.requests if each.url.path.endswith("/clearTaskInstances")]
    assert [each["dry_run"] for each in sent] == [True] * len(sent) != []


# -- resources


async def test_an_address_gives_what_the_tool_answers() -> None:
    async with replayed(Agreeable()) as session:
        templates = (await session.client.list_resource_templates()).resource_templates
        assert [each.uri_template for each in templates] == [
            "airflow://{instance}/dags/{dag_id}",
            "airflow://{instance}/dags/{dag_id}/source",
            "airflow://{instance}/dags/{dag_id}/runs/{dag_run_id}",
            "airflow://{instance}/dags/{dag_id}/runs/{dag_run_id}/tasks/{task_id}/log",
        ]
        run, code = quote(IDS["dag_run_id"], safe=""), "airflow://default/dags/history/source"
        log = f"airflow://default/dags/history/runs/{run}/tasks/load/log"
        for address, tool, ids in (
            (code, "get_dag_source", {"dag_id": "history"}),
            (log, "get_task_log", {**IDS, "dag_id": "history"}),
        ):
            [content] = (await session.client.read_resource(address)).contents
            assert (content.mime_type, str(content.uri)) == ("application/json", address)
            text, answer = getattr(content, "text", ""), text_of(await session.call(tool, ids))
            assert without_codes(text) == without_codes(answer)


@pytest.mark.parametrize(
    ("address", "said", "code"),
    [
        ("airflow://other/dags/history", "Unknown instance: other. There is: default.", INVALID_PARAMS),
        (
            "airflow://default/dags",
            "No resource has this address. There are: airflow://{instance}/dags/",
            INVALID_PARAMS,
        ),
        ("https://example.com/dags/history", "No resource has this address.", INVALID_PARAMS),
        ("airflow://default/dags/..", "dag_id: must not be . or ...", INTERNAL_ERROR),
        ("airflow://default/dags/a%2F..%2Fb", 'dag_id: must not contain "/"', INTERNAL_ERROR),
        ("airflow://default/dags/a%0Ab", "dag_id: must not contain a line break", INTERNAL_ERROR),
        ("airflow://default/dags/", "dag_id: is empty", INTERNAL_ERROR),
    ],
)
async def test_an_address_of_nothing_is_told(address: str, said: str, code: int) -> None:
    fake = Agreeable()
    async with replayed(fake) as session:
        with pytest.raises(MCPError) as refused:
            await session.client.read_resource(address)
    assert said in refused.value.message
    assert refused.value.code == code
    assert [each for each in fake.requests if "/dags" in each.url.path] == []


# -- completion


async def completed(session: Session, name: str, begun: str, **given: str) -> list[str]:
    result = await session.client.complete(PROMPT, {"name": name, "value": begun}, given)
    return result.completion.values


async def test_ids_are_completed_from_airflow() -> None:
    dags: list[dict[str, Any]] = [
        {"dag_id": name, "is_paused": False, "owners": []} for name in ("load_sales", "sales", "sales_etl")
    ]
    async with replayed(Agreeable(dags=dags, total_entries=3)) as session:
        assert await completed(session, "dag_id", "") == ["load_sales", "sales", "sales_etl"]
        assert await completed(session, "dag_id", "Sal") == ["load_sales", "sales", "sales_etl"]
        assert await completed(session, "dag_id", "sal") == ["sales", "sales_etl", "load_sales"]
        assert await completed(session, "dag_run_id", "2026", dag_id="sales") == [IDS["dag_run_id"]]
        assert await completed(session, "task_id", "lo", dag_id="sales") == ["load"]
        assert await completed(session, "task_id", "x", dag_id="sales") == []
        template = ResourceTemplateReference(uri="airflow://{instance}/dags/{dag_id}")
        result = await session.client.complete(template, {"name": "instance", "value": ""})
        assert result.completion.values == ["default"]


async def test_what_cannot_be_completed_is_left_open() -> None:
    async with replayed(Agreeable(refused="/")) as session:
        assert await completed(session, "dag_id", "") == []
        assert await completed(session, "dag_run_id", "") == []  # the DAG is not named yet
        assert await completed(session, "task_id", "", dag_id="../x") == []
        assert await completed(session, "since", "2026") == []
