"""compare_dag_runs: what differs between two runs, in few words; and which runs, where none is named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.task_instance_lists import InstanceRow
from airflow_mcp.diagnosis.before import code_compared
from airflow_mcp.diagnosis.conf_differences import LONGEST_VALUE, MOST_KEYS, conf_differences
from airflow_mcp.diagnosis.task_differences import task_differences
from airflow_mcp.diagnosis.words import lasted
from airflow_mcp.models.runs import DagRun
from scripts.generate import tokens
from tests.fakes import URL, OfRelease
from tests.replay import replayed
from tests.session import Session, text_of

MOST_TOKENS = 900
SUCCESS = {"state": "success", "try_number": 1}


def row(task_id: str, seconds: int = 10, map_index: int = -1, **more: Any) -> dict[str, Any]:
    """A task instance as Airflow tells it, which took so long."""
    told = {"dag_id": "etl", "dag_run_id": "r", "task_id": task_id, "map_index": map_index, **SUCCESS, **more}
    end = f"2026-02-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}Z"
    ran = told["state"] in ("success", "failed")
    return told | ({"start_date": "2026-02-01T00:00:00Z", "end_date": end} if ran else {})


def differences(earlier: Iterable[dict[str, Any]], later: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found = task_differences(*([InstanceRow.model_validate(each) for each in rows] for rows in (earlier, later)))
    return [each.model_dump(exclude_none=True) for each in found.rows]


def test_tasks_with_the_same_change_are_one_row_and_failures_come_first() -> None:
    names = ("extract", "a", "b", "c", "d")
    later = [
        row("extract", state="failed", try_number=3),
        *(row(each, state="upstream_failed", try_number=0) for each in names[1:]),
    ]
    assert differences(map(row, names), reversed(later)) == [
        {"tasks": "extract", "state": "success → failed", "tries": "1 → 3"},
        {"tasks": "d, c, b and 1 more", "state": "success → upstream_failed"},
    ]
    assert differences(later, later) == []


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (10, 19, None),
        (1, 4, None),
        (10, 20, "10 s → 20 s (2 times as long)"),
        (75, 12, "75 s → 12 s (6.25 times as fast)"),
        (0, 7, "0 s → 7 s (70 times as long)"),
        (720, 1500, "12 min → 25 min (2.08 times as long)"),
    ],
)
def test_a_duration_differs_from_twice_the_other_on(then: int, now: int, told: str | None) -> None:
    found = differences([row("a", then)], [row("a", now)])
    assert found == ([{"tasks": "a", "duration": told}] if told else [])


def test_a_task_that_did_not_run_has_no_tries_and_no_duration_to_compare() -> None:
    assert differences([row("a", 100, try_number=2)], [row("a", state=None, try_number=0)]) == [
        {"tasks": "a", "state": "success → no_status"}
    ]


def test_map_indexes_with_the_same_change_are_grouped() -> None:
    earlier = [row("load", map_index=index) for index in range(8)]
    failed = {2: 10, 5: 30, 6: 10}
    later = [
        row("load", failed.get(index, 10), map_index=index, state="failed" if index in failed else "success")
        for index in range(10)
    ]
    assert differences(earlier, later) == [
        {"tasks": "load", "map_indexes": "2, 6", "state": "success → failed"},
        {
            "tasks": "load",
            "map_indexes": "5",
            "state": "success → failed",
            "duration": "10 s → 30 s (3 times as long)",
        },
        {"tasks": "load", "number_of_indexes": "8 → 10"},
    ]
    slow = [row("load", 20 + index, map_index=index) for index in range(8)]
    assert differences(earlier, slow) == [
        {"tasks": "load", "map_indexes": "0-7", "duration": "at most 10 s → 27 s (2.7 times as long)"}
    ]
    assert differences([row("load")], earlier) == [{"tasks": "load", "number_of_indexes": "not mapped → 8"}]


def test_tasks_that_only_one_run_has() -> None:
    found = task_differences(
        *([InstanceRow.model_validate(row(each)) for each in names] for names in (("a", "old"), ("a", "new")))
    )
    assert (found.added, found.removed, found.rows) == (["new"], ["old"], [])


def test_a_time_is_told_in_one_unit() -> None:
    assert [lasted(each) for each in (0.84, 119, 120, 7300, 180_000)] == ["0.8 s", "119 s", "2 min", "2 h", "2 days"]


@pytest.mark.parametrize(
    ("earlier", "later", "told"),
    [
        (None, {}, ({}, {})),
        ({"day": 1, "x": 2}, {"x": 2, "day": 1}, ({}, {})),
        ({"day": 1}, {"day": 2, "full": True}, ({"day": 1}, {"day": 2, "full": True})),
        ({"n": 1}, {"n": True}, ({"n": 1}, {"n": True})),
        ({"db": {"host": "a", "n": 1}}, {"db": {"host": "b", "n": 1}}, ({"db": {"host": "a"}}, {"db": {"host": "b"}})),
        ({"db": {"host": "a"}}, {"db": None}, ({"db": {"host": "a"}}, {"db": None})),
    ],
)  # fmt: skip
def test_of_conf_what_differs(earlier: Any, later: Any, told: tuple[Any, Any]) -> None:
    assert conf_differences(earlier, later)[:2] == told


def test_long_conf_is_cut_and_counted_and_a_cut_shows_no_secret() -> None:
    secret = "ghp_" + "a1B2c3D4" * 5
    text = "x" * (LONGEST_VALUE - 20) + " " + secret + " and so on"
    nested = {"list": [{"password": "hunter2"}, "x" * 100]}
    before, after, keys = conf_differences({"text": "a", "nested": {}}, {"text": text, "nested": nested})
    assert (before, keys) == ({"text": "a", "nested": {}}, ["text", "nested"])
    assert secret[:10] not in after["text"]
    assert "hunter2" not in json.dumps(after)
    assert after["text"].endswith(f"… ({len(text)} characters)")
    before, after, keys = conf_differences({}, {f"key{number}": number for number in range(30)})
    assert (len(after), len(keys)) == (MOST_KEYS, 30)


def run(number: int, **more: Any) -> DagRun:
    return DagRun.model_validate({"dag_run_id": f"r{number}", **more})


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ({}, {}, None),
        ({"bundle_version": "ab1"}, {"bundle_version": "ab1"}, "The code is that of r1: bundle version ab1."),
        ({"bundle_version": "ab1"}, {"bundle_version": "cd2"}, "has changed since r1: bundle version ab1, now cd2."),
        ([1], [2], "The DAG has changed since r1: its version was 1, now 2."),
        ([2], [1, 2], "The DAG has changed since r1: its version was 2, now 1 and 2."),
        ([2], [2], "a change within a function would not show."),
        ([], [2], None),
    ],
)
def test_of_code_no_more_is_said_than_is_known(then: Any, now: Any, told: str | None) -> None:
    def of(number: int, code: Any) -> DagRun:
        numbers = code if isinstance(code, list) else []
        more = {} if isinstance(code, list) else code
        return run(number, dag_versions=[{"version_number": each} for each in numbers], **more)

    said = code_compared(of(1, then), of(2, now), "r1")
    assert said is told is None or (said or "").endswith(str(told))


class TwoRuns(OfRelease):
    """An Airflow with runs of one DAG, etl, by their ids, the newest first, and their task instances."""

    def __init__(
        self,
        runs: Mapping[str, Mapping[str, Any]],
        instances: Mapping[str, list[dict[str, Any]]] | None = None,
        version: str = "3.3.2",
    ) -> None:
        super().__init__(version)
        self.runs = {name: {"dag_run_id": name, "dag_id": "etl", **its} for name, its in runs.items()}
        self.instances = dict(instances or {})

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path, _, end = request.url.path.rpartition("/")
        if end == "list":
            [name] = json.loads(request.content)["dag_run_ids"]
            rows = self.instances.get(name, [])
            return httpx.Response(200, json={"task_instances": rows, "total_entries": len(rows)})
        if end == "dagRuns":
            states = request.url.params.get_list("state")
            runs = [each for each in self.runs.values() if not states or each["state"] in states]
            runs = [each for each in runs if each["dag_id"] == "etl"] if "~" not in path else runs
            return httpx.Response(200, json={"dag_runs": runs, "total_entries": len(runs)})
        if path.endswith("/dagRuns"):
            if end in self.runs and self.runs[end]["dag_id"] == "etl":
                return httpx.Response(200, json=self.runs[end])
            detail = f"The DagRun with dag_id: `etl` and run_id: `{end}` was not found"
            return httpx.Response(404, json={"detail": detail})
        if "dagSources" in path:
            return httpx.Response(200, json={"content": f"version {request.url.params['version_number']}"})
        return httpx.Response(200, json={"dag_id": "etl", "is_paused": False, "owners": [], "access_token": "t"})


def of_day(day: int, state: str, **more: Any) -> dict[str, Any]:
    return {"state": state, "run_type": "scheduled", "start_date": f"2026-02-{day:02}T06:00:00Z", **more}


DAYS = {
    "r9": of_day(9, "success"),
    "r8": of_day(8, "failed", conf={"day": 8, "key": "x", "api_token": "Sommer2026!"}),
    "r7": of_day(7, "failed"),
    "r6": of_day(6, "success", conf={"day": 6, "key": "x", "api_token": "Herbst2026!"}),
    "r5": of_day(5, "success", conf={"day": 6, "key": "x", "api_token": "Herbst2026!"}),
    "others": {**of_day(1, "success"), "dag_id": "other"},
}  # fmt: skip


async def compared(session: Session, **arguments: Any) -> Any:
    result = await session.call("compare_dag_runs", {"dag_id": "etl", **arguments})
    assert not result.is_error, text_of(result)
    written = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
    assert max(tokens(text_of(result)), tokens(written)) <= MOST_TOKENS
    return result.structured_content


@pytest.mark.anyio
async def test_unless_named_it_is_the_latest_failed_run_and_the_last_good_one_before() -> None:
    instances = {"r8": [row("load", state="failed")], "r6": [row("load")]}
    async with replayed(TwoRuns(DAYS, instances)) as session:
        told = await compared(session)
        assert [each["dag_run_id"] for each in told["runs"]] == ["r6", "r8"]
        assert told["summary"] == "r8 (failed) and r6 (success) differ: state of 1 task, conf in 2 keys."
        assert [each["url"] for each in told["runs"]] == [f"{URL}/dags/etl/runs/{run_id}" for run_id in ("r6", "r8")]
        assert [each["conf"]["day"] for each in told["runs"]] == [6, 8]
        assert "2026!" not in str(told)
        assert "key" not in told["runs"][0]["conf"]
        assert told["tasks"] == [{"tasks": "load", "state": "success → failed"}]
        # In the order of time, whatever the order of the arguments.
        assert await compared(session, dag_run_id="r6", other_dag_run_id="r8") == told
        of_one = await compared(session, dag_run_id="r9")
        assert [each["dag_run_id"] for each in of_one["runs"]] == ["r6", "r9"]


@pytest.mark.anyio
@pytest.mark.parametrize("version", ["2.11.2", "3.3.2"])
async def test_no_difference_is_told_plainly(version: str) -> None:
    same = {name: [row("load"), row("report")] for name in ("r5", "r6")}
    async with replayed(TwoRuns(DAYS, same, version)) as session:
        told = await compared(session, dag_run_id="r6", other_dag_run_id="r5")
    assert told["summary"].startswith("No difference between r6 (success) and r5 (success)")
    assert not {"tasks", "tasks_added", "tasks_removed", "not_seen"} & told.keys()
    assert told["code"] == "Airflow does not tell which code these runs had."


@pytest.mark.anyio
async def test_between_versions_the_file_is_compared_as_airflow_has_it() -> None:
    versions = {
        name: {**DAYS[name], "dag_versions": [{"version_number": number}]} for name, number in (("r6", 1), ("r8", 2))
    }
    async with replayed(TwoRuns(versions)) as session:
        told = await compared(session)
    assert told["code"] == (
        "The DAG has changed since run r6: its version was 1, now 2. The DAG's own file, as Airflow last read it in "
        "version 1 and in 2, is not the same (SHA-256 b19f8edae2ee…, f4761aa023c3…)."
    )


@pytest.mark.anyio
async def test_a_wide_dag_stays_within_its_tokens_and_the_rest_is_counted() -> None:
    names = [f"warehouse.load_partition_of_customer_orders_{number:04}" for number in range(600)]
    instances = {
        "r6": [*(row(each, 10 + number) for number, each in enumerate(names)), *(row(f"old_{each}") for each in names)],
        "r8": [row(each, 60 + 5 * number, state="failed", try_number=2) for number, each in enumerate(names)],
    }  # fmt: skip
    runs = {
        name: {**DAYS[name], "conf": {f"parameter_{number}": f"{name} {number} " * 40 for number in range(40)}}
        for name in ("r8", "r6")
    }
    async with replayed(TwoRuns(runs, instances)) as session:
        told = await compared(session)
    assert "state of 600 tasks, tries of 600 tasks, duration of 600 tasks, 600 tasks removed" in told["summary"]
    assert told["tasks_removed"].endswith(" and 597 more")
    shown = len(told["tasks"])
    assert told["not_seen"] == [
        f"{600 - shown} more rows of tasks are not listed: get_task_instances has both runs'.",
        "35 more keys of conf differ: get_dag_runs with fields=[conf] has them.",
    ]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("runs", "arguments", "told"),
    [
        (DAYS, {"dag_run_id": "r6", "other_dag_run_id": "r6"}, "other_dag_run_id: is r6 too"),
        (DAYS, {"other_dag_run_id": "r8"}, "other_dag_run_id: is r8 too"),
        (DAYS, {"dag_run_id": "r88"}, "`r88` was not found. Did you mean r8"),
        (DAYS, {"other_dag_run_id": "nothing_like_it"}, "The newest of DAG etl: r9, r8, r7."),
        (DAYS, {"dag_run_id": "others"}, "DAG other has a run of this id."),
        (DAYS, {"dag_run_id": "r5"}, "before r5 has succeeded. Name one as other_dag_run_id"),
        ({"r9": DAYS["r9"]}, {}, "No run of etl has failed. Name two runs"),
        ({}, {"dag_run_id": "r1"}, "DAG etl has not run yet."),
    ],
)  # fmt: skip
async def test_what_cannot_be_compared_is_told_with_what_can(runs: Any, arguments: dict[str, str], told: str) -> None:
    async with replayed(TwoRuns(runs)) as session:
        assert told in await session.error("compare_dag_runs", dag_id="etl", **arguments)


@pytest.mark.anyio
async def test_a_diagnosis_names_the_runs_that_may_be_meant_too() -> None:
    async with replayed(TwoRuns(DAYS)) as session:
        assert "Did you mean r8" in await session.error("diagnose_dag_run", dag_id="etl", dag_run_id="r88")


@pytest.mark.anyio
async def test_without_the_task_instances_the_rest_is_compared() -> None:
    fake = TwoRuns(DAYS)
    fake.fault = lambda request: httpx.Response(403) if request.url.path.endswith("/list") else None
    async with replayed(fake) as session:
        told = await compared(session)
    assert told["summary"] == "r8 (failed) and r6 (success) differ: conf in 2 keys."
    assert [line.partition(":")[0] for line in told["not_seen"]] == ["task instances of r6", "task instances of r8"]
