"""get_health: looks at the whole of one Airflow side by side, and tells what is wrong now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.dag_lists import failing_dags
from airflow_mcp.airflow.health import Component, components
from airflow_mcp.airflow.import_errors import newest
from airflow_mcp.airflow.pools import Pool, find_pool, first_pools
from airflow_mcp.airflow.run_details import usual_duration
from airflow_mcp.airflow.runs import find_runs
from airflow_mcp.airflow.task_instance_lists import WaitingRow, first_in_states
from airflow_mcp.diagnosis.parts import Parts
from airflow_mcp.diagnosis.problems import Problem, State, problems, seconds_running
from airflow_mcp.diagnosis.words import MOST_NAMED, counted, is_or_are, lasted, lasting, named
from airflow_mcp.models.health import Health
from airflow_mcp.models.runs import DagRun

MOST_RUNS = 25
"""Running runs that are looked at, those that began first."""
MOST_POOLS_ASKED = 3
"""Pools that are asked for one by one, where no list has them."""
MOST_PROBLEMS = 4
"""Those told with their facts; the summary names all."""
MOST_USUAL = 3
"""DAGs of which it is asked how long a run usually takes."""


async def get_health(api: Api) -> Health:
    """What is wrong with an Airflow now, and how it stands else.

    Routes: those for its health, import errors, DAGs, runs, task instances and pools, about ten requests in all. What
    cannot be looked at is in `not_seen`; where that is all, the first error is raised.
    """
    parts = Parts()
    return _told(await _look(api, parts), parts.not_seen)


async def _look(api: Api, parts: Parts) -> State:
    oldest = {"state": ["running"], "order_by": "start_date", "limit": MOST_RUNS}
    seen = await parts.look(
        {
            "Airflow's health": lambda: components(api),
            "import errors": lambda: newest(api, MOST_NAMED),
            "failing DAGs": lambda: failing_dags(api, MOST_NAMED),
            "queued task instances": lambda: first_in_states(api, ["queued"]),
            "scheduled task instances": lambda: first_in_states(api, ["scheduled"]),
            "pools": lambda: first_pools(api),
            "running runs": lambda: find_runs(api, None, oldest),
        }
    )
    if parts.first_error and all(each is None for each in seen.values()):
        raise parts.first_error
    if seen["failing DAGs"] and not seen["failing DAGs"].complete:
        parts.not_seen.append("last runs older than the newest 1,000")
    scheduled, (running, number) = seen["scheduled task instances"], seen["running runs"] or ([], None)
    longest = _one_a_dag(running)[:MOST_USUAL]
    usual = await parts.look({f"usual duration of {run.dag_id}": partial(_usual, api, run) for run in longest})
    return State(
        now=datetime.now(UTC),
        components=seen["Airflow's health"],
        import_errors=seen["import errors"],
        failing=seen["failing DAGs"],
        queued=seen["queued task instances"],
        scheduled=scheduled,
        pools=await _wanted_pools(api, parts, seen["pools"], scheduled[0] if scheduled else ()),
        running=number,
        longest=list(zip(longest, usual.values(), strict=True)),
    )


async def _usual(api: Api, run: DagRun) -> float | None:
    return await usual_duration(api, run.dag_id or "")


async def _wanted_pools(
    api: Api, parts: Parts, seen: tuple[Mapping[str, Pool], bool] | None, rows: Sequence[WaitingRow]
) -> dict[str, Pool | None]:
    """The pools that task instances wait for; None for one that there is not."""
    if seen is None:
        return {}
    known, complete = seen
    wanted = list(dict.fromkeys(row.pool for row in rows if row.pool))
    missing = [] if complete else [name for name in wanted if name not in known]
    if more := missing[MOST_POOLS_ASKED:]:
        parts.not_seen.append(f"pools {named(more)}")
    asked = await parts.look({f"pool {name}": partial(find_pool, api, name) for name in missing[:MOST_POOLS_ASKED]})
    found = dict(zip(missing, asked.values(), strict=False))
    return {name: found[name] if name in found else known.get(name) for name in wanted if name not in more}


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
