"""XComs: which values tasks handed over, and one of them."""

from __future__ import annotations

import json
from typing import Any

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.mapped import label
from airflow_mcp.airflow.one_task_instance import ONE, Ids
from airflow_mcp.airflow.route import DAGS, Route, may_read
from airflow_mcp.airflow.task_instance_lists import require_in_run
from airflow_mcp.errors import NotFoundError
from airflow_mcp.models.base import Answer, Moment
from airflow_mcp.models.xcoms import XCom, XComEntry, XComEntryList

ENTRIES = f"{ONE}/xcomEntries"
LIST = Route("GET", ENTRIES, may_read(*DAGS, "XComs"))
GET = Route("GET", f"{ENTRIES}/{{xcom_key}}", may_read(*DAGS, "XComs"))
ALL_TASKS = "~"
MOST_CHARACTERS = 4000
FEW = 10
TYPES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}


class _Entries(Answer):
    xcom_entries: list[XComEntry]
    total_entries: int


class _Value(Answer):
    key: str
    timestamp: Moment | None = None
    value: Any = None


async def list_xcom_entries(
    api: Api,
    dag_id: str,
    dag_run_id: str,
    *,
    task_id: str | None = None,
    map_index: int | None = None,
    limit: int = 25,
    offset: int = 0,
) -> XComEntryList:
    """A page of what a task, or all tasks of a run, handed over, without the values.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries, `~` for all tasks.
    Raises NotFoundError for an unknown run or task.
    """
    query = {"limit": limit, "offset": offset} | ({} if map_index is None else {"map_index": map_index})
    ids = Ids(dag_id=dag_id, dag_run_id=dag_run_id, task_id=task_id or ALL_TASKS)
    answer = await api.read(LIST, _Entries, query=query, **ids)
    if not answer.xcom_entries:
        await require_in_run(api, dag_id, dag_run_id, task_id)
    note = None if answer.xcom_entries else "Nothing was handed over, or it was cleared since."
    url = api.links.to(dag_id, dag_run_id, task_id, map_index)
    return XComEntryList.of(answer.xcom_entries, answer.total_entries, offset, note, url=url)


async def get_xcom(
    api: Api, *, dag_id: str, dag_run_id: str, task_id: str, xcom_key: str, map_index: int | None = None
) -> XCom:
    """One value, or its beginning where it is long. It is never unpickled.

    Route: GET /dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/xcomEntries/{xcom_key}.
    Raises NotFoundError, which names the keys that there are.
    """
    query: dict[str, Any] = {"map_index": -1 if map_index is None else map_index}
    as_json = api.release >= (2, 10)
    if as_json:
        query["stringify"] = False
    ids = Ids(dag_id=dag_id, dag_run_id=dag_run_id, task_id=task_id)
    try:
        answer = await api.read(GET, _Value, query=query, **ids, xcom_key=xcom_key)
    except NotFoundError:
        raise await _no_such_key(api, ids, xcom_key, map_index) from None
    return _shown(answer, api.links.to(**ids, map_index=map_index), as_json=as_json)


async def _no_such_key(api: Api, ids: Ids, key: str, map_index: int | None) -> NotFoundError:
    there = await list_xcom_entries(api, **ids, limit=FEW)
    names = ", ".join(label(each.key, each.map_index) for each in there.rows)
    more = f" and {there.total - len(there.rows)} more" if there.next_offset else ""
    known = f"It handed over {names}{more}." if names else "It handed nothing over."
    task = label(ids["task_id"], map_index)
    return NotFoundError(f"{task} has no XCom {key!r} in this run. {known}", "For one of a mapped task give map_index.")


def _shown(answer: _Value, url: str, *, as_json: bool) -> XCom:
    value, kind = answer.value, TYPES.get(type(answer.value), "null")
    if isinstance(value, dict) and "__classname__" in value:
        kind, value = str(value["__classname__"]), value.get("__data__")
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    long = len(written) > MOST_CHARACTERS
    notes = [
        None if as_json else "As Python prints it: this Airflow gives no JSON.",
        "It looks like the place where a custom XCom backend keeps the value, which Airflow's API does not read."
        if isinstance(value, str) and _is_address(value)
        else None,
    ]
    return XCom(
        key=answer.key,
        type=kind if as_json else "string",
        value=None if long else value,
        value_start=written[:MOST_CHARACTERS] if long else None,
        characters=len(written),
        timestamp=answer.timestamp,
        url=url,
        note=" ".join(note for note in notes if note) or None,
    )


def _is_address(text: str) -> bool:
    scheme, _, rest = text.partition("://")
    return bool(rest) and scheme.replace("_", "").isalnum() and len(text.split()) == 1
