"""Roles on real servers: Airflow 2's, Airflow 3's with FAB's auth manager and with the simple one.

Each role with each tool: what it may do happens, and what it may not is refused with the permission that is
lacking. And the named permissions are enough, and each of them is needed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from airflow_mcp.demo.releases import RELEASES, StandaloneError
from tests.fab import RELEASE, FabAirflow, add_role, add_user, fab_api
from tests.oracle import Oracle
from tests.servers import DAG_IDS, DAGS, RUN, SIMPLE_ROLES
from tests.session import connect

pytestmark = pytest.mark.anyio

# As Airflow documents it: a Viewer reads, a User changes DAGs and their runs, an Op and an Admin may more than
# any tool does, and Public nothing.
READS = ("get_dags", "get_dag", "get_dag_details", "get_dag_source", "get_tasks", "get_task")
CHANGES = ("patch_dag", "clear_task_instances", "set_task_instances_state")
FAB = {"Admin": READS + CHANGES, "Op": READS + CHANGES, "User": READS + CHANGES, "Viewer": READS, "Public": ()}
SIMPLE = {"admin": READS + CHANGES, "op": READS + CHANGES, "user": READS + CHANGES, "viewer": READS}
FAB_THREE = f"{RELEASE.name} with FAB"
MAY: Mapping[str, Mapping[str, Collection[str]]] = {
    **{name: FAB if RELEASES[name].major == 2 else SIMPLE for name in RUN},
    **({FAB_THREE: FAB} if RELEASE.name in RUN else {}),
}
"""By server and role, the tools that are allowed."""
WITH_FAB = [name for name in MAY if MAY[name] is FAB]

EDIT_RUNS = "can edit on DAGs, can edit on DAG Runs, can edit on Task Instances"
VIEWER_LACKS = {
    "patch_dag": "can edit on DAGs",
    "clear_task_instances": EDIT_RUNS,
    "set_task_instances_state": EDIT_RUNS,
}
"""What the refusal of a changing tool names to one who may read."""

TAKES = {
    "get_dags": "can read on DAGs",
    "get_dag": "can read on DAGs",
    "get_dag_details": "can read on DAGs",
    "get_dag_source": "can read on DAGs, can read on DAG Code",
    "get_tasks": "can read on DAGs, can read on Task Instances",
    "get_task": "can read on DAGs, can read on Task Instances",
    **VIEWER_LACKS,
}
"""What a tool takes in all; a changing one beside what a Viewer has."""

NAMED = re.compile(r"can \w+ on [A-Z]\w*(?: [A-Z]\w*)*")
UNDATED = "отчёт.v1"  # without a schedule: nothing runs when it is not paused


class Scene:
    """What the tools are tried on, and how it is looked at."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.run_id = ""

    def set(self, tool: str) -> dict[str, Any]:
        """Set the scene for a tool; gives its arguments."""
        if tool == "get_dags":
            return {}
        if tool == "patch_dag":
            self.oracle.pause(UNDATED, True)
            return {"dag_id": UNDATED, "is_paused": False, "confirm": True}
        if tool in CHANGES:
            self.oracle.pause("history", True)
            self.run_id = self.oracle.trigger("history")
            self._succeed("first")
            run = {"dag_id": "history", "dag_run_id": self.run_id, "confirm": True}
            if tool == "clear_task_instances":
                return {**run, "task_ids": ["first"], "only_failed": False}
            return {**run, "task_id": "first", "new_state": "failed"}
        return {"dag_id": "history", **({"task_id": "first"} if tool == "get_task" else {})}

    def _succeed(self, task_id: str) -> None:
        body = {"new_state": "success"} | ({"dry_run": False} if self.oracle.major == 2 else {})
        self.oracle.call("PATCH", f"dags/history/dagRuns/{self.run_id}/taskInstances/{task_id}", json=body)

    def state(self, tool: str) -> object:
        """What a changing tool is to change, as it is now."""
        if tool == "patch_dag":
            return self.oracle.dag(UNDATED)["is_paused"]
        return self.oracle.states("history", self.run_id)["first"] if tool in CHANGES else None


BEFORE = {"patch_dag": True, "clear_task_instances": "success", "set_task_instances_state": "success"}
AFTER = {"patch_dag": False, "clear_task_instances": None, "set_task_instances_state": "failed"}


async def refusal(oracle: Oracle, user: str, tool: str) -> str:
    """What the user is told for a call, empty where it works; what it changed, or not, is looked at."""
    scene = Scene(oracle)
    arguments = scene.set(tool)
    assert scene.state(tool) == BEFORE.get(tool)
    async with connect(oracle, user) as session:
        result = await session.client.call_tool(tool, arguments)
    assert scene.state(tool) == (BEFORE if result.is_error else AFTER).get(tool), tool
    if not result.is_error:
        assert tool in CHANGES or arguments.get("task_id", "history") in str(result.structured_content)
        return ""
    message = getattr(result.content[0], "text", "")
    assert "(403)" in message
    assert "Nothing was changed" in message or tool in READS or "confirm" not in message
    return message


@pytest.fixture(scope="module")
def airflows(oracles: dict[str, Oracle]) -> Iterator[dict[str, Oracle]]:
    """The shared servers, and a newest one with FAB; each with a user of each role."""
    found = {**oracles}
    try:
        with ExitStack() as stack:
            if FAB_THREE in MAY:
                found[FAB_THREE] = fab = Oracle(stack.enter_context(FabAirflow(DAGS)))
                stack.callback(fab.http.close)
                fab.wait_for_dags(*DAG_IDS)
            for name in WITH_FAB:
                for role in FAB:
                    add_user(found[name], f"{role}-user", role)
            yield found
    except StandaloneError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no Airflow with FAB can run here: {error}")


def user_of(name: str, role: str) -> str:
    """Who has a role on a server."""
    if name in WITH_FAB:
        return f"{role}-user"
    return {role: user for user, role in {"admin": "admin", **SIMPLE_ROLES}.items()}[role]


@pytest.mark.parametrize(("name", "role"), [(name, role) for name, roles in MAY.items() for role in roles])
async def test_a_role_may_what_airflow_says(airflows: dict[str, Oracle], name: str, role: str) -> None:
    oracle, may = airflows[name], MAY[name][role]
    for tool in READS + CHANGES:
        message = await refusal(oracle, user_of(name, role), tool)
        assert (message == "") == (tool in may), (tool, message)
        if message:
            lacks = VIEWER_LACKS[tool] if may else "can read on DAGs"
            assert f" Needed: {lacks}" in message
            role_in_three = f" (FAB), or the role {'user' if may else 'viewer'} (simple auth manager)."
            assert (role_in_three in message) == (oracle.major == 3)


# -- the named permissions

User = Callable[[Collection[str]], str]


@pytest.fixture(scope="module", params=WITH_FAB)
def custom(request: pytest.FixtureRequest, airflows: dict[str, Oracle]) -> tuple[Oracle, User]:
    """A server, and what gives a user there with exactly these permissions."""
    oracle = airflows[request.param]
    made: dict[frozenset[str], str] = {}

    def user(permissions: Collection[str]) -> str:
        key = frozenset(permissions)
        if key not in made:
            made[key] = f"custom-{len(made)}"
            add_role(oracle, made[key], sorted(key))
            add_user(oracle, made[key], made[key])
        return made[key]

    return oracle, user


def viewers(oracle: Oracle) -> set[str]:
    """The permissions of the role Viewer."""
    role = oracle.http.get(f"{fab_api(oracle)}/roles/Viewer").raise_for_status().json()
    pairs = [(each["action"]["name"], each["resource"]["name"]) for each in role["actions"]]
    return {f"can {action.removeprefix('can_')} on {resource}" for action, resource in pairs if "menu" not in action}


@pytest.mark.parametrize("tool", READS + CHANGES)
async def test_what_is_named_is_enough_and_is_needed(custom: tuple[Oracle, User], tool: str) -> None:
    oracle, user = custom
    start = viewers(oracle) if tool in CHANGES else set[str]()
    named = set[str]()
    while message := await refusal(oracle, user(start | named), tool):
        more = set(NAMED.findall(message)) - named
        assert more, message
        named |= more
    assert named == set(TAKES[tool].split(", "))
    for each in named:
        assert each in await refusal(oracle, user(start | (named - {each})), tool)
