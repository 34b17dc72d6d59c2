"""Half a character: JSON can write one, no other text can. From Airflow or a client, each request is answered."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from airflow_mcp.text.clean import clean
from airflow_mcp.text.whole import read_json, whole_json
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.examples import agreeable, examples
from tests.hostile.airflow import IDS, RELEASES, USER, Airflow, Request, airflow, answer, connected, outcome, ways
from tests.session import Session

pytestmark = pytest.mark.anyio
every_release = pytest.mark.parametrize("release", RELEASES)

HALF, OTHER = "\ud800", "\udc00"
BAD = f"bad {HALF} end"
GOOD = "bad \ufffd end"
SAID = "may or may not have happened"

JSON = {
    r'"\ud800"': "\ufffd",
    r'"\uD800\uD800"': "\ufffd\ufffd",
    r'"\udc00\ud83d"': "\ufffd\ufffd",
    r'"\ud83d\ude00"': "😀",
    r'"\ud83d\ud83d\ude00"': "\ufffd😀",
    r'"\ud83d\\ude00"': "\ufffd\\ude00",
    r'"\\ud800 \\\ud800"': "\\ud800 \\\ufffd",
    r'"\ud800\n\u0041\/\"\udfff"': '\ufffd\nA/"\ufffd',
    r'{"\ud800": ["\udbff"]}': {"\ufffd": ["\ufffd"]},
    r'"d800 \u0d80 ud800"': "d800 \u0d80 ud800",
    "\ufeff{}": {},
}


@pytest.mark.parametrize("text", JSON)
def test_only_halves_are_replaced(text: str) -> None:
    assert read_json(text.encode()) == JSON[text]
    assert len(whole_json(text)) == len(text)


@pytest.mark.parametrize("text", [r'"\ud8"', r'"\ud80', r'"\udzzz"', '"\\', r'"\u"'])
def test_json_that_is_broken_stays_broken(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        read_json(text.encode())


def test_what_leaves_is_whole() -> None:
    assert clean(f"{HALF}{OTHER}") == "\ufffd\ufffd"


# -- from Airflow


def spoiled(value: Any, kept: tuple[str, ...] = ()) -> Any:
    """The same answer with half a character in each text, but for what is kept."""
    if isinstance(value, dict):
        return {name: each if name in kept else spoiled(each, kept) for name, each in value.items()}
    if isinstance(value, list):
        return [spoiled(each, kept) for each in value]
    return value + HALF if isinstance(value, str) else value


def texts(release: str, *kept: str) -> dict[str, Any]:
    """An answer with half a character in its texts, and in a key."""
    more = {"doc_md": BAD, "description": BAD, "tags": [BAD], "params": {BAD: {"value": {BAD: [BAD]}}}, BAD: BAD}
    return {**more, **spoiled(agreeable(IDS, RELEASES[release]), kept)}


@every_release
async def test_every_answer_of_airflow_is_answered_for(release: str) -> None:
    """`outcome` writes the answer as JSON, which fails where something in it is no text."""
    kept = (*IDS, "logical_date", "timestamp", "when", "state", "version", "access_token")
    for way in await ways(release):
        failed, told = await outcome(release, way, lambda _: answer(200, texts(release, *kept)))
        assert not failed, told
        failed, told = await outcome(release, way, lambda _: answer(200, texts(release)))
        assert "inside this server" not in told


@every_release
@pytest.mark.parametrize("status", [400, 403, 404, 422, 500])
async def test_every_error_of_airflow_is_told(status: int, release: str) -> None:
    body = {"detail": BAD, "title": BAD} if status != 422 else {"detail": [{"loc": ["body", BAD], "msg": BAD}]}
    for way in [way for way in await ways(release) if way.step in ("GET dags", "PATCH dags/{dag_id}")]:
        failed, told = await outcome(release, way, lambda _: answer(status, body))
        assert failed
        assert GOOD in told or SAID in told


@pytest.mark.parametrize(
    "give",
    [
        answer(200, b'{"dags": [{"dag_id": "\xed\xa0\x80"}], "total_entries": 1}'),
        answer(503, {}, b"x-served-by: \xed\xa0\x80", b"retry-after: \xff"),
        answer(302, b"", b"location: /\xed\xa0\x80"),
        answer(503, b"<title>\xed\xa0\x80", kind=b"text/html; charset=\xed\xa0\x80"),
        answer(200, b"", kind=b"\xed\xa0\x80"),
        b"HTTP/1.1 200 \xed\xa0\x80\r\n\r\n{}",
    ],
    ids=["raw", "headers", "a redirect", "a title", "a type", "a reason"],
)
async def test_a_half_as_bytes_is_told(give: bytes) -> None:
    for way in await ways("3.3"):
        if way.step in ("GET dags", "PATCH dags/{dag_id}", "POST auth/token"):
            failed, told = await outcome("3.3", way, lambda _: give)
            assert failed
            assert "inside this server" not in told


async def test_a_token_with_half_a_character_is_none() -> None:
    async with airflow("3.3") as fake, connected(fake) as session:
        fake.hostile["POST auth/token"] = lambda _: answer(201, {"access_token": BAD})
        assert "a token that no header can hold" in await session.error("get_dags")
        assert "GET dags" not in [request.step for request in fake.requests]


# -- from a client

TEXTS = [
    (spec.name, name, "list" in str(part.annotation))
    for spec in ALL_TOOLS
    for name, part in spec.arguments.model_fields.items()
    if "str" in str(part.annotation)
]


@pytest.mark.parametrize(("tool", "name", "many"), TEXTS, ids=[f"{tool} {name}" for tool, name, _ in TEXTS])
async def test_an_argument_with_half_a_character_is_refused_by_name(tool: str, name: str, many: bool) -> None:
    async with airflow("3.3") as fake, connected(fake) as session:
        for value in (BAD, OTHER, GOOD):
            message = await session.error(tool, **{**examples()[tool], name: [value] if many else value})
            assert f"{name}: contains a damaged character (U+FFFD" in message or "Input should be" in message
        message = await session.error(tool, **{**examples()[tool], BAD: True})
        assert re.search("bad \ufffd+ end: no such argument", message)
        assert fake.requests == []


DAG = {"dag_id": IDS["dag_id"]}
REQUESTS: list[dict[str, Any]] = [
    *[
        {"method": "tools/call", "params": {"name": tool, "arguments": {**arguments, name: BAD}}}
        for tool, arguments in examples().items()
        for name in ("dag_id", "task_id", "tags", BAD)
    ],
    {"method": "tools/call", "params": {"name": BAD, "arguments": {}}},
    {"method": "tools/call", "params": {"name": "get_dag", "arguments": DAG, "_meta": {"progressToken": BAD}}},
    {"method": "tools/call", "params": {"name": "get_dag", "arguments": DAG, BAD: BAD}},
    {"method": "tools/call", "params": {"name": "get_dag", "arguments": DAG}, "id": BAD},
    {"method": "tools/call", "params": {"name": "get_dag_details", "arguments": DAG}},
    {"method": "tools/call", "params": {"name": "get_dag_source", "arguments": DAG}},
    {"method": "prompts/get", "params": {"name": "diagnose_failed_dag", "arguments": {"dag_id": BAD}}},
    {"method": "prompts/get", "params": {"name": "diagnose_failed_dag", "arguments": {BAD: BAD}}},
    {"method": "prompts/get", "params": {"name": BAD}},
    {"method": "resources/read", "params": {"uri": f"file:///{BAD}"}},
    {"method": "completion/complete", "params": {"ref": {"type": "ref/prompt", "name": BAD}, "argument": {BAD: BAD}}},
    {"method": "logging/setLevel", "params": {"level": BAD}},
    {"method": BAD},
    {"method": "tools/list", "params": {"cursor": BAD}},
]
HELLO = {
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": BAD, "version": BAD},
    },
}
COMMAND = [sys.executable, "-m", "airflow_mcp"]


def environment(fake: Airflow) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_MCP_")}
    return inherited | {f"AIRFLOW_MCP_{name.upper()}": value for name, value in ({"url": fake.url} | USER).items()}


@asynccontextmanager
async def spoiling() -> AsyncIterator[Airflow]:
    """An Airflow whose every answer has half characters in it, and whose details are refused with some."""

    def details(_: Request) -> bytes:
        return answer(404, {"detail": BAD})

    async with airflow("3.3") as fake:
        texts_of_dag = texts("3.3", "version", "access_token", "logical_date", "dag_id")
        fake.hostile |= {
            "GET dags/{dag_id}": lambda _: answer(200, texts_of_dag),
            "GET dags": lambda _: answer(200, texts("3.3")),
            "GET dagSources/{dag_id}": lambda _: answer(200, texts("3.3")),
            "GET dags/{dag_id}/details": details,
        }
        yield fake


def numbered(message: dict[str, Any], number: int) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, **message}).encode()


def check(answers: list[dict[str, Any]]) -> None:
    """Each request has its answer, each id and tag its place in one."""
    expected = [message.get("id", number) for number, message in enumerate(REQUESTS, start=1)]
    assert [each["id"] for each in answers] == [GOOD if one == BAD else one for one in expected]
    for message, given in zip(REQUESTS, answers, strict=True):
        arguments = message.get("params", {}).get("arguments", {})
        if message["method"] == "tools/call" and arguments.get("dag_id") == BAD:
            assert "dag_id: " in given["result"]["content"][0]["text"]
        if message == REQUESTS[-10]:  # which Airflow refuses
            assert GOOD in given["result"]["content"][0]["text"]


async def test_over_stdio_each_request_is_answered() -> None:
    async with spoiling() as fake:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            env=environment(fake),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        assert process.stdin
        assert process.stdout
        try:
            with anyio.fail_after(40):
                answers = []
                for number, message in enumerate([HELLO, *REQUESTS]):
                    process.stdin.write(numbered(message, number) + b"\n")
                    answers.append(json.loads(await process.stdout.readline()))
                process.stdin.close()  # which ends it
                output, log = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    check(answers[1:])
    assert (process.returncode, output) == (0, b"")
    assert [json.loads(line)["level"] for line in log.decode().splitlines()]
    assert not {request.target for request in fake.requests if "bad" in request.target}


async def test_over_stdio_a_client_of_the_sdk_goes_on() -> None:
    async with spoiling() as fake:
        server = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=environment(fake))
        async with Client(stdio_client(server)) as client:
            session = Session(client)
            assert (await session.ok("get_dag", **DAG))["description"] == GOOD
            assert GOOD in await session.error("get_dag_details", **DAG)
            assert "\ufffd" in (await session.ok("get_dag_source", **DAG))["source"]
            assert len((await client.list_tools()).tools) == len(ALL_TOOLS)


@asynccontextmanager
async def serving(fake: Airflow) -> AsyncIterator[str]:
    """The command serving over HTTP, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--transport", "http", "--port", port, env=environment(fake), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        with anyio.fail_after(40):
            await answering(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def answering(url: str) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(300):
            with suppress(httpx.TransportError):
                (await client.get(url)).raise_for_status()
                return
            await anyio.sleep(0.1)
    raise AssertionError(f"nothing answers at {url}")


async def test_over_http_each_request_is_answered() -> None:
    async with spoiling() as fake, serving(fake) as url:
        headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
        async with httpx.AsyncClient(headers=headers, timeout=20) as client:
            hello = await client.post(f"{url}/mcp", content=numbered(HELLO, 0))
            client.headers["mcp-session-id"] = hello.headers["mcp-session-id"]
            answers = []
            for number, message in enumerate(REQUESTS, start=1):
                given = await client.post(f"{url}/mcp", content=numbered(message, number))
                answers.append(json.loads(given.text.split("data: ")[-1].splitlines()[0]))
            large = await client.post(f"{url}/mcp", content=b" " * 5_000_000)
            assert large.status_code == 413
        check(answers)
        async with Client(f"{url}/mcp") as other:  # in the newest version of the protocol
            assert (await Session(other).ok("get_dag", **DAG))["description"] == GOOD
        await answering(f"{url}/health")
