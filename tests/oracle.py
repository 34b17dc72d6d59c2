"""A second opinion: speaks to a real Airflow without this project's client, to set scenes and to check results."""

from __future__ import annotations

import time
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

    def __post_init__(self) -> None:
        self.major = self.server.release.major
        self.http = httpx.Client(base_url=f"{self.server.url}/api/v{self.major - 1}/", timeout=30)
        self.http.headers["authorization"] = self.authorization("admin")

    @cached_property
    def document(self) -> Specification:
        """What this Airflow itself says that it takes and gives."""
        return shipped(self.server.venv, self.major)

    def takes(self, option: str) -> bool:
        """Whether clearTaskInstances has an option here."""
        return option in self.document.fields("post", f"/api/v{self.major - 1}/dags/any/clearTaskInstances")

    @property
    def sets_skipped(self) -> bool:
        """Whether it can set a state to skipped. Documents before 2.9 say so, and then it fails."""
        return self.server.release.name not in ("2.7", "2.8")

    @property
    def has_tries(self) -> bool:
        """Whether it tells of tries before the latest; since the same release it gives XComs as JSON."""
        return self.server.release.name not in ("2.7", "2.8", "2.9")

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
        answer = httpx.post(f"{self.server.url}/auth/token", json=body)
        return str(answer.raise_for_status().json()["access_token"])

    def settings(self, user: str = "admin", **more: Any) -> Settings:
        return Settings(url=self.server.url, username=user, password=self.password(user), **more)

    def call(self, method: str, path: str, **options: Any) -> Any:
        response = self.http.request(method, path, **options)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def dag(self, dag_id: str) -> Any:
        return self.call("GET", f"dags/{quote(dag_id, safe='')}")

    def wait_for_dags(self, *dag_ids: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            seen = {row["dag_id"] for row in self.call("GET", "dags")["dags"]}
            if seen >= set(dag_ids):
                return
            time.sleep(0.5)
        errors = self.call("GET", "importErrors")
        raise AssertionError(f"not loaded after {seconds} s: {set(dag_ids) - seen}; {errors}")

    def pause(self, dag_id: str, paused: bool) -> None:
        self.call("PATCH", f"dags/{quote(dag_id, safe='')}", json={"is_paused": paused})

    def trigger(self, dag_id: str, logical_date: str | None = None) -> str:
        """Start a run; on Airflow 3 one without a logical date unless one is given."""
        body = {"logical_date": logical_date} if logical_date or self.major == 3 else {}
        return str(self.call("POST", f"dags/{quote(dag_id, safe='')}/dagRuns", json=body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> Any:
        return self.call("GET", f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}")

    def wait_for_run(self, dag_id: str, run_id: str, *states: str, seconds: float = 180) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = str(self.run(dag_id, run_id)["state"])
            if state in (states or ENDED):
                return state
            time.sleep(0.5)
        raise AssertionError(f"{dag_id} {run_id} is still {state} after {seconds} s: {self.states(dag_id, run_id)}")

    def wait_for_task(self, dag_id: str, run_id: str, task_id: str, state: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while (now := self.states(dag_id, run_id).get(task_id)) != state:
            if time.monotonic() > deadline:
                raise AssertionError(f"{task_id} of {run_id} is {now} after {seconds} s")
            time.sleep(0.2)

    def states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """The state of each task instance of a run, a mapped one as `task[index]`."""
        path = f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        return {
            row["task_id"] if row["map_index"] < 0 else f"{row['task_id']}[{row['map_index']}]": row["state"]
            for row in self.call("GET", path, params={"limit": 100})["task_instances"]
        }

    def tries(self, dag_id: str, run_id: str) -> dict[str, int]:
        path = f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        rows = self.call("GET", path, params={"limit": 100})["task_instances"]
        return {f"{row['task_id']}[{row['map_index']}]": row["try_number"] for row in rows}
