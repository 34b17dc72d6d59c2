"""The endpoints of XComs, the values that tasks hand over: one method an endpoint, one body for both versions."""

from __future__ import annotations

import json
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.http import MAX_BODY
from airflow_mcp.airflow.instances import Instances
from airflow_mcp.airflow.task_instances import TASK_INSTANCE, route_to
from airflow_mcp.errors import InvalidArgumentError, NotFoundError, TooLargeError
from airflow_mcp.models.xcoms import GetXcom, GetXcomEntries, Xcom, XcomEntry, XcomEntryList
from airflow_mcp.text import beginning, shorten

OF_A_TASK = f"{TASK_INSTANCE}/xcomEntries"
OF_A_RUN = "dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/~/xcomEntries"
IDS = {"dag_id", "dag_run_id", "task_id"}
NOT_MAPPED = -1
LONGEST_KEY = 100
TYPES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}


class Xcoms:
    """The XComs of one Airflow."""

    def __init__(self, airflow: Airflow, instances: Instances) -> None:
        self._airflow = airflow
        self._instances = instances

    async def find(self, args: GetXcomEntries) -> XcomEntryList:
        """A page of what a task, or all tasks of a run, handed over, without the values.

        Route: GET …/taskInstances/{task_id}/xcomEntries, with ~ for all tasks; for none found also the DAG's tasks and
        the run. Raises NotFoundError for a DAG, a run or a task that there is not.
        """
        query: dict[str, Any] = {"limit": args.limit, "offset": args.offset}
        if args.map_index is not None:
            query["map_index"] = args.map_index
        ids = args.model_dump(include=IDS, exclude_none=True)
        answer = await self._airflow.read(OF_A_TASK if args.task_id else OF_A_RUN, ids, query=query)
        entries = [XcomEntry.model_validate(row) for row in answer["xcom_entries"]]
        if not entries:
            await self._instances.require(args.dag_id, args.dag_run_id, [args.task_id] if args.task_id else ())
        total, end = answer["total_entries"], args.offset + len(entries)
        return XcomEntryList(
            xcom_entries=entries,
            total=total,
            returned=len(entries),
            next_offset=end if entries and end < total else None,
            note=None if entries else _why_empty(args, total),
        )

    async def get(self, args: GetXcom) -> Xcom:
        """One value, or the part of it that fits. It is never unpickled, nor made an object again.

        Route: GET …/taskInstances/{task_id}/xcomEntries/{xcom_key}. Raises NotFoundError, with the keys that there are,
        TooLargeError for a value that not even a part can be read of.
        """
        route, ids = route_to(args.dag_id, args.dag_run_id, args.task_id)
        query: dict[str, Any] = {"map_index": NOT_MAPPED if args.map_index is None else args.map_index}
        as_json = (await self._airflow.release()).xcoms_as_json
        if as_json:
            query["stringify"] = False
        try:
            answer = await self._airflow.read(
                f"{route}/xcomEntries/{{xcom_key}}", {**ids, "xcom_key": args.key}, query=query
            )
        except NotFoundError:
            raise NotFoundError(await self._what_there_is(args)) from None
        except TooLargeError:
            most = f"{MAX_BODY / 2**20:g} MiB"
            raise TooLargeError(f"{args.label}: XCom {args.key!r} is over {most}, too large to be read here.") from None
        return _shown(args, answer, as_json=as_json)

    async def _what_there_is(self, args: GetXcom) -> str:
        there = await self.find(GetXcomEntries(**args.model_dump(include={*IDS, "map_index"})))
        names = [_name(each) for each in there.xcom_entries]
        more = f", and {there.total - there.returned} more" if there.next_offset else ""
        known = f"It handed over {', '.join(names)}{more}." if names else "It handed nothing over."
        return f"{args.label} has no XCom {args.key!r} in run {args.dag_run_id}. {known}"


def _name(entry: XcomEntry) -> str:
    name = shorten(repr(entry.key), LONGEST_KEY)
    return name if entry.map_index is None else f"{name} of map_index {entry.map_index}"


def _shown(args: GetXcom, answer: dict[str, Any], *, as_json: bool) -> Xcom:
    value = answer["value"]
    text = (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    )
    if args.offset >= max(len(text), 1):
        raise InvalidArgumentError("offset", f"is {args.offset}; the value has {len(text)} characters.")
    part = beginning(text[args.offset :], args.max_tokens)
    end = args.offset + len(part)
    gaps = [f"{first + 1}-{last}" for first, last in ((0, args.offset), (end, len(text))) if first < last]
    return Xcom.model_validate(
        {
            **answer,
            "type": TYPES.get(type(value), "null") if as_json else None,
            "items": len(value) if isinstance(value, list | dict) else None,
            "characters": len(text),
            "left_out": f"characters {', '.join(gaps)}" if gaps else None,
            "next_offset": end if end < len(text) else None,
            "note": None if as_json else "As Python prints it: this Airflow gives it so.",
            "value": part,
        }
    )


def _why_empty(args: GetXcomEntries, total: int) -> str:
    if total:
        return f"offset {args.offset} is past the end: there are {total}."
    what = "This run's tasks have" if args.task_id is None else f"{args.task_id} has"
    return f"{what} handed nothing over{'' if args.map_index is None else ' at this map_index'}, or it is gone since."
