"""What can be concluded from what was fetched: pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from airflow_mcp.airflow.graph import below
from airflow_mcp.airflow.report import shortened


def first_failures(failed: Iterable[str], graph: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    """The failed tasks that have no failed one upstream, and those that have."""
    names = list(dict.fromkeys(failed))
    after = below(graph, names)
    return [name for name in names if name not in after], [name for name in names if name in after]


def told_history(run_ids: Sequence[str], failed_in: Collection[str]) -> str:
    """Whether a task failed in the runs before, of which the newest is named first."""
    if not run_ids:
        return "There is no run before."
    failed = [run_id in failed_in for run_id in run_ids]
    if not any(failed):
        return f"Failed in none of {_runs(len(run_ids))} before."
    told = f"Failed in {sum(failed)} of {_runs(len(run_ids))} before"
    row = failed.index(False) if False in failed else len(failed)
    if row == 0:
        return f"{told}, not in the last."
    since = "since at least" if row == len(failed) else "in a row since"
    return f"{told}, {since} {run_ids[row - 1]}."


def _runs(number: int) -> str:
    return f"{number} run{'s' if number != 1 else ''}"


def told_states(states: Iterable[str], total: int) -> str:
    """`6 task instances: 1 failed, 2 upstream_failed, 3 others`."""
    counts = Counter(states)
    rest = total - sum(counts.values())
    parts = [f"{number} {state}" for state, number in counts.most_common()] + (
        [f"{rest} in other states"] if rest else []
    )
    return f"{total} task instances: {', '.join(parts)}" if parts else "no task instances"


def told_indexes(indexes: Sequence[int]) -> str | None:
    """Map indexes in short; None for a task that is not mapped."""
    mapped = sorted(index for index in indexes if index >= 0)
    return shortened(mapped, ",") if mapped else None


def told_versions(here: int, good: int, good_run: str) -> str:
    """Whether a run had another version of its DAG than the last one that succeeded."""
    if here == good:
        return f"DAG version {here}, as in the last good run, {good_run}."
    return f"Changed: DAG version {here}; the last good run, {good_run}, had {good}."
