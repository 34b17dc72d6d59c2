"""The toolset `admin`: how the instance is set up, and what was done in it. It reads, but for the slots of pools."""

from airflow_mcp.models.admin import (
    ConfigOption,
    ConnectionList,
    EventLogList,
    GetConfigOption,
    GetConnections,
    GetEventLogs,
    GetImportErrors,
    GetPools,
    GetProviders,
    GetVariables,
    GetVersion,
    ImportErrorList,
    PoolChange,
    PoolList,
    ProviderList,
    SetPoolSlots,
    VariableList,
    Version,
)
from airflow_mcp.tools.context import App
from airflow_mcp.tools.spec import tool


@tool("List import errors", user_text=True)
async def get_import_errors(app: App, args: GetImportErrors) -> ImportErrorList:
    """DAG files that cannot be imported, with the end of the traceback."""
    return await app.administration.import_errors(args)


@tool("List pools", user_text=True)
async def get_pools(app: App, args: GetPools) -> PoolList:
    """Pools: slots, and how many are open, running, queued, scheduled."""
    return await app.pools.find(args)


@tool("Set a pool's slots", changes=True)
async def set_pool_slots(app: App, args: SetPoolSlots) -> PoolChange:
    """Change how many slots a pool has."""
    return await app.guard.carry_out("set_pool_slots", args, await app.pools.prepare_slots(args))


@tool("List variables", user_text=True)
async def get_variables(app: App, args: GetVariables) -> VariableList:
    """Keys and descriptions of variables; values only of those that this server's settings allow."""
    return await app.administration.variables(args)


@tool("List connections", user_text=True)
async def get_connections(app: App, args: GetConnections) -> ConnectionList:
    """Connections: type, host, port, schema; never what signs them in."""
    return await app.administration.connections(args)


@tool("Get an option of the configuration")
async def get_config_option(app: App, args: GetConfigOption) -> ConfigOption:
    """One option of Airflow's configuration, masked where it may be a secret."""
    return await app.administration.config_option(args)


@tool("List providers")
async def get_providers(app: App, args: GetProviders) -> ProviderList:
    """Installed provider packages and their versions."""
    return await app.administration.providers(args)


@tool("Get the versions")
async def get_version(app: App, args: GetVersion) -> Version:
    """The version of Airflow, of its API, and of this server."""
    return await app.administration.version(args)


@tool("List event logs", user_text=True)
async def get_event_logs(app: App, args: GetEventLogs) -> EventLogList:
    """Who did what to a DAG, a run or a task, newest first: triggered, cleared, paused, and how tasks fared."""
    found = await app.administration.event_logs(args)
    if args.dag_id and not found.total:  # of what was deleted there are events; of a wrong id there is nothing
        await app.instances.require(args.dag_id, args.dag_run_id, [args.task_id] if args.task_id else ())
    return found
