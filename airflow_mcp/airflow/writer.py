"""What changes something at Airflow. The guard alone makes one, and hands it to a change that is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_mcp.airflow.api import Api, Server, to_request
from airflow_mcp.airflow.failures import outcome_unknown
from airflow_mcp.airflow.request import Body, Query
from airflow_mcp.airflow.route import Route


class Writer:
    """Sends the changes of one call, each once."""

    def __init__(self, server: Server, api: Api) -> None:
        self._server = server
        self._known = api.known

    async def send(
        self, route: Route, *, query: Query | None = None, body: Body | None = None, **ids: str | int
    ) -> Mapping[str, Any]:
        """Send a change, once, and give its answer; an empty one for nothing (204).

        Raises ReadOnlyError where the settings allow no change, MayHaveHappenedError where no answer came, or one
        that is not Airflow's.
        """
        if route.dry_run == "body":
            body = {**(body or {}), "dry_run": False}
        request = to_request(self._known.release, route, query, body, change=True)
        answer = await self._server.send(self._known, request, ids)
        if not isinstance(answer, dict | None):
            raise outcome_unknown("its answer is not what Airflow answers")
        return answer or {}
