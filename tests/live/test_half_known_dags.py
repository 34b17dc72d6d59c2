"""DAGs of which Airflow can tell a part only, on both real servers: what it can is told, and why not the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.oracle import Oracle
from tests.session import Session, text_of

pytestmark = pytest.mark.anyio

COLOURED, DATED, UNBOUNDED = "coloured", "dated_defaults", "unbounded"
FILE = """\
import pendulum
from dateutil.relativedelta import relativedelta

try:
    from airflow.sdk import DAG, BaseOperator
except ImportError:
    from airflow import DAG
    from airflow.models import BaseOperator


class Dark(BaseOperator):
    ui_fgcolor = "black"

    def execute(self, context): ...


class Plain(BaseOperator):
    def execute(self, context): ...


COMMON = {"schedule": None, "start_date": pendulum.datetime(2026, 1, 1, tz="UTC")}

with DAG("coloured", **COMMON):
    Plain(task_id="first") >> Dark(task_id="dark")

with DAG("dated_defaults", default_args={"step": relativedelta(months=1)}, **COMMON):
    Plain(task_id="only")

with DAG("unbounded", params={"most": float("inf"), "none": float("nan")}, **COMMON):
    Plain(task_id="only")
"""


@pytest.fixture
def half_known(oracle: Oracle) -> Iterator[None]:
    """The DAGs of FILE. They are deleted at the end."""
    file = oracle.server.dags_folder / "half_known.py"
    file.write_text(FILE)
    try:
        oracle.wait_for_dags(COLOURED, DATED, UNBOUNDED)
        yield
    finally:
        file.unlink(missing_ok=True)
        oracle.delete_gone(COLOURED, DATED, UNBOUNDED)


async def test_what_airflow_can_tell_is_told(session: Session, oracle: Oracle, half_known: None) -> None:
    await colours(session, oracle)
    await defaults(session, oracle)
    await numbers(session)
    (oracle.server.dags_folder / "half_known.py").unlink()
    await without_a_file(session, oracle)


async def colours(session: Session, oracle: Oracle) -> None:
    run = {"dag_id": COLOURED, "dag_run_id": oracle.trigger(COLOURED)}
    assert (await session.ok("get_task", dag_id=COLOURED, task_id="first"))["operator"] == "Plain"
    one = await session.ok("clear_task_instances", **run, task_ids=["first"], only_failed=False, confirm=False)
    assert one["total"] == 1
    if oracle.major == 3:
        assert (await session.ok("get_tasks", dag_id=COLOURED))["total"] == 2
        return
    for tool, more in (
        ("get_tasks", {}),
        ("get_task", {"task_id": "dark"}),
        ("clear_task_instances", {"task_ids": ["first"], "include_downstream": True, "confirm": False}),
    ):
        message = await session.error(tool, **(run if "confirm" in more else {"dag_id": COLOURED}), **more)
        assert "ui_fgcolor" in message, tool
        assert "Try again" not in message, tool


async def defaults(session: Session, oracle: Oracle) -> None:
    details = await session.ok("get_dag_details", dag_id=DATED)
    assert details["owners"] == oracle.dag(DATED)["owners"]
    assert ("note" in details) is (oracle.major == 3 and oracle.server.release.name != "3.0")


async def numbers(session: Session) -> None:
    result = await session.call("get_dag_details", {"dag_id": UNBOUNDED, "fields": ["params"]})
    data = result.structured_content or {}
    assert json.loads(text_of(result)) == data
    assert [str(each["value"])[:3].lower() for each in data["params"].values()] == ["inf", "nan"]


async def without_a_file(session: Session, oracle: Oracle) -> None:
    oracle.wait_until_gone(DATED)
    assert (await session.ok("get_dag", dag_id=DATED))["active"] is False
    if oracle.major == 3:
        source = await session.ok("get_dag_source", dag_id=DATED)
        assert source["note"] == "No file defines this DAG any more; this is its last code."
        assert (await session.ok("get_tasks", dag_id=DATED))["total"] == 1
        return
    for tool in ("get_tasks", "get_dag_source"):
        message = await session.error(tool, dag_id=DATED)
        assert "no file defines it. It was in /" in message
        assert message.endswith("get_dag and get_dag_runs tell what is left of it.")
