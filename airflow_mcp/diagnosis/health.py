"""get_health: looks at the whole of one Airflow side by side, and tells what is wrong now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dag_lists import failing_dags
from airflow_mcp.airflow.health import Component, components
from airflow_mcp.airflow.import_errors import newest
from airflow_mcp.airflow.pools import find_pools
from airflow_mcp.airflow.run_details import usual_duration
from airflow_mcp.airflow.runs import find_runs
from airflow_mcp.airflow.task_instance_lists import first_in_states
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.diagnosis.problems import Problem, State, problems, seconds_running
from airflow_mcp.diagnosis.words import MOST_NAMED, counted, is_or_are, lasted, lasting
from airflow_mcp.models.health import Health
from airflow_mcp.models.runs import DagRun

MOST_RUNS = 25
"""Running runs that are looked at, those that began first."""
MOST_PROBLEMS = 4
"""Those told with their facts; the summary names all."""
MOST_USUAL = 3
"""DAGs of which it is asked how long a run usually takes."""


async def get_health(api: Api) -> Health:
    """What is wrong with an Airflow now, and how it stands else.

    Routes: those for its health, import errors, DAGs, runs, task instances and pools, about ten requests in all. What
    cannot be looked at is in `not_seen`.
    """
    parts = Parts()
    return _told(await _look(api, parts), parts.not_seen)


async def _look(api: Api, parts: Parts) -> State:
    seen = await parts.look(
        {
            "Airflow's health": lambda: components(api),
            "import errors": lambda: newest(api, MOST_NAMED),
            "failing DAGs": lambda: failing_dags(api, MOST_NAMED),
            "queued task instances": lambda: first_in_states(api, ["queued"]),
            "scheduled task instances": lambda: first_in_states(api, ["scheduled"]),
            "running runs": lambda: find_runs(
                api, None, {"state": ["running"], "order_by": "start_date", "limit": MOST_RUNS}
            ),
        }
    )
    scheduled, running = seen["scheduled task instances"], seen["running runs"]
    longest = _one_a_dag(running[0])[:MOST_USUAL] if running else []
    wanted = sorted({row.pool for row in scheduled[0] if row.pool}) if scheduled else []
    usual = {
        f"usual duration of {run.dag_id}": partial(usual_duration, api, run.dag_id) for run in longest if run.dag_id
    }
    more = await parts.look({"pools": lambda: find_pools(api, wanted), **usual} if wanted else usual)
    if seen["failing DAGs"] and not seen["failing DAGs"].complete:
        parts.not_seen.append("last runs older than the newest 1,000")
    return State(
        now=datetime.now(UTC),
        components=seen["Airflow's health"],
        import_errors=seen["import errors"],
        failing=seen["failing DAGs"],
        queued=seen["queued task instances"],
        scheduled=scheduled,
        pools=more.get("pools") or {},
        running=running[1] if running else None,
        longest=[(run, more[f"usual duration of {run.dag_id}"]) for run in longest],
    )


def _one_a_dag(runs: Sequence[DagRun]) -> list[DagRun]:
    first: dict[str | None, DagRun] = {}
    for run in runs:
        first.setdefault(run.dag_id, run)
    return [*first.values()]


def _told(state: State, not_seen: Sequence[str]) -> Health:
    found = problems(state)
    return Health(
        summary=_summary(state, found, not_seen),
        problems=[each.told for each in found[:MOST_PROBLEMS]],
        components=_components(state),
        queued=state.queued and state.queued[1],
        scheduled=state.scheduled and state.scheduled[1],
        running_runs=state.running,
        longest_running=[_long_run(run, usual, state.now) for run, usual in state.longest] or None,
        not_seen=[*not_seen] or None,
    )


def _components(state: State) -> dict[str, str] | None:
    """Those that there are: on Airflow 2 the DAG processor is mostly a part of the scheduler."""
    known = (state.components or {}).items()
    return {name: _component(each, state.now) for name, each in known if each.healthy is not None} or None


def _component(component: Component, now: datetime) -> str:
    beat = f", heartbeat {lasting(component.heartbeat, now)} ago" if component.heartbeat else ""
    return f"{'healthy' if component.healthy else 'unhealthy'}{beat}"


def _long_run(run: DagRun, usual: float | None, now: datetime) -> str:
    usually = "" if usual is None else f", usually {lasted(usual)}"
    return f"{run.dag_id} {run.dag_run_id}: {lasted(seconds_running(run, now))}{usually}"


def _summary(state: State, found: Sequence[Problem], not_seen: Sequence[str]) -> str:
    if found:
        text = "; ".join(each.short for each in found)
        return f"{text[0].upper()}{text[1:]}."
    parts = [name for name, each in (state.components or {}).items() if each.healthy]
    well = [
        *([f"{', '.join(parts)} {is_or_are(len(parts))} healthy"] if parts else []),
        *(["every file imports"] if state.import_errors else []),
        *(["no DAG's last run failed"] if state.failing and state.failing.complete else []),
        *([f"{counted(state.running, 'run')} {is_or_are(state.running)} running"] if state.running else []),
    ]
    nothing = "Nothing that could be looked at is wrong" if not_seen else "Nothing is wrong"
    return f"{nothing}{': ' if well else ''}{', '.join(well)}."
