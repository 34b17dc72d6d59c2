"""The endpoints that tell how an Airflow is set up, and what was done in it. No secret passes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from airflow_mcp import __version__
from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.pages import about, filtered, page
from airflow_mcp.errors import ForbiddenError, NotFoundError
from airflow_mcp.masking import is_secret, masked, masked_text
from airflow_mcp.models.admin import (
    BrokenFile,
    ConfigOption,
    Connection,
    ConnectionList,
    EventLog,
    EventLogList,
    GetConfigOption,
    GetConnections,
    GetEventLogs,
    GetImportErrors,
    GetProviders,
    GetVariables,
    GetVersion,
    ImportErrorList,
    Provider,
    ProviderList,
    Variable,
    VariableList,
    Version,
)

NEWEST = "-import_error_id"
LAST_LINES = 15
"""Of a traceback: its end says what happened."""
LONGEST_LINE = 500
LONGEST_VALUE = 2000


class Administration:
    """What is set up in one Airflow."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow

    async def import_errors(self, args: GetImportErrors) -> ImportErrorList:
        """A page of import errors, the newest first. Route: GET /importErrors."""
        if args.filename_pattern:
            part = args.filename_pattern
            rows, total = await filtered(
                self._airflow, "importErrors", "import_errors", args, keep=lambda row: part in row["filename"]
            )
        else:
            rows, total = await page(self._airflow, "importErrors", "import_errors", args, {"order_by": NEWEST})
        found = [BrokenFile.model_validate({**row, "stack_trace": _end(row["stack_trace"])}) for row in rows]
        return ImportErrorList(import_errors=found, **about(found, total, args, "No such file has an import error."))

    async def variables(self, args: GetVariables) -> VariableList:
        """A page of variables, without their values but for those that the settings allow. Route: GET /variables."""
        rows, total = await self._with_part("variables", "key", args.key_pattern, args)
        found = [self._variable(row) for row in rows]
        return VariableList(variables=found, **about(found, total, args, "No variable matches."))

    def _variable(self, row: Mapping[str, Any]) -> Variable:
        key = row["key"]
        patterns = {each.strip() for each in self._airflow.settings.variable_values.split(",")} - {"", "none"}
        allowed = key in patterns or (not is_secret(key) and any(fnmatchcase(key, each) for each in patterns))
        value = masked(row.get("value") or "")[:LONGEST_VALUE] if allowed else None
        return Variable(key=key, description=masked_text(row.get("description") or "") or None, value=value)

    async def connections(self, args: GetConnections) -> ConnectionList:
        """A page of connections: where they lead, not what signs them in. Route: GET /connections."""
        rows, total = await self._with_part("connections", "connection_id", args.connection_id_pattern, args)
        found = [Connection.model_validate(masked(dict(row))) for row in rows]
        return ConnectionList(connections=found, **about(found, total, args, "No connection matches."))

    async def _with_part(self, name: str, key: str, part: str | None, args: Any) -> tuple[Any, int]:
        if part is None:
            return await page(self._airflow, name, name, args)
        return await filtered(self._airflow, name, name, args, keep=lambda row: part.lower() in row[key].lower())

    async def config_option(self, args: GetConfigOption) -> ConfigOption:
        """An option, masked where it may be a secret. Route: GET /config/section/{section}/option/{option}.

        Raises NotFoundError, ForbiddenError where Airflow keeps its configuration to itself.
        """
        ids = {"section": args.section, "option": args.option}
        try:
            answer = await self._airflow.read("config/section/{section}/option/{option}", ids)
        except ForbiddenError as error:
            raise ForbiddenError(
                f"{error} Airflow shows its configuration only with expose_config: non-sensitive-only in its section "
                "api (Airflow 3) or webserver (Airflow 2) keeps secrets out.",
                error.needs,
            ) from None
        for section in answer["sections"]:
            for option in section["options"]:
                return ConfigOption(
                    section=args.section, option=args.option, value=str(masked(option["value"], args.option))
                )
        raise NotFoundError(f"There is no option {args.option} in section {args.section}.")

    async def providers(self, args: GetProviders) -> ProviderList:
        """The installed providers. Route: GET /providers."""
        answer = await self._airflow.read("providers")
        rows = [row for row in answer["providers"] if (args.name_pattern or "") in row["package_name"]]
        rows.sort(key=lambda row: str(row["package_name"]))
        found = [Provider.model_validate(row) for row in rows[args.offset : args.offset + args.limit]]
        return ProviderList(providers=found, **about(found, len(rows), args, "No provider matches."))

    async def version(self, args: GetVersion) -> Version:
        """Airflow's version and this server's. Route: GET /version."""
        del args  # it has none yet
        dialect = await self._airflow.release()
        return Version(airflow=dialect.version, rest_api=dialect.name, server=__version__)

    async def event_logs(self, args: GetEventLogs) -> EventLogList:
        """A page of what was done, the newest first. Route: GET /eventLogs."""
        wanted = {
            "dag_id": args.dag_id,
            "run_id": args.dag_run_id,
            "task_id": args.task_id,
            "event": args.event,
            "owner": args.owner,
            "after": args.after and args.after.isoformat(),
            "before": args.before and args.before.isoformat(),
        }
        query: dict[str, str | int] = {name: value for name, value in wanted.items() if value}
        rows, total = await page(self._airflow, "eventLogs", "event_logs", args, {**query, "order_by": "-when"})
        found = [EventLog.model_validate({**row, "extra": _extra(row.get("extra"))}) for row in rows]
        return EventLogList(event_logs=found, **about(found, total, args, "Nothing that matches was done."))


def _end(trace: str | None) -> str | None:
    lines = (trace or "").strip().splitlines()
    left_out = [f"… ({len(lines) - LAST_LINES} lines before)"] if len(lines) > LAST_LINES else []
    return masked_text("\n".join([*left_out, *(line[-LONGEST_LINE:] for line in lines[-LAST_LINES:])])) or None


def _extra(text: str | None) -> str | None:
    """What was sent along, often as JSON, with its secrets masked."""
    try:
        return json.dumps(masked(json.loads(text or "")), ensure_ascii=False)
    except ValueError:
        return str(masked(text)) if text else None
