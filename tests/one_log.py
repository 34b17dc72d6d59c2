"""An Airflow that has one task instance and its log, of a test's choosing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from airflow_mcp.airflow import logs
from airflow_mcp.airflow.api import Server
from airflow_mcp.instance import Instance
from airflow_mcp.models.logs import TaskLog

IDS: dict[str, Any] = {"dag_id": "etl", "dag_run_id": "r", "task_id": "load"}
PATH = "dags/etl/dagRuns/r/taskInstances/load"


class Airflow(httpx.AsyncBaseTransport):
    """Has one task instance, its tries (or map indexes), and a log; `sent` is what was asked for."""

    def __init__(
        self,
        version: str,
        log: str | Callable[[], httpx.AsyncByteStream] = "",
        state: str | None = "failed",
        tries: Mapping[int, str | None] | None = None,
        try_number: int = 1,
        missing: tuple[str, ...] = (),
    ) -> None:
        self.version, self._log, self._state, self._number = version, log, state, try_number
        self._tries = {try_number: state} if tries is None else tries
        self._missing = missing
        self.sent: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.partition("/api/")[2]
        api, _, rest = path.partition("/")
        if rest == "version":
            known = (api == "v2") is (self.version >= "3")
            return httpx.Response(200 if known else 404, json={"version": self.version})
        self.sent.append(f"{rest.removeprefix(PATH)}?{request.url.params}".rstrip("?"))
        if rest.endswith(self._missing):
            more = {"status": 404, "type": "https://airflow.test/NotFound"} if api == "v1" else {}
            return httpx.Response(404, json={"detail": "TaskInstance not found", **more})
        if "/logs/" in rest:
            kind = "text/plain" if api == "v1" else "application/x-ndjson"
            stream = httpx.ByteStream(self._log.encode()) if isinstance(self._log, str) else self._log()
            return httpx.Response(200, headers={"content-type": kind}, stream=stream)
        if rest.endswith(("/tries", "/list")):
            key, more = ("try_number", {}) if rest.endswith("/tries") else ("map_index", IDS)
            rows = [{**more, key: number, "state": state} for number, state in self._tries.items()]
            return httpx.Response(200, json={"task_instances": rows, "total_entries": len(rows)})
        instance = {"state": self._state, "try_number": self._number, "map_index": -1}
        return httpx.Response(200, json={**instance, "dag_run_id": "r", "logical_date": None})


async def read(airflow: Airflow, **arguments: Any) -> TaskLog:
    server = Server(Instance(url="http://airflow.test"), airflow)
    try:
        return await logs.get_task_log(await server.api(), **IDS, **arguments)
    finally:
        await server.aclose()
