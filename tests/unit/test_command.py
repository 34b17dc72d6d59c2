"""A command that prints what signs in: each form of it, what can be wrong with it, and how often it is run."""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from airflow_mcp.airflow import command
from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.command import TokenCommand
from airflow_mcp.airflow.credential import LARGEST_ANSWER
from airflow_mcp.errors import NotSignedInError
from airflow_mcp.settings import Settings

pytestmark = pytest.mark.anyio

URL = "http://airflow.test"
TOKEN = "s3cret.t0ken-of.nobody"
LATER = "2099-01-01T00:00:00Z"
LATER_SECONDS = 4_070_908_800


class Program:
    """A program of the test's own, as a command line; it notes each run."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "print-token.py"
        self._runs = folder / "runs"
        self.line = shlex.join([sys.executable, str(self._script)])

    def does(self, *lines: str) -> None:
        """Sets what it does, in Python."""
        note = f"open({str(self._runs)!r}, 'a').write('x')"
        self._script.write_text("\n".join(["import os, sys, time", note, *lines]))

    def prints(self, output: str | bytes) -> None:
        """Sets what it prints."""
        raw = output.encode() if isinstance(output, str) else output
        self.does(f"sys.stdout.buffer.write({raw!r})")

    @property
    def runs(self) -> int:
        return len(self._runs.read_text()) if self._runs.exists() else 0


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def settings(line: str, **more: Any) -> Settings:
    return Settings(**{"url": URL, "token_command": line, "api_version": "v2", **more})


async def printed(program: Program, output: str | bytes) -> Any:
    program.prints(output)
    return await TokenCommand(settings(program.line)).credential()


async def refusal(program: Program, **more: Any) -> str:
    with pytest.raises(NotSignedInError) as error:
        await TokenCommand(settings(program.line, **more)).credential()
    return str(error.value)


def wire(requests: list[httpx.Request], *statuses: int) -> httpx.MockTransport:
    """An Airflow that answers with these statuses, then with 200."""
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(left.pop(0) if left else 200, json={"version": "3.3.2"})

    return httpx.MockTransport(answer)


# -- what it may print

BEARER = {"authorization": f"Bearer {TOKEN}"}
FORMS: dict[str, tuple[str, dict[str, str], float]] = {
    "a token alone": (f"  {TOKEN}\r\n", BEARER, math.inf),
    "OAuth": (json.dumps({"access_token": TOKEN, "token_type": "Bearer"}), BEARER, math.inf),
    "Azure": (
        json.dumps({"accessToken": TOKEN, "expiresOn": "2099-01-01 01:00:00.000000", "expires_on": LATER_SECONDS}),
        BEARER,
        LATER_SECONDS,
    ),
    "Azure, its number as a text": (
        json.dumps({"accessToken": TOKEN, "expires_on": str(LATER_SECONDS)}),
        BEARER,
        LATER_SECONDS,
    ),
    "gcloud": (
        json.dumps({"configuration": {}, "credential": {"access_token": TOKEN, "token_expiry": LATER}}),
        BEARER,
        LATER_SECONDS,
    ),
    "Kubernetes": (
        json.dumps({"kind": "ExecCredential", "spec": {}, "status": {"token": TOKEN, "expirationTimestamp": LATER}}),
        BEARER,
        LATER_SECONDS,
    ),
    "headers": (
        json.dumps({"headers": {"Cookie": "session=x.y", "X-Api-Key": ["k"]}, "expires": LATER}),
        {"cookie": "session=x.y", "x-api-key": "k"},
        LATER_SECONDS,
    ),
}


@pytest.mark.parametrize("form", FORMS)
async def test_each_form_is_understood(form: str, program: Program) -> None:
    output, headers, expires = FORMS[form]
    credential = await printed(program, output)
    assert (dict(credential.headers), credential.expires) == (headers, expires)
    assert "s3cret" not in repr(credential)


async def test_seconds_count_from_now(program: Program) -> None:
    credential = await printed(program, json.dumps({"access_token": TOKEN, "expires_in": 300}))
    assert time.time() + 290 < credential.expires <= time.time() + 300


# -- what it may not

RUBBISH: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "prints nothing"),
    "blanks": (" \n\t\n", "prints nothing"),
    "no text": (b"\xff\xfe\x00s\x003", "prints what is no text"),
    "two lines": (f"{TOKEN}\n{TOKEN}", "prints neither a token alone nor a JSON object"),
    "a page": ("<html><title>Sign in</title></html>", "prints neither a token alone nor a JSON object"),
    "a word before it": (f"token: {TOKEN}", "prints neither a token alone nor a JSON object"),
    "a list": (json.dumps([TOKEN]), "prints neither a token alone nor a JSON object"),
    "broken JSON": ('{"access_token": "s3cret', "prints JSON that is broken"),
    "deep JSON": ('{"a":' * 12_000, "prints JSON that is broken"),
    "another's JSON": ('{"error": "s3cret"}', "prints JSON without a token"),
    "a token that is none": ('{"access_token": 17}', "prints JSON whose token is none"),
    "a token with a line break": ('{"access_token": "s3cret\\r\\nX: y"}', "prints JSON whose token is none"),
    "an empty token": ('{"access_token": ""}', "prints JSON without a token"),
    "no headers": ('{"headers": {}}', "prints JSON without a header"),
    "a header with a line break": ('{"headers": {"X": "s3cret\\r\\nY: z"}}', "whose header X holds a line break"),
    "a header without a name": ('{"headers": {"": "s3cret"}}', "is no header's name"),
    "a header's name with a line break": ('{"headers": {"X\\nY": "s3cret"}}', "is no header's name"),
    "a header of ours": ('{"headers": {"Host": "s3cret"}}', "sets host, which this server sets itself"),
    "a header with two values": ('{"headers": {"X": ["a", "b"]}}', "whose header X has not one text"),
    "a header with no text": ('{"headers": {"X": 1}}', "whose header X has not one text"),
    "an expiry that is none": ('{"token": "s3cret", "expires_in": "soon"}', "prints JSON whose expires_in is no time"),
    "an endless expiry": ('{"token": "s3cret", "expires_in": Infinity}', "prints JSON whose expires_in is no time"),
    "an expiry without a zone": (
        '{"token": "s3cret", "expires": "2099-01-01T00:00:00"}',
        "prints JSON whose expires is no time",
    ),
    "a list as an expiry": ('{"token": "s3cret", "expires_on": [1]}', "prints JSON whose expires_on is no time"),
    "what has run out": ('{"token": "s3cret", "expires_on": 86400}', "that ran out at 1970-01-02T00:00:00+00:00"),
    "what never was": ('{"token": "s3cret", "expires_on": -1e300}', "that ran out at 1970-01-01T00:00:00+00:00"),
    "too much": ("x" * (LARGEST_ANSWER + 1), "prints more than 64 KiB, and was stopped"),
}


@pytest.mark.parametrize("what", RUBBISH)
async def test_rubbish_is_refused_with_what_is_wrong_and_not_quoted(what: str, program: Program) -> None:
    output, says = RUBBISH[what]
    program.prints(output)
    message = await refusal(program)
    assert message.startswith(f"AIRFLOW_MCP_TOKEN_COMMAND: `{Path(sys.executable).name}` ")
    assert says in message
    assert message.endswith(
        "Nothing was sent to Airflow. Run it by hand, as the user and with the environment that this server has."
    )
    assert "s3cret" not in message
    assert len(message) < 400


# -- when it does not get that far


async def test_a_failure_tells_its_status_and_last_words_without_what_may_be_secret(program: Program) -> None:
    program.prints(TOKEN)
    program.does(
        f"print({TOKEN!r})",
        "sys.stderr.write('Traceback\\n  File x\\nlogin-is-needed-for abcdefghij0123456789xyz\\x1b[0m\\n\\n')",
        "sys.exit(3)",
    )
    message = await refusal(program)
    assert "ended with status 3 and says: login-is-needed-for ***" in message
    assert "\x1b" not in message
    assert "s3cret" not in message


async def test_a_silent_failure(program: Program) -> None:
    program.does("sys.exit(1)")
    assert "ended with status 1 and says nothing." in await refusal(program)


@pytest.mark.parametrize(("line", "why"), [("/no/such/program x", "No such file"), ("/etc", "Permission")])
async def test_what_cannot_be_started(line: str, why: str) -> None:
    with pytest.raises(NotSignedInError, match=rf"cannot be started: {why}.*Give its whole path\. Nothing was sent"):
        await TokenCommand(settings(line)).credential()


@pytest.mark.parametrize(
    "hangs",
    [
        ["time.sleep(60)"],
        ["os.fork() and sys.exit(0)", "time.sleep(60)"],
        ["os.close(1)", "os.close(2)", "time.sleep(60)"],
    ],
    ids=["itself", "what it started", "with its output closed"],
)
async def test_a_command_that_hangs_is_ended(
    hangs: list[str], program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PATIENCE", 0.7)
    pids = tmp_path / "pids"
    note = f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}} ')"
    program.does(*hangs[:-1], note, hangs[-1])
    message = await refusal(program)
    assert "did not end within 0.7 s, and was stopped" in message
    for pid in pids.read_text().split():
        assert not await lives(int(pid))


async def lives(pid: int) -> bool:
    """Whether a process is still there after a while; one that has ended may wait for somebody to notice."""
    for _ in range(40):
        try:
            state = (await anyio.Path(f"/proc/{pid}/stat").read_text()).rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if state == "Z":
            return False
        await anyio.sleep(0.05)
    return True


async def test_the_time_limit_of_a_request_bounds_it_too(program: Program) -> None:
    program.does("time.sleep(60)")
    assert "did not end within 0.5 s" in await refusal(program, timeout=1)


async def test_it_gets_no_input_and_no_shell(program: Program) -> None:
    program.does("sys.exit(f'{sys.argv[1:]} {sys.stdin.read()!r}')")
    program.line += " '$HOME' '*' ';' ls"
    assert "says: ['$HOME', '*', ';', 'ls'] ''" in await refusal(program)


# -- how often


async def test_many_calls_share_one_run(program: Program) -> None:
    program.prints(TOKEN)
    requests: list[httpx.Request] = []
    airflow = Airflow(settings(program.line), wire(requests))
    async with anyio.create_task_group() as calls:
        for _ in range(10):
            calls.start_soon(airflow.read, "dags")
    assert program.runs == 1
    assert {request.headers["authorization"] for request in requests} == {f"Bearer {TOKEN}"}


async def test_many_calls_share_one_failure_and_a_later_one_tries_again(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PAUSE", 0.5)
    program.does("sys.exit(1)")
    airflow = Airflow(settings(program.line), wire([]))
    failures: list[str] = []

    async def call() -> None:
        with pytest.raises(NotSignedInError) as error:
            await airflow.read("dags")
        failures.append(str(error.value))

    async with anyio.create_task_group() as calls:
        for _ in range(10):
            calls.start_soon(call)
    assert (program.runs, len(failures), len(set(failures))) == (1, 10, 1)
    await anyio.sleep(0.6)
    program.prints(TOKEN)
    await airflow.read("dags")
    assert program.runs == 2


async def test_a_caller_that_gives_up_leaves_the_others_their_run(program: Program) -> None:
    program.does("time.sleep(0.4)", f"print({TOKEN!r})")
    airflow = Airflow(settings(program.line), wire([]))

    async def impatient() -> None:
        with anyio.move_on_after(0.1):
            await airflow.read("dags")

    async with anyio.create_task_group() as calls:
        calls.start_soon(impatient)
        await anyio.sleep(0.05)
        calls.start_soon(airflow.read, "dags")
    assert program.runs <= 2
    assert await airflow.read("dags") == {"version": "3.3.2"}


@pytest.mark.parametrize(("lasts", "runs"), [(3600, 1), (30, 2)])
async def test_it_is_run_again_a_minute_before_its_token_runs_out(lasts: int, runs: int, program: Program) -> None:
    program.prints(json.dumps({"access_token": TOKEN, "expires_in": lasts}))
    airflow = Airflow(settings(program.line), wire([]))
    await airflow.read("dags")
    await airflow.read("dags")
    assert program.runs == runs


async def test_a_token_that_airflow_refuses_is_renewed_once_and_then_it_is_told(program: Program) -> None:
    program.prints(TOKEN)
    requests: list[httpx.Request] = []
    await Airflow(settings(program.line), wire(requests, 401)).read("dags")
    assert (program.runs, len(requests)) == (2, 2)
    requests.clear()
    with pytest.raises(NotSignedInError, match=r"`python.*` printed \(AIRFLOW_MCP_TOKEN_COMMAND\)") as error:
        await Airflow(settings(program.line), wire(requests, 401, 401, 401)).read("dags")
    assert (program.runs, len(requests)) == (4, 2)
    assert "s3cret" not in str(error.value)


async def test_it_signs_in_the_question_for_the_version_too(program: Program) -> None:
    program.prints(TOKEN)
    requests: list[httpx.Request] = []
    await Airflow(settings(program.line, api_version="auto"), wire(requests)).read("dags")
    assert [request.url.path for request in requests] == ["/api/v2/version", "/api/v2/dags"]
    assert {request.headers["authorization"] for request in requests} == {f"Bearer {TOKEN}"}
    assert program.runs == 1


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
async def test_a_command_that_is_killed(program: Program) -> None:
    program.does("os.kill(os.getpid(), 9)")
    assert "ended with status -9 and says nothing" in await refusal(program)


def test_nothing_of_it_is_in_a_repr(program: Program) -> None:
    made = settings(f"{program.line} --password s3cret")
    shown: list[Callable[[], str]] = [lambda: repr(made), lambda: str(made), lambda: repr(TokenCommand(made))]
    assert [text() for text in shown if "s3cret" in text()] == []
