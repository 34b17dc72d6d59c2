"""What keeps queued runs of a DAG from starting, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from itertools import chain

from airflow_mcp.airflow import dags
from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dag_lists import PAGE
from airflow_mcp.airflow.runs import find_runs
from airflow_mcp.airflow.tasks import depending_on_past
from airflow_mcp.airflow.together import together
from airflow_mcp.errors import ForbiddenError, NotFoundError
from airflow_mcp.models.dags import Dag
from airflow_mcp.models.runs import DagRun

MOST_NAMED = 3
MOST_DAGS = 5


async def what_holds(api: Api, dag_id: str, run_ids: Collection[str]) -> list[str]:
    """In sentences, what keeps these runs of a DAG from going on once they are queued; none where nothing is known.

    Route: GET /dags/{dag_id}; where that tells of nothing, GET /dags/{dag_id}/dagRuns, and GET /dags/{dag_id}/tasks
    where the limit of runs is reached. What the user may not see is told as such.
    """
    try:
        dag = await api.read(dags.GET, Dag, dag_id=dag_id)
        return _of_dag(dag) or await _of_limit(api, dag, run_ids)
    except (ForbiddenError, NotFoundError):
        return [f"This user may not see what may hold the runs of {dag_id}: a pause, a full run limit, a broken file."]


async def what_holds_all(api: Api, dag_id: str, runs: Collection[tuple[str, str]]) -> list[str]:
    """The same of runs of several DAGs (each run with its DAG), of `dag_id` first.

    Sub-DAGs go with the DAG that they are in. Of more than MOST_DAGS DAGs the rest is not looked at, and that is said.
    """
    by_dag: dict[str, set[str]] = {}
    for of_dag, run_id in sorted(runs, key=lambda run: (run[0] != dag_id, run)):
        if api.release >= (3, 0) or not of_dag.startswith(f"{dag_id}."):
            by_dag.setdefault(of_dag, set()).add(run_id)
    looked_at = list(by_dag.items())[:MOST_DAGS]
    found = [*chain(*await together(*(partial(what_holds, api, *each) for each in looked_at)))]
    if rest := len(by_dag) - len(looked_at):
        found.append(f"What may hold the runs of {rest} more DAGs was not looked at.")
    return found


def _of_dag(dag: Dag) -> list[str]:
    paused = [f"{dag.dag_id} is paused: its runs wait until patch_dag unpauses it."] if dag.is_paused else []
    return paused + held_by_file(dag)


def held_by_file(dag: Dag) -> list[str]:
    """That nothing of a DAG runs because its file is broken or gone; nothing where it is there."""
    if dag.has_import_errors:
        return [f"The file of {dag.dag_id} does not import: nothing of it runs until it does (get_import_errors)."]
    if dag.active is False:
        return [f"No file has {dag.dag_id} any more: nothing of it runs until one has it again."]
    return []


async def _of_limit(api: Api, dag: Dag, run_ids: Collection[str]) -> list[str]:
    if not dag.max_active_runs:
        return []
    rows, _ = await find_runs(api, dag.dag_id, {"state": ["running"], "limit": PAGE})
    running = [row.dag_run_id for row in rows if counts_for_limit(api, row)]
    if len(running) < dag.max_active_runs or set(run_ids) <= set(running):
        return []
    names = ", ".join(running[:MOST_NAMED]) + (", …" if len(running) > MOST_NAMED else "")
    limit = f"max_active_runs of {dag.dag_id} is {dag.max_active_runs}"
    found = [f"{limit}: runs that are queued wait until a running one ends ({names})."]
    if waiting := await depending_on_past(api, dag.dag_id):
        found.append(
            f"Tasks that depend on the run before ({', '.join(waiting[:MOST_NAMED])}): a running run that waits there "
            "for a queued one never ends. Set what waits to failed with set_task_instances_state; clear it afterwards."
        )
    return found


def counts_for_limit(api: Api, run: DagRun) -> bool:
    """Whether a running run counts against its DAG's limit. On Airflow 3 a backfill has a limit of its own."""
    return api.release < (3, 0) or run.run_type != "backfill"
