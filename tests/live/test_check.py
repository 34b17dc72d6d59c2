"""`airflow-mcp check` as a process, before both real servers: what it tells, its exit status, that it only looks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_mcp.demo.walk import client_environment
from tests.oracle import Oracle
from tests.servers import DAG_IDS, VIEWER

CHANGES = ("ok", "changes offered, each made only with confirm=true; AIRFLOW_MCP_READ_ONLY=true offers none")
FIRST = min(DAG_IDS)  # the DAG that the permissions are tried on


def check(oracle: Oracle, **settings: str) -> tuple[int, list[tuple[str, str]]]:
    """Its exit status, and its lines as verdict and the rest, blanks as one."""
    given = {f"AIRFLOW_MCP_{name.upper()}": value for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-m", "airflow_mcp", "check"],
        env={**os.environ, **client_environment(oracle.server), **given},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.stderr == ""
    for user in ("admin", VIEWER):
        assert oracle.password(user) not in done.stdout
    lines = [" ".join(line.split()).partition(" ") for line in done.stdout.splitlines()]
    return done.returncode, [(verdict, text) for verdict, _, text in lines]


def paused(oracle: Oracle) -> dict[str, bool]:
    return {row["dag_id"]: row["is_paused"] for row in oracle.call("GET", "dags")["dags"]}


@pytest.fixture(autouse=True)
def only_looks(oracle: Oracle) -> Iterator[None]:
    """Before and after each check, every DAG is as it was, and no run was started."""
    oracle.pause(FIRST, True)
    before = paused(oracle), runs(oracle)
    yield
    assert (paused(oracle), runs(oracle)) == before


def runs(oracle: Oracle) -> int:
    return int(oracle.call("GET", "dags/~/dagRuns", params={"limit": 1})["total_entries"])


def start(oracle: Oracle, user: str) -> list[tuple[str, str]]:
    return [
        ("ok", f"url {oracle.server.url} answers"),
        ("ok", f"airflow Airflow {oracle.server.release.version}, REST API v{oracle.major - 1}"),
        ("ok", f"sign-in as {user}, with a password"),
        ("ok", f"may list DAGs: {len(DAG_IDS)} seen"),
        ("ok", f"may read tasks ({FIRST})"),
    ]


def test_an_administrator_may_do_all(oracle: Oracle) -> None:
    assert check(oracle) == (
        0,
        [
            *start(oracle, "admin"),
            ("ok", f"may pause and unpause ({FIRST})"),
            ("ok", f"may clear and set the state of task instances ({FIRST})"),
            CHANGES,
        ],
    )


def test_a_viewer_may_look_only(oracle: Oracle) -> None:
    or_user = " (FAB), or the role user (simple auth manager)" if oracle.major == 3 else ""
    assert check(oracle, username=VIEWER, password=oracle.password(VIEWER)) == (
        0,
        [
            *start(oracle, VIEWER),
            ("no", f"may not pause and unpause ({FIRST}); needed: can edit on DAGs{or_user}"),
            (
                "no",
                f"may not clear and set the state of task instances ({FIRST}); needed: can edit on DAGs, can edit on "
                f"DAG Runs, can edit on Task Instances{or_user}",
            ),
            CHANGES,
        ],
    )


def test_an_address_with_the_api_in_it_is_understood(oracle: Oracle) -> None:
    status, lines = check(oracle, url=f"{oracle.server.url}/api/v{oracle.major - 1}/")
    assert (status, lines[:5]) == (0, start(oracle, "admin"))


@pytest.mark.parametrize(("username", "password"), [("admin", "wr0ng-secret"), ("nobody", "wr0ng-secret")])
@pytest.mark.parametrize("in_file", [False, True])
def test_a_wrong_password(oracle: Oracle, username: str, password: str, in_file: bool, tmp_path: Path) -> None:
    given = {"password": password}
    if in_file:
        (tmp_path / "password").write_text(password)
        given = {"password": "", "password_file": str(tmp_path / "password")}
    status, lines = check(oracle, username=username, **given)
    assert (status, lines[:2]) == (1, start(oracle, "admin")[:2])
    [(verdict, text)] = lines[2:]
    assert (verdict, text.partition(" ")[0]) == ("fail", "sign-in")
    assert password not in text
    assert "airflow-mcp check" not in text, "it sends the reader to itself"
    named = "AIRFLOW_MCP_PASSWORD_FILE" if in_file else "AIRFLOW_MCP_PASSWORD"
    assert f"Check AIRFLOW_MCP_USERNAME and {named}." in text
    assert "TOKEN" not in text


@pytest.mark.parametrize("prefix", ["/airflow", "/no/such/prefix", "/home"])
def test_a_wrong_path_prefix(oracle: Oracle, prefix: str) -> None:
    status, [(verdict, text)] = check(oracle, url=f"{oracle.server.url}{prefix}")
    assert (status, verdict, text.partition(" ")[0]) == (1, "fail", "url")
    assert "AIRFLOW_MCP_URL" in text
    assert "prefix" in text
    assert "airflow-mcp check" not in text, "it sends the reader to itself"


def test_the_wrong_version_is_set(oracle: Oracle) -> None:
    other = {2: "v2", 3: "v1"}[oracle.major]
    status, [(verdict, text)] = check(oracle, api_version=other)
    assert (status, verdict, text.partition(" ")[0]) == (1, "fail", "url")
    told = f"has REST API v{oracle.major - 1}, and AIRFLOW_MCP_API_VERSION={other} asks for the other one."
    assert told in text
    assert oracle.server.release.version in text


def test_nothing_listens(oracle: Oracle) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        status, [(verdict, text)] = check(oracle, url=url)
    assert (status, verdict) == (1, "fail")
    assert text.startswith(f"url Cannot reach Airflow at {url}: ")
    assert "airflow-mcp check" not in text, "it sends the reader to itself"
