"""What one release has and another has not: refused by name before anything is sent, or done the older way."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from airflow_mcp.errors import AirflowMcpError, NeedsVersionError, VersionChangedError
from airflow_mcp.instance import Instance
from airflow_mcp.release import ApiName, Release, Since
from tests.fakes import MARKED, URL, Airflow, OfRelease, Replay
from tests.replay import replayed

pytestmark = pytest.mark.anyio

SINCE = {name for name, each in MARKED.items() if isinstance(each.mark, Since)}
CLEAR: dict[str, Any] = {"dag_id": "history", "dag_run_id": "any", "confirm": True}
SET: dict[str, Any] = {**CLEAR, "task_id": "first"}


@pytest.mark.parametrize(
    ("version", "has", "has_not"),
    [
        ("2.7.3", {"file_token"}, {"new_state=skipped", "asset_expression", "note"}),
        ("2.8.4", {"file_token"}, {"new_state=skipped", "max_consecutive_failed_dag_runs", "version_number"}),
        ("2.9.3", {"new_state=skipped", "asset_expression"}, {"version_number"}),
        ("2.10.5+astro.1", {"asset_expression", "include_subdags"}, {"version_number", "default_args", "note"}),
        ("2.11.2", {"max_consecutive_failed_dag_runs"}, {"version_number", "default_args", "note"}),
        ("3", {"version_number"}, {"default_args", "file_token"}),
        ("3.0.6", {"version_number"}, {"default_args", "run_on_latest_version", "note", "file_token"}),
        ("3.1.0rc1", {"run_on_latest_version", "default_args"}, {"active_runs_count", "prevent_running_task"}),
        ("3.2.2", {"prevent_running_task", "active_runs_count"}, {"note", "include_subdags"}),
        ("3.3.2", SINCE, {"file_token", "include_subdags", "include_parentdag"}),
        ("3.10.0", SINCE, {"file_token", "include_subdags", "include_parentdag"}),
    ],
)
def test_what_a_release_has_and_has_not(version: str, has: set[str], has_not: set[str]) -> None:
    release = Release.parse(version)
    assert release
    absent = {name for name, each in MARKED.items() if not each.mark.allows(release)}
    assert has_not <= absent
    assert not has & absent


async def test_a_version_in_no_known_form_counts_as_the_newest_of_its_api() -> None:
    for version, newest in (("3-edge", (3, 0)), ("edge", (3, 3))):
        api = await Airflow(Instance(url=URL), OfRelease(version)).api()
        assert (api.release, api.airflow) == (newest, f"Airflow {version}")


REFUSED = [
    ("2.7.3", "set_task_instances_state", {**SET, "new_state": "skipped"}, "new_state=skipped", "2.9"),
    ("2.7.3", "get_dag_details", {"dag_id": "any", "fields": ["asset_expression"]}, "asset_expression", "2.9"),
    ("2.11.2", "get_dags", {"order_by": "last_run_state"}, "order_by=last_run_state", "3"),
    ("2.7.3", "get_dags", {"order_by": "-next_dagrun"}, "order_by=next_dagrun", "3"),
    ("2.11.2", "get_dag_source", {"dag_id": "any", "version_number": 1}, "version_number", "3"),
    ("2.11.2", "clear_task_instances", {**CLEAR, "note": "why"}, "note", "3.3"),
    ("3.0.6", "get_dag_details", {"dag_id": "any", "fields": ["default_args"]}, "default_args", "3.1"),
    ("3.0.6", "clear_task_instances", {**CLEAR, "run_on_latest_version": True}, "run_on_latest_version", "3.1"),
    ("3.1.8", "clear_task_instances", {**CLEAR, "prevent_running_task": False}, "prevent_running_task", "3.2"),
    ("3.2.2", "clear_task_instances", {**CLEAR, "note": "why"}, "note", "3.3"),
    ("3.3.2", "get_dag_source", {"file_token": "any"}, "file_token", "2"),
]


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize(("version", "tool", "arguments", "name", "needs"), REFUSED)
async def test_it_is_refused_by_name_and_nothing_is_sent(
    version: str, tool: str, arguments: dict[str, Any], name: str, needs: str, forced: bool
) -> None:
    server = OfRelease(version)
    api: ApiName = "v1" if version < "3" else "v2"
    async with replayed(server, username=None, password=None, api_version=api if forced else "auto") as session:
        message = await session.error(tool, **arguments)
    exact = not forced or MARKED[name].mark.varies(api)
    assert message == f"{name} needs Airflow {needs}. This is Airflow {version if exact else version[0]}."
    assert {path.rpartition("/")[2] for path in server.paths()} <= {"version"}
    assert bool(server.paths()) is exact


async def test_a_version_that_is_set_is_refined_once_and_only_when_it_matters() -> None:
    server = OfRelease("3.0.6")
    airflow = Airflow(Instance(url=URL, api_version="v2"), server)
    await airflow.require(["only_failed", "latest_dag_version"])
    assert server.paths() == []
    for _ in range(2):
        with pytest.raises(NeedsVersionError, match=r"^note needs Airflow 3\.3\. This is Airflow 3\.0\.6\.$"):
            await airflow.require(["note"])
    assert (
        server.paths() == ["/api/v2/version"] * 3
    )  # once to know it, and before each refusal, for it may have changed


async def test_a_version_that_is_set_is_refined_with_the_sign_in() -> None:
    server = OfRelease("3.3.2", lambda request: None if "authorization" in request.headers else httpx.Response(401))
    await Airflow(Instance(url=URL, api_version="v2", token="s3cret"), server).require(["note"])
    assert server.paths() == ["/api/v2/version"]
    with pytest.raises(AirflowMcpError, match=r"Not signed in \(401\)"):
        await Airflow(Instance(url=URL, api_version="v2"), server).require(["note"])


async def test_what_was_missing_is_available_after_an_upgrade() -> None:
    server = Replay("3.3")
    old = True

    async def upgraded(request: httpx.Request) -> httpx.Response | None:
        told = old and request.url.path == "/api/v2/version"
        return httpx.Response(200, json={"version": "3.0.6"}) if told else None

    server.fault = upgraded
    arguments = {"dag_id": "sales_etl", "fields": ["default_args"]}
    async with replayed(server) as session:
        assert "default_args needs Airflow 3.1." in await session.error("get_dag_details", **arguments)
        old = False
        answer = await session.ok("get_dag_details", **arguments)
    assert answer["default_args"] == {"owner": "ana", "retries": 0}


@pytest.mark.parametrize("api_version", ["auto", "v2"])
async def test_an_upgrade_is_noticed_before_a_refusal_whatever_the_settings_name(api_version: str) -> None:
    server = OfRelease("3.0.6")
    airflow = Airflow(Instance(url=URL, api_version=api_version, token="t"), server)
    with pytest.raises(NeedsVersionError):
        await airflow.require(["note"])
    server.version = "3.3.2"
    with pytest.raises(VersionChangedError, match=r"Airflow is now 3\.3\.2"):
        await airflow.require(["note"])
    assert (await airflow.require(["note"])).airflow == "Airflow 3.3.2"


# -- what 3.0 does otherwise than those after it


def bodies(requests: list[httpx.Request]) -> list[Any]:
    return [json.loads(request.content) for request in requests]


@pytest.mark.parametrize("forced", ["auto", "v2"])
async def test_before_3_1_map_indexes_are_set_one_by_one(forced: str) -> None:
    replay = Replay("3.0")
    arguments = {"dag_id": "history", "dag_run_id": replay.runs["history"], "task_id": "part", "new_state": "success"}
    async with replayed(replay, api_version=forced) as session:
        done = await session.ok("set_task_instances_state", **arguments, include_downstream=True, confirm=True)
    sent = replay.sent("PATCH")
    assert [request.url.path.partition("/taskInstances/")[2] for request in sent] == [
        "part/0",
        "part/1",
        "part/2",
        "last",
    ]
    assert bodies(sent) == [{"new_state": "success"}] * 4
    assert done["total"] == 4


async def test_from_3_1_on_they_are_set_in_one_call() -> None:
    replay = Replay("3.3")
    arguments = {"dag_id": "history", "dag_run_id": replay.runs["history"], "task_id": "part", "new_state": "success"}
    async with replayed(replay) as session:
        await session.ok("set_task_instances_state", **arguments, include_downstream=True, confirm=True)
    paths = [request.url.path.partition("/taskInstances/")[2] for request in replay.sent("PATCH")]
    assert paths == ["part/dry_run", "part"]


async def test_3_0_takes_other_runs_along_by_the_date_of_the_run() -> None:
    replay = Replay("3.0")
    arguments = {"dag_id": "history", "dag_run_id": replay.runs["history"], "task_ids": ["first"], "only_failed": False}
    relatives = dict.fromkeys(("include_upstream", "include_downstream", "include_future", "include_past"), True)
    async with replayed(replay) as session:
        preview = await session.ok("clear_task_instances", **arguments, **relatives, confirm=False)
    assert preview["total"] >= 5
    [sent, *_] = [body for body in bodies(replay.sent("POST")) if "dry_run" in body]
    assert "dag_run_id" not in sent
    assert sent["start_date"] == sent["end_date"] == replay.runs["logical_date"]


@pytest.mark.parametrize("version", ["2.11", "3.0", "3.3"])
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("clear_task_instances", {"task_ids": ["first"], "only_failed": False}),
        ("set_task_instances_state", {"task_id": "last", "new_state": "failed"}),
    ],
)
async def test_a_preview_with_other_runs_looks_its_own_run_up_once(
    version: str, tool: str, arguments: dict[str, Any]
) -> None:
    replay = Replay(version)
    run = {"dag_id": "history", "dag_run_id": replay.runs["history"], "confirm": False}
    relatives = dict.fromkeys(("include_upstream", "include_downstream", "include_future", "include_past"), True)
    async with replayed(replay) as session:
        assert (await session.ok(tool, **run, **arguments, **relatives))["total"] >= 1
    paths = [request.url.path for request in replay.sent("GET")]
    assert len([path for path in paths if "/dagRuns/" in path]) == 1


def test_a_zone_in_the_form_of_2_7() -> None:
    from airflow_mcp.models.dags import DagDetails

    for told in ("Timezone('Europe/Berlin')", "Europe/Berlin"):
        assert DagDetails(dag_id="any", timezone=told).timezone == "Europe/Berlin"
