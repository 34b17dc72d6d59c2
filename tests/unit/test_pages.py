"""What the addresses of Airflow's pages name, on Airflow 2 and 3; other addresses are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_mcp.airflow.links import Links
from airflow_mcp.airflow.pages import Page, page_at
from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.release import Release

BASE = "https://airflow.example.com/team"
RUN = "scheduled__2026-11-29T06:00:00+00:00"
ENCODED = "scheduled__2026-11-29T06%3A00%3A00%2B00%3A00"
DATE = datetime(2026, 11, 29, 6, tzinfo=UTC)
DAG, IN_RUN = {"dag_id": "etl"}, {"dag_id": "etl", "dag_run_id": RUN}
TASK = {**IN_RUN, "task_id": "load"}

PAGES: dict[str, dict[str, Any]] = {
    "": {"shows": "home"},
    "/home": {"shows": "home"},
    # -- Airflow 3
    "/dags": {"shows": "dags"},
    "/dags/etl": DAG,
    "/dags/etl/": DAG,
    "/dags/etl/code": {**DAG, "shows": "code"},
    "/dags/etl/runs": {**DAG, "shows": "runs"},
    "/dags/etl/tasks": {**DAG, "shows": "tasks"},
    "/dags/etl/tasks/load": {**DAG, "task_id": "load"},
    "/dags/etl/tasks/load/task_instances": {**DAG, "task_id": "load", "shows": "task_instances"},
    "/dags/etl/tasks/group/extract": {**DAG, "task_group_id": "extract"},
    f"/dags/etl/runs/{ENCODED}": IN_RUN,
    f"/dags/etl/runs/{RUN}": IN_RUN,
    f"/dags/etl/runs/{ENCODED}/code": {**IN_RUN, "shows": "code"},
    f"/dags/etl/runs/{ENCODED}/tasks/load": TASK,
    f"/dags/etl/runs/{ENCODED}/tasks/load?try_number=2": {**TASK, "try_number": 2},
    f"/dags/etl/runs/{ENCODED}/tasks/load/xcom": {**TASK, "shows": "xcom"},
    f"/dags/etl/runs/{ENCODED}/tasks/load/mapped": TASK,
    f"/dags/etl/runs/{ENCODED}/tasks/load/mapped/7": {**TASK, "map_index": 7},
    f"/dags/etl/runs/{ENCODED}/tasks/load/mapped/7/details?try_number=1": {
        **TASK,
        "map_index": 7,
        "try_number": 1,
        "shows": "details",
    },
    f"/dags/etl/runs/{ENCODED}/tasks/load/mapped/-1": TASK,
    f"/dags/etl/runs/{ENCODED}/tasks/group/extract": {**IN_RUN, "task_group_id": "extract"},
    "/dag_runs?state=failed": {"shows": "runs"},
    "/task_instances": {"shows": "task_instances"},
    "/import_errors": {"shows": "import_errors"},
    "/assets/7": {"shows": "assets/7"},
    # -- Airflow 2
    "/dags/etl/grid": DAG,
    "/dags/etl/graph": DAG,
    "/dags/etl/details": {**DAG, "shows": "details"},
    f"/dags/etl/grid?dag_run_id={ENCODED}": IN_RUN,
    f"/dags/etl/grid?dag_run_id={RUN}": IN_RUN,
    f"/dags/etl/grid?dag_run_id={ENCODED}&task_id=load&map_index=3&tab=logs": {**TASK, "map_index": 3, "shows": "log"},
    f"/dags/etl/grid?dag_run_id={ENCODED}&task_id=load&base_date=2026-11-29T06%3A00%3A00%2B0000&tab=logs": {
        **TASK,
        "shows": "log",
    },
    f"/dags/etl/graph?dag_run_id={ENCODED}&task_id=load": TASK,
    "/dags/etl/graph?execution_date=2026-11-29T06%3A00%3A00%2B00%3A00": {**DAG, "logical_date": DATE},
    "/log?dag_id=etl&task_id=load&execution_date=2026-11-29T06%3A00%3A00%2B00%3A00&map_index=-1": {
        **DAG,
        "task_id": "load",
        "logical_date": DATE,
        "shows": "log",
    },
    "/log?execution_date=2026-11-29T06:00:00+00:00&task_id=load&dag_id=etl&map_index=4": {
        **DAG,
        "task_id": "load",
        "map_index": 4,
        "logical_date": DATE,
        "shows": "log",
    },
    "/task?dag_id=etl&task_id=load&execution_date=2026-11-29T06:00:00": {
        **DAG,
        "task_id": "load",
        "logical_date": DATE,
    },
    "/tree?dag_id=etl": DAG,
    f"/confirm?task_id=load&dag_id=etl&dag_run_id={ENCODED}&upstream=false&state=success": TASK,
    f"/dagrun_details?dag_id=etl&run_id={ENCODED}": IN_RUN,
    "/dagrun/list/?_flt_3_dag_id=etl&_flt_3_state=failed": {**DAG, "shows": "runs"},
    f"/taskinstance/list/?_flt_3_dag_id=etl&_flt_3_run_id={ENCODED}&_flt_3_task_id=load": {
        **TASK,
        "shows": "task_instances",
    },
    # -- both
    "/dags/%D0%BE%D1%82%D1%87%D1%91%D1%82.v1/code": {"dag_id": "отчёт.v1", "shows": "code"},
    "/dags/отчёт.v1": {"dag_id": "отчёт.v1"},
}


@pytest.mark.parametrize(("path", "named"), PAGES.items())
def test_a_page(path: str, named: dict[str, Any]) -> None:
    assert page_at(f"{BASE}{path}", [BASE]) == Page(**named)


@pytest.mark.parametrize("base", ["https://airflow.example.com", BASE, "http://localhost:8080", f"{BASE}/b%20c"])
@pytest.mark.parametrize("release", [Release(2, 7), Release(2, 11), Release(3, 0), Release(3, 3)])
@pytest.mark.parametrize(
    "odd", ["load", "a+b:c", "отчёт.v1", "50%25", "q?x=1&dag_id=y#f", "группа.a b", "tasks", "group"]
)
def test_each_link_of_ours_leads_to_what_it_names(base: str, release: Release, odd: str) -> None:
    links = Links(base, release)
    assert page_at(links.to(odd), [base]) == Page(dag_id=odd)
    assert page_at(links.to(odd, task_id=odd), [base]) == Page(dag_id=odd, task_id=odd)
    assert page_at(links.to(odd, odd), [base]) == Page(dag_id=odd, dag_run_id=odd)
    assert page_at(links.to(odd, odd, odd), [base]) == Page(dag_id=odd, dag_run_id=odd, task_id=odd)
    for index in (0, 7):
        mapped = Page(dag_id=odd, dag_run_id=odd, task_id=odd, map_index=index)
        assert page_at(links.to(odd, odd, odd, index), [base]) == mapped


@pytest.mark.parametrize(
    "url",
    [
        f"  {BASE}/dags/etl\n",
        f"<{BASE}/dags/etl>",
        "HTTPS://AIRFLOW.EXAMPLE.COM:443/team/dags/etl",
        "https://airflow.example.com./team/dags/etl",
        "/team/dags/etl",
        f"{BASE}/dags/etl#top",
        f"{BASE}//dags//etl",
        "http://10.0.0.7:8080/dags/etl",
    ],
)
def test_ways_to_write_an_address(url: str) -> None:
    assert page_at(url, [BASE, "http://10.0.0.7:8080"]) == Page(dag_id="etl")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://evil.example.com/team/dags/etl", "is of https://evil.example.com/team; this Airflow is at"),
        ("https://airflow.example.com.evil.org/team/dags/etl", "is of https://airflow.example.com.evil.org/team;"),
        ("http://airflow.example.com/team/dags/etl", "is of http://airflow.example.com/team;"),
        ("https://airflow.example.com:8443/team/dags/etl", "is of https://airflow.example.com:8443/team;"),
        ("https://airflow.example.com/other/dags/etl", "is of https://airflow.example.com/other"),
        ("https://airflow.example.com/teams/dags/etl", "is of https://airflow.example.com/teams"),
        ("https://airflow.example.com/dags/etl", "is of https://airflow.example.com/dags"),
        ("https://airflow.example.com@evil.org/team/dags/etl", "has a user or a password"),
        ("https://ana:s3cret-pw@airflow.example.com/team/dags/etl", "has a user or a password"),
        ("https://airflow.example.com\\@evil.org/team/dags/etl", "has a user or a password"),
        ("//evil.org/team/dags/etl", "is of //evil.org/team;"),
        ("/dags/etl", "is not a whole URL"),
        ("airflow.example.com/team/dags/etl", "is not a whole URL"),
        ("javascript:alert(1)", "is not a whole URL"),
        ("etl failed", "is not a whole URL"),
        ("https://[::1/team/dags/etl", "is not a URL that can be read"),
        ("https://airflow.example.com:port/team/dags/etl", "is not a URL that can be read"),
        (f"{BASE}/dags/%ff%fe", "is not a URL that can be read"),
        (f"{BASE}/dags/..", "its dag_id must not be . or .."),
        (f"{BASE}/dags/%2e%2e%2fvariables", 'its dag_id must not contain "/"'),
        (f"{BASE}/dags/~", "its dag_id stands for all"),
        (f"{BASE}/dags/etl/runs/r/tasks/%0aload", "its task_id must not contain a line break"),
        (f"{BASE}/dags/etl/runs/r/tasks/t/mapped/x", "its map_index is not a number"),
        (f"{BASE}/dags/etl/runs/r/tasks/t/mapped/{'9' * 400}", "its map_index is not a number"),
        (f"{BASE}/log?dag_id=etl&execution_date=yesterday", "its execution_date is not a date"),
    ],
)
def test_what_is_no_page_of_this_airflow(url: str, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^url: ") as refused:
        page_at(url, [BASE])
    assert says in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert refused.value.field == "url"


def test_of_a_long_query_the_first_of_each_name_counts() -> None:
    url = f"{BASE}/dags/etl/grid?dag_run_id=r1&{'&'.join(['dag_run_id=r2'] * 200)}"
    assert page_at(url, [BASE]) == Page(dag_id="etl", dag_run_id="r1")
