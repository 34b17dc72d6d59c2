"""Every token of a tool is paid for by every user: their number has a limit."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest

from airflow_mcp.models.dags import ROW, Dag, DagList
from airflow_mcp.tools.present import as_data, as_text
from airflow_mcp.tools.toolsets import TOOLSETS, chosen_tools
from scripts.generate import seen_by_a_model, tokens

MOST_FOR_A_TOOLSET = {
    **{"dags": 1420, "runs": 1150, "tasks": 1110, "diagnosis": 300},
    **{"assets": 460, "admin": 830, "backfills": 650, "hitl": 330},
}
MOST_FOR_A_DAG = 40

SUBJECTS = ("sales_orders", "billing", "marketing_attribution", "inventory", "customer_support")
JOBS = (
    ("load", "0 6 * * *", "2026-02-01T06:00:00Z"),
    ("hourly_sync", "15 * * * *", "2026-01-31T14:15:00Z"),
    ("to_warehouse", "30 2 * * 1-5", "2026-02-02T02:30:00.000000+00:00"),
    ("monthly_report", "@monthly", "2026-02-01T00:00:00Z"),
    ("quality_checks", "*/10 * * * *", "2026-01-31T13:50:00Z"),
)


def dag(subject: str, job: str, schedule: str, next_run: str) -> Dag:
    """A row of get_dags, read from what Airflow 3 tells."""
    told: dict[str, Any] = {
        "dag_id": f"{subject}_{job}",
        "is_paused": subject == "inventory",
        "is_stale": False,
        "timetable_summary": schedule,
        "timetable_description": "At some time",
        "next_dagrun_run_after": next_run,
        "tags": [{"name": subject.partition("_")[0]}, {"name": "tier-2"}],
        "owners": ["data-platform"],
        "description": "Loads what the job is named for, and checks it.",
        "fileloc": f"/opt/airflow/dags/{subject}/{job}.py",
        "max_active_runs": 16,
    }
    return Dag.model_validate(told).pick((), always=ROW)


@pytest.mark.parametrize("name", TOOLSETS)
def test_a_toolset(name: str) -> None:
    counts = {spec.name: tokens(seen_by_a_model(spec)) for spec in chosen_tools(name)}
    assert 0 < sum(counts.values()) <= MOST_FOR_A_TOOLSET[name], counts


def test_row_of_a_dag() -> None:
    dags = [dag(subject, *job) for subject, job in product(SUBJECTS, JOBS)]
    text = as_text(as_data(DagList(dags=dags, total=140, returned=len(dags), next_offset=25)))
    assert all(each.dag_id in text and str(each.schedule) in text for each in dags)
    rows = json.dumps(json.loads(text)["dags"]["rows"], ensure_ascii=False, separators=(",", ":"))
    assert tokens(rows) / len(dags) <= MOST_FOR_A_DAG, rows
