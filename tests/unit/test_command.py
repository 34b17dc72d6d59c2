"""A command that prints what signs in: each form it may print, each way it may fail, and many callers at once."""

from __future__ import annotations

import base64
import json
import logging
import math
import os
import re
import shlex
import signal
import subprocess
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from airflow_mcp.airflow.sign_in import command as command_module
from airflow_mcp.airflow.sign_in.command import TokenCommand
from airflow_mcp.airflow.sign_in.credential import LARGEST_ANSWER, Credential
from airflow_mcp.airflow.sign_in.programs import Ended
from airflow_mcp.errors import NotSignedInError
from airflow_mcp.instance import Instance
from tests.fakes import Airflow, TakesTokens

pytestmark = pytest.mark.anyio

URL = "http://airflow.test"
NOW = 1_800_000_000.0
LATER = NOW + 3600
LATER_TEXT = datetime.fromtimestamp(LATER, UTC).isoformat().replace("+00:00", "Z")
TOKEN = "s3cret-t0ken.of+the~command/=="
BEARER = {"authorization": f"Bearer {TOKEN}"}
MANY = 20


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., Instance]:
    """Settings whose command is this shell script, run in the test's folder."""

    def write(lines: str, **more: Any) -> Instance:
        file = tmp_path / "get-token"
        file.write_text(f"#!/bin/sh\ncd {shlex.quote(str(tmp_path))}\n{lines}\n")
        file.chmod(0o700)
        return Instance(**{"url": URL, "api_version": "v2", "token_command": shlex.quote(str(file))} | more)

    return write


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], Instance]:
    """Settings whose command prints this: bytes and text as they are, the rest as JSON. No process is started."""

    def write(what: object) -> Instance:
        text = what if isinstance(what, bytes | str) else json.dumps(what)
        output = text if isinstance(text, bytes) else text.encode()

        async def run(*_: object) -> Ended:
            return Ended(0, output, b"")

        monkeypatch.setattr(command_module, "run_program", run)
        return Instance(url=URL, api_version="v2", token_command="get-token --key s3cret")

    return write


def runs(folder: Path) -> int:
    """How often a script ran that says `echo >> runs`."""
    return (folder / "runs").read_text().count("\n")


async def credential(settings: Instance) -> Credential:
    return await TokenCommand(settings).credential()


async def problem(settings: Instance) -> str:
    """What is said of a command that gives no credential: one short line, and how to look into it."""
    with pytest.raises(NotSignedInError) as error:
        await credential(settings)
    message = str(error.value)
    assert message.startswith(f"AIRFLOW_MCP_TOKEN_COMMAND: `{settings.program}` ")
    assert "Nothing was changed. Run it by hand" in message
    assert message.isprintable()
    assert len(message) < 700
    return message


def jwt(claims: str) -> str:
    parts = ['{"alg":"none"}', claims, "signature"]
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)


# -- what it may print


@pytest.mark.parametrize(
    "output",
    [
        TOKEN,
        f"{TOKEN}\n",
        f"\n  {TOKEN}\r\n\n",
        {"access_token": TOKEN},
        {"accessToken": TOKEN},
        {"token": TOKEN},
        {"access_token": None, "accessToken": "", "token": TOKEN},
        {"credential": {"access_token": TOKEN}},
        {"status": {"token": TOKEN}},
        {"headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"headers": {"authorization": [f"Bearer {TOKEN}"]}},
        {"headers": {" AUTHORIZATION ": f" Bearer {TOKEN} "}},
    ],
    ids=json.dumps,
)
async def test_a_token_without_an_expiry_lasts_until_it_is_refused(output: object, printed: Any) -> None:
    given = await credential(printed(output))
    assert given.headers == BEARER
    assert given.expires == math.inf


@pytest.mark.parametrize(
    "output",
    [
        {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "scope": "all"},
        {"access_token": TOKEN, "expires_in": "3600"},
        {"access_token": TOKEN, "expires_in": 3600.0, "refresh_token": "another", "id_token": "another"},
        # Azure's command line, whose expiresOn is local time: expires_on counts.
        {
            "accessToken": TOKEN,
            "expiresOn": "2001-01-01 00:00:00.000000",
            "expires_on": int(LATER),
            "tokenType": "Bearer",
        },
        # Azure's managed identities print it as text.
        {"access_token": TOKEN, "expires_on": str(int(LATER)), "resource": "https://airflow.test"},
        {"configuration": {"properties": {}}, "credential": {"access_token": TOKEN, "token_expiry": LATER_TEXT}},
        {"kind": "ExecCredential", "spec": {}, "status": {"token": TOKEN, "expirationTimestamp": LATER_TEXT}},
        {"headers": {"Authorization": [f"Bearer {TOKEN}"]}, "expires": LATER_TEXT},
        {"headers": {"Authorization": f"Bearer {TOKEN}"}, "expires_in": 3600},
        {"token": TOKEN, "expires": LATER_TEXT.replace("Z", "+00:00")},
        {"token": TOKEN, "expires": datetime.fromtimestamp(LATER + 7200, UTC).isoformat()[:19] + "+02:00"},
        {"token": TOKEN, "expires": LATER_TEXT.replace("Z", ".000000001Z")},
    ],
    ids=json.dumps,
)
async def test_an_expiry_is_read_in_each_form(output: object, printed: Any, now: None) -> None:
    given = await credential(printed(output))
    assert given.headers == BEARER
    assert given.expires == LATER


@pytest.mark.parametrize("form", ["alone", "access_token", "token"])
async def test_a_token_that_tells_its_expiry_itself_needs_no_other(form: str, printed: Any, now: None) -> None:
    token = jwt(json.dumps({"exp": LATER}))
    given = await credential(printed(token if form == "alone" else {form: token}))
    assert given == Credential({"authorization": f"Bearer {token}"}, LATER)


async def test_azures_local_time_is_no_expiry(printed: Any, now: None) -> None:
    """Older versions print nothing else; the token itself tells it."""
    output = {"accessToken": jwt(json.dumps({"exp": LATER})), "expiresOn": "2001-01-01 00:00:00.000000"}
    assert (await credential(printed(output))).expires == LATER


async def test_the_printed_expiry_goes_before_the_tokens_own(printed: Any, now: None) -> None:
    assert (await credential(printed({"token": jwt('{"exp": 1}'), "expires_in": 3600}))).expires == LATER


async def test_headers_of_any_name_are_given_and_go_before_a_token(printed: Any) -> None:
    headers = {"Cookie": "session=abc; more=d", "X-Team": ["data"], "Proxy-Authorization": "Basic YTpi"}
    given = await credential(printed({"headers": headers, "token": "another"}))
    assert given.headers == {"cookie": "session=abc; more=d", "x-team": "data", "proxy-authorization": "Basic YTpi"}


@pytest.mark.parametrize(
    "exp", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "[" * 20_000, '"soon"', "{}"]
)
async def test_a_token_whose_own_expiry_is_no_number_lasts(exp: str, printed: Any) -> None:
    assert (await credential(printed(jwt(f'{{"exp": {exp}}}')))).expires == math.inf


# -- rubbish


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("", "prints nothing"),
        (" \n\t\n", "prints nothing"),
        (b"\xff\xfe\x00s3cret", "prints bytes that are not text"),
        (b"s3cret\x00s3cret", "neither a token alone nor a JSON object"),
        ("s3cret\ns3cret-2", "neither a token alone nor a JSON object"),
        ("Logged in as ana.\ns3cret", "neither a token alone nor a JSON object"),
        ("Bearer s3cret", "neither a token alone nor a JSON object"),
        ("s3cret\r\nX-Evil: 1", "neither a token alone nor a JSON object"),
        ("s3crét", "neither a token alone nor a JSON object"),
        ("<!doctype html><title>s3cret</title>", "neither a token alone nor a JSON object"),
        ('"s3cret"', "neither a token alone nor a JSON object"),
        (["s3cret"], "neither a token alone nor a JSON object"),
        ('{"access_token": "s3cret"', "prints JSON that is broken"),
        ('{"access_token": "s3cret"} and more', "prints JSON that is broken"),
        ('{"a":' * 9000, "prints JSON that is broken"),
        ({}, "prints JSON without a token"),
        ({"error": "s3cret", "error_description": "s3cret"}, "prints JSON without a token"),
        ({"access_token": None}, "prints JSON without a token"),
        ({"credential": "s3cret", "status": ["s3cret"]}, "prints JSON without a token"),
        ({"id_token": "s3cret"}, "prints JSON without a token"),
        ({"access_token": {"token": "s3cret"}}, "token is not one"),
        ({"access_token": 53}, "token is not one"),
        ({"access_token": "s3cret token"}, "token is not one"),
        ({"access_token": "s3cret\r\nX-Evil: 1"}, "token is not one"),
        ({"access_token": "s3cret\n"}, "token is not one"),
        ({"headers": {}}, "without a header"),
        ({"headers": {"s3cret": ""}}, "is empty"),
        ({"headers": {"Authorization": "s3cret\r\nX-Evil: 1"}}, "no header can hold"),
        ({"headers": {"Authorization": "s3cret\x00"}}, "no header can hold"),
        ({"headers": {"Authorization": "s3crét"}}, "no header can hold"),
        ({"headers": {"X-s3cret\r\nX-Evil": "1"}}, "no header can have"),
        ({"headers": {"Bearer s3cret": "Authorization"}}, "no header can have"),
        ({"headers": {"": "s3cret"}}, "no header can have"),
        ({"headers": {"X-A: s3cret": "1"}}, "no header can have"),
        ({"headers": {"Ж": "s3cret"}}, "no header can have"),
        ({"headers": {"s3cret" * 5000 + " ": "1", "s3cret" * 1000 + "!!(": "1"}}, "no header can have"),
        ({"headers": {"Host": "s3cret.test"}}, "sets host, which this server sets itself"),
        ({"headers": {"Content-Length": "53"}}, "sets content-length, which this server sets itself"),
        ({"headers": {"Authorization": ["s3cret", "s3cret-2"]}}, "has not one text"),
        ({"headers": {"Authorization": []}}, "has not one text"),
        ({"headers": {"Authorization": {"s3cret": 1}}}, "has not one text"),
        ({"headers": {"Authorization": None}}, "has not one text"),
        ({"headers": {"X-A": "s3cret", "x-a": "s3cret-2"}}, "header 2 is there twice"),
    ],
    ids=lambda value: repr(value)[:60],
)
async def test_rubbish_is_refused_and_not_told(output: object, says: str, printed: Any) -> None:
    message = await problem(printed(output))
    assert says in message
    for part in ("s3cr", "Evil", "53"):
        assert part not in message


@pytest.mark.parametrize(
    "expiry",
    [
        *['"expires_in": ' + number for number in ("NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400)],
        *['"expires_in": ' + other for other in ('"soon"', "[1]", "{}", '"NaN"', '"inf"', '""')],
        *['"expires_on": ' + other for other in ('"2030-01-01 00:00:00"', "NaN", "[]")],
        *[
            '"expires": ' + other
            for other in ("1900000000", '"soon"', '"2030-01-01T00:00:00"', '"2030-99-01T00:00:00Z"')
        ],
    ],
)
async def test_an_expiry_that_is_no_time_is_named(expiry: str, printed: Any) -> None:
    message = await problem(printed(f'{{"access_token": "{TOKEN}", {expiry}}}'))
    name = expiry.split('"')[1]
    assert f"prints JSON whose {name} is not a time" in message
    assert TOKEN not in message


@pytest.mark.parametrize(
    "expiry",
    [
        *('"expires_in": -1', '"expires_in": 0', '"expires_in": -1e300', '"expires_on": 1799999999'),
        *('"expires_on": -5', '"expires": "2001-01-01T00:00:00Z"', '"expires": "0001-01-01T00:00:00+14:00"'),
    ],
)
async def test_a_token_that_ran_out_is_not_sent(expiry: str, printed: Any, now: None) -> None:
    message = await problem(printed(f'{{"token": "{TOKEN}", {expiry}}}'))
    assert re.search(r"prints a token that ran out at \d{4}-\d\d-\d\dT", message)


@pytest.mark.parametrize("exp", ["1", "0", "-1e300", str(NOW - 5)])
async def test_a_token_that_says_itself_that_it_ran_out_is_not_sent(exp: str, printed: Any, now: None) -> None:
    assert "prints a token that ran out at " in await problem(printed(jwt(f'{{"exp": {exp}}}')))


async def test_an_expiry_far_away_is_a_time(printed: Any) -> None:
    """Some print milliseconds: that token is renewed when it is refused."""
    assert (await credential(printed({"token": TOKEN, "expires_on": LATER * 1000}))).expires == LATER * 1000


# -- a command that does not end well


async def test_a_failure_tells_its_status_and_its_last_words(script: Any) -> None:
    settings = script("echo s3cret-t0ken; echo 'first line' >&2; echo 'Please run az login.' >&2; echo >&2; exit 3")
    message = await problem(settings)
    assert "ended with status 3 and says: Please run az login. Nothing" in message
    assert "s3cret" not in message
    assert "first line" not in message


async def test_a_failure_without_words_says_so(script: Any) -> None:
    assert "ended with status 1 and says nothing. " in await problem(script(f"echo {TOKEN}; exit 1"))


async def test_an_end_by_a_signal_is_a_failure(script: Any) -> None:
    assert "ended with status -15" in await problem(script(f"echo {TOKEN}; kill -TERM $$"))


async def test_what_looks_like_a_secret_in_its_words_is_left_out(script: Any) -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    message = await problem(script(f"echo 'gke-gcloud-auth-plugin: token {secret} was refused' >&2; exit 1"))
    assert "says: gke-gcloud-auth-plugin: token *** was refused." in message


async def test_its_words_come_clean_and_short(tmp_path: Path, script: Any) -> None:
    (tmp_path / "words").write_bytes(
        b"x" * 9000 + b"\n\x1b[31mno \xff\xe2\x80\xaeentry\x1b[0m " + b"so long " * 400 + b"\n"
    )
    message = await problem(script("cat words >&2; exit 1"))
    assert "says: no \ufffd<U+202E>entry so long" in message


@pytest.mark.parametrize(
    ("mode", "content", "says"),
    [
        (None, "", "cannot be started: No such file or directory. Give its whole path"),
        (0o600, "#!/bin/sh\n", "cannot be started: Permission denied"),
        (0o700, "#!/nowhere/s3cret\n", "cannot be started: No such file or directory"),
        (0o700, "no program", "cannot be started: Exec format error"),
    ],
    ids=["missing", "not executable", "no interpreter", "no program"],
)
async def test_a_command_that_cannot_be_started(mode: int | None, content: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "get-token"
    if mode is not None:
        file.write_text(content)
        file.chmod(mode)
    message = await problem(Instance(url=URL, token_command=f"{shlex.quote(str(file))} --key s3cret"))
    assert says in message
    assert "s3cret" not in message


async def test_a_folder_is_no_command(tmp_path: Path) -> None:
    assert "cannot be started: Permission denied" in await problem(
        Instance(url=URL, token_command=shlex.quote(str(tmp_path)))
    )


async def test_its_arguments_are_its_own_and_no_shells(tmp_path: Path) -> None:
    command = shlex.join(["printf", "%s", f"{TOKEN}"])
    assert (await credential(Instance(url=URL, token_command=command))).headers == BEARER
    shell_like = Instance(url=URL, token_command=f"printf %s $HOME;touch {shlex.quote(str(tmp_path / 'made'))}")
    assert "neither a token" in await problem(shell_like)
    assert not (tmp_path / "made").exists()


async def test_it_gets_no_input(script: Any) -> None:
    """Standard input belongs to the protocol."""
    assert (await credential(script(f"cat; echo {TOKEN}"))).headers == BEARER


def alive(file: Path) -> bool:
    """Whether one of the processes whose ids are in the file runs."""
    command = ["ps", "-o", "stat=", "-p", ",".join(file.read_text().split())]
    states = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.split()
    return any(not state.startswith("Z") for state in states)


async def soon(is_so: Callable[[], bool]) -> bool:
    """Whether that comes to be, and does not take long."""
    for _ in range(200):
        if is_so():
            return True
        await anyio.sleep(0.02)
    return False


@pytest.mark.parametrize(
    "lines",
    [
        "exec sleep 60",
        "trap '' TERM INT HUP; sleep 60 & echo $! >> pids; wait; wait; sleep 60",
        # Ended itself, while what it started holds its output open.
        f"sleep 60 & echo $! >> pids; echo {TOKEN}",
        "exec >&- 2>&-; sleep 60",
        f"echo {TOKEN}; exec yes >&2",
    ],
)
async def test_a_command_that_hangs_is_ended_with_all_that_it_started(lines: str, tmp_path: Path, script: Any) -> None:
    settings = script(f"echo $$ >> pids; {lines}", timeout=0.6)
    with anyio.fail_after(5):
        message = await problem(settings)
    assert "did not end within 0.3 s, and was stopped" in message
    assert await soon(lambda: not alive(tmp_path / "pids"))


async def test_the_wait_is_bounded_where_a_command_left_its_group(script: Any) -> None:
    settings = script("setsid sleep 4 & sleep 60", timeout=0.6)
    with anyio.fail_after(3):
        assert "did not end" in await problem(settings)


async def test_the_wait_is_bounded_where_a_command_may_not_be_ended(
    monkeypatch: pytest.MonkeyPatch, script: Any
) -> None:
    """That of another user, such as sudo."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "killpg", refuse)
    with anyio.fail_after(3):
        assert "did not end" in await problem(script("exec sleep 60", timeout=0.6))


async def test_what_runs_on_by_itself_does_not_hold_up_the_token(tmp_path: Path, script: Any) -> None:
    """As the connection that ssh keeps: it has the command's standard error, and lives on."""
    settings = script(f"echo warned >&2; sleep 20 >/dev/null & echo $! >> pids; echo {TOKEN}")
    with anyio.fail_after(5):
        assert (await credential(settings)).headers == BEARER
    assert alive(tmp_path / "pids")
    os.kill(int((tmp_path / "pids").read_text()), signal.SIGKILL)


async def test_a_huge_output_is_not_read(tmp_path: Path, script: Any) -> None:
    with anyio.fail_after(5):
        message = await problem(script("echo $$ >> pids; exec yes s3cret"))
    assert "prints more than 64 KiB, and was stopped" in message
    assert "s3cret" not in message
    assert await soon(lambda: not alive(tmp_path / "pids"))


async def test_a_token_may_be_as_long_as_the_cap(tmp_path: Path, script: Any) -> None:
    token = "a" * LARGEST_ANSWER
    (tmp_path / "output").write_text(token)
    assert (await credential(script("cat output"))).headers == {"authorization": f"Bearer {token}"}


# -- how it is used


async def all_at_once(airflow: Airflow, calls: int = MANY) -> list[Any]:
    """The answers, or the errors' texts, of many calls."""
    answers: list[Any] = []

    async def one() -> None:
        try:
            answers.append(await airflow.read("dags"))
        except NotSignedInError as error:
            answers.append(str(error))

    async with anyio.create_task_group() as group:
        for _ in range(calls):
            group.start_soon(one)
    return answers


@pytest.mark.parametrize("expires_in", [3600, 5], ids=["long", "short"])
async def test_many_callers_run_it_once(expires_in: int, tmp_path: Path, script: Any) -> None:
    output = json.dumps({"token": "t1", "expires_in": expires_in})
    fake = TakesTokens("t1")
    answers = await all_at_once(Airflow(script(f"echo >> runs; sleep 0.1; echo '{output}'"), fake))
    assert answers == [{"version": "3.3.2"}] * MANY
    assert runs(tmp_path) == 1


async def test_it_runs_once_while_its_token_lasts(tmp_path: Path, script: Any) -> None:
    airflow = Airflow(script("echo >> runs; echo t1"), TakesTokens("t1"))
    for _ in range(5):
        await airflow.read("dags")
    assert runs(tmp_path) == 1


@pytest.mark.parametrize(("left", "expected"), [(61, 1), (59, 2), (-5, 2)])
async def test_it_runs_again_before_its_token_runs_out(
    left: int, expected: int, tmp_path: Path, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [NOW]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    airflow = Airflow(script('echo >> runs; echo \'{"token": "t1", "expires_in": 3600}\''), TakesTokens("t1"))
    await airflow.read("dags")
    clock[0] = LATER - left
    await airflow.read("dags")
    assert runs(tmp_path) == expected


@pytest.mark.parametrize("change", [False, True], ids=["read", "change"])
async def test_a_refused_token_is_renewed_once_and_the_call_goes_on(change: bool, tmp_path: Path, script: Any) -> None:
    fake = TakesTokens("t1", "t2")
    airflow = Airflow(script("echo >> runs; echo t$(wc -l < runs | tr -d ' ')"), fake)
    await airflow.read("dags")
    fake.taken = {"t2"}
    if change:
        await airflow.change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={})
    else:
        await airflow.read("dags")
    assert fake.sent == ["t1", "t1", "t2"]
    assert runs(tmp_path) == 2


async def test_a_new_token_that_is_refused_too_ends_it(tmp_path: Path, script: Any) -> None:
    fake = TakesTokens()
    with pytest.raises(NotSignedInError) as error:
        await Airflow(script(f"echo >> runs; echo {TOKEN}"), fake).read("dags")
    assert "Not signed in (401)" in str(error.value)
    assert "`get-token` printed (AIRFLOW_MCP_TOKEN_COMMAND)" in str(error.value)
    assert "s3cret" not in str(error.value)
    assert (len(fake.sent), runs(tmp_path)) == (2, 2)


async def test_the_question_for_the_version_goes_signed_in(script: Any) -> None:
    fake = TakesTokens("t1")
    assert await Airflow(script("echo t1", api_version="auto"), fake).version() == "3.3.2"
    assert fake.sent == ["t1"]


async def test_nothing_is_sent_where_it_fails(script: Any) -> None:
    fake = TakesTokens()
    airflow = Airflow(script("exit 1", api_version="auto"), fake)
    for attempt in (airflow.read("dags"), airflow.change("PATCH", "dags/{dag_id}", {"dag_id": "etl"}, body={})):
        with pytest.raises(NotSignedInError, match="Nothing was changed"):
            await attempt
    assert fake.sent == []


async def test_what_is_added_to_a_failure_is_not_told_to_the_next_caller(script: Any) -> None:
    command = TokenCommand(script("exit 1"))
    told = []
    for _ in range(2):
        with pytest.raises(NotSignedInError) as error:
            await command.credential()
        told.append(str(error.value))
        error.value.what = "another"
        error.value.with_effects("1 of 3 were set.")
    assert told[0] == told[1]


async def test_many_callers_share_a_failure(tmp_path: Path, script: Any) -> None:
    answers = await all_at_once(Airflow(script("echo >> runs; sleep 0.1; echo no entry >&2; exit 1"), TakesTokens()))
    assert len(answers) == MANY
    assert all("says: no entry" in answer for answer in answers)
    assert runs(tmp_path) == 1


async def test_a_failure_is_not_for_ever(tmp_path: Path, script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < command_module.PAUSE <= 2
    monkeypatch.setattr(command_module, "PAUSE", 0.1)
    airflow = Airflow(script("echo >> runs; test -e mended && echo t1"), TakesTokens("t1"))
    with pytest.raises(NotSignedInError):
        await airflow.read("dags")
    (tmp_path / "mended").touch()
    await anyio.sleep(0.15)
    assert await airflow.read("dags") == {"version": "3.3.2"}
    assert runs(tmp_path) == 2


async def test_a_caller_that_gives_up_breaks_no_other(tmp_path: Path, script: Any) -> None:
    """The first run hangs until its caller is cancelled; the next caller's run gives the token for all."""
    lines = "echo >> runs; test -e pids || { echo $$ > pids; exec sleep 60; }; echo t1"
    airflow = Airflow(script(lines), TakesTokens("t1"))
    first, answers = anyio.CancelScope(), []

    async def give_up() -> None:
        with first:
            await airflow.read("dags")

    async def others() -> None:
        answers.extend(await all_at_once(airflow))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(give_up)
            assert await soon((tmp_path / "pids").exists)
            group.start_soon(others)
            await anyio.sleep(0.05)
            first.cancel()
    assert first.cancelled_caught
    assert answers == [{"version": "3.3.2"}] * MANY
    assert runs(tmp_path) == 2
    assert await soon(lambda: not alive(tmp_path / "pids"))


# -- nothing of it is told


@pytest.mark.parametrize("good", [True, False], ids=["taken", "refused"])
async def test_the_token_is_in_no_error_log_or_repr(good: bool, printed: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings = printed({"access_token": TOKEN, "expires_in": 3600})
    airflow = Airflow(settings, TakesTokens(TOKEN) if good else TakesTokens())
    said = [repr(settings), str(settings), settings.model_dump_json()]
    try:
        await airflow.read("dags")
    except NotSignedInError as error:
        said += traceback.format_exception(error)
    auth = airflow._known and airflow._known.auth
    assert auth is not None
    said += [repr(auth), repr(vars(auth)), repr(await credential(settings)), caplog.text]
    assert [text for text in said if "s3cret" in text] == []


async def test_the_arguments_are_in_no_error_log_or_repr(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Instance(url=URL, token_command="sh -c 'exit 4' s3cret-argument")
    with pytest.raises(NotSignedInError) as error:
        await credential(settings)
    said = [
        *traceback.format_exception(error.value),
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        caplog.text,
    ]
    assert [text for text in said if "s3cret" in text] == []
    assert "`sh` ended with status 4" in str(error.value)
