"""get_health: the instance at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.instance import Component, Instance
from airflow_mcp.airflow.last_runs import LIST_RUNS, NEWEST, LastRuns
from airflow_mcp.airflow.task_instances import LIST
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.models.diagnosis import GetHealth, Health, LongRunning

PAGE = 100
LATELY = timedelta(hours=24)
MOST_NAMED = 20
MOST_LONG_RUNNING = 5
LONGEST_ERROR = 200


class LookAtHealth:
    """Looking at one Airflow as a whole."""

    def __init__(self, airflow: Airflow, instance: Instance) -> None:
        self._airflow = airflow
        self._instance = instance
        self._last_runs = LastRuns(airflow)

    async def look(self, args: GetHealth) -> Health:
        """How the instance is. Routes: those of health, import errors, pools, DAGs, runs and task instances."""
        del args  # it has none yet
        parts = Parts()
        found = await parts.fetch(
            {
                "components": self._instance.components,
                "import errors": self._instance.import_errors,
                "pools": self._instance.pools,
                "DAGs": partial(self._dags, None),
                "paused DAGs": partial(self._dags, True),
                "failing DAGs": self._failing,
                "running tasks": partial(self._tasks, "running"),
                "queued tasks": partial(self._tasks, "queued"),
                "scheduled tasks": partial(self._tasks, "scheduled"),
            }
        )
        components = found["components"] or []
        errors, error_number = found["import errors"] or ([], 0)
        failing = found["failing DAGs"] or []
        full = [pool["name"] for pool in found["pools"] or () if pool["slots"] >= 0 and pool["open_slots"] <= 0]
        running, running_number = found["running tasks"] or ([], 0)
        waiting = {state: (found[f"{state} tasks"] or ([], 0))[1] for state in ("queued", "scheduled")}
        return Health(
            problems=[*_component_problems(components), *_problems(error_number, failing, full, waiting["scheduled"])],
            components=", ".join(f"{each.name} {each.status}" for each in components),
            dags=f"{found['DAGs']} DAGs, {found['paused DAGs']} paused",
            failing=failing[:MOST_NAMED] or None,
            import_errors=[_error(each) for each in errors[:MOST_NAMED]] or None,
            tasks=f"{running_number} running, {waiting['queued']} queued, {waiting['scheduled']} scheduled",
            pools=f"full: {', '.join(full)}" if full else "none is full",
            longest_running=_longest(running) or None,
            missing=parts.missing or None,
        )

    async def _dags(self, paused: bool | None) -> int:
        query: dict[str, Any] = {"limit": 1} | ({"paused": paused} if paused is not None else {})
        return int((await self._airflow.read("dags", query=query))["total_entries"])

    async def _failing(self) -> list[str]:
        """The DAGs of which a run failed lately, and none was made since."""
        body = {"states": ["failed"], "order_by": NEWEST, "page_limit": PAGE}
        answer = await self._airflow.read(LIST_RUNS, method="POST", body=body)
        dag_ids = list(dict.fromkeys(row["dag_id"] for row in answer["dag_runs"] if _is_late(row["end_date"])))
        last = await self._last_runs.of(dag_ids)
        return [dag_id for dag_id in dag_ids if last[dag_id]["state"] == "failed"]

    async def _tasks(self, state: str) -> tuple[list[dict[str, Any]], int]:
        answer = await self._airflow.read(LIST, method="POST", body={"state": [state], "page_limit": PAGE})
        return answer["task_instances"], answer["total_entries"]


def _is_late(moment: str | None) -> bool:
    return moment is not None and datetime.now(UTC) - datetime.fromisoformat(moment) < LATELY


def _component_problems(components: Sequence[Component]) -> list[str]:
    return [
        f"{each.name} is {each.status}; its last heartbeat was {each.heartbeat or 'never'}"
        for each in components
        if each.status != "healthy"
    ]


def _problems(errors: int, failing: Sequence[str], full: Sequence[str], scheduled: int) -> list[str]:
    found = []
    if errors:
        found.append(f"{errors} DAG files cannot be imported")
    if failing:
        found.append(f"the last run of {len(failing)} DAGs failed")
    if full:
        found.append(f"no slot is free in pool {', '.join(full)}; {scheduled} tasks are scheduled and wait")
    return found


def _error(error: Mapping[str, Any]) -> str:
    last = (error["stack_trace"] or "").strip().splitlines()[-1:]
    return f"{error['filename']}: {''.join(last)[:LONGEST_ERROR]}"


def _longest(rows: Sequence[Mapping[str, Any]]) -> list[LongRunning]:
    now = datetime.now(UTC)
    started = [(now - datetime.fromisoformat(row["start_date"]), row) for row in rows if row["start_date"]]
    started.sort(key=lambda each: each[0], reverse=True)
    return [
        LongRunning(
            dag_id=row["dag_id"],
            dag_run_id=row["dag_run_id"],
            task_id=row["task_id"],
            map_index=row["map_index"] if row["map_index"] >= 0 else None,
            running_seconds=int(age.total_seconds()),
        )
        for age, row in started[:MOST_LONG_RUNNING]
    ]
