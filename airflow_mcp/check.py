"""`airflow-mcp check`: does the URL answer, which Airflow is it, does the sign-in work, what may this user do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import anyio
import httpx

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.sign_in import how_signed_in
from airflow_mcp.errors import AirflowMcpError, ForbiddenError, NotFoundError, NotSignedInError, RejectedError
from airflow_mcp.instance import Instance

Verdict = Literal["ok", "no", "fail"]

_TO_ITSELF = re.compile(r" ?`airflow-mcp check` tells[^.`]*\.")
"""Errors send their reader here; who is here already need not be told."""


@dataclass(frozen=True)
class Finding:
    """One line of the check. Only `fail` makes the whole fail; `no` is a permission that the user lacks."""

    verdict: Verdict
    topic: str
    text: str

    def __str__(self) -> str:
        return f"{self.verdict:<5}{self.topic:<10}{_TO_ITSELF.sub('', self.text)}"


async def findings(instance: Instance, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Finding]:
    """Look at an Airflow, line by line. Ends at the first failure; changes nothing."""
    airflow = Airflow(instance, transport)
    try:
        try:
            version = await airflow.version()
            dialect = await airflow.dialect()
        except AirflowMcpError as error:
            yield Finding("fail", "url", str(error))
            return
        yield Finding("ok", "url", f"{instance.url} answers")
        yield Finding("ok", "airflow", f"Airflow {version}, REST API {dialect.name}")
        try:
            answer = await airflow.read("dags", query={"limit": 1})
        except (NotSignedInError, ForbiddenError) as error:
            yield Finding("fail", "sign-in", str(error))
            return
        except AirflowMcpError as error:
            yield Finding("fail", "dags", str(error))
            return
        yield Finding("ok", "sign-in", how_signed_in(instance))
        yield Finding("ok", "may", f"list DAGs: {answer['total_entries']} seen")
        if answer["dags"]:
            async for finding in _permissions(airflow, answer["dags"][0]):
                yield finding
        else:
            yield Finding("no", "may", "nothing else can be told: no DAG to try it on")
    finally:
        with anyio.CancelScope(shield=True):
            await airflow.aclose()


async def _permissions(airflow: Airflow, dag: Mapping[str, Any]) -> AsyncIterator[Finding]:
    """Try what the tools need, in ways that change nothing."""
    dag_id = dag["dag_id"]
    ids = {"dag_id": dag_id}
    no_such_run = {"dry_run": True, "dag_run_id": "airflow-mcp-check"}
    # Airflow looks at the permission first, and then refuses a mask that names another field.
    no_such_field = {"update_mask": ["dag_id"]}
    attempts: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("read tasks", lambda: airflow.read("dags/{dag_id}/tasks", ids)),
        (
            "pause and unpause",
            lambda: airflow.read(
                "dags/{dag_id}", ids, method="PATCH", query=no_such_field, body={"is_paused": dag["is_paused"]}
            ),
        ),
        (
            "clear and set the state of task instances",
            lambda: airflow.read("dags/{dag_id}/clearTaskInstances", ids, method="POST", body=no_such_run),
        ),
    ]
    for what, attempt in attempts:
        yield await _permission(f"{what} ({dag_id})", attempt)


async def _permission(what: str, attempt: Callable[[], Awaitable[object]]) -> Finding:
    try:
        await attempt()
    except ForbiddenError as error:
        return Finding("no", "may not", f"{what}; needed: {error.needs}" if error.needs else f"{what}: {error}")
    except (NotFoundError, RejectedError):
        pass  # let in, and then refused for what was made up
    except AirflowMcpError as error:
        return Finding("fail", "may", f"{what}: {error}")
    return Finding("ok", "may", what)
