"""Who did what, of the event logs that Airflow 2 and 3 have."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.fakes import OfRelease
from tests.replay import replayed

pytestmark = pytest.mark.anyio

START = datetime(2026, 2, 1, tzinfo=UTC)


def event(number: int, name: str, extra: dict[str, Any] | str | None = None, **more: Any) -> dict[str, Any]:
    """An event as Airflow logs it, `number` minutes after the start."""
    when = (START + timedelta(minutes=number)).isoformat()
    written = json.dumps(extra) if isinstance(extra, dict) else extra
    return {"event_log_id": number, "when": when, "event": name, "extra": written, "owner": "ana", **more}


class Logs(OfRelease):
    """An Airflow that has these events, and answers to their filters and orders as a real one does."""

    def __init__(self, version: str, *events: dict[str, Any], nulls_first: bool = False) -> None:
        super().__init__(version)
        self.events, self.nulls_first = events, nulls_first

    async def rest(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/eventLogs"):
            return httpx.Response(200, json={"access_token": "t"})
        asked = request.url.params
        found = [each for each in self.events if self._is_wanted(each, asked)]
        order = asked["order_by"]
        if order.endswith("extra"):
            found.sort(key=lambda each: (each["extra"] is None) != self.nulls_first, reverse=order.startswith("-"))
        else:
            found.sort(key=lambda each: each["when"], reverse=True)
        page = found[int(asked.get("offset", 0)) :][: min(100, int(asked["limit"]))]
        return httpx.Response(200, json={"event_logs": page, "total_entries": len(found)})

    def _is_wanted(self, each: dict[str, Any], asked: httpx.QueryParams) -> bool:
        included, excluded = (self._names(asked, name) for name in ("included_events", "excluded_events"))
        same = all(each.get(name) == asked[name] for name in ("dag_id", "owner") if name in asked)
        return same and (not included or each["event"] in included) and each["event"] not in excluded

    def _names(self, asked: httpx.QueryParams, name: str) -> list[str]:
        return asked[name].split(",") if self.version < "3" and name in asked else asked.get_list(name)


async def told(fake: Logs, **arguments: Any) -> Any:
    async with replayed(fake) as session:
        return await session.ok("get_event_logs", **arguments)


def names(answer: Any) -> list[str]:
    return [row["event"] for row in answer["event_logs"]]


async def test_what_tasks_and_looks_log_stays_out_unless_it_is_asked_for() -> None:
    for version, did in (("2.11.2", "api.patch_dag"), ("3.3.2", "patch_dag")):
        noise = ["running", "failed", "up_for_reschedule", "deferred", "cli_scheduler", "get_task_instances_batch"]
        fake = Logs(version, *(event(number, name) for number, name in enumerate([*noise, did, "heartbeat timeout"])))
        assert names(await told(fake)) == ["heartbeat timeout", did]
        assert names(await told(fake, event=["failed", "pause"])) == [did, "failed"]
        assert "(trigger)" in (await told(fake, event=["trigger"]))["note"]


async def test_kinds_of_events_are_found_by_either_airflows_names() -> None:
    did = ["api.post_dag_run", "ui.clear_dag_run", "clear", "paused", "api.variable.create", "variable.delete"]
    fake = Logs("2.11.2", *(event(number, name) for number, name in enumerate(did)))
    assert names(await told(fake, event=["clear"])) == ["clear", "ui.clear_dag_run"]
    assert names(await told(fake, event=["pause", "delete"])) == ["variable.delete", "paused"]
    assert names(await told(fake, event=["post_dag_run"])) == ["api.post_dag_run"]
    fake = Logs("3.3.2", event(0, "trigger_dag_run"), event(1, "paused", owner="scheduler"), event(2, "bulk_variables"))
    assert names(await told(fake, event=["trigger", "variable"])) == ["bulk_variables", "trigger_dag_run"]
    [row] = (await told(fake, event=["pause"]))["event_logs"]
    assert row == {"when": "2026-02-01T00:01Z", "event": "paused", "owner": "scheduler"}


@pytest.mark.parametrize("nulls_first", [False, True])
async def test_a_mark_on_a_page_of_airflow_2_is_told_from_what_a_task_logs(nulls_first: bool) -> None:
    of_tasks = [event(number, "failed") for number in range(10, 210)]
    marks = [event(number, "success", {"confirmed": "true"}, task_id="t") for number in (1, 5, 300)]
    did = [event(number, "api.patch_dag", {"is_paused": True}) for number in (0, 2, 4, 6, 7)]
    fake = Logs("2.11.2", *of_tasks, *marks, *did, nulls_first=nulls_first)
    whole = (await told(fake))["event_logs"]
    minutes = [300, 7, 6, 5, 4, 2, 1, 0]
    assert [row["when"] for row in whole] == [
        (START + timedelta(minutes=each)).strftime("%Y-%m-%dT%H:%MZ") for each in minutes
    ]
    for limit in (1, 2, 3):  # each page goes on where the one before ended
        rows, offset = [], 0
        while offset is not None:
            page = await told(fake, limit=limit, offset=offset)
            assert page["total"] == len(minutes)
            rows += page["event_logs"]
            offset = page.get("next_offset")
        assert rows == whole
    assert names(await told(fake, event=["set_state"])) == ["success"] * 3
    assert "past the end" in (await told(fake, offset=9))["note"]


async def test_a_run_and_a_task_are_found_where_only_the_request_names_them() -> None:
    clear = "post_clear_task_instances"
    its = {"dag_run_id": "r", "dry_run": False}
    events = [
        event(0, clear, {**its, "task_ids": [["t", 1], "u"]}),
        event(1, clear, {**its, "task_ids": ["u"]}),
        event(2, clear, its),
        event(3, clear, {"start_date": "2026-01-01T00:00:00Z", "dry_run": False}),
        event(4, clear, {**its, "dag_run_id": "another"}),
        event(5, "patch_task_instance", {"new_state": "failed"}, run_id="r", task_id="t", map_index=2),
        event(6, "patch_dag", {"is_paused": True}),
        event(7, clear, {"dag_run_id": "r"}, dag_id="other"),
    ]
    fake = Logs("3.3.2", *({"dag_id": "etl", **each} for each in events))
    answer = await told(fake, dag_id="etl", dag_run_id="r", task_id="t")
    assert [(row["event"], row.get("dag_run_id")) for row in answer["event_logs"]] == [
        ("patch_task_instance", "r"),
        (clear, None),  # of all runs from a date on
        (clear, "r"),
        (clear, "r"),
    ]
    assert answer["event_logs"][0]["map_index"] == 2
    assert answer["event_logs"][3]["extra"] == {"task_ids": [["t", 1], "u"]}
    async with replayed(fake) as session:
        assert "dag_run_id: goes with dag_id" in await session.error("get_event_logs", dag_run_id="r")


async def test_the_trigger_of_a_run_is_found_by_the_time_in_its_id() -> None:
    run = {"dag_id": "etl", "dag_run_id": "manual__2026-02-01T00:05:01.250000+00:00"}
    named = event(5, "trigger_dag_run", {"conf": {}}, dag_id="etl", run_id="another")
    others = [event(number, "trigger_dag_run", dag_id="etl") for number in (4, 5, 6)]
    just_before = {**others[1], "event_log_id": 9, "when": (START + timedelta(minutes=5, seconds=-1)).isoformat()}
    fake = Logs("3.3.2", named, just_before, *others)
    for run_id in (run["dag_run_id"], f"{run['dag_run_id']}_7xK2"):
        [row] = (await told(fake, dag_id="etl", dag_run_id=run_id))["event_logs"]
        assert (row["when"], "dag_run_id" in row) == ("2026-02-01T00:05Z", False)
    for run_id in ("manual__2026-02-01T00:05:01", "mine", "scheduled__x"):
        assert (await told(fake, dag_id="etl", dag_run_id=run_id))["event_logs"] == []


async def test_how_far_it_looked_for_a_run_is_told() -> None:
    fake = Logs("3.3.2", *(event(number, "patch_dag", dag_id="etl") for number in range(600)))
    answer = await told(fake, dag_id="etl", dag_run_id="r")
    assert answer["event_logs"] == []
    assert "The latest 500 of this DAG's 600 events were looked through." in answer["note"]


async def test_a_dry_run_is_told_as_such() -> None:
    fake = Logs(
        "2.11.2",
        event(0, "api.post_clear_task_instances", {"task_ids": ["t"]}),
        event(1, "api.clear_dag_run", {"dry_run": False}),
        event(2, "api.patch_task_instance", {"dry_run": True, "new_state": "failed"}),
        event(3, "api.post_set_task_instances_state", {"dry_run": True, "new_state": "failed"}),  # which sets it
    )
    assert [row.get("dry_run") for row in (await told(fake))["event_logs"]] == [None, True, None, True]


async def test_no_secret_of_a_request_is_told_and_long_ones_are_cut() -> None:
    secret = "hunter2"
    fake = Logs(
        "2.11.2",
        event(0, "api.variable.create", {"key": "innocent", "value": secret, "description": secret}),
        event(1, "variable.edit", {"key": "innocent", "val": secret}),
        event(2, "api.connection.edit", {"connection_id": "c", "host": "h", "extra": {"any": secret}}),
        event(3, "cli_variables_set", {"full_command": f"['airflow', 'variables', 'set', 'innocent', '{secret}']"}),
        event(4, "api.post_dag_run", {"conf": {"password": secret, "ids": [*range(900)], "plain": "x"}}),
        event(5, "trigger", {"conf": json.dumps({"api_key": secret * 9, "plain": "y" * 900})}),
        event(6, "bulk_variables", {"actions": [{"action": "create", "entities": [{"key": "k", "value": secret}]}]}),
        event(7, "heartbeat timeout", "z" * 900),
        event(8, "api.post_clear_task_instances", {"dry_run": False, "task_ids": [*map(str, range(30))]}),
        event(9, "api.patch_dag", "[" * 100_000),
        event(10, "api.post_dag_run", '{"conf":' * 600 + "1" + "}" * 600),
        event(11, "api.patch_dag", '{"note": "half \\ud83d"}'),
    )
    answer = await told(fake)
    assert secret not in json.dumps(answer)
    extras = [row.get("extra") for row in reversed(answer["event_logs"])]
    assert extras[:2] == [{"key": "innocent"}, {"key": "innocent"}]
    assert extras[2:4] == [{"connection_id": "c"}, None]
    assert extras[6] == {"actions": [{"action": "create", "entities": [{"key": "k"}]}]}
    assert extras[8] == {"task_ids": [*map(str, range(10)), "… (30)"]}
    assert extras[9:] == [None, None, {"note": "half \ufffd"}]
    assert all(len(json.dumps(each)) < 300 for each in extras)


async def test_what_airflow_3_0_logs_of_a_pause_is_not_told() -> None:
    for version, extra in (("3.0.6", None), ("3.1.8", {"is_paused": False})):
        [row] = (await told(Logs(version, event(0, "patch_dag", {"is_paused": False}))))["event_logs"]
        assert row.get("extra") == extra


async def test_an_airflow_that_cannot_leave_out_what_tasks_log_is_refused() -> None:
    async with replayed(Logs("2.8.4")) as session:
        message = await session.error("get_event_logs")
    assert message.startswith("get_event_logs needs Airflow 2.9. This is Airflow 2.8.4.")
