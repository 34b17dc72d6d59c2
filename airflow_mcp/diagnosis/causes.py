"""What of a run failed first, why and since when, out of what was seen of it: functions that ask nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from airflow_mcp.airflow.mapped import label, ranges
from airflow_mcp.airflow.task_instance_lists import InstanceRow
from airflow_mcp.diagnosis.before import told_of_before
from airflow_mcp.diagnosis.code import around, in_file
from airflow_mcp.diagnosis.failure import Failure
from airflow_mcp.diagnosis.first_failed import FailedTasks
from airflow_mcp.diagnosis.retry import run_again
from airflow_mcp.diagnosis.run_timeout import told_of_timeout
from airflow_mcp.diagnosis.words import named
from airflow_mcp.models.dag_state import Reason
from airflow_mcp.models.dags import DagDetails
from airflow_mcp.models.diagnosis import Cause, Diagnosis
from airflow_mcp.models.runs import DagRun
from airflow_mcp.text.windows import numbered

MOST_TASKS = 6
"""Tasks that failed first of which the log is read."""
LOG_CHARACTERS = 1200
"""Of the lines of all logs together."""


@dataclass(frozen=True)
class Found:
    """What was seen of a run; what is None could not be."""

    run: DagRun
    rows: Sequence[InstanceRow]
    """All of its task instances."""
    usual_duration: float | None
    tasks: FailedTasks
    failures: Sequence[Failure]
    before: Sequence[DagRun]
    tries_before: Mapping[str, Failure]
    """By task, an earlier try that failed with another error."""
    failed_before: Mapping[str, Mapping[str, Sequence[InstanceRow]]]
    errors_before: Mapping[str, str]
    """By task, the signature of its error in the run before, if it failed there."""
    details: DagDetails | None
    gone: Reason | None
    """That the file of the DAG is gone."""
    source: Sequence[str] | None
    changed: str | None
    waiting_dags: Sequence[str]
    next: str | None
    not_seen: Sequence[str]


def diagnosis(found: Found) -> Diagnosis:
    """What was found, judged and in words."""
    run, causes = found.run, _causes(found)
    return Diagnosis(
        summary=" ".join([_summary(found, causes), *([found.gone.fact] if found.gone else [])]),
        dag_id=run.dag_id,
        dag_run_id=run.dag_run_id,
        state=run.state,
        start_date=run.start_date,
        duration_seconds=run.duration_seconds,
        usual_duration_seconds=found.usual_duration,
        url=run.url,
        causes=causes or None,
        failed_after=named(found.tasks.after) or None,
        blocked=named(found.tasks.blocked) or None,
        waiting_dags=named(found.waiting_dags) or None,
        changed=found.changed,
        next=found.next,
        not_seen=found.not_seen or None,
    )


def _causes(found: Found) -> list[Cause]:
    groups: dict[tuple[str, str], list[Failure]] = {}
    for each in found.failures:
        groups.setdefault((each.row.task_id, each.signature), []).append(each)
    return [_cause(found, group) for group in groups.values()]


def _cause(found: Found, group: Sequence[Failure]) -> Cause:
    first = group[0]
    task_id = first.row.task_id
    failed = found.failed_before.get(task_id, {})
    earlier = found.errors_before.get(task_id)
    same = earlier == first.signature if earlier is not None and first.tells else None
    indexes = [each.row.map_index for each in group if each.row.map_index is not None]
    again = run_again(first.error if first.tells else None, as_before=bool(same))
    if found.gone:
        again = "cannot: no file defines the DAG."
    return Cause(
        task_id=task_id,
        map_indexes=ranges(indexes) or None,
        state=None if first.row.state == "failed" else first.row.state,
        tries=_tries(first.row, found.tries_before.get(task_id)),
        error=first.error,
        evidence=_evidence(found, first),
        before=told_of_before(found.before, failed, same_error=same),
        run_again=again,
    )


def _evidence(found: Found, failure: Failure) -> str | None:
    log = numbered(failure.lines, LOG_CHARACTERS)
    frames = in_file(failure.own_frames, found.details.fileloc if found.details else None)
    code = around(frames, found.source) if frames and found.source else ""
    when = "as it was last read" if found.gone else "as it is now"
    name = (found.details.fileloc or "").rpartition("/")[2] if found.details else ""
    return "\n".join(each for each in (log, f"{name}, {when}:\n{code}" if code else "") if each) or None


def _tries(row: InstanceRow, before: Failure | None) -> str | None:
    if not row.try_number:
        return None
    tries = f"{row.try_number} of {row.max_tries + 1}" if row.max_tries is not None else str(row.try_number)
    return f"{tries}; try {before.row.try_number} failed with {before.error}" if before else tries


def _summary(found: Found, causes: Sequence[Cause]) -> str:
    run = found.run
    which = f"{run.dag_id} {run.dag_run_id}"
    if causes:
        tasks = ", ".join(dict.fromkeys(each.task_id for each in causes))
        many = f" ({len(found.tasks.first)} tasks failed by themselves)" if len(found.tasks.first) > MOST_TASKS else ""
        return f"{which} is {run.state}: {tasks} failed first{many}."
    if found.tasks.first:
        return f"{which} is {run.state}: {named([*found.tasks.first])} failed; their logs could not be read."
    tried_again = [
        f"{label(row.task_id, row.map_index)} ({row.try_number})"
        for row in found.rows
        if row.state == "success" and (row.try_number or 0) > 1
    ]
    again = f" In a later try than the first succeeded: {named(tried_again)}." if tried_again else ""
    return f"{which} is {run.state}, and no task of it has failed.{_without_failed_task(found)}{again}"


def _unfinished(run: DagRun, rows: Sequence[InstanceRow]) -> list[str]:
    """The tasks that were skipped when the run ended, not before: Airflow sets no end_date, or that of the run."""
    end = run.end_date
    at_end = [
        row.task_id
        for row in rows
        if row.state == "skipped" and (row.end_date is None or (end and row.end_date >= end - timedelta(seconds=1)))
    ]
    return [*dict.fromkeys(at_end)]


def _without_failed_task(found: Found) -> str:
    """Why a run can have failed though no task did."""
    if found.run.state != "failed":
        return ""
    limit = found.details.dag_run_timeout_seconds if found.details else None
    if timeout := told_of_timeout(found.run, limit):
        skipped = _unfinished(found.run, found.rows)
        unfinished = f"; not done by then: {named(skipped)}" if skipped else ""
        return f" {timeout[0].upper()}{timeout[1:]}{unfinished}."
    return (
        " A person or a program set it so, which get_event_logs shows, or its tasks could not go on: "
        "get_task_instances shows their states."
    )
