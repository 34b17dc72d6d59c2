"""Answers that a real Airflow gives seldom, and large ones."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from pydantic import AliasChoices, ValidationError

from airflow_mcp.handlers import offered_prompts
from airflow_mcp.models.base import Answer
from airflow_mcp.models.dags import Dag, DagDetails, DagSource, DagVersion, Param
from airflow_mcp.models.tasks import Task, TaskDetails
from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from tests.examples import agreeable, examples, lists
from tests.fakes import Replay
from tests.releases import LAST
from tests.replay import replayed
from tests.session import text_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("schedule_interval", "expected"),
    [
        ({"__type": "CronExpression", "value": "0 6 * * *"}, "0 6 * * *"),
        ({"__type": "TimeDelta", "days": 1, "seconds": 3600, "microseconds": 0}, "every 1 days 3600 seconds"),
        ({"__type": "RelativeDelta", "months": 1, "days": 0, "day": 1, "year": None}, "every 1 months on day 1"),
        ({"__type": "TimeDelta", "days": 0, "seconds": 0, "microseconds": 0}, None),
        (None, None),
    ],
)
def test_schedules_of_airflow_2(schedule_interval: Any, expected: str | None) -> None:
    dag = Dag.model_validate({"dag_id": "etl", "schedule_interval": schedule_interval, "owners": ["ana", " ben"]})
    assert dag.schedule == expected
    assert dag.owners == ["ana", "ben"]


async def test_owners_are_found_whatever_the_size_of_a_page() -> None:
    rows = [
        {"dag_id": f"dag_{number:03}", "owners": ["ana", " Ben"] if number % 2 else ["eva"]} for number in range(130)
    ]

    async def pages_of_fifty(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/dagRuns/list"):
            return httpx.Response(200, json={"dag_runs": [], "total_entries": 0})
        if request.url.path != "/api/v1/dags":
            return None
        offset = int(request.url.params["offset"])
        return httpx.Response(200, json={"dags": rows[offset : offset + 50], "total_entries": len(rows)})

    async with replayed(Replay("2.11", pages_of_fifty)) as session:
        answer = await session.ok("get_dags", owners=["ben"], limit=100)
    assert (answer["total"], answer["returned"]) == (65, 65)
    assert answer["dags"][0]["owners"] == ["ana", "Ben"]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (None, 1),
        ("", 1),
        ("a = 1\n\x0cb = 2\n", 2),
        ("a = 1\r\nb = 2\rc = 3", 3),
    ],
)
async def test_lines_are_counted_as_python_counts_them(content: str | None, lines: int) -> None:
    async def source(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json={"content": content}) if "/dagSources/" in request.url.path else None

    async with replayed(Replay("3.3", source)) as session:
        assert (await session.ok("get_dag_source", dag_id="sales_etl"))["total_lines"] == lines


async def test_a_line_that_is_cut_says_so() -> None:
    async def source(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, json={"content": "x" * 9000}) if "/dagSources/" in request.url.path else None

    async with replayed(Replay("3.3", source)) as session:
        answer = await session.ok("get_dag_source", dag_id="sales_etl")
    assert "… (9000 characters)" in answer["source"]
    assert len(answer["source"]) < 2100


async def test_only_a_list_is_read_out_of_text() -> None:
    async def dags(request: httpx.Request) -> httpx.Response | None:
        return (
            httpx.Response(200, json={"dags": [], "total_entries": 0}) if request.url.path.endswith("/dags") else None
        )

    replay = Replay("3.3", dags)
    async with replayed(replay) as session:
        await session.ok("get_dags", dag_id_pattern="[1]", tags=json.dumps(["a", "b"]))
        assert "tags: " in await session.error("get_dags", tags="[" * 100_000)
    assert replay.sent("GET")[0].url.params.get_list("tags") == ["a", "b"]
    assert replay.sent("GET")[0].url.params["dag_id_pattern"] == "[1]"


def test_read_only_promises_no_change() -> None:
    settings = Settings.for_one(read_only=True)
    assert "confirm" not in str(build_server(settings).instructions)
    offered = offered_prompts(settings)
    assert all("confirm" not in prompt.text for prompt in offered)
    every = {prompt.name for prompt in offered_prompts(Settings.for_one())}
    assert every - {prompt.name for prompt in offered} == {"rerun_failed_tasks"}


# -- JSON that is not what Airflow gives on a route

GOOD = agreeable({"dag_id": "history", "dag_run_id": "a run", "task_id": "first", "file_token": "t"}, "3.3.2")
JSON = {"content-type": "application/json"}
LISTS = ("dag_runs", "task_instances", *lists({}))
FIELDS = ("content", "dag_id", "is_paused", "key", "state", *LISTS)
MISSHAPEN: dict[str, Any] = {
    "a list": [],
    "a text": "ok",
    "nothing in it": {},
    "null": None,
    "objects for all": {**GOOD, **{name: {} for name in FIELDS}},
    "numbers for all": {**GOOD, **dict.fromkeys(FIELDS, 7)},
    "numbers for ids": {**GOOD, **{name: [{"dag_id": 1, "task_id": 1}] for name in FIELDS}},
    "lists of texts": {**GOOD, **{name: ["first"] for name in FIELDS}},
}


@pytest.mark.parametrize("version", LAST)
@pytest.mark.parametrize("tool", examples())
@pytest.mark.parametrize("answer", MISSHAPEN.values(), ids=MISSHAPEN)
async def test_json_of_another_shape_is_told_as_the_answers_fault(tool: str, answer: Any, version: str) -> None:
    async def misshapen(request: httpx.Request) -> httpx.Response | None:
        return (
            None
            if request.url.path.endswith(("/version", "/auth/token"))
            else httpx.Response(200, content=json.dumps(answer), headers=JSON)
        )

    async with replayed(Replay(version, misshapen)) as session:
        result = await session.call(tool, examples()[tool])
    # What looks at parts side by side tells of each that is so.
    assert result.is_error or (tool == "get_health" and "not_seen" in (result.structured_content or {}))
    assert "is not what Airflow gives there (" in text_of(result)


@pytest.mark.parametrize("tool", [tool for tool, arguments in examples().items() if "confirm" in arguments])
@pytest.mark.parametrize("answer", [[], "ok", 1])
async def test_after_a_change_such_an_answer_leaves_the_outcome_unknown(tool: str, answer: Any) -> None:
    async def misshapen(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith(("/version", "/auth/token")):
            return None
        lists = request.url.path.endswith("/list") or b'"dry_run":true' in request.content.replace(b" ", b"")
        reads = request.method == "GET" or lists or request.url.path.endswith("/dry_run")
        return httpx.Response(200, json=GOOD if reads else answer)

    async with replayed(Replay("3.3", misshapen)) as session:
        message = await session.error(tool, **examples()[tool])
    assert "its answer is not what Airflow answers: it may or may not have happened" in message


MODELS = [Dag, DagDetails, DagVersion, Param, DagSource, Task, TaskDetails]
ODD: list[Any] = [None, 7, 1e300, True, "x", "", [], [7], [{}], [{"x": 1}], [[]], [None], {}, {"x": 1}, {"name": 7}]
ODD += [{"days": None}, {"days": 1e12}, {"days": "x"}, {"value": []}, {"__type": 7, "months": []}]
ODD += ["P1Y", "PT1e9H", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "Timezone('x", {"__type": "x"}]


@pytest.mark.parametrize("model", MODELS)
def test_no_value_of_airflows_is_worse_than_one_of_another_shape(model: type[Answer]) -> None:
    for name, field in model.model_fields.items():
        for told in ODD:
            given = {key: "x" for key, other in model.model_fields.items() if other.is_required()}
            aliases = field.validation_alias or name
            key = aliases.choices[0] if isinstance(aliases, AliasChoices) else aliases
            try:
                model.model_validate({**given, str(key): told}).model_dump(mode="json")
            except ValidationError:
                continue  # which is told as such


async def test_the_log_tells_where_an_answer_is_of_another_shape(caplog: pytest.LogCaptureFixture) -> None:
    async def misshapen(request: httpx.Request) -> httpx.Response | None:
        told = {"dags": [{"dag_id": "etl", "tags": [{"x": "s3cret-word"}]}], "total_entries": 1}
        return httpx.Response(200, json=told) if request.url.path.endswith("/dags") else None

    async with replayed(Replay("3.3", misshapen)) as session:
        message = await session.error("get_dags")
    assert "dags.0.tags.0: Input should be a valid string" in message
    assert "The answer of dags is not what Airflow gives there (dags.0.tags.0" in caplog.text
    assert "s3cret-word" not in message + caplog.text


async def test_what_is_wrong_with_a_value_is_told_in_plain_words() -> None:
    async def misshapen(request: httpx.Request) -> httpx.Response | None:
        told = {"dag_id": "etl", "owners": ["ana"], "dag_run_timeout": {"days": "x"}}
        return httpx.Response(200, json=told) if request.url.path.endswith("/details") else None

    async with replayed(Replay("3.3", misshapen)) as session:
        message = await session.error("get_dag_details", dag_id="etl")
    assert "is not what Airflow gives there (dag_run_timeout: is not a duration):" in message
