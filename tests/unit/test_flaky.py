"""find_flaky_tasks: what failed and then succeeded is told apart from what is broken, was mended, or was cleared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.task_instance_lists import InstanceRow
from airflow_mcp.diagnosis.flaky_tasks import Flaky, broken_tasks, flaky_tasks, outcomes, several_tries
from airflow_mcp.models.runs import DagRun
from scripts.generate import tokens
from tests.fakes import URL, OfRelease
from tests.replay import replayed
from tests.session import text_of

MOST_TOKENS = 900
GOOD, BAD, LATER, NONE = "good", "bad", "later", ""
"""What came of a task in a run: it was good at its first try, failed, was good at its second, or did not run."""


def instance(task_id: str, run_id: str, came: str, map_index: int = -1) -> dict[str, Any]:
    """A task instance as Airflow tells it."""
    state, tries = {GOOD: ("success", 1), BAD: ("failed", 1), LATER: ("success", 2)}[came]
    ids = {"dag_id": "etl", "dag_run_id": run_id, "task_id": task_id, "map_index": map_index}
    return {**ids, "state": state, "try_number": tries, "start_date": "2026-02-01T00:00:00Z"}


def run_ids(number: int) -> list[str]:
    """The newest first."""
    return [f"r{place}" for place in range(number, 0, -1)]


def judged(came: Sequence[str], versions: Sequence[int] | None = None, *, all_runs: bool = True) -> list[Flaky]:
    """What is told of one task, of which this came in runs of these versions, the newest first."""
    runs = [
        DagRun.model_validate({"dag_id": "etl", "dag_run_id": run_id, "dag_versions": [{"version_number": version}]})
        for run_id, version in zip(run_ids(len(came)), versions or [1] * len(came), strict=True)
    ]
    rows = [
        InstanceRow.model_validate(instance("load", run.dag_run_id, each))
        for run, each in zip(runs, came, strict=True)
        if each
    ]
    found = outcomes(runs, rows)
    return flaky_tasks(found, several_tries(found), all_runs=all_runs)


@pytest.mark.parametrize(
    ("came", "later_try", "next_run"),
    [
        ([GOOD, GOOD], [], []),
        ([LATER, GOOD, LATER], ["r3", "r1"], []),
        ([GOOD, BAD, GOOD], [], ["r2"]),
        ([GOOD, NONE, BAD, NONE, GOOD], [], ["r3"]),
        ([LATER, BAD, GOOD], ["r3"], ["r2"]),
        ([GOOD, BAD], [], ["r1"]),
        ([BAD, GOOD, GOOD], [], []),  # it may fail in the next one too
        ([GOOD, BAD, BAD, GOOD], [], []),  # broken, then mended
        ([BAD, BAD], [], []),
    ],
)
def test_what_counts_as_flaky(came: list[str], later_try: list[str], next_run: list[str]) -> None:
    found = judged(came)
    told = [([row.dag_run_id for row in each.later_try], [row.dag_run_id for row in each.next_run]) for each in found]
    assert told == ([(later_try, next_run)] if later_try or next_run else [])
    assert [each.runs for each in found] == [len([each for each in came if each])] * len(found)


def test_a_failure_before_which_is_not_known_what_was_does_not_count() -> None:
    assert judged([GOOD, BAD], all_runs=False) == []


def test_a_failure_that_passed_with_another_version_of_the_code_does_not_count() -> None:
    assert judged([GOOD, BAD, GOOD], [2, 1, 1]) == []
    assert len(judged([GOOD, BAD, GOOD], [2, 2, 1])) == 1


def test_what_failed_in_every_run_is_broken() -> None:
    runs = [DagRun(dag_id="etl", dag_run_id=run_id) for run_id in run_ids(2)]
    rows = [
        InstanceRow.model_validate(instance(task_id, run.dag_run_id, came))
        for task_id, its in (("load", (BAD, BAD)), ("send", (BAD, GOOD)), ("new", (BAD, NONE)))
        for run, came in zip(runs, its, strict=True)
        if came
    ]
    assert broken_tasks(outcomes(runs, rows)) == ["etl.load (2 runs)"]


def test_of_a_mapped_task_a_run_counts_once() -> None:
    runs = [DagRun(dag_id="etl", dag_run_id="r1")]
    rows = [InstanceRow.model_validate(instance("load", "r1", LATER, index)) for index in range(3)]
    found = outcomes(runs, rows)
    assert [row.map_index for row in several_tries(found)] == [0]
    [flaky] = flaky_tasks(found, several_tries(found), all_runs=True)
    assert (flaky.runs, flaky.times) == (1, 1)


TRACEBACK = "06:00:00 ERROR a.py:1 Task failed with exception\nTraceback (most recent call last):\n{error}\n"


class Flaps(OfRelease):
    """An Airflow with this come of the tasks of etl, in its newest run first, and tries of these states."""

    def __init__(
        self, version: str, came: Mapping[str, Sequence[str]], tries: Sequence[str] = ("failed", "success")
    ) -> None:
        super().__init__(version)
        self.came, self.tries = came, tries
        self.runs = run_ids(max(map(len, came.values()), default=0))

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/dagRuns"):
            limit = int(request.url.params["limit"])
            rows = [
                {"dag_id": "etl", "dag_run_id": run_id, "state": "success", "start_date": "2026-02-01T00:00:00Z"}
                for run_id in self.runs
            ]
            return httpx.Response(200, json={"dag_runs": rows[:limit], "total_entries": len(rows)})
        if path.endswith("/taskInstances/list"):
            body = json.loads(request.content)
            rows = [
                instance(task_id, run_id, came)
                for task_id, its in self.came.items()
                for run_id, came in zip(self.runs, its, strict=True)
                if came and run_id in body["dag_run_ids"]
            ]
            told = {"task_instances": rows[: body["page_limit"]], "total_entries": len(rows)}
            return httpx.Response(200, json=told)
        if path.endswith("/tries"):
            tries = [{"try_number": number, "state": state} for number, state in enumerate(self.tries, 1)]
            return httpx.Response(200, json={"task_instances": tries, "total_entries": len(tries)})
        if "/logs/" in path:
            run_id = path.split("/dagRuns/")[1].partition("/")[0]
            error = "KeyError: 'x'" if run_id in ("r2", "r4") else f"TimeoutError: no answer within {run_id[1:]} s"
            return httpx.Response(200, text=TRACEBACK.format(error=error))
        return httpx.Response(200, json={"access_token": "t", "dag_id": "etl", "is_paused": False, "owners": []})


async def told_of(fake: httpx.AsyncBaseTransport, **arguments: Any) -> Any:
    async with replayed(fake) as session:
        result = await session.call("find_flaky_tasks", arguments)
    assert not result.is_error, text_of(result)
    written = json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
    assert max(tokens(text_of(result)), tokens(written)) <= MOST_TOKENS
    return result.structured_content


@pytest.mark.anyio
async def test_flaky_tasks_are_told_with_their_errors_and_broken_ones_apart() -> None:
    came = {
        "load": [LATER, LATER, LATER, GOOD, GOOD],
        "send": [GOOD, BAD, GOOD, BAD, GOOD],
        "always": [BAD] * 5,
        "steady": [GOOD] * 5,
    }
    fake = Flaps("2.11.2", came)
    told = await told_of(fake, dag_id="etl")
    assert told == {
        "summary": "2 tasks failed and then succeeded in the last 5 runs of etl: load most often, in 3 of 5 runs.",
        "start_date": "2026-02-01T00:00Z",
        "tasks": [
            {
                "dag_id": "etl",
                "task_id": "load",
                "runs": 5,
                "good_at_a_later_try": 3,
                "last_run_ids": ["r5", "r4", "r3"],
                "errors": ["TimeoutError: no answer within 5 s (2 of 3 logs)", "KeyError: 'x' (1 of 3 logs)"],
                "url": f"{URL}/dags/etl/grid?task_id=load",
            },
            {
                "dag_id": "etl",
                "task_id": "send",
                "runs": 5,
                "good_in_the_next_run": 2,
                "last_run_ids": ["r4", "r2"],
                "errors": ["KeyError: 'x' (2 of 2 logs)"],
                "url": f"{URL}/dags/etl/grid?task_id=send",
            },
        ],
        "broken": "etl.always (5 runs)",
    }
    assert {path.rpartition("/")[2] for path in fake.paths() if "/load/logs/" in path} == {"1"}  # the try that failed


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("version", "tries", "told"),
    [
        ("3.3.2", ["success", "success"], "No task failed and then succeeded in the last 2 runs of etl."),
        ("3.3.2", ["skipped", "success"], "No task failed and then succeeded in the last 2 runs of etl."),
        ("2.11.2", ["up_for_retry", "success"], "1 task failed and then succeeded"),
        ("2.9.3", [], "1 task failed and then succeeded"),
    ],
)
async def test_what_was_cleared_while_it_was_good_is_not_flaky(version: str, tries: list[str], told: str) -> None:
    answer = await told_of(Flaps(version, {"load": [LATER, GOOD]}, tries))
    assert answer["summary"].startswith(told)
    assert ("not_seen" in answer) == (version == "2.9.3")  # which does not tell of tries


@pytest.mark.anyio
@pytest.mark.parametrize("came", [{}, {"load": []}])
async def test_without_runs_that_is_told(came: Any) -> None:
    assert await told_of(Flaps("3.3.2", came), dag_id="etl") == {"summary": "No run of etl has ended yet."}


@pytest.mark.anyio
async def test_of_many_tasks_and_runs_some_are_looked_at_and_the_rest_is_counted() -> None:
    came = {f"warehouse.load_partition_{number:03}": [LATER] * 100 for number in range(60)}
    fake = Flaps("3.3.2", came)
    told = await told_of(fake, dag_id="etl", runs=100)
    assert len([path for path in fake.paths() if path.endswith("/taskInstances/list")]) == 2
    assert len([path for path in fake.paths() if path.endswith("/tries")]) == 40
    assert len([path for path in fake.paths() if "/logs/" in path]) <= 20
    shown = len(told["tasks"])
    assert told["not_seen"] == [
        "87 older runs were not looked at: all have 6000 task instances.",
        "The tries of 740 more task instances were not looked at.",
        f"{40 - shown} more flaky tasks are not listed.",
    ]
    assert "40 tasks failed and then succeeded in the last 13 runs of etl" in told["summary"]


@pytest.mark.anyio
async def test_what_cannot_be_seen_is_named_and_the_rest_comes() -> None:
    fake = Flaps("3.3.2", {"load": [LATER, GOOD, BAD, GOOD]})
    fake.fault = lambda request: httpx.Response(403) if request.url.path.endswith(("/tries", "/logs/1")) else None
    told = await told_of(fake, dag_id="etl")
    assert [(each["good_in_the_next_run"], each["last_run_ids"]) for each in told["tasks"]] == [(1, ["r2"])]
    assert [line.partition(":")[0] for line in told["not_seen"]] == ["tries", "a log"]
