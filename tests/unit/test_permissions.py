"""A refusal names what would be enough, for each tool, in the words of the auth managers that there may be."""

from __future__ import annotations

import httpx
import pytest

from airflow_mcp.release import NEWEST
from tests.examples import examples
from tests.fakes import Replay
from tests.replay import replayed
from tests.routes import ROUTES

pytestmark = pytest.mark.anyio

DAG = {"dag_id": "history", "is_paused": True, "file_token": "t", "dag_runs": [], "total_entries": 0}
TASKS = {"tasks": [{"task_id": "first", "downstream_task_ids": []}], "total_entries": 1}


async def refusal(version: str, tool: str, refuses: str) -> str:
    """What is told when Airflow lets everything pass but routes that end so."""

    async def answer(request: httpx.Request) -> httpx.Response | None:
        path = request.url.path
        if request.method != "GET" or path.endswith(refuses):
            return None if path == "/auth/token" else httpx.Response(403, json={"detail": "Forbidden"})
        return httpx.Response(200, json=TASKS if path.endswith("/tasks") else DAG)

    async with replayed(Replay(version, answer), api_version="v1" if version < "3" else "v2") as session:
        return await session.error(tool, **examples()[tool])


@pytest.mark.parametrize("version", ["2.11", "3.3"])
@pytest.mark.parametrize(
    ("tool", "refuses", "needs", "role"),
    [
        ("get_dags", "/dags", "can read on DAGs", "viewer"),
        ("get_dag", "/history", "can read on DAGs", "viewer"),
        ("get_dag_details", "/details", "can read on DAGs", "viewer"),
        ("get_import_errors", "/importErrors", "can read on ImportError", "viewer"),
        ("get_event_logs", "/eventLogs", "can read on DAGs, can read on Audit Logs", "viewer"),
        ("get_tasks", "/tasks", "can read on DAGs, can read on Task Instances", "viewer"),
        ("get_task", "/first", "can read on DAGs, can read on Task Instances", "viewer"),
        ("patch_dag", "nothing", "can edit on DAGs", "user"),
        (
            "clear_task_instances",
            "nothing",
            "can edit on DAGs, can edit on DAG Runs, can edit on Task Instances",
            "user",
        ),
        (
            "set_task_instances_state",
            "nothing",
            "can edit on DAGs, can edit on DAG Runs, can edit on Task Instances",
            "user",
        ),
    ],
)
async def test_a_refusal_names_what_is_needed(version: str, tool: str, refuses: str, needs: str, role: str) -> None:
    message = await refusal(version, tool, refuses)
    in_three = f" (FAB), or the role {role} (simple auth manager)" if version > "3" else ""
    assert f"This user may not do that (403). Airflow says: Forbidden. Needed: {needs}{in_three}." in message


@pytest.mark.parametrize(("version", "refuses"), [("2.11", "/t"), ("3.3", "/history")])
async def test_the_source_takes_a_permission_of_its_own(version: str, refuses: str) -> None:
    assert "Needed: can read on DAGs, can read on DAG Code" in await refusal(version, "get_dag_source", refuses)


async def test_without_a_reason_of_airflows_it_is_named_as_well() -> None:
    async def bare(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403)

    async with replayed(Replay("2.11", bare), api_version="v1") as session:
        message = await session.error("get_dag", dag_id="history")
    assert "without a reason" in message
    assert "this user does not have the permission. Needed: can read on DAGs. Check AIRFLOW_MCP_USERNAME" in message


# Not under a DAG: Airflow shows of them what belongs to DAGs that may be read.
FIRST_OF_ALL = {
    "importErrors": "ImportError",
    "dags/~/dagRuns/list": "DAG Runs",
    "pools/{pool_name}": "Pools",
    "pools": "Pools",
    "assets": "Assets",
    "datasets": "Datasets",
}
OPEN = {"health", "monitor/health"}
"""What all may see, without signing in."""


def test_every_route_reads_or_edits_what_fab_knows() -> None:
    for route in ROUTES:
        assert (route.needs is None) == (route.path in OPEN)
        if route.needs is None:
            continue
        does = "read" if route.reads else "edit"
        for each in (NEWEST["v1"], NEWEST["v2"]):
            assert all(words.startswith(f"can {does} on ") for words in route.needs.of_fab(each))
        assert route.needs.of_fab(NEWEST["v1"])[0] == f"can {does} on {FIRST_OF_ALL.get(route.path, 'DAGs')}"
        on_3 = ", ".join(route.needs.of_fab(NEWEST["v2"]))
        assert route.needs.on(NEWEST["v2"]).startswith(f"{on_3} (FAB), or the role ")
