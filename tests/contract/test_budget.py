"""Every token of a tool is paid for by every user: their number has a limit."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

from airflow_mcp.handlers import offered_tools
from airflow_mcp.models.dags import ROW, DagList, DagRow
from airflow_mcp.settings import Settings
from airflow_mcp.tools.present import as_data, as_text
from scripts.generate import seen_by_a_model, tokens

MOST_FOR_A_TOOL = 130  # on the average
MOST_FOR_A_DAG = 100
MOST_FOR_A_DAG_IN_COLUMNS = 74

TOOLS = offered_tools(Settings.for_one())
SUBJECTS = ("sales_orders", "billing", "marketing_attribution", "inventory", "customer_support")
JOBS = (
    ("load", "0 6 * * *", "2026-02-01T06:00:00Z"),
    ("hourly_sync", "15 * * * *", "2026-01-31T14:15:00Z"),
    ("to_warehouse", "30 2 * * 1-5", "2026-02-02T02:30:00.000000+00:00"),
    ("monthly_report", "@monthly", "2026-02-01T00:00:00Z"),
    ("quality_checks", "*/10 * * * *", "2026-01-31T13:50:00Z"),
)


def dag(subject: str, job: str, schedule: str, next_run: str) -> DagRow:
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
        "last_run_state": "success",
        "last_run_id": "scheduled__2026-01-31T06:00:00+00:00",
        "last_run_at": "2026-02-01T06:00:04.512388Z",
    }
    return DagRow.model_validate(told).pick(None, always=(), default=ROW)


def test_tools_together() -> None:
    counts = {spec.name: tokens(seen_by_a_model(spec)) for spec in TOOLS}
    assert sum(counts.values()) / len(counts) <= MOST_FOR_A_TOOL, counts


def test_row_of_a_dag() -> None:
    dags = [dag(subject, *job) for subject, job in product(SUBJECTS, JOBS)]
    data = as_data(DagList(rows=dags, total=140, returned=len(dags), next_offset=25))
    # Many clients show a model only the data; in the text the columns are named once.
    in_columns = json.loads(as_text(data))["dags"]["rows"]
    for rows, most in ((data["dags"], MOST_FOR_A_DAG), (in_columns, MOST_FOR_A_DAG_IN_COLUMNS)):
        written = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        assert all(each.dag_id in written and str(each.schedule) in written for each in dags)
        assert tokens(written) / len(dags) <= most, (tokens(written) / len(dags), written)
