"""Links: made, read back, and those of other hosts refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.links import Links, Place
from airflow_mcp.errors import InvalidArgumentError
from airflow_mcp.models.task_instances import GetTaskInstance, TaskInstanceDetails
from airflow_mcp.settings import Settings

pytestmark = pytest.mark.anyio

NASTY = {"dag_id": "отчёт.v1;a=b?c#d", "dag_run_id": "manual__2026-01-31T00:00:00+00:00", "task_id": "%2e группа & co"}


def links(**settings: Any) -> Links:
    return Links(Airflow(Settings(**{"url": "https://airflow.example.com/prod", "api_version": "v2", **settings})))


@pytest.mark.parametrize("api_version", ["v1", "v2"])
@pytest.mark.parametrize("map_index", [None, 0, 7])
async def test_a_link_leads_back(api_version: str, map_index: int | None) -> None:
    ours = links(api_version=api_version)
    args = GetTaskInstance(**NASTY, map_index=map_index)
    answer = await ours.added(TaskInstanceDetails(task_id=NASTY["task_id"], try_number=2), args)
    assert answer.url is not None
    assert answer.url.startswith("https://airflow.example.com/prod/dags/%D0%BE")
    place = ours.read(answer.url)
    assert (place.dag_id, place.dag_run_id, place.task_id, place.map_index) == (*NASTY.values(), map_index)
    assert place.try_number == (2 if api_version == "v2" else None)


RUN = "scheduled__2026-01-31T00:00:00+00:00"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("dags/etl", Place("etl")),
        ("dags/etl/", Place("etl")),
        ("dags/etl/grid", Place("etl", view="grid")),
        ("dags/etl/code", Place("etl", view="code")),
        (
            "dags/etl/grid?dag_run_id=scheduled__2026-01-31T00%3A00%3A00%2B00%3A00&task_id=load&map_index=-1&tab=logs",
            Place("etl", RUN, "load", view="logs"),
        ),
        (f"dags/etl/graph?run_id={RUN}&map_index=3", Place("etl", RUN, map_index=3, view="graph")),
        ("dags/etl/grid?base_date=2026-02-01T00:00:00&num_runs=25", Place("etl", view="grid")),
        (
            "log?execution_date=2026-01-31T00%3A00%3A00%2B00%3A00&task_id=load&dag_id=etl&map_index=-1",
            Place("etl", task_id="load", logical_date="2026-01-31T00:00:00+00:00", view="log"),
        ),
        ("tree?dag_id=etl", Place("etl", view="tree")),
        (f"taskinstance/list/?_flt_3_dag_id=etl&_flt_3_run_id={RUN}", Place("etl", RUN, view="taskinstance")),
        (f"dags/etl/runs/{RUN}", Place("etl", RUN)),
        (f"dags/etl/runs/{RUN}/tasks/group.load?try_number=2", Place("etl", RUN, "group.load", try_number=2)),
        (
            f"dags/etl/runs/{RUN}/tasks/load/mapped/7/rendered_templates",
            Place("etl", RUN, "load", 7, view="rendered_templates"),
        ),
        (f"dags/etl/runs/{RUN}/tasks/group/each", Place("etl", RUN, view="tasks")),
        ("dags/etl/tasks/load", Place("etl", task_id="load")),
        ("dags/etl/backfills", Place("etl", view="backfills")),
    ],
)
def test_pages_of_both_airflows(path: str, place: Place) -> None:
    assert links().read(f"https://airflow.example.com/prod/{path}") == place


@pytest.mark.parametrize(
    "url",
    [
        "https://AIRFLOW.example.com:443/prod/dags/etl",
        " https://airflow.example.com/prod/dags/etl ",
        "http://airflow.internal:8080/dags/etl",
    ],
)
def test_the_address_of_the_api_and_that_of_browsers_are_both_ours(url: str) -> None:
    ours = links(url="http://airflow.internal:8080", ui_url="https://airflow.example.com/prod")
    assert ours.read(url).dag_id == "etl"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/prod/dags/etl",
        "http://airflow.example.com/prod/dags/etl",
        "https://airflow.example.com:8443/prod/dags/etl",
        "https://airflow.example.com/other/dags/etl",
        "https://airflow.example.com/production/dags/etl",
        "https://airflow.example.com@evil.example.com/prod/dags/etl",
        "https://evil.example.com/?https://airflow.example.com/prod/dags/etl",
    ],
)
def test_another_host_is_refused(url: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape("speaks for https://airflow.example.com/prod alone")):
        links().read(url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("dags/etl", "must begin with http"),
        ("file:///etc/passwd", "must begin with http"),
        ("https://[airflow", "is no address"),
        ("https://airflow.example.com/prod/home", "no page of a DAG"),
        ("https://airflow.example.com/prod/dags", "no page of a DAG"),
        ("https://airflow.example.com/prod/dags/..%2Fvariables", "its dag_id holds a slash"),
        ("https://airflow.example.com/prod/dags/%2e%2e/runs/x", "its dag_id '..' is no Airflow id"),
        ("https://airflow.example.com/prod/dags/~", "its dag_id '~' is no Airflow id"),
        ("https://airflow.example.com/prod/dags/etl/grid?map_index=x", "its map_index is no number"),
    ],
)
def test_what_is_no_page_is_said_so(url: str, told: str) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"^url: .*{re.escape(told)}"):
        links().read(url)


async def test_links_are_of_the_address_of_browsers() -> None:
    ours = links(url="http://airflow.internal:8080", ui_url="https://airflow.example.com/prod/")
    args = GetTaskInstance(dag_id="etl", dag_run_id="r", task_id="t")
    answer = await ours.added(TaskInstanceDetails(task_id="t"), args)
    assert answer.url == "https://airflow.example.com/prod/dags/etl/runs/r/tasks/t"
