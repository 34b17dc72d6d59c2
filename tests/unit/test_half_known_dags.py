"""DAGs of which Airflow can tell a part only: an operator's color is wrong, a value is none of JSON, a file is gone."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.fakes import OfRelease
from tests.replay import replayed
from tests.session import Session, text_of, unfenced

pytestmark = pytest.mark.anyio

DAG = {"dag_id": "etl"}
PROBLEM = "https://airflow.apache.org/docs/apache-airflow/2.11.2/stable-rest-api-ref.html#section/Errors/"
UNFIT = {
    "detail": "'black' does not match '^#[a-fA-F0-9]{3,6}$'\n\nFailed validating 'pattern' in schema['properties']"
    "['tasks']['items']['properties']['ui_fgcolor']:\n    {'description': 'Color in hexadecimal notation.',\n     "
    "'type': 'string',\n     'pattern': '^#[a-fA-F0-9]{3,6}$'}\n\nOn instance['tasks'][0]['ui_fgcolor']:\n    'black'",
    "status": 500,
    "title": "Response body does not conform to specification",
    "type": f"{PROBLEM}Unknown",
}
"""What Airflow 2.11.2 answers on the tasks of a DAG where one has "black" for a color."""
NO_DAG = {"detail": None, "status": 404, "title": "DAG not found", "type": f"{PROBLEM}NotFound"}
BROKEN = {
    "filename": "team/etl.py",
    "timestamp": "2026-11-29T18:15:44Z",
    "stack_trace": 'Traceback (most recent call last):\n  File "/dags/team/etl.py", line 11, in <module>\n'
    "    import nope\nModuleNotFoundError: No module named 'nope'\n",
}
CAUSE = (
    "Airflow refuses its own answer (500): ui_fgcolor in it does not have the form that its API promises. "
    "It says: 'black' does not match '^#[a-fA-F0-9]{3,6}$'."
)
MEND = "Trying again does not help: correct it in the code of the DAG, or of an operator in it."


class Tells(OfRelease):
    """An Airflow that answers this on these paths below its API, and NO_DAG elsewhere."""

    def __init__(self, version: str, **answers: Any) -> None:
        super().__init__(version)
        self.answers = answers
        self.sent: list[str] = []

    async def rest(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            return httpx.Response(201, json={"access_token": "token"})
        path = request.url.path.split("/", 3)[3]
        self.sent.append(path)
        answer = self.answers.get(path, httpx.Response(404, json=NO_DAG))
        if isinstance(answer, dict):
            return httpx.Response(200, json=answer)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def told(**more: Any) -> dict[str, Any]:
    return {**DAG, "is_paused": False, "owners": ["ana"], "fileloc": "/dags/team/etl.py", "file_token": "t", **more}


# -- an operator with a color that is none (Airflow 2)

UNFIT_ANSWER = httpx.Response(500, json=UNFIT, headers={"content-type": "application/problem+json"})
FIRST = {"task_id": "first", "downstream_task_ids": ["bad"], "operator_name": "EmptyOperator"}
INSTANCE = {**DAG, "dag_run_id": "r1", "task_id": "first", "map_index": -1, "state": "failed"}


def coloured() -> Tells:
    rows = {"task_instances": [INSTANCE], "total_entries": 1}
    return Tells(
        "2.11.2",
        **{
            "dags/etl": told(),
            "dags/etl/tasks": UNFIT_ANSWER,
            "dags/etl/tasks/bad": UNFIT_ANSWER,
            "dags/etl/tasks/first": FIRST,
            "dags/etl/clearTaskInstances": rows,
            "dags/~/dagRuns/~/taskInstances/list": rows,
        },
    )


CLEAR = {**DAG, "dag_run_id": "r1", "confirm": False}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_tasks", DAG),
        ("get_task", {**DAG, "task_id": "bad"}),
        ("clear_task_instances", {**CLEAR, "task_ids": ["first"], "include_downstream": True}),
        ("set_task_instances_state", {**CLEAR, "task_id": "first", "new_state": "success"}),
    ],
)
async def test_a_wrong_color_is_named_where_it_hides_what_is_needed(tool: str, arguments: dict[str, Any]) -> None:
    async with replayed(coloured()) as session:
        assert await session.error(tool, **arguments) == f"{CAUSE} {MEND}"


async def test_a_wrong_color_hides_no_other_task() -> None:
    async with replayed(coloured()) as session:
        task = await session.ok("get_task", **DAG, task_id="first")
        assert (task["operator"], task["downstream_task_ids"]) == ("EmptyOperator", ["bad"])
        assert "upstream_task_ids" not in task
        assert task["note"] == f"What is upstream is not known. {CAUSE}"


async def test_a_wrong_color_keeps_no_task_from_being_cleared() -> None:
    async with replayed(coloured()) as session:
        preview = await session.ok("clear_task_instances", **CLEAR, task_ids=["first"])
        assert preview["runs"] == [
            {"dag_run_id": "r1", "task_instances": [{"task_id": "first", "state": "failed"}]},
        ]
        message = await session.error("clear_task_instances", **CLEAR, task_ids=["firs"])
        assert message.startswith("etl: no task instance firs in the runs that were asked for")


@pytest.mark.parametrize("detail", [None, "", "On instance", "On instance[", "On instance:\n", 7, "x" * 100_000])
async def test_whatever_it_says_of_the_value_is_told_in_short(detail: object) -> None:
    unfit = httpx.Response(500, json={**UNFIT, "detail": detail})
    async with replayed(Tells("2.11.2", **{"dags/etl": unfit})) as session:
        message = await session.error("get_dag", **DAG)
    assert message.startswith("Airflow refuses its own answer (500): a value in it does not have")
    assert len(message) < 1000


# -- a value that Airflow 3 cannot write, such as a relativedelta in default_args


@pytest.mark.parametrize("fields", [None, ["default_args", "owners"]])
async def test_details_that_airflow_cannot_write_are_the_short_form(fields: list[str] | None) -> None:
    fails = httpx.Response(500, text="Internal Server Error")
    airflow = Tells("3.3.2", **{"dags/etl": told(), "dags/etl/details": fails})
    async with replayed(airflow) as session:
        details = await session.ok("get_dag_details", **DAG, fields=fields)
    assert details["owners"] == ["ana"]
    assert ("fileloc" in details) is (fields is None)
    assert details["note"].startswith("This is what get_dag tells. On the details Airflow fails")


async def test_where_the_short_form_fails_too_so_does_the_call() -> None:
    fails = httpx.Response(500, text="Internal Server Error")
    async with replayed(Tells("3.3.2", **{"dags/etl": fails, "dags/etl/details": fails})) as session:
        assert "failed (500)" in await session.error("get_dag_details", **DAG)


# -- numbers that JSON has none of


@pytest.mark.parametrize("version", ["2.11.2", "3.3.2"])
async def test_no_number_is_told_in_one_form(version: str) -> None:
    numbers = '[NaN, Infinity, -Infinity, 1e999, {"x": NaN}, 1.5]'
    params = f'{{"rate": {{"value": {numbers}, "schema": {{"default": NaN}}, "description": null}}}}'
    details = f'{{"dag_id": "etl", "owners": ["ana"], "params": {params}, "default_args": {{"rate": -Infinity}}}}'
    task = f'{{"task_id": "first", "downstream_task_ids": [], "retry_delay": NaN, "params": {{"rate": {numbers}}}}}'
    xcom = f'{{"key": "return_value", "value": {numbers}}}'
    headers = {"content-type": "application/json"}
    one = "dags/etl/dagRuns/r1/taskInstances/first/xcomEntries/return_value"
    airflow = Tells(
        version,
        **{
            "dags/etl/details": httpx.Response(200, content=details, headers=headers),
            "dags/etl/tasks": httpx.Response(200, content=f'{{"tasks": [{task}]}}', headers=headers),
            "dags/etl/tasks/first": httpx.Response(200, content=task, headers=headers),
            one: httpx.Response(200, content=xcom, headers=headers),
        },
    )
    expected = ["NaN", "Infinity", "-Infinity", "Infinity", {"x": "NaN"}, 1.5]
    async with replayed(airflow) as session:
        answer = await in_one_form(session, "get_dag_details", DAG)
        assert answer["params"]["rate"] == {"value": expected, "schema": {"default": "NaN"}}
        assert answer["default_args"] == {"rate": "-Infinity"}
        assert (await in_one_form(session, "get_task", {**DAG, "task_id": "first"}))["params"]["rate"] == expected
        await in_one_form(session, "get_tasks", DAG)
        run = {**DAG, "dag_run_id": "r1", "task_id": "first"}
        assert (await in_one_form(session, "get_xcom", run))["value"] == expected


async def in_one_form(session: Session, tool: str, arguments: dict[str, Any]) -> Any:
    """An answer that is strict JSON as data and as text, with the same in both."""
    result = await session.call(tool, arguments)
    text = text_of(result)
    assert not result.is_error, text
    data = json.dumps(result.structured_content, allow_nan=False)
    in_text = json.dumps(json.loads(text, parse_constant=pytest.fail))
    assert sorted(data.count(each) for each in ('"NaN"', "Infinity")) == sorted(
        in_text.count(each) for each in ('"NaN"', "Infinity")
    )
    return result.structured_content


# -- a file that is gone, or does not import any more


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_tasks", DAG),
        ("get_task", {**DAG, "task_id": "first"}),
        ("get_dag_source", DAG),
        ("get_dag_details", DAG),
        ("clear_task_instances", CLEAR),
    ],
)
async def test_of_a_file_that_is_gone_airflow_2_tells_what_is_left(tool: str, arguments: dict[str, Any]) -> None:
    page = httpx.Response(500, html="<title>Internal Server Error</title>")
    gone = told(is_active=False)
    airflow = Tells("2.11.2", **{"dags/etl": gone, "dagSources/t": page, "importErrors": failed()})
    async with replayed(airflow) as session:
        assert await session.error(tool, **arguments) == (
            "Airflow has no tasks and no code of DAG etl any more: no file defines it. It was in /dags/team/etl.py. "
            "get_dag and get_dag_runs tell what is left of it."
        )


async def test_code_that_airflow_2_fails_to_give_is_told_as_such_while_the_file_is_there() -> None:
    page = httpx.Response(500, html="<title>Internal Server Error</title>")
    airflow = Tells("2.11.2", **{"dags/etl": told(is_active=True), "dagSources/t": page, "importErrors": failed()})
    async with replayed(airflow) as session:
        assert "failed (500)" in await session.error("get_dag_source", **DAG)


def failed(*errors: dict[str, Any]) -> dict[str, Any]:
    return {"import_errors": [*errors], "total_entries": len(errors)}


@pytest.mark.parametrize(
    ("version", "filename"), [("2.11.2", "/dags/team/etl.py"), ("3.3.2", "team/etl.py"), ("3.0.6", "team/etl.py")]
)
async def test_the_code_of_a_broken_file_says_that_it_is_older(version: str, filename: str) -> None:
    other = {**BROKEN, "filename": "etl.py", "stack_trace": "another"} if version > "3" else BROKEN
    airflow = Tells(
        version,
        **{
            "dags/etl": told(has_import_errors=True),
            "dagSources/t" if version < "3" else "dagSources/etl": {"content": "x = 1\n"},
            "importErrors": failed({**BROKEN, "filename": filename}, other),
        },
    )
    async with replayed(airflow) as session:
        answer = await session.ok("get_dag_source", **DAG)
        assert unfenced(answer["source"]) == "1|x = 1"
        assert answer["note"] == (
            f"{filename} does not import: line 11, ModuleNotFoundError: No module named 'nope'. "
            "This is its code as it last imported."
        )
        airflow.answers["importErrors"] = httpx.Response(403, json={"detail": "Forbidden"})
        note = (await session.ok("get_dag_source", **DAG))["note"]
        assert note == "The file does not import: get_import_errors. This is its code as it last imported."


async def test_the_code_of_a_file_that_is_gone_says_so_on_airflow_3() -> None:
    airflow = Tells("3.3.2", **{"dags/etl": told(is_stale=True), "dagSources/etl": {"content": "x = 1\n"}})
    async with replayed(airflow) as session:
        note = (await session.ok("get_dag_source", **DAG))["note"]
        assert note == "No file defines this DAG any more; this is its last code."
        airflow.answers["dags/etl"] = told(is_stale=False, has_import_errors=False)
        assert "note" not in await session.ok("get_dag_source", **DAG)
        airflow.sent.clear()
        assert "note" not in await session.ok("get_dag_source", **DAG, version_number=1)
        assert airflow.sent == ["dagSources/etl"]
