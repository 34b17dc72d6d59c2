"""Whether a run was ended since it took longer than its DAG allows."""

from __future__ import annotations

from airflow_mcp.models.runs import DagRun


def told_of_timeout(run: DagRun, limit: float | None) -> str | None:
    """In a sentence, that a run failed at its dagrun_timeout, of `limit` seconds; None where it did not."""
    if run.state != "failed" or not (limit and run.start_date and run.end_date):
        return None
    if (run.end_date - run.start_date).total_seconds() < limit:
        return None
    return f"the run reached its limit (dagrun_timeout is {limit:.0f} s)"
