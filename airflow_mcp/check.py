"""`airflow-mcp check`: does the URL answer, which Airflow is it, does the sign-in work, what may this user do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import anyio
import httpx

from airflow_mcp.airflow import dag_lists, task_instances, tasks
from airflow_mcp.airflow.api import Api, Server
from airflow_mcp.airflow.sign_in import how_signed_in
from airflow_mcp.errors import (
    AirflowMcpError,
    ForbiddenError,
    NotFoundError,
    NotSignedInError,
    RejectedError,
    SettingsError,
)
from airflow_mcp.guard.permission import try_to_pause
from airflow_mcp.instance import Instance
from airflow_mcp.models.dags import Dag
from airflow_mcp.text.outgoing import as_message

Verdict = Literal["ok", "no", "fail"]

_TO_ITSELF = re.compile(r" ?`airflow-mcp check` tells[^.`]*\.")
"""Errors send their reader to the check, which need not send them to itself."""


_TOPICS = {SettingsError: "settings", NotSignedInError: "sign-in", ForbiddenError: "sign-in"}
"""What an error before the first answer is about, where that is not the address."""


@dataclass(frozen=True)
class Finding:
    """One line of the check. Only `fail` makes the whole fail; `no` is a permission that the user does not have."""

    verdict: Verdict
    topic: str
    text: str

    def __str__(self) -> str:
        return as_message(f"{self.verdict:<5}{self.topic:<10}{_TO_ITSELF.sub('', self.text)}")


async def findings(instance: Instance, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Finding]:
    """Look at an Airflow, line by line. Ends at the first failure; changes nothing."""
    server = Server(instance, transport)
    try:
        try:
            version = await server.version()
            api = await server.api()
        except AirflowMcpError as error:
            yield Finding("fail", _TOPICS.get(type(error), "url"), str(error))
            return
        yield Finding("ok", "url", f"{instance.url} answers")
        yield Finding("ok", "airflow", f"Airflow {version}, REST API {api.release.api}")
        try:
            dag, total = await dag_lists.first_dag(api)
        except (NotSignedInError, ForbiddenError) as error:
            yield Finding("fail", "sign-in", str(error))
            return
        except AirflowMcpError as error:
            yield Finding("fail", "dags", str(error))
            return
        yield Finding("ok", "sign-in", how_signed_in(instance))
        yield Finding("ok", "may", f"list DAGs: {total} seen")
        if dag:
            async for finding in _permissions(server, api, dag):
                yield finding
        else:
            yield Finding("no", "may", "nothing else can be tried: there is no DAG to try it on")
        yield Finding("ok", "changes", _which_changes(instance))
    finally:
        with anyio.CancelScope(shield=True):
            await server.aclose()


async def _permissions(server: Server, api: Api, dag: Dag) -> AsyncIterator[Finding]:
    """Try what the tools need, in ways that change nothing."""
    dag_id = dag.dag_id
    no_such_run = {"dag_run_id": "airflow-mcp-check"}
    yield await _permission(f"read tasks ({dag_id})", lambda: tasks.list_tasks(api, dag_id))
    if server.instance.read_only:
        return
    yield await _permission(
        f"pause and unpause ({dag_id})", lambda: try_to_pause(server, api, dag_id, is_paused=bool(dag.is_paused))
    )
    yield await _permission(
        f"clear and set the state of task instances ({dag_id})",
        lambda: task_instances.would_clear(api, dag_id, no_such_run),
    )


def _which_changes(instance: Instance) -> str:
    """What this server itself lets through, whatever the user may do."""
    if instance.read_only:
        return f"none: this server is read-only ({instance.named('read_only')})"
    return f"offered, each made only with confirm=true; {instance.named('read_only', 'true')} offers none"


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
