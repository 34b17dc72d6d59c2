"""A second opinion: speaks to a real Airflow without this project's client, to set scenes and to check results."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

import httpx

from airflow_mcp.demo.standalone import Standalone
from airflow_mcp.settings import Settings
from tests.specification import Specification, shipped

ENDED = ("success", "failed")


@dataclass
class Oracle:
    """One running Airflow, driven over its REST API by hand."""

    server: Standalone
    passwords: dict[str, str] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or self.server.release.name
        self.major = self.server.release.major
        self.http = httpx.Client(base_url=f"{self.server.url}/api/v{self.major - 1}/", timeout=60)
        self.http.headers["authorization"] = self.authorization("admin")

    @cached_property
    def document(self) -> Specification:
        """What this Airflow itself says that it takes and gives."""
        return shipped(self.server.venv, self.major)

    def takes(self, option: str) -> bool:
        """Whether clearTaskInstances has an option here."""
        return option in self.document.fields("post", f"/api/v{self.major - 1}/dags/any/clearTaskInstances")

    def has(self, below: str) -> bool:
        """Whether there is such a route below that of a task instance, here."""
        return self.document.has("GET", f"dags/~/dagRuns/~/taskInstances/~/{below}")

    @property
    def sets_skipped(self) -> bool:
        """Whether it can set a state to skipped. Documents before 2.9 say so, and then it fails."""
        return self.server.release.name not in ("2.7", "2.8")

    def password(self, user: str) -> str:
        return self.server.password if user == "admin" else self.passwords[user]

    def authorization(self, user: str) -> str:
        if self.major == 2:
            request = httpx.Request("GET", "http://localhost")
            flow = httpx.BasicAuth(user, self.password(user)).auth_flow(request)
            return str(next(flow).headers["authorization"])
        return f"Bearer {self.token(user)}"

    def token(self, user: str = "admin") -> str:
        body = {"username": user, "password": self.password(user)}
        answer = self.http.post(f"{self.server.url}/auth/token", json=body)
        return str(answer.raise_for_status().json()["access_token"])

    def browser(self) -> httpx.Client:
        """A client that has signed in as a person's browser does."""
        browser = httpx.Client(base_url=self.server.url, timeout=60)
        if self.major == 3:
            browser.cookies["_token"] = self.token()
            return browser
        form = browser.get("/login/").text
        [csrf_token] = set(re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', form))
        who = {"username": "admin", "password": self.password("admin"), "csrf_token": csrf_token}
        assert "login" not in browser.post("/login/", data=who).headers["location"]
        return browser

    def settings(self, user: str = "admin", **more: Any) -> Settings:
        return Settings.for_one(url=self.server.url, username=user, password=self.password(user), **more)

    def call(self, method: str, path: str, **options: Any) -> Any:
        for _ in range(3):
            response = self.http.request(method, path, **options)
            if "Database error" not in response.text:  # of Airflow 3: SQLite was locked for 5 s, and nothing was done
                break
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def all_of(self, path: str, name: str) -> list[dict[str, Any]]:
        """All rows of a list, page by page."""
        rows: list[dict[str, Any]] = []
        while page := self.call("GET", path, params={"limit": 100, "offset": len(rows)})[name]:
            rows += page
        return rows

    def dag(self, dag_id: str) -> Any:
        return self.call("GET", f"dags/{quote(dag_id, safe='')}")

    def wait_for_dags(self, *dag_ids: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            seen = {row["dag_id"] for row in self.call("GET", "dags")["dags"]}
            if seen >= set(dag_ids):
                return
            time.sleep(0.5)
        errors = self.call("GET", "importErrors")
        raise AssertionError(f"not loaded after {seconds} s: {set(dag_ids) - seen}; {errors}")

    def wait_for_import_error(self, name: str, seconds: float = 30) -> None:
        """Wait until Airflow has tried, in vain, to import the file with this name."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            errors = self.call("GET", "importErrors")["import_errors"]
            if any(each["filename"].endswith(name) for each in errors):
                return
            time.sleep(0.25)
        raise AssertionError(f"{name} has no import error after {seconds} s: {errors}")

    def delete_gone(self, *dag_ids: str) -> None:
        """Delete DAGs whose file is gone, once Airflow knows and has no import error any more."""
        for dag_id in dag_ids:
            self.wait_until_gone(dag_id)
            self.http.request("DELETE", f"dags/{quote(dag_id, safe='')}")

    def wait_until_gone(self, dag_id: str, seconds: float = 60) -> None:
        """Wait until Airflow knows that the file of a DAG is gone, and has no import error any more."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            seen = {row["dag_id"] for row in self.call("GET", "dags")["dags"]}
            if dag_id not in seen and not self.call("GET", "importErrors")["import_errors"]:
                return
            time.sleep(0.5)
        raise AssertionError(f"{dag_id} is still there after {seconds} s")

    def pause(self, dag_id: str, paused: bool) -> None:
        self.call("PATCH", f"dags/{quote(dag_id, safe='')}", json={"is_paused": paused})

    def trigger(self, dag_id: str, logical_date: str | None = None, **more: Any) -> str:
        """Start a run; on Airflow 3 one without a logical date unless one is given."""
        body = {"logical_date": logical_date, **more} if logical_date or self.major == 3 else more
        return str(self.call("POST", f"dags/{quote(dag_id, safe='')}/dagRuns", json=body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> Any:
        return self.call("GET", f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}")

    def wait_for_run(self, dag_id: str, run_id: str, *states: str, seconds: float = 120) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = str(self.run(dag_id, run_id)["state"])
            if state in (states or ENDED):
                return state
            time.sleep(0.5)
        raise AssertionError(f"{dag_id} {run_id} is still {state} after {seconds} s: {self.states(dag_id, run_id)}")

    @cached_property
    def failed_runs(self) -> dict[str, str]:
        """By DAG, a run that really failed: a chain in its second task, a mapped task in one index."""
        runs = {}
        for dag_id in ("sales_etl", "load_files"):
            self.pause(dag_id, False)
            runs[dag_id] = self.trigger(dag_id)
        for dag_id, run_id in runs.items():
            assert self.wait_for_run(dag_id, run_id) == "failed"
        return runs

    @cached_property
    def failing_run(self) -> str:
        """A run of which each task failed in its own way."""
        self.pause("failing", False)
        run_id = self.trigger("failing")
        assert self.wait_for_run("failing", run_id) == "failed"
        return run_id

    def states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """The state of each task instance of a run, a mapped one as `task[index]`."""
        path = f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        return {
            row["task_id"] if row["map_index"] < 0 else f"{row['task_id']}[{row['map_index']}]": row["state"]
            for row in self.call("GET", path, params={"limit": 100})["task_instances"]
        }

    def put(
        self,
        dag_id: str,
        run_id: str,
        states: Mapping[str, str | None],
        run: str | None = None,
        dates: tuple[str, str] | None = None,
    ) -> None:
        """Put task instances, and their run, into states and do nothing else: Airflow itself would clear others.

        `dates`, such as 2025-03-01 06:00:00, are when they started and ended.
        """
        rows = [
            (state, dag_id, run_id, task_id, int(index.removesuffix("]") or -1))
            for name, state in states.items()
            for task_id, _, index in [name.partition("[")]
        ]
        query = "UPDATE task_instance SET state = ? WHERE dag_id = ? AND run_id = ? AND task_id = ? AND map_index = ?"
        with closing(sqlite3.connect(self.server.home / "airflow.db", timeout=30)) as database, database:
            if run:
                database.execute("UPDATE dag_run SET state = ? WHERE dag_id = ? AND run_id = ?", (run, dag_id, run_id))
            assert database.executemany(query, rows).rowcount == len(rows), (states, self.states(dag_id, run_id))
            for table in ("dag_run", "task_instance") if dates else ():
                query = f"UPDATE {table} SET start_date = ?, end_date = ? WHERE dag_id = ? AND run_id = ?"
                database.execute(query, (*(dates or ()), dag_id, run_id))

    def backdate(
        self, dag_id: str, run_id: str, *, start: str, end: str | None = None, queued: str | None = None
    ) -> None:
        """Put the start and the end of a run, and when its queued task instances were, to these times (`-3 hours`)."""
        date = "strftime('%Y-%m-%d %H:%M:%f', 'now', ?)"
        row = (dag_id, run_id)
        with closing(sqlite3.connect(self.server.home / "airflow.db", timeout=30)) as database, database:
            run = f"UPDATE dag_run SET start_date = {date}, end_date = {date} WHERE dag_id = ? AND run_id = ?"
            database.execute(run, (start, end, *row))
            task = f"UPDATE task_instance SET queued_dttm = {date} WHERE state = 'queued' AND dag_id = ? AND run_id = ?"
            database.execute(task, (queued, *row))

    def wait_for_task(self, dag_id: str, task_id: str, seconds: float = 45) -> None:
        """Wait until a DAG has a task."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if task_id in {row["task_id"] for row in self.call("GET", f"dags/{quote(dag_id, safe='')}/tasks")["tasks"]}:
                return
            time.sleep(0.5)
        raise AssertionError(f"{dag_id} has no task {task_id} after {seconds} s")

    def tries(self, dag_id: str, run_id: str) -> dict[str, int]:
        path = f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        rows = self.call("GET", path, params={"limit": 100})["task_instances"]
        return {f"{row['task_id']}[{row['map_index']}]": row["try_number"] for row in rows}
