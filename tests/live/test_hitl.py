"""Human decisions, on real servers: asked by a task, answered here, and the run goes on."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.oracle import Oracle
from tests.servers import dag_ids
from tests.session import Session

pytestmark = pytest.mark.anyio

ONE: dict[str, Any] = {"dag_id": "decides", "dag_run_id": "any", "task_id": "ask", "chosen_options": ["yes"]}


def asks(oracle: Oracle) -> bool:
    return "decides" in dag_ids(oracle.server.release.name)


@pytest.fixture
def asked(oracle: Oracle) -> str:
    """A run whose task waits for a decision."""
    if not asks(oracle):
        pytest.skip("this Airflow has no human decisions: what it is told is tested by itself")
    oracle.pause("decides", False)
    run_id = oracle.trigger("decides")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if oracle.states("decides", run_id).get("ask") in ("deferred", "awaiting_input"):
            return run_id
        time.sleep(0.5)
    raise AssertionError(oracle.states("decides", run_id))


def detail(oracle: Oracle, run_id: str) -> Any:
    rows = oracle.call("GET", "dags/decides/dagRuns/~/hitlDetails")["hitl_details"]
    return next(row for row in rows if row["task_instance"]["dag_run_id"] == run_id)


@pytest.mark.parametrize(("tool", "arguments"), [("get_hitl_details", {}), ("respond_hitl", {**ONE, "confirm": True})])
async def test_an_airflow_without_decisions(
    session: Session, oracle: Oracle, tool: str, arguments: dict[str, Any]
) -> None:
    if asks(oracle):
        pytest.skip("this Airflow has human decisions")
    message = await session.error(tool, **arguments)
    assert message.startswith(f"hitl needs Airflow 3.1. This is Airflow {oracle.server.release.version}.")


async def test_an_answer_lets_the_run_go_on(session: Session, oracle: Oracle, asked: str) -> None:
    for arguments in ({}, {"dag_id": "decides"}):
        listed = await session.ok("get_hitl_details", limit=100, **arguments)
        [row] = [row for row in listed["hitl_details"] if row["dag_run_id"] == asked]
        assert (row["dag_id"], row["task_id"], row["options"]) == ("decides", "ask", ["yes", "no"])
        assert "Ship it?" in row["subject"]
        assert row["body"].startswith("<untrusted>")
        assert row["body"].count("</untrusted>") == 1
        assert row["params"]["reason"]["value"] == "none"
        assert "responded_at" not in row

    answer: dict[str, Any] = {"dag_id": "decides", "dag_run_id": asked, "task_id": "ask"}
    for options, told in (
        (["maybe"], "chosen_options: 'maybe' is not one of: yes, no."),
        (["yes", "no"], "chosen_options: this task takes one option only."),
    ):
        assert told in await session.error("respond_hitl", confirm=True, chosen_options=options, **answer)
    answer |= {"chosen_options": ["yes"]}
    message = await session.error("respond_hitl", confirm=True, params_input='{"colour": "red"}', **answer)
    assert "params_input: 'colour' is not one of: reason." in message

    answer |= {"params_input": '{"reason": "tested"}'}
    preview = await session.ok("respond_hitl", confirm=False, **answer)
    assert preview["question"]["options"] == ["yes", "no"]
    assert (preview["chosen_options"], preview["params_input"]) == (["yes"], {"reason": "tested"})
    assert detail(oracle, asked)["response_received"] is False

    done = await session.ok("respond_hitl", confirm=True, plan=preview["plan"], **answer)
    assert done["done"] is True
    assert oracle.wait_for_run("decides", asked) == "success"
    given = detail(oracle, asked)
    assert (given["chosen_options"], given["params_input"]) == (["yes"], {"reason": "tested"})
    assert "was answered already, with yes by" in await session.error("respond_hitl", confirm=True, **answer)

    waiting = await session.ok("get_hitl_details", limit=100)
    assert asked not in {row["dag_run_id"] for row in waiting["hitl_details"]}
    past = await session.ok("get_hitl_details", answered=True, dag_id="decides")
    assert past["hitl_details"][0]["dag_run_id"] == asked
    assert past["hitl_details"][0]["chosen_options"] == ["yes"]


async def test_what_is_not_there(session: Session, oracle: Oracle) -> None:
    if not asks(oracle):
        pytest.skip("this Airflow has no human decisions")
    assert "no_such_dag" in await session.error("get_hitl_details", dag_id="no_such_dag")
    empty = await session.ok("get_hitl_details", dag_id="history")
    assert (empty["total"], empty["returned"]) == (0, 0)
    assert "No task waits for a decision" in empty["note"]
    message = await session.error("respond_hitl", confirm=True, **ONE)
    assert "Not found" in message
