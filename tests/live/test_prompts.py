"""Prompts that bring their evidence, resources, and what their arguments could be, from real servers."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.types import PromptReference, ResourceTemplateReference, TextResourceContents

from airflow_mcp.prompts import load_prompts
from airflow_mcp.resources import DAG, LOG, RUN, SOURCE
from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio


async def prompt(session: Session, name: str, **arguments: str) -> str:
    [message] = (await session.client.get_prompt(name, arguments)).messages
    text: str = getattr(message.content, "text", "")
    assert "gave no answer" not in text
    return text


async def test_a_diagnosis_is_in_the_message(session: Session, oracle: Oracle, broken_runs: Any) -> None:
    run_id = broken_runs[oracle.server.release.name, "sales_etl"]
    text = await prompt(session, "diagnose_failed_dag", dag_id="sales_etl", dag_run_id=run_id)
    assert "KeyError: 'amount'" in text
    assert "checking order 1042" in text
    latest = await prompt(session, "diagnose_failed_dag", dag_id="load_files")
    assert "line 118 has 4 columns" in latest


async def test_a_rerun_is_previewed_and_not_made(session: Session, oracle: Oracle, broken_runs: Any) -> None:
    run_id = broken_runs[oracle.server.release.name, "load_files"]
    before = oracle.states("load_files", run_id)
    text = await prompt(session, "rerun_failed_tasks", dag_id="load_files", dag_run_id=run_id)
    assert "Clear 2 task instances" in text
    assert "plan=" in text
    assert oracle.states("load_files", run_id) == before


async def test_the_other_prompts_bring_what_they_are_about(session: Session, oracle: Oracle, broken_runs: Any) -> None:
    oracle.pause("diamond", True)
    assert "The DAG is paused" in await prompt(session, "why_not_running", dag_id="diamond")
    assert "scheduler healthy" in await prompt(session, "morning_health_check")
    handover = await prompt(session, "hand_over_shift", since="2026-01-01T00:00:00Z")
    assert broken_runs[oracle.server.release.name, "load_files"] in handover
    assert "def count_by_country" in await prompt(session, "explain_dag", dag_id="daily_report")


async def completed(session: Session, ref: Any, name: str, value: str, **given: str) -> list[str]:
    answer = await session.client.complete(ref, {"name": name, "value": value}, context_arguments=given or None)
    return list(answer.completion.values)


async def test_arguments_complete_from_the_live_airflow(session: Session, oracle: Oracle, broken_runs: Any) -> None:
    run_id = broken_runs[oracle.server.release.name, "load_files"]
    for spec in load_prompts():
        ref = PromptReference(type="ref/prompt", name=spec.name)
        if any(argument.name == "dag_id" for argument in spec.arguments):
            assert await completed(session, ref, "dag_id", "load") == ["load_files"]
            assert set(await completed(session, ref, "dag_id", "")) >= {"diamond", "history", "отчёт.v1"}
    diagnose = PromptReference(type="ref/prompt", name="diagnose_failed_dag")
    assert run_id in await completed(session, diagnose, "dag_run_id", "manual", dag_id="load_files")
    assert await completed(session, diagnose, "dag_run_id", "", dag_id="no_such_dag") == []
    assert await completed(session, diagnose, "dag_id", "../") == []
    log = ResourceTemplateReference(type="ref/resource", uri=LOG)
    given = {"dag_id": "load_files", "dag_run_id": run_id}
    assert await completed(session, log, "task_id", "load", **given) == ["load_file"]
    assert await completed(session, log, "dag_run_id", run_id, dag_id="load_files") == [run_id]


async def read(session: Session, uri: str) -> str:
    [content] = (await session.client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    return content.text


async def test_resources(session: Session, oracle: Oracle, broken_runs: Any) -> None:
    run_id = broken_runs[oracle.server.release.name, "sales_etl"].replace("+", "%2B").replace(":", "%3A")
    listed = (await session.client.list_resource_templates()).resource_templates
    assert [each.uri_template for each in listed] == [DAG, SOURCE, RUN, LOG]
    assert '"owners":["ana"]' in await read(session, "airflow://dags/sales_etl")
    assert '"owners":["ольга"]' in await read(session, "airflow://dags/%D0%BE%D1%82%D1%87%D1%91%D1%82.v1")
    assert "1|" in await read(session, "airflow://dags/sales_etl/source")
    assert '"state":"failed"' in await read(session, f"airflow://dags/sales_etl/runs/{run_id}")
    assert "KeyError" in await read(session, f"airflow://dags/sales_etl/runs/{run_id}/tasks/validate/log")


@pytest.mark.parametrize("uri", ["no_such_dag", "%2e%2e", "..%2Fvariables", "~", "sales_etl/runs/no_such_run"])
async def test_a_resource_that_is_none(session: Session, uri: str) -> None:
    with pytest.raises(Exception, match=r"ot found|no Airflow id|slash|failed|Unknown|resource"):
        await read(session, f"airflow://dags/{uri}")
