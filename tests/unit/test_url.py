"""resolve_url: what a link names on both Airflows, how it stands, what is called next, and what it may not ask."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.links import Links
from airflow_mcp.release import Release
from tests.fakes import LOGIN, URL, OfRelease
from tests.replay import replayed

pytestmark = pytest.mark.anyio
every_version = pytest.mark.parametrize("version", ["2.11.2", "3.3.2"])

RUN = "scheduled__2026-11-29T06:00:00+00:00"
AT = f'dag_id="etl", dag_run_id="{RUN}"'


class Etl(OfRelease):
    """An Airflow with a DAG etl, one run of it in a state, and its task instances."""

    def __init__(self, version: str, run: str = "failed", **tasks: str | None) -> None:
        super().__init__(version)
        self.run = run
        self.tasks: dict[str, str | None] = tasks

    async def rest(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.partition("/api/v")[2].partition("/")[2]
        if request.url.path == LOGIN:
            return httpx.Response(201, json={"access_token": "token"})
        run = {"dag_id": "etl", "dag_run_id": RUN, "state": self.run, "logical_date": "2026-11-29T06:00:00Z"}
        if path == "dags/etl":
            return httpx.Response(200, json={"dag_id": "etl", "is_paused": self.run == "queued"})
        if path == f"dags/etl/dagRuns/{RUN}":
            return httpx.Response(200, json=run)
        if path.endswith("/dagRuns"):
            date = request.url.params.get("execution_date_gte" if self.version < "3" else "logical_date_gte")
            runs = [run] if date in (None, "2026-11-29T06:00:00+00:00") else []
            return httpx.Response(200, json={"dag_runs": runs, "total_entries": len(runs)})
        if path == "dags/etl/tasks":
            known: list[dict[str, Any]] = [{"task_id": name, "downstream_task_ids": []} for name in ("load", "save")]
            return httpx.Response(200, json={"tasks": known})
        if path == "dags/etl/tasks/load":
            return httpx.Response(200, json={"task_id": "load", "downstream_task_ids": []})
        if path.endswith("/taskInstances/list"):
            wanted = json.loads(request.content).get("task_ids")
            rows = [self.instance(name, state) for name, state in self.tasks.items()]
            rows = [row for row in rows if not wanted or row["task_id"] in wanted]
            return httpx.Response(200, json={"task_instances": rows, "total_entries": len(rows)})
        if path == "importErrors":
            return httpx.Response(200, json={"import_errors": [], "total_entries": 0})
        title = "DAG not found" if "dagRuns" not in path else "DAGRun not found"
        detail = "The Dag with ID: `x` was not found" if "dagRuns" not in path else "The DagRun was not found"
        kind = "https://airflow.apache.org/docs/x/NotFound"
        return httpx.Response(404, json={"detail": detail, "title": title, "status": 404, "type": kind})

    def instance(self, name: str, state: str | None) -> dict[str, Any]:
        task_id, _, index = name.partition("_")
        ids = {"dag_id": "etl", "dag_run_id": RUN, "task_id": task_id, "map_index": int(index or -1)}
        return {**ids, "state": state, "try_number": 2, "start_date": None}


async def resolved(airflow: Etl, path: str) -> Any:
    async with replayed(airflow) as session:
        return await session.ok("resolve_url", url=f"{URL}{path}")


@every_version
@pytest.mark.parametrize(
    ("path", "airflow", "expected"),
    [
        ("/dags/etl", {}, ("dag", "active", 'get_dag(dag_id="etl")')),
        ("/dags/etl", {"run": "queued"}, ("dag", "paused", 'explain_dag_state(dag_id="etl")')),
        ("/dags/etl/code", {}, ("code", "active", 'get_dag_source(dag_id="etl")')),
        ("/dags/etl/details", {}, ("details", "active", 'get_dag_details(dag_id="etl")')),
        ("/dagrun/list/?_flt_3_dag_id=etl", {}, ("runs", "active", 'get_dag_runs(dag_id="etl")')),
        ("/dags/etl/tasks/group/g", {}, ("task_group", "active", 'get_tasks(dag_id="etl")')),
        (f"/dags/etl/runs/{RUN}", {}, ("dag_run", "failed", f"diagnose_dag_run({AT})")),
        (f"/dags/etl/grid?dag_run_id={RUN}", {"run": "running"}, ("dag_run", "running", f"explain_dag_state({AT})")),
        (f"/dags/etl/grid?dag_run_id={RUN}", {"run": "success"}, ("dag_run", "success", f"get_dag_run({AT})")),
        (f"/dags/etl/runs/{RUN}/tasks/group/g", {}, ("task_group", "failed", f"get_task_instances({AT})")),
        (
            f"/dags/etl/grid?dag_run_id={RUN}&task_id=load&tab=logs",
            {"load": "failed"},
            ("log", "failed", f'get_task_log({AT}, task_id="load")'),
        ),
        (
            f"/dags/etl/runs/{RUN}/tasks/load?try_number=1",
            {"load": "success"},
            ("task_instance", "success", f'get_task_log({AT}, task_id="load", try_number=1)'),
        ),
        (
            "/log?dag_id=etl&task_id=load&execution_date=2026-11-29T06:00:00+00:00&map_index=-1",
            {"load": None},
            ("log", "no_status", f'explain_dag_state({AT}, task_id="load")'),
        ),
        (
            f"/dags/etl/runs/{RUN}/tasks/load",
            {"load": "success"},
            ("task_instance", "success", f'get_task_instance({AT}, task_id="load")'),
        ),
        (
            f"/dags/etl/runs/{RUN}/tasks/load/rendered_templates",
            {"load": "success"},
            ("rendered_templates", "success", f'get_task_instance({AT}, task_id="load", rendered_fields=true)'),
        ),
        (
            f"/dags/etl/runs/{RUN}/tasks/load/xcom",
            {"load": "success"},
            ("xcom", "success", f'get_xcom_entries({AT}, task_id="load")'),
        ),
        (
            f"/dags/etl/runs/{RUN}/tasks/load/mapped/1",
            {"load_0": "success", "load_1": "queued"},
            ("task_instance", "queued", f'explain_dag_state({AT}, task_id="load", map_index=1)'),
        ),
        (
            f"/dags/etl/runs/{RUN}/tasks/load",
            {"load_0": "success", "load_1": "failed"},
            ("task_instance", "1 failed, 1 success", f'get_task_log({AT}, task_id="load", map_index=1)'),
        ),
        (
            f"/dags/etl/runs/{RUN}/tasks/load/mapped",
            {"load_0": "success", "load_1": "success"},
            ("task_instance", "2 success", f'get_task_instances({AT}, task_id="load")'),
        ),
    ],
)
async def test_what_a_link_names(
    version: str, path: str, airflow: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    answer = await resolved(Etl(version, **airflow), path)
    assert (answer["shows"], answer["state"], answer["next"]) == expected
    assert answer["dag_id"] == "etl"
    assert "not_there" not in answer
    index, task_id, run_id = answer.get("map_index"), answer.get("task_id"), answer.get("dag_run_id")
    links = Links(URL, Release(2, 11) if version < "3" else Release(3, 3))
    assert answer["url"] == links.to("etl", run_id, task_id, index)


@every_version
@pytest.mark.parametrize(
    ("path", "says", "following"),
    [
        ("/dags/etx", "was not found", 'get_dags(dag_id_pattern="etx")'),
        (f"/dags/etl/runs/{RUN}1", f"Did you mean {RUN}?", 'get_dag_runs(dag_id="etl")'),
        ("/log?dag_id=etl&task_id=load&execution_date=2020-01-01", "has no run with logical_date", "get_dag_runs"),
        ("/log?dag_id=etx&task_id=load&execution_date=2020-01-01", "was not found", "get_dags"),
        (f"/dags/etl/runs/{RUN}/tasks/lod", "Did you mean load?", f"get_task_instances({AT})"),
        (f"/dags/etl/runs/{RUN}/tasks/load/mapped/7", "map_index: task load is not mapped", "get_task_instances("),
        (f"/dags/etl/runs/{RUN}/tasks/load?try_number=9", "try_number 9: the latest is 2.", "get_task_log"),
        ("/dags/etl/tasks/lod", "Did you mean load?", "get_tasks("),
    ],
)
async def test_what_is_not_there_is_told(version: str, path: str, says: str, following: str) -> None:
    answer = await resolved(Etl(version, load="failed"), path)
    assert says in answer["not_there"]
    assert answer["next"].startswith(following)
    assert answer["dag_id"] in path


@every_version
async def test_a_page_that_names_no_dag(version: str) -> None:
    pages = {"/home": "get_health()", "/import_errors": "get_import_errors()", "/dag_runs": "get_dag_runs()"}
    for path, following in pages.items():
        answer = await resolved(Etl(version), path)
        assert answer == {"shows": {"/dag_runs": "runs"}.get(path, path[1:]), "next": following}


@every_version
async def test_nothing_is_sent_for_another_servers_address(version: str) -> None:
    airflow = Etl(version)
    async with replayed(airflow) as session:
        for url in ("https://evil.example.com/dags/etl", "http://airflow.test@evil.example.com/dags/etl", "x"):
            message = await session.error("resolve_url", url=url)
            assert message.startswith("url: ")
    assert {request.url.host for request in airflow.requests} == {"airflow.test"}
    assert [path for path in airflow.paths() if "dags" in path] == []


@every_version
async def test_a_map_index_beyond_the_first_page_is_found(version: str) -> None:
    class Wide(Etl):
        async def rest(self, request: httpx.Request) -> httpx.Response:
            if not request.url.path.endswith("/taskInstances/list"):
                return await super().rest(request)
            start = json.loads(request.content).get("page_offset", 0)
            rows = [self.instance(f"load_{index}", "success") for index in range(start, min(start + 1000, 2500))]
            return httpx.Response(200, json={"task_instances": rows, "total_entries": 2500})

    answer = await resolved(Wide(version), f"/dags/etl/runs/{RUN}/tasks/load/mapped/2400")
    assert (answer["map_index"], answer["state"]) == (2400, "success")
    gone = await resolved(Wide(version), f"/dags/etl/runs/{RUN}/tasks/load/mapped/2500")
    assert gone["not_there"] == "map_index: task load has map indexes 0-2499 in this run."
