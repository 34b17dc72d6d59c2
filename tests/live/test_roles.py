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

import httpx
import pytest

from airflow_mcp.airflow.dialect import V1
from airflow_mcp.airflow.permissions import PERMISSIONS, needed
from airflow_mcp.check import findings
from airflow_mcp.demo.releases import RELEASES, StandaloneError
from tests.fab import RELEASE, FabAirflow, add_role, add_user
from tests.oracle import Oracle
from tests.servers import DAG_IDS, DAGS, RUN, SIMPLE_ROLES
from tests.session import connect, text_of

pytestmark = pytest.mark.anyio

# As Airflow documents it: a Viewer reads, a User changes DAGs and their runs, an Op and an Admin may more than
# any tool does, and Public nothing.
READS = (
    *("get_dags", "get_dag", "get_dag_details", "get_dag_source", "get_tasks", "get_task"),
    *("get_dag_runs", "get_dag_run", "get_task_instances", "get_task_log"),
)
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

READ_RUNS = EDIT_RUNS.replace("edit", "read")
TAKES = {
    "get_dags": "can read on DAGs",
    "get_dag": "can read on DAGs",
    "get_dag_details": "can read on DAGs",
    "get_dag_source": "can read on DAGs, can read on DAG Code",
    "get_tasks": "can read on DAGs, can read on Task Instances",
    "get_task": "can read on DAGs, can read on Task Instances",
    "get_dag_runs": "can read on DAGs, can read on DAG Runs",
    "get_dag_run": "can read on DAGs, can read on DAG Runs",
    "get_task_instances": READ_RUNS,
    "get_task_log": f"{READ_RUNS}, can read on Task Logs",
    "patch_dag": "can read on DAGs, can edit on DAGs",
    "clear_task_instances": f"{READ_RUNS}, {EDIT_RUNS}",
    "set_task_instances_state": f"{READ_RUNS}, {EDIT_RUNS}",
}
"""What a tool takes in all."""

LOGGED = "mapped_group"
SHOWN = {"get_task": "first", "get_dag_runs": "total", "get_task_instances": "total", "get_task_log": "one is refused"}
"""What is in the answer of a tool that reads, if not the DAG's id."""

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
        if tool == "get_task_log":
            return {"dag_id": LOGGED, "dag_run_id": self._logged(), "task_id": "each.check", "map_index": 1}
        if tool == "get_dag_run":
            return {"dag_id": "history", "dag_run_id": self.oracle.trigger("history")}
        return {"dag_id": "history", **({"task_id": "first"} if tool == "get_task" else {})}

    def _logged(self) -> str:
        """A run that has a log."""
        found = self.oracle.call("GET", f"dags/{LOGGED}/dagRuns", params={"state": "failed"})["dag_runs"]
        if found:
            return str(found[0]["dag_run_id"])
        self.oracle.pause(LOGGED, False)
        run_id = self.oracle.trigger(LOGGED)
        self.oracle.wait_for_run(LOGGED, run_id, "failed")
        return run_id

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
        result = await session.call(tool, arguments)
    assert scene.state(tool) == (BEFORE if result.is_error else AFTER).get(tool), tool
    if not result.is_error:
        assert tool in CHANGES or SHOWN.get(tool, "history") in str(result.structured_content)
        return ""
    message = text_of(result)
    assert "(403)" in message
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


@pytest.mark.parametrize(("name", "role"), [(name, role) for name, roles in MAY.items() for role in roles])
async def test_check_names_what_a_role_lacks(airflows: dict[str, Oracle], name: str, role: str) -> None:
    may = MAY[name][role]
    found = [str(finding) async for finding in findings(airflows[name].settings(user_of(name, role)))]
    lacks = [line.split("needed: ", 1)[1].split(" (")[0] for line in found if line.startswith("no   may not")]
    assert lacks == ([] if "patch_dag" in may or not may else ["can edit on DAGs", EDIT_RUNS])
    assert len([line for line in found if line.startswith("ok   may")]) == (2 if lacks else 4 if may else 0)
    assert ("Needed: can read on DAGs" in found[-1]) == (not may)


# -- the named permissions

OF_ALL_DAGS = ("dags/~/dagRuns", "dags/~/dagRuns/list", "eventLogs")
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


def asked(oracle: Oracle, method: str, route: str) -> dict[str, Any] | None:
    """A request of this route that changes nothing; None if there is no such route here."""
    if not oracle.document.has(method, route) or "{backfill_id}" in route or "{asset_id}" in route:
        return None  # of one that there is not, Airflow says so before it asks for all permissions
    params = {"dag_id": "history"} if (method, route) == ("GET", "backfills") else {}
    ids = {"dag_id": "history", "file_token": oracle.dag("history").get("file_token")}
    ids |= {"task_id": "first", "dag_run_id": "no-such-run", "map_index": 0, "try_number": 1, "xcom_key": "no-such-key"}
    ids |= {
        "pool_name": "no-such-pool",
        "section": "core",
        "option": "parallelism",
        "backfill_id": 999_999,
        "asset_id": 999_999,
    }
    request: dict[str, Any] = {
        "method": method,
        "url": f"{oracle.http.base_url}{route.format(**ids)}",
        "params": params,
    }
    if method == "POST" and route.endswith("dagRuns"):
        # Without the conf that its params want, none is made.
        request["url"] = request["url"].replace("history", "with_params")
        request["json"] = {"logical_date": None} if oracle.major == 3 else {}
    elif route.endswith("setNote"):
        request["json"] = {"note": "a note"}
    elif route.startswith("backfills") and method != "GET":
        request["json"] = {"dag_id": "history"}
    elif route.endswith("hitlDetails") and method != "GET":
        request["json"] = {"chosen_options": ["x"]}
    elif method == "PATCH" and route.startswith("pools"):
        request["json"] = {"slots": 1}
    elif method == "PATCH" and route.endswith("{dag_run_id}"):
        request["json"] = {"state": "failed"}
    elif route.endswith("/list"):
        request["json"] = {"dag_ids": ["history"]}
    elif route.endswith("clearTaskInstances"):
        request["json"] = {"dry_run": True, "dag_run_id": "no-such-run"}
    elif route.endswith("updateTaskInstancesState"):
        which = {"task_id": "first", "dag_run_id": "no-such-run", "new_state": "success"}
        relatives = ("upstream", "downstream", "future", "past")
        request["json"] = {"dry_run": True, **which, **{f"include_{each}": False for each in relatives}}
    elif "taskInstances" in route and method == "PATCH":
        request["json"] = {"new_state": "success"} | ({"dry_run": True} if oracle.major == 2 else {})
    elif method == "PATCH":
        request |= {"json": {"is_paused": True}, "params": {"update_mask": "dag_id"}}  # which nobody may write
    return request


def test_each_route_takes_exactly_what_is_named(custom: tuple[Oracle, User]) -> None:
    oracle, user = custom
    if oracle.server.release.name == "2.7":
        pytest.skip("2.7 wants other permissions for the source and for setting a state, which a Viewer has anyway")
    users: dict[frozenset[str], str] = {}

    def may(request: dict[str, Any], permissions: Collection[str]) -> bool:
        key = frozenset(permissions)
        if key not in users:
            users[key] = oracle.authorization(user(key))
        answer = httpx.request(**request, headers={"authorization": users[key]}, timeout=30)
        assert answer.status_code in (200, 400, 403, 404, 422), answer.text
        return answer.status_code != 403

    wrong = {}
    for method, route in PERMISSIONS:
        if (request := asked(oracle, method, route)) and needed(method, route, V1):
            named = set(needed(method, route, V1).split(", "))
            # To who may read no DAG, Airflow 2 tells that there is nothing in any.
            known = ["can read on DAGs"] if oracle.major == 2 and route in OF_ALL_DAGS else []
            found = may(request, named), [each for each in sorted(named) if may(request, named - {each})]
            if found != (True, known):
                wrong[method, route] = found
    assert wrong == {}


@pytest.mark.parametrize("tool", READS + CHANGES)
async def test_who_has_nothing_is_led_to_what_a_tool_takes(custom: tuple[Oracle, User], tool: str) -> None:
    oracle, user = custom
    named = set[str]()
    while message := await refusal(oracle, user(named), tool):
        more = set(NAMED.findall(message)) - named
        assert more, message
        named |= more
    takes = set(TAKES[tool].split(", "))
    if oracle.major == 3 and tool in CHANGES:
        # It shows the task instances of a dry run to who may edit them; from Airflow 2 they are read.
        takes -= {"can read on DAG Runs"}
    assert named == takes


async def test_one_dag_may_be_given_alone(custom: tuple[Oracle, User]) -> None:
    oracle, user = custom
    everywhere = ("can read on DAG Code", *READ_RUNS.split(", ")[1:], *EDIT_RUNS.split(", ")[1:])
    who = user((*everywhere, "can read on DAG:history", "can edit on DAG:history"))
    tools = {*READS, *CHANGES} - {"patch_dag", "get_task_log"}  # which are tried on other DAGs
    if oracle.major == 2:
        tools -= {"get_dag_source"}  # the file has other DAGs too, and Airflow 2 wants all of them to be readable
    for tool in tools:
        assert await refusal(oracle, who, tool) == "", tool
    assert "Needed: can read on DAGs" in await refusal(oracle, who, "patch_dag")
    async with connect(oracle, who) as session:
        assert [row["dag_id"] for row in (await session.ok("get_dags"))["dags"]] == ["history"]
