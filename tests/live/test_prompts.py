"""Prompts, their completion, and resources on both real servers: they hold what the tools find."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from mcp.types import PromptReference

from airflow_mcp.prompts import load_prompts
from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio


async def test_a_prompt_holds_what_was_found(session: Session, oracle: Oracle) -> None:
    client = session.client
    prompts = (await client.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == [spec.name for spec in load_prompts()]
    run_id = oracle.failed_runs["sales_etl"]
    arguments = {"dag_id": "sales_etl", "dag_run_id": run_id}
    for name in ("diagnose_failed_dag", "rerun_failed_tasks"):
        message = (await client.get_prompt(name, arguments)).messages[0].content.model_dump_json()
        assert "KeyError: 'amount'" in message
    assert "Clear 3 task instances" in message
    since = {"since": "2026-01-01T00:00:00Z"}
    for name in ("morning_check", "hand_over_shift", "explain_dag", "why_not_running"):
        given = since if name in ("morning_check", "hand_over_shift") else {"dag_id": "sales_etl"}
        assert "sales_etl" in (await client.get_prompt(name, given)).messages[0].content.model_dump_json()


async def test_ids_are_completed(session: Session, oracle: Oracle) -> None:
    client, run_id = session.client, oracle.failed_runs["sales_etl"]
    reference = PromptReference(name="diagnose_failed_dag")
    found = await client.complete(reference, {"name": "dag_id", "value": "sales"})
    assert found.completion.values == ["sales_etl"]
    found = await client.complete(reference, {"name": "dag_run_id", "value": run_id}, {"dag_id": "sales_etl"})
    assert found.completion.values == [run_id]


async def test_what_is_at_each_address(session: Session, oracle: Oracle) -> None:
    dag, run_id = "airflow://default/dags/sales_etl", oracle.failed_runs["sales_etl"]
    run = f"{dag}/runs/{quote(run_id, safe='')}"
    holds = {
        dag: "Orders of the shop",
        f"{dag}/source": "def validate(ids)",
        run: run_id,
        f"{run}/tasks/validate/log": "KeyError: 'amount'",
    }
    for address, text in holds.items():
        [content] = (await session.client.read_resource(address)).contents
        assert text in content.model_dump_json()
