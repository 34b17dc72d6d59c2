"""A DAG that is not there: why, as far as Airflow tells."""

from __future__ import annotations

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dags import GET
from airflow_mcp.airflow.import_errors import FailedFile, ImportErrors, newest, told
from airflow_mcp.errors import AirflowMcpError, DagNotFoundError
from airflow_mcp.models.dags import Dag

MOST_NAMED = 3
DELETED = "If it was deleted, its runs went with it."


async def why_no_dag(api: Api, dag_id: str, error: DagNotFoundError) -> DagNotFoundError:
    """The error of a DAG that is not there, with the files that may hold it where they do not import, or its file
    that is gone.

    It stays as it is where that may not be read, or is not known. Route: GET /importErrors, GET /dags/{dag_id}.
    """
    try:
        answer = await newest(api)
        gone = await _gone(api, dag_id)
    except AirflowMcpError:
        return error
    if holding := of_dag(answer, dag_id):
        advice = f"{holding} get_import_errors tells more."
    elif gone:
        return gone.with_effects(error.effects)
    elif answer.import_errors:
        total = answer.total_entries
        files = "1 file does" if total == 1 else f"{total} files do"
        advice = f"{error.advice} {DELETED} {files} not import: get_import_errors."
    else:
        advice = f"{error.advice} {DELETED}"
    return DagNotFoundError(error.what, advice).with_effects(error.effects)


def of_dag(answer: ImportErrors, dag_id: str) -> str:
    """Why the files do not import that may hold a DAG, in a sentence each; empty for none."""
    holding = [told(each) for each in answer.import_errors if _may_hold(each, dag_id)]
    more = f" and {len(holding) - MOST_NAMED} more." if len(holding) > MOST_NAMED else ""
    return f"{' '.join(holding[:MOST_NAMED])}{more}"


async def _gone(api: Api, dag_id: str) -> DagNotFoundError | None:
    """The error for a DAG whose file is gone: Airflow 2 then knows of it, and not of its tasks."""
    if api.release >= (3, 0):
        return None
    try:
        dag = await api.read(GET, Dag, dag_id=dag_id)
    except DagNotFoundError:
        return None
    if dag.active is not False:
        return None
    return DagNotFoundError(
        f"Airflow has no tasks and no code of DAG {dag_id} any more: no file defines it. It was in {dag.fileloc}.",
        "get_dag and get_dag_runs tell what is left of it.",
    )


def _may_hold(failed: FailedFile, dag_id: str) -> bool:
    """Whether a file, or its folder, is named for a DAG, or the stack trace names it."""
    names = "/".join(failed.filename.split("/")[-2:])
    # In a file's name it may be one of several words: broken in load_broken.py.
    return has_word(names.lower(), dag_id.lower(), "") or has_word(failed.stack_trace, dag_id, "_")


def has_word(text: str, word: str, joins: str) -> bool:
    """Whether a text has a word with neither letter nor digit before it or behind it, nor a sign that `joins`."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        around = text[max(start - 1, 0) : start] + text[end : end + 1]
        if not any(each.isalnum() or each in joins for each in around):
            return True
        start = text.find(word, end)
    return False
