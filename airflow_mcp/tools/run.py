"""The one way in which a tool is called, whoever asks for it."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.no_dag import why_no_dag
from airflow_mcp.errors import AirflowMcpError, DagNotFoundError, UnknownNameError, VersionChangedError
from airflow_mcp.ids import unknown
from airflow_mcp.models.arguments import read_arguments
from airflow_mcp.models.base import Answer, Arguments
from airflow_mcp.models.changes import ChangeArguments, ConfirmedArguments
from airflow_mcp.text.outgoing import as_message
from airflow_mcp.tools.context import App, Call
from airflow_mcp.tools.present import as_data, as_text
from airflow_mcp.tools.releases import api_for
from airflow_mcp.tools.spec import ToolSpec

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What a call came to: an answer as data and as text, or the text of an error."""

    text: str
    data: dict[str, Any] | None = None

    @property
    def is_error(self) -> bool:
        """Whether the call failed; then the text says why, and what to do next."""
        return self.data is None


class Runner:
    """Calls the tools that are offered, with what their functions need."""

    def __init__(self, specs: Sequence[ToolSpec], app: App) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._app = app
        self._preview_tools = any(spec.previews for spec in specs)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """Call a tool with arguments as a client sends them. Whatever goes wrong in it is a result too.

        Raises UnknownNameError for a tool that is not offered.
        """
        spec = self._specs.get(name)
        if not spec:
            raise UnknownNameError(unknown("tool", name, self._specs))
        started = time.monotonic()
        outcome = "cancelled"
        try:
            data = as_data(await self._answer(spec, read_arguments(spec.arguments, arguments)))
            outcome = "ok"
            return Result(as_text(data), data)
        except AirflowMcpError as error:
            outcome = type(error).__name__
            return Result(as_message(str(error)))
        except Exception as error:
            outcome = "error"
            # What failed may quote what was sent: of a request, or of an answer to it.
            logger.error("%s failed\n%s", name, self._app.server.hide("".join(traceback.format_exception(error))))
            return Result(
                f"{name} failed inside this server ({type(error).__name__}): a bug, or an Airflow version that it "
                "does not know. The log on its standard error tells more."
            )
        finally:
            logger.info("%s %s %d ms", name, outcome, (time.monotonic() - started) * 1000)

    async def _answer(self, spec: ToolSpec, args: Arguments) -> Answer:
        try:
            return await self._once(spec, args)
        except VersionChangedError:
            # The server did not know the route, so nothing happened: ask the version that is there now.
            return await self._once(spec, args)

    async def _once(self, spec: ToolSpec, args: Arguments) -> Answer:
        api = await api_for(self._app.server, spec, args)
        look = partial(spec.function, Call(api, self._preview_tools), args)
        try:
            answer: Answer = await self._guarded(spec, args, api, look)
        except DagNotFoundError as error:
            dag_id = getattr(args, "dag_id", None)
            raise await why_no_dag(api, dag_id, error) if dag_id else error from None
        return answer

    def _guarded(
        self, spec: ToolSpec, args: Arguments, api: Api, look: Callable[[], Awaitable[Any]]
    ) -> Awaitable[Answer]:
        """What a tool's function gives; where it prepares a change, that is shown or made."""
        if isinstance(args, ConfirmedArguments):
            return self._app.guard.carry_out(spec.name, args, api, look)
        if isinstance(args, ChangeArguments):
            return self._app.guard.preview(spec.previews, args, look)
        return look()
