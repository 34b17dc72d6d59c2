"""How the instance is set up, and who did what, on real servers; and no secret in any of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from tests.live.test_diagnosis import VERSIONED, DagFile
from tests.oracle import Oracle
from tests.session import Session, connect

pytestmark = pytest.mark.anyio

SECRET = "s3cret-that-must-not-leave"
VARIABLES = {
    "region": "eu",
    "public_motto": "data first",
    "public_token": SECRET,
    "supplier_password": SECRET,
    "note": f"see https://ana:{SECRET}@example.com",
}
CONNECTION = {
    "connection_id": "warehouse",
    "conn_type": "postgres",
    "host": "db.example.com",
    "port": 5432,
    "schema": "sales",
    "login": "loader",
    "password": SECRET,
    "extra": json.dumps({"token": SECRET}),
}


@pytest.fixture(scope="module")
def furnished(oracles: dict[str, Oracle]) -> Iterator[dict[str, Oracle]]:
    """Servers with variables, a connection and pools."""
    for oracle in oracles.values():
        for key, value in VARIABLES.items():
            oracle.call("POST", "variables", json={"key": key, "value": value, "description": f"the {key}"})
        oracle.call("POST", "connections", json=CONNECTION)
        url = {"connection_id": "with_url", "conn_type": "http", "host": f"https://ana:{SECRET}@api.example.com"}
        oracle.call("POST", "connections", json=url)
        oracle.call("POST", "pools", json={"name": "loads", "slots": 3, "description": "for the warehouse"})
    yield oracles
    for oracle in oracles.values():
        for name in ("variables/" + key for key in VARIABLES):
            oracle.http.delete(name).raise_for_status()
        for name in ("connections/warehouse", "connections/with_url", "pools/loads"):
            oracle.http.delete(name).raise_for_status()


@pytest.fixture
async def admin(oracle: Oracle, furnished: dict[str, Oracle]) -> AsyncIterator[Session]:
    async with connect(oracle, toolsets="all", variable_values="region, public_*, note") as session:
        yield session


async def test_values_leave_only_where_the_settings_say_so(admin: Session, oracle: Oracle) -> None:
    answer = await admin.ok("get_variables", limit=100)
    found = {row["key"]: row.get("value", "").strip() for row in answer["variables"] if row["key"] in VARIABLES}
    assert found == {
        "region": "<untrusted>\neu\n</untrusted>",
        "public_motto": "<untrusted>\ndata first\n</untrusted>",
        "public_token": "",
        "supplier_password": "",
        "note": "<untrusted>\nsee https://***@example.com\n</untrusted>",
    }
    async with connect(oracle, toolsets="admin") as session:
        closed = await session.ok("get_variables", key_pattern="REGION")
        assert [(row["key"], "value" in row) for row in closed["variables"]] == [("region", False)]
        assert closed["total"] == 1


async def test_connections_tell_where_they_lead_alone(admin: Session) -> None:
    answer = await admin.ok("get_connections", connection_id_pattern="w")
    rows = {row["connection_id"]: row for row in answer["connections"]}
    assert rows["warehouse"] == {
        "connection_id": "warehouse",
        "conn_type": "postgres",
        "host": "db.example.com",
        "port": 5432,
        "schema": "sales",
    }
    assert rows["with_url"]["host"] == "https://***@api.example.com"
    assert SECRET not in str(answer)


async def test_no_secret_in_any_answer(admin: Session, oracle: Oracle) -> None:
    for tool in ("get_variables", "get_connections", "get_event_logs", "get_pools", "get_providers", "get_health"):
        for offset in (0, 100):
            arguments = {} if tool == "get_health" else {"limit": 100, "offset": offset}
            result = await admin.call(tool, arguments)
            assert not result.is_error, result.content
            assert SECRET not in str(result)


async def test_the_configuration_is_masked(admin: Session) -> None:
    option = await admin.ok("get_config_option", section="core", option="parallelism")
    assert option["value"].isdigit()
    for section, name in (("core", "fernet_key"), ("database", "sql_alchemy_conn"), ("webserver", "secret_key")):
        result = await admin.call("get_config_option", {"section": section, "option": name})
        value = (result.structured_content or {}).get("value", "***")
        assert value in ("***", "< hidden >", ""), (name, value)
    assert "ot found" in await admin.error("get_config_option", section="core", option="no_such_option")


async def test_versions_and_providers(admin: Session, oracle: Oracle) -> None:
    answer = await admin.ok("get_version")
    assert answer["airflow"] == oracle.server.release.version
    assert answer["rest_api"] == f"v{oracle.major - 1}"
    found = await admin.ok("get_providers", name_pattern="common-sql")
    [provider] = found["providers"]
    theirs = {row["package_name"]: row["version"] for row in oracle.call("GET", "providers")["providers"]}
    assert provider == {"package_name": provider["package_name"], "version": theirs[provider["package_name"]]}


async def test_the_slots_of_a_pool(admin: Session, oracle: Oracle) -> None:
    listed = await admin.ok("get_pools")
    rows = {row["name"]: row for row in listed["pools"]}
    assert (rows["loads"]["slots"], rows["loads"]["open_slots"]) == (3, 3)
    preview, done = await admin.confirmed("set_pool_slots", pool="loads", slots=5)
    assert (preview["slots_before"], preview["slots_after"]) == (3, 5)
    pool = oracle.call("GET", "pools/loads")
    assert (pool["slots"], pool["description"], pool["include_deferred"]) == (5, "for the warehouse", False)
    assert done["summary"] == "Done: Set the slots of pool loads from 3 to 5; 0 are taken now."
    before = oracle.call("GET", "pools/default_pool")["slots"]
    await admin.confirmed("set_pool_slots", pool="default_pool", slots=before - 1)
    assert oracle.call("GET", "pools/default_pool")["slots"] == before - 1
    await admin.confirmed("set_pool_slots", pool="default_pool", slots=before)
    message = await admin.error("set_pool_slots", pool="load", slots=5, confirm=True)
    assert "There is no pool 'load'. Did you mean loads?" in message
    await admin.confirmed("set_pool_slots", pool="loads", slots=3)


async def test_who_did_what(admin: Session, oracle: Oracle) -> None:
    oracle.pause("history", True)
    run_id = oracle.trigger("history")
    events = await admin.ok("get_event_logs", dag_id="history", event="trigger_dag_run")
    if not events["total"]:  # Airflow 2's API says post_dag_run
        events = await admin.ok("get_event_logs", dag_id="history", limit=100)
    latest = next(row for row in events["event_logs"] if "run" in row["event"])
    assert (latest["owner"], latest["dag_id"]) == ("admin", "history")
    assert run_id
    whens = [row["when"] for row in events["event_logs"]]
    assert whens == sorted(whens, reverse=True)
    none = await admin.ok("get_event_logs", dag_id="history", before="2020-01-01T00:00:00Z")
    assert none["note"] == "Nothing that matches was done."


async def test_import_errors(admin: Session, oracle: Oracle) -> None:
    file = DagFile(oracle.server.home / "dags" / "not_importable.py")
    file.write(VERSIONED.replace("versioned", "not_importable") + "\nimport no_such_module\n")
    try:
        await appears(oracle)
        answer = await admin.ok("get_import_errors", filename_pattern="not_importable")
    finally:
        file.remove()
    [error] = answer["import_errors"]
    assert "ModuleNotFoundError: No module named 'no_such_module'" in error["stack_trace"]
    assert answer["total"] == 1
    none = await admin.ok("get_import_errors", filename_pattern="no_such_file")
    assert none["note"] == "No such file has an import error."


async def appears(oracle: Oracle) -> None:
    for _ in range(240):
        if any("not_importable" in str(row) for row in listed(oracle)):
            return
        await anyio.sleep(0.5)
    raise AssertionError("no import error appeared")


def listed(oracle: Oracle) -> list[Any]:
    rows: list[Any] = oracle.call("GET", "importErrors", params={"limit": 100})["import_errors"]
    return rows
