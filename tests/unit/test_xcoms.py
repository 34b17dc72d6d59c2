"""XComs: what kinds of values are shown, and how."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fakes import Replay
from tests.replay import replayed
from tests.session import unfenced

pytestmark = pytest.mark.anyio

ONE = {"dag_id": "a", "dag_run_id": "r1", "task_id": "x"}


class Value:
    """An Airflow with one XCom."""

    def __init__(self, value: Any) -> None:
        self.value = value

    async def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if "/xcomEntries/" in request.url.path:
            return httpx.Response(200, json={"key": "return_value", "value": self.value})
        return None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"rows": 3}, "object"),
        ([1, 2], "array"),
        ("text", "string"),
        (2.5, "number"),
        (True, "boolean"),
        (None, "null"),
    ],
)
async def test_a_value_is_given_whole_with_its_type(value: Any, kind: str) -> None:
    replay = Replay("3.3", Value(value))
    async with replayed(replay) as session:
        answer = await session.ok("get_xcom", **ONE)
    assert (answer.get("value"), answer["type"]) == (value, kind)
    [request] = replay.sent("GET")
    assert dict(request.url.params) == {"map_index": "-1", "stringify": "false"}


async def test_an_object_of_python_is_told_by_its_class() -> None:
    written = {"__classname__": "builtins.tuple", "__version__": 1, "__data__": [1, "two"]}
    async with replayed(Replay("3.3", Value(written))) as session:
        answer = await session.ok("get_xcom", **ONE)
    assert (answer["type"], answer["value"]) == ("builtins.tuple", [1, "two"])


async def test_a_long_value_is_cut_and_counted() -> None:
    async with replayed(Replay("3.3", Value(["x" * 1000] * 200))) as session:
        answer = await session.ok("get_xcom", **ONE)
    assert "value" not in answer
    assert answer["characters"] > 200_000
    assert unfenced(answer["value_start"]).startswith('["xxx')
    assert len(answer["value_start"]) < 4100


async def test_a_reference_of_a_custom_backend_is_told_as_such() -> None:
    async with replayed(Replay("3.3", Value("s3://bucket/xcom/a/r1/x.json"))) as session:
        answer = await session.ok("get_xcom", **ONE)
        assert "custom XCom backend" in answer["note"]
    async with replayed(Replay("3.3", Value("see s3://bucket"))) as session:
        assert "note" not in await session.ok("get_xcom", **ONE)
