"""get_task_log against a fake Airflow: which log is read, how, and what is said when there is none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from scripts.generate import tokens
from tests.replay import URL, Replay, replayed

pytestmark = pytest.mark.anyio

TASK: dict[str, Any] = {"dag_id": "etl", "dag_run_id": "r1", "task_id": "load"}
PATH = "/dags/etl/dagRuns/r1/taskInstances/load"


class Stream(httpx.AsyncByteStream):
    """An answer in pieces; an exception among them breaks it."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


class Airflow:
    """Has one task instance, and these answers for its log."""

    def __init__(self, *logs: httpx.Response, try_number: int = 2, state: str | None = "failed") -> None:
        self._logs = list(logs)
        self._instance = {"task_id": "load", "try_number": try_number, "state": state}
        self.asked: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if "/logs/" in request.url.path:
            self.asked.append(request)
            return self._logs.pop(0)
        if request.url.path.partition(PATH)[1]:
            return httpx.Response(200, json=self._instance)
        return None


def log(*messages: str, version: str) -> httpx.Response:
    if version < "3":
        text = "".join(f"[2026-11-22T13:46:02.408+0000] {{a.py:1}} INFO - {each}\n" for each in messages)
        return httpx.Response(200, headers={"content-type": "text/plain"}, stream=Stream(text.encode()))
    events = "".join(json.dumps({"event": each, "level": "info"}) + "\n" for each in messages)
    return httpx.Response(200, headers={"content-type": "application/x-ndjson"}, stream=Stream(events.encode()))


async def read(airflow: Airflow, version: str = "3.3", **arguments: Any) -> Any:
    async with replayed(Replay(version, airflow), api_version="v1" if version < "3" else "v2") as session:
        return await session.ok("get_task_log", **TASK, **arguments)


async def refusal(airflow: Airflow, **arguments: Any) -> str:
    async with replayed(Replay("3.3", airflow), api_version="v2") as session:
        return await session.error("get_task_log", **{**TASK, **arguments})


@pytest.mark.parametrize(("version", "accept"), [("2.11", "text/plain"), ("3.3", "application/x-ndjson")])
async def test_the_latest_try_is_read_whole_and_unpacked(version: str, accept: str) -> None:
    airflow = Airflow(log("hello", version=version))
    answer = await read(airflow, version)
    [request] = airflow.asked
    assert request.url.path.endswith(f"{PATH}/logs/2")
    assert dict(request.url.params) == {"full_content": "true", "map_index": "-1"}
    assert (request.headers["accept"], request.headers["accept-encoding"]) == (accept, "identity")
    assert (answer["try_number"], answer["state"], answer["total_lines"]) == (2, "failed", 1)
    assert answer["log"].endswith("hello\n</untrusted>")
    assert answer["note"] == "No error in it: these are the last lines."


async def test_a_try_and_a_map_index() -> None:
    airflow = Airflow(log("hello", version="3.3"))
    answer = await read(airflow, try_number=1, map_index=3)
    [request] = airflow.asked
    assert request.url.path.endswith(f"{PATH}/logs/1")
    assert request.url.params["map_index"] == "3"
    assert "state" not in answer


async def test_a_try_that_there_is_not_yet() -> None:
    airflow = Airflow()
    assert "there is no try 3 yet: the latest is 2" in await refusal(airflow, try_number=3)
    assert airflow.asked == []


async def test_a_task_that_has_not_started_has_no_log() -> None:
    answer = await read(Airflow(try_number=0, state=None))
    assert answer == {
        "try_number": 0,
        "state": "no_status",
        "total_lines": 0,
        "note": "It has not started, so it has no log.",
        "url": f"{URL}/dags/etl/runs/r1/tasks/load",
    }


async def test_reading_on() -> None:
    messages = [f"row {number}" for number in range(1, 501)]
    first = await read(Airflow(log(*messages, version="3.3")), show="head", max_tokens=100)
    assert first["log"].startswith("<untrusted>\n1|row 1\n2|row 2\n")
    rest = await read(Airflow(log(*messages, version="3.3")), start_line=first["next_line"], max_tokens=20_000)
    assert rest["log"].startswith(f"<untrusted>\n{first['next_line']}|row {first['next_line']}\n")
    assert rest["log"].endswith("\n500|row 500\n</untrusted>")
    assert "next_line" not in rest
    past = await read(Airflow(log(*messages, version="3.3")), start_line=501)
    assert (past.get("log"), past["note"]) == (None, "start_line 501 is past the end.")


async def test_what_matches() -> None:
    messages = [f"row {number}" for number in range(1, 501)]
    answer = await read(Airflow(log(*messages, version="3.3")), grep="row 25$|no such")
    assert "\n25|row 25\n" in answer["log"]
    assert (answer["note"], answer["left_out"]) == ("1 lines match.", ["1-21", "28-500"])
    none = await read(Airflow(log(*messages, version="3.3")), grep="colour")
    assert (none.get("log"), none["note"]) == (None, "No line matches.")


@pytest.mark.parametrize("most", [100, 500, 2000])
async def test_an_answer_stays_within_its_budget(most: int) -> None:
    messages = [f"order {number * 7919} of customer {number}: amount 19.90 EUR, loaded" for number in range(5000)]
    answer = await read(Airflow(log(*messages, version="2.11")), "2.11", max_tokens=most)
    assert most / 4 < tokens(answer["log"]) <= most + 10


@pytest.mark.parametrize("show", ["errors", "tail", "head"])
async def test_one_long_line_stays_within_the_budget(show: str) -> None:
    answer = await read(Airflow(log("10 24 " * 1000, version="2.11")), "2.11", max_tokens=100, show=show)
    assert tokens(answer["log"]) <= 100 + 10
    assert answer["log"].endswith("…\n</untrusted>")


async def test_a_broken_answer_is_read_anew_from_its_start() -> None:
    broken = httpx.Response(200, stream=Stream(b'{"event": "one"}\n{"ev', httpx.ReadError("reset")))
    airflow = Airflow(broken, log("one", "two", version="3.3"))
    answer = await read(airflow)
    assert (answer["total_lines"], len(airflow.asked)) == (2, 2)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(404, json={"detail": "TaskInstance not found"}), "Not found: TaskInstance not found."),
        (httpx.Response(403, json={"detail": "Forbidden"}), "Needed: can read on DAGs, can read on Task Logs (FAB)"),
        (httpx.Response(200, html="<html>Sign in</html>"), "a web page, not Airflow's API"),
        (httpx.Response(302, headers={"location": "https://sso.test/login"}), "was not followed"),
    ],
)
async def test_what_is_no_log_is_an_error(answer: httpx.Response, says: str) -> None:
    assert says in await refusal(Airflow(answer))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"grep": "["}, "grep: is no regular expression"),
        ({"grep": "x", "show": "tail"}, "show and grep exclude each other"),
        ({"try_number": 0}, "try_number: "),
        ({"dag_run_id": "../x"}, "dag_run_id: "),
    ],
)
async def test_wrong_arguments_are_refused_before_anything_is_sent(arguments: dict[str, Any], says: str) -> None:
    airflow = Airflow()
    assert says in await refusal(airflow, **arguments)
    assert airflow.asked == []
