"""What the calls of an operator cost at this size. No figure is a limit here: they are shown at the end."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.scale import Case, Figure, measure
from tests.scale.population import BUSIEST, OLDEST, STEADY, SomeDag
from tests.scale.site import Site
from tests.session import Session

pytestmark = pytest.mark.anyio

DAG = SomeDag(BUSIEST)
RUN = next(run for run in DAG.runs if run.state == "failed")
ALL_RUNS = {"start_date": DAG.runs[0].logical_date.isoformat(), "end_date": DAG.runs[-1].logical_date.isoformat()}
LAST_DAY = {**ALL_RUNS, "start_date": DAG.runs[-24].logical_date.isoformat()}
PREVIEW: dict[str, Any] = {"dag_id": DAG.dag_id, "confirm": False}

CASES = [
    Case("get_dags, first page", "get_dags", {}),
    Case("get_dags, last page of 100", "get_dags", {"limit": 100, "offset": 9_900}),
    Case("get_dags, by tag and paused", "get_dags", {"tags": ["kind-07"], "paused": True}),
    Case("get_dags, by a part of the id", "get_dags", {"dag_id_pattern": "flow_04711"}),
    Case("get_dag", "get_dag", {"dag_id": DAG.dag_id}),
    Case("get_dag_details", "get_dag_details", {"dag_id": DAG.dag_id}),
    Case("get_dag_source", "get_dag_source", {"dag_id": DAG.dag_id}),
    Case("get_tasks", "get_tasks", {"dag_id": DAG.dag_id}),
    Case("get_task", "get_task", {"dag_id": DAG.dag_id, "task_id": "check"}),
    Case("get_dag_runs, newest of 300,000", "get_dag_runs", {}),
    Case("get_dag_runs, failed ones of 300,000", "get_dag_runs", {"state": ["failed"]}),
    Case("get_dag_runs, of a DAG with 280,001", "get_dag_runs", {"dag_id": SomeDag(OLDEST).dag_id}),
    Case("get_dag_runs, of a DAG with 501", "get_dag_runs", {"dag_id": SomeDag(STEADY).dag_id}),
    Case("get_dag_run, of a DAG with 280,001", "get_dag_run", {"dag_id": SomeDag(OLDEST).dag_id}),
    Case("get_task_instances, of a run", "get_task_instances", {"dag_id": DAG.dag_id, "dag_run_id": RUN.run_id}),
    Case("get_task_instances, failed ones of 100,000", "get_task_instances", {"state": ["failed"]}),
    Case("patch_dag, preview", "patch_dag", {**PREVIEW, "is_paused": False}),
    Case("clear, preview of one run of 8,001", "clear_task_instances", {**PREVIEW, "dag_run_id": RUN.run_id}),
    Case("clear, preview of what failed in a day", "clear_task_instances", {**PREVIEW, **LAST_DAY}),
    Case("clear, preview of what failed in 8,001 runs", "clear_task_instances", {**PREVIEW, **ALL_RUNS}),
    Case(
        "set state, preview of one run of 8,001",
        "set_task_instances_state",
        {**PREVIEW, "dag_run_id": RUN.run_id, "task_id": "extract", "new_state": "failed"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_it_is_measured(case: Case, session: Session, site: Site, figures: list[Figure]) -> None:
    figure = await measure(session.client, case, site.proxy.log)
    assert figure.requests > 0
    figures.append(figure)
