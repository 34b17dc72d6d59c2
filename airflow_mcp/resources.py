"""The resources: what the tools tell of a DAG, a run or a log, under an address."""

from __future__ import annotations

from collections.abc import Mapping

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError

from airflow_mcp.errors import AirflowMcpError
from airflow_mcp.tools.ask import ask
from airflow_mcp.tools.context import App
from airflow_mcp.tools.spec import ToolSpec

DAG = "airflow://dags/{dag_id}"
SOURCE = f"{DAG}/source"
RUN = f"{DAG}/runs/{{dag_run_id}}"
LOG = f"{RUN}/tasks/{{task_id}}/log"
JSON = "application/json"


def add_resources(server: MCPServer[App], offered: Mapping[str, ToolSpec]) -> None:
    """Offer each resource whose tool is offered."""

    async def read(context: Context[App, object], tool: str, **ids: str) -> str:
        try:
            return await ask(offered[tool], context.request_context.lifespan_context, ids)
        except AirflowMcpError as error:
            raise ResourceError(str(error)) from None

    async def dag(dag_id: str, ctx: Context[App, object]) -> str:
        return await read(ctx, "get_dag", dag_id=dag_id)

    async def source(dag_id: str, ctx: Context[App, object]) -> str:
        return await read(ctx, "get_dag_source", dag_id=dag_id)

    async def run(dag_id: str, dag_run_id: str, ctx: Context[App, object]) -> str:
        return await read(ctx, "get_dag_run", dag_id=dag_id, dag_run_id=dag_run_id)

    async def log(dag_id: str, dag_run_id: str, task_id: str, ctx: Context[App, object]) -> str:
        return await read(ctx, "get_task_log", dag_id=dag_id, dag_run_id=dag_run_id, task_id=task_id)

    if "get_dag" in offered:
        server.resource(DAG, name="dag", title="A DAG", description="As get_dag tells it.", mime_type=JSON)(dag)
    if "get_dag_source" in offered:
        about = "The first lines of its Python file."
        server.resource(SOURCE, name="dag_source", title="A DAG's source", description=about, mime_type=JSON)(source)
    if "get_dag_run" in offered:
        about = "As get_dag_run tells it."
        server.resource(RUN, name="dag_run", title="A DAG run", description=about, mime_type=JSON)(run)
    if "get_task_log" in offered:
        about = "The errors of its latest try, or its end."
        server.resource(LOG, name="task_log", title="A task's log", description=about, mime_type=JSON)(log)
