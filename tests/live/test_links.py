"""Links to pages that are there, and what is told of them, on real servers."""

from __future__ import annotations

import subprocess
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.oracle import Oracle
from tests.session import Session

pytestmark = pytest.mark.anyio

LOG_URL = """
from airflow.models import TaskInstance
from airflow.utils.session import create_session
with create_session() as session:
    ids = dict(dag_id={dag!r}, run_id={run!r}, task_id={task!r}, map_index={index})
    print("log_url", session.query(TaskInstance).filter_by(**ids).one().log_url)
"""


def airflows_own(oracle: Oracle, run: dict[str, Any]) -> str:
    """The link that Airflow itself puts into an alert."""
    code = LOG_URL.format(dag=run["dag_id"], run=run["dag_run_id"], task=run["task_id"], index=run.get("map_index", -1))
    env = {"AIRFLOW_HOME": str(oracle.server.home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [oracle.server.venv / "bin/python", "-c", code], env=env, capture_output=True, text=True, check=True
    )
    return next(line for line in done.stdout.splitlines() if line.startswith("log_url ")).removeprefix("log_url ")


@pytest.fixture
def instance(oracle: Oracle, broken_runs: dict[tuple[str, str], str]) -> dict[str, Any]:
    run_id = broken_runs[oracle.server.release.name, "load_files"]
    return {"dag_id": "load_files", "dag_run_id": run_id, "task_id": "load_file", "map_index": 2}


async def test_what_airflow_itself_links_to_is_resolved(
    session: Session, oracle: Oracle, instance: dict[str, Any]
) -> None:
    own = urlsplit(airflows_own(oracle, instance))
    url = f"{oracle.server.url}{own.path}?{own.query}"
    answer = await session.ok("resolve_url", url=url)
    assert {name: answer[name] for name in instance} == instance
    assert (answer["run_state"], answer["state"]) == ("failed", "failed")
    assert answer["next"].startswith("get_task_log with these ids")


async def test_every_answer_links_to_a_page_and_back(
    session: Session, oracle: Oracle, instance: dict[str, Any]
) -> None:
    run = {name: instance[name] for name in ("dag_id", "dag_run_id")}
    answers = {
        "get_dag": {"dag_id": "load_files"},
        "get_dag_run": run,
        "get_task_instance": instance,
        "get_task_log": instance,
        "diagnose_dag_run": run,
        "clear_task_instances": {**run, "confirm": False},
    }
    for tool, arguments in answers.items():
        url = (await session.ok(tool, **arguments))["url"]
        async with httpx.AsyncClient(follow_redirects=True, timeout=30) as browser:
            page = await browser.get(url)
        assert page.status_code == 200, (tool, url)  # in Airflow 2 its sign-in
        found = await session.ok("resolve_url", url=url)
        ids = {name: value for name, value in arguments.items() if name != "confirm"}
        assert {name: found[name] for name in ids} == ids, tool


async def test_an_older_link_names_a_date(session: Session, oracle: Oracle) -> None:
    oracle.pause("history", True)
    run_id = oracle.trigger("history", "2026-01-07T05:00:00+00:00")
    url = f"{oracle.server.url}/log?dag_id=history&task_id=first&execution_date=2026-01-07T05%3A00%3A00%2B00%3A00"
    answer = await session.ok("resolve_url", url=url)
    assert (answer["dag_run_id"], answer["state"]) == (run_id, "no_status")


async def test_what_is_not_there_or_not_ours(session: Session, oracle: Oracle) -> None:
    assert "speaks for" in await session.error("resolve_url", url="https://airflow.example.com/dags/history")
    for path in ("dags/no_such_dag", "dags/history/runs/no_such_run", "dags/history/grid?dag_run_id=no_such_run"):
        assert "ot found" in await session.error("resolve_url", url=f"{oracle.server.url}/{path}")
