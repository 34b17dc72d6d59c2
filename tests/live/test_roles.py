"""Roles on real servers: Airflow 2's, Airflow 3's with FAB's auth manager and with the simple one.

Each role with each tool: what it may do happens, and what it may not is refused with the permission that is
lacking. And the named permissions are enough, and each of them is needed.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest

from airflow_mcp.check import findings
from airflow_mcp.demo.releases import RELEASES
from airflow_mcp.release import NEWEST
from tests.examples import examples
from tests.fab import add_role, add_user
from tests.oracle import Oracle
from tests.releases import FAB as FAB_RELEASE
from tests.releases import FAB_NAME, RUN
from tests.routes import ROUTES
from tests.servers import SIMPLE_ROLES, UNSCHEDULED
from tests.session import Session, connect, text_of

pytestmark = pytest.mark.anyio

# As Airflow documents it: a Viewer reads, a User changes DAGs and their runs, and Public may nothing. An Op and an
# Admin may all that a User may, and what no tool does.
READS = ("get_dags", "get_dag", "get_dag_details", "get_dag_source", "get_tasks", "get_task")
CHANGES = ("patch_dag", "clear_task_instances", "set_task_instances_state")
FAB = {"User": READS + CHANGES, "Viewer": READS, "Public": ()}
SIMPLE = {"user": READS + CHANGES, "viewer": READS}
MAY: Mapping[str, Mapping[str, Collection[str]]] = {
    **{name: FAB if RELEASES[name].major == 2 else SIMPLE for name in RUN},
    **({FAB_NAME: FAB} if FAB_RELEASE.name in RUN else {}),
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
    "get_dag_source": "can read on DAGs, can read on DAG Code",
    "get_task": "can read on DAGs, can read on Task Instances",
    "patch_dag": "can read on DAGs, can edit on DAGs",
    "clear_task_instances": f"{READ_RUNS}, {EDIT_RUNS}",
    "set_task_instances_state": f"{READ_RUNS}, {EDIT_RUNS}",
}
"""What a tool takes in all: one of each kind that takes more than one permission."""

NAMED = re.compile(r"can \w+ on [A-Z]\w*(?: [A-Z]\w*)*")


class Scene:
    """What the tools are tried on, and how it is looked at."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.run_id = ""

    def set(self, tool: str) -> dict[str, Any]:
        """Set the scene for a tool; gives its arguments."""
        if tool == "patch_dag":
            self.oracle.pause(UNSCHEDULED, True)
            return examples(dag_id=UNSCHEDULED)[tool]
        if tool in CHANGES:
            self.oracle.pause("history", True)
            self.run_id = self.oracle.trigger("history")
            self._succeed("first")
        return examples(dag_run_id=self.run_id)[tool]

    def _succeed(self, task_id: str) -> None:
        body = {"new_state": "success"} | ({"dry_run": False} if self.oracle.major == 2 else {})
        self.oracle.call("PATCH", f"dags/history/dagRuns/{self.run_id}/taskInstances/{task_id}", json=body)

    def state(self, tool: str) -> object:
        """What a changing tool is to change, as it is now."""
        if tool == "patch_dag":
            return self.oracle.dag(UNSCHEDULED)["is_paused"]
        return self.oracle.states("history", self.run_id)["first"] if tool in CHANGES else None


BEFORE = {"patch_dag": True, "clear_task_instances": "success", "set_task_instances_state": "success"}
AFTER = {"patch_dag": False, "clear_task_instances": None, "set_task_instances_state": "failed"}


async def refusal(oracle: Oracle, session: Session, tool: str) -> str:
    """What its user is told for a call, empty where it works; what it changed, or not, is looked at."""
    scene = Scene(oracle)
    arguments = scene.set(tool)
    assert scene.state(tool) == BEFORE.get(tool)
    result = await session.call(tool, arguments)
    assert scene.state(tool) == (BEFORE if result.is_error else AFTER).get(tool), tool
    if not result.is_error:
        assert tool in CHANGES or arguments.get("task_id", "history") in str(result.structured_content)
        return ""
    message = text_of(result)
    assert "(403)" in message
    return message


each_role = pytest.mark.parametrize(
    ("oracle", "role"), [(name, role) for name, roles in MAY.items() for role in roles], indirect=["oracle"]
)
Users = dict[str, set[str]]


@pytest.fixture(scope="module")
def users() -> Users:
    """By server, the users that were made there."""
    return defaultdict(set)


def user_of(oracle: Oracle, role: str, users: Users) -> str:
    """Who has a role on a server; with FAB a user is made for it."""
    if oracle.name in WITH_FAB:
        user = f"{role}-user"
        if user not in users[oracle.name]:
            add_user(oracle, user, role)
            users[oracle.name].add(user)
        return user
    return {role: user for user, role in SIMPLE_ROLES.items()}[role]


@each_role
async def test_a_role_may_what_airflow_says(oracle: Oracle, role: str, users: Users) -> None:
    may = MAY[oracle.name][role]
    async with connect(oracle, user_of(oracle, role, users)) as session:
        told = {tool: await refusal(oracle, session, tool) for tool in READS + CHANGES}
    assert {tool for tool in told if not told[tool]} == set(may), told
    for tool, message in told.items():
        if message:
            lacks = VIEWER_LACKS[tool] if may else "can read on DAGs"
            assert f" Needed: {lacks}" in message
            role_in_three = f" (FAB), or the role {'user' if may else 'viewer'} (simple auth manager)."
            assert (role_in_three in message) == (oracle.major == 3)


@each_role
async def test_check_names_what_a_role_lacks(oracle: Oracle, role: str, users: Users) -> None:
    may = MAY[oracle.name][role]
    found = [str(finding) async for finding in findings(oracle.settings(user_of(oracle, role, users)).instances[0])]
    lacks = [line.split("needed: ", 1)[1].split(" (")[0] for line in found if line.startswith("no   may not")]
    assert lacks == ([] if "patch_dag" in may or not may else ["can edit on DAGs", EDIT_RUNS])
    assert len([line for line in found if line.startswith("ok   may")]) == (2 if lacks else 4 if may else 0)
    assert ("Needed: can read on DAGs" in found[-1]) == (not may)


# -- the named permissions

User = Callable[[Collection[str]], str]


with_fab = pytest.mark.parametrize("oracle", WITH_FAB, indirect=True)


@pytest.fixture
def custom(oracle: Oracle, users: Users) -> User:
    """Gives a user with exactly these permissions."""

    def user(permissions: Collection[str]) -> str:
        digest = hashlib.sha256(" ".join(sorted(permissions)).encode()).hexdigest()
        name = f"custom-{digest[:12]}"
        if name not in users[oracle.name]:
            add_role(oracle, name, sorted(permissions))
            add_user(oracle, name, name)
            users[oracle.name].add(name)
        return name

    return user


def asked(oracle: Oracle, method: str, route: str) -> dict[str, Any] | None:
    """A request of this route that changes nothing; None if there is no such route here."""
    if not oracle.document.has(method, route):
        return None
    ids = {"dag_id": "history", "file_token": oracle.dag("history").get("file_token")}
    ids |= {"task_id": "first", "dag_run_id": "no-such-run", "map_index": 0, "try_number": 1, "xcom_key": "x"}
    ids |= {"pool_name": "default_pool"}
    request: dict[str, Any] = {"method": method, "url": f"{oracle.http.base_url}{route.format(**ids)}"}
    if route.endswith(("taskInstances/list", "dagRuns/list")):
        request["json"] = {"dag_ids": ["history"]}
    elif route.endswith("clearTaskInstances"):
        request["json"] = {"dry_run": True, "dag_run_id": "no-such-run"}
    elif route.endswith("updateTaskInstancesState"):
        which = {"task_id": "first", "dag_run_id": "no-such-run", "new_state": "success"}
        relatives = ("upstream", "downstream", "future", "past")
        request["json"] = {"dry_run": True, **which, **{f"include_{each}": False for each in relatives}}
    elif route == "eventLogs":
        request["params"] = {"dag_id": "history"}  # of all DAGs, others are wanted
    elif "taskInstances" in route:
        request["json"] = {"new_state": "success"} | ({"dry_run": True} if oracle.major == 2 else {})
    elif method == "PATCH":
        request |= {"json": {"is_paused": True}, "params": {"update_mask": "dag_id"}}  # which nobody may write
    return request


@with_fab
def test_each_route_takes_exactly_what_is_named(oracle: Oracle, custom: User) -> None:
    if oracle.server.release.name == "2.7":
        pytest.skip("2.7 wants other permissions for the source and for setting a state, which a Viewer has anyway")
    allowed: dict[frozenset[str], str] = {}

    def may(request: dict[str, Any], permissions: Collection[str]) -> bool:
        key = frozenset(permissions)
        if key not in allowed:
            allowed[key] = oracle.authorization(custom(key))
        answer = oracle.http.request(**request, headers={"authorization": allowed[key]})
        assert answer.status_code in (200, 400, 403, 404), answer.text
        return answer.status_code != 403

    wrong = []
    for route in ROUTES:
        if request := asked(oracle, route.method, route.path):
            if not route.needs:
                assert may(request, ())
                continue
            named = set(route.needs.of_fab(NEWEST["v1" if oracle.major == 2 else "v2"]))
            needless = [each for each in sorted(named) if may(request, named - {each})]
            if needless or not may(request, named):
                wrong.append((route.method, route.path, needless))
    assert wrong == []


async def refused(oracle: Oracle, user: str, tool: str) -> str:
    async with connect(oracle, user) as session:
        return await refusal(oracle, session, tool)


@with_fab
@pytest.mark.parametrize("tool", TAKES)
async def test_who_has_nothing_is_led_to_what_a_tool_takes(oracle: Oracle, custom: User, tool: str) -> None:
    named = set[str]()
    while message := await refused(oracle, custom(named), tool):
        more = set(NAMED.findall(message)) - named
        assert more, message
        named |= more
    takes = set(TAKES[tool].split(", "))
    # Airflow 3 shows the task instances of a dry run to who may edit them; from Airflow 2 they are read.
    assert named == (takes if oracle.major == 2 else takes - {"can read on DAG Runs"})


@with_fab
async def test_one_dag_may_be_given_alone(oracle: Oracle, custom: User) -> None:
    everywhere = ("can read on DAG Code", *READ_RUNS.split(", ")[1:], *EDIT_RUNS.split(", ")[1:])
    who = custom((*everywhere, "can read on DAG:history", "can edit on DAG:history"))
    tools = {*READS, *CHANGES} - {"patch_dag"}  # which is tried on another DAG
    if oracle.major == 2:
        tools -= {"get_dag_source"}  # the file has other DAGs too, and Airflow 2 wants all of them to be readable
    async with connect(oracle, who) as session:
        for tool in tools:
            assert await refusal(oracle, session, tool) == "", tool
        assert "Needed: can read on DAGs" in await refusal(oracle, session, "patch_dag")
        assert [row["dag_id"] for row in (await session.ok("get_dags"))["dags"]] == ["history"]
