"""What each refusal of Airflow means, in the forms of both versions: an error that says what failed and what to do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from airflow_mcp.airflow.http import Http
from airflow_mcp.airflow.request import Request
from airflow_mcp.errors import (
    AirflowMcpError,
    BusyError,
    ConflictError,
    DagNotFoundError,
    ForbiddenError,
    MayHaveHappenedError,
    NotAcceptableError,
    NotFoundError,
    NotSignedInError,
    RejectedError,
    RouteMissingError,
    ServerFaultError,
)
from airflow_mcp.instance import Instance

pytestmark = pytest.mark.anyio

URL = "http://airflow.test"
READ = Request("GET", "api/v2/dags/etl")
CHANGE = Request("PATCH", "api/v2/dags/etl", body={"is_paused": True}, change=True)
DOCS = "https://airflow.apache.org/docs/apache-airflow/2.11.2/stable-rest-api-ref.html#section/Errors/"


def v1(status: int, title: str, detail: str | None = None, kind: str = "about:blank") -> httpx.Response:
    """A refusal of Airflow 2."""
    problem = {"detail": detail, "status": status, "title": title, "type": kind}
    return httpx.Response(status, json=problem, headers={"content-type": "application/problem+json"})


def v2(status: int, detail: Any) -> httpx.Response:
    """A refusal of Airflow 3."""
    return httpx.Response(status, json={"detail": detail})


def page(status: int, title: str) -> httpx.Response:
    """A web page: of Airflow 2 outside its API, or of a proxy."""
    return httpx.Response(status, html=f"<html><head><title>{title}</title></head><body>{'x' * 2000}</body></html>")


async def told(response: httpx.Response, call: Request) -> AirflowMcpError:
    http = Http(Instance(url=URL), httpx.MockTransport(lambda _: response))
    with pytest.raises(AirflowMcpError) as error:
        await http.send(call)
    return error.value


INVALID_STATE = {
    "type": "value_error",
    "loc": ["body", "new_state"],
    "msg": "Value error, 'x' is not one of ['success']",
}
MISSING = {"type": "missing", "loc": ["query", "limit"], "msg": "Field required", "input": None}
WHOLE_BODY = {"type": "value_error", "loc": ["body"], "msg": "Value error, end_date is sooner than start_date"}
NOT_UNIQUE = {"reason": "Unique constraint violation", "statement": "hidden", "orig_error": "hidden", "message": "look"}

# What Airflow answers, the error that it is, and what its message must hold.
REFUSALS: dict[str, tuple[httpx.Response, type[AirflowMcpError], list[str]]] = {
    "v1 400": (
        v1(400, "Bad Request", "'colour' is not one of ['a']", DOCS + "BadRequest"),
        RejectedError,
        ["refused the request (400)", "'colour' is not one of ['a']"],
    ),
    "v2 400": (
        v2(400, "Ordering with 'colour' is disallowed"),
        RejectedError,
        ["refused the request (400)", "Ordering with 'colour' is disallowed"],
    ),
    "400 without a reason": (httpx.Response(400), RejectedError, ["refused the request (400)", "gave no reason"]),
    "v1 401": (
        v1(401, "Unauthorized", None, DOCS + "Unauthenticated"),
        NotSignedInError,
        ["Not signed in (401)", "AIRFLOW_MCP_USERNAME", "AIRFLOW_MCP_PASSWORD", "AIRFLOW_MCP_TOKEN"],
    ),
    "v2 401": (
        v2(401, "Not authenticated"),
        NotSignedInError,
        [
            "Not signed in (401)",
            "Airflow says: Not authenticated.",
            "Set AIRFLOW_MCP_USERNAME and",
            "AIRFLOW_MCP_TOKEN",
        ],
    ),
    "v1 403 without a reason": (
        v1(403, "Forbidden", None, DOCS + "PermissionDenied"),
        ForbiddenError,
        [
            "Refused (403) without a reason",
            "sign-in is missing or wrong",
            "does not have the permission",
            "airflow-mcp check",
        ],
    ),
    "v1 403": (
        v1(403, "Forbidden", "User not allowed to access some of these DAGs: ['etl']"),
        ForbiddenError,
        ["This user may not do that (403)", "some of these DAGs: ['etl']"],
    ),
    "v2 403": (v2(403, "Forbidden"), ForbiddenError, ["This user may not do that (403)", "Forbidden"]),
    "v2 403 for a token that is not Airflow's": (
        v2(403, "Invalid JWT token"),
        NotSignedInError,
        ["Invalid JWT token", "AIRFLOW_MCP_TOKEN"],
    ),
    "403 of a proxy": (page(403, "Forbidden"), ForbiddenError, ["Refused (403) without a reason"]),
    "403 of a proxy, with a reason": (page(403, "Blocked"), ForbiddenError, ["(403). A web page says: Blocked."]),
    "400 of nginx without a client certificate": (
        page(400, "No required SSL certificate was sent"),
        NotSignedInError,
        ["Not let in (400). A web page says: No required SSL certificate was sent.", "AIRFLOW_MCP_CLIENT_CERT"],
    ),
    "v1 404": (
        v1(404, "DAG not found", "The DAG with dag_id: etl was not found", DOCS + "NotFound"),
        DagNotFoundError,
        ["Not found: The DAG with dag_id: etl was not found.", "get_dags finds DAGs", "get_tasks"],
    ),
    "v1 404 told by its title alone": (
        v1(404, "Dag Run id r1 not found in dag etl", None, DOCS + "NotFound"),
        NotFoundError,
        ["Not found: Dag Run id r1 not found in dag etl."],
    ),
    "v2 404": (
        v2(404, "The Dag with ID: `etl` was not found"),
        DagNotFoundError,
        ["Not found: The Dag with ID: `etl` was not found.", "get_dags finds DAGs", "get_tasks"],
    ),
    "v2 404 whose reason is a list": (
        v2(404, ["The Task Instance with dag_id: `etl` was not found"]),
        NotFoundError,
        ["Not found: The Task Instance with dag_id: `etl` was not found."],
    ),
    "v1 404 of the router": (
        v1(404, "Not Found", "The requested URL was not found on the server."),
        RouteMissingError,
        ["No Airflow API answers at /api/v2/dags/etl (404)", "AIRFLOW_MCP_URL"],
    ),
    "v2 404 of the router": (
        httpx.Response(404, json={"error": "API route not found"}),
        RouteMissingError,
        ["No Airflow API answers at /api/v2/dags/etl (404)", "AIRFLOW_MCP_URL"],
    ),
    "404 page": (page(404, "Airflow 404"), RouteMissingError, ["No Airflow API answers at /api/v2/dags/etl (404)"]),
    "v1 406": (
        page(406, "Not Acceptable"),
        NotAcceptableError,
        ["Not acceptable (406)", "application/json", "proxy", "Accept header"],
    ),
    "v2 406": (
        v2(406, "Only application/json or text/plain is supported"),
        NotAcceptableError,
        ["Not acceptable (406)", "Only application/json or text/plain", "Accept header"],
    ),
    "v1 409": (
        v1(409, "Conflict", "Task instances of dag with id: 'etl' are still running", DOCS + "AlreadyExists"),
        ConflictError,
        ["present state does not allow it (409)", "are still running"],
    ),
    "v2 409": (
        v2(409, "AirflowClearRunningTaskException: Task 'load' is running"),
        ConflictError,
        ["present state does not allow it (409)", "Task 'load' is running"],
    ),
    "v2 409 of the database": (v2(409, NOT_UNIQUE), ConflictError, ["(409)", "Unique constraint violation"]),
    "v2 422": (
        v2(422, [INVALID_STATE, MISSING]),
        RejectedError,
        ["refused the request (422)", "new_state: 'x' is not one of ['success']; query.limit: Field required."],
    ),
    "v2 422 of the whole body": (
        v2(422, [WHOLE_BODY]),
        RejectedError,
        ["refused the request (422)", "says: end_date is sooner than start_date."],
    ),
    "v1 429": (
        v1(429, "Too Many Requests", "Slow down"),
        BusyError,
        ["slow down (429)", "Slow down", "Try again later"],
    ),
    "v2 429": (v2(429, "Too many"), BusyError, ["slow down (429)", "Too many", "Try again later"]),
    "429 page": (page(429, "Too Many Requests"), BusyError, ["slow down (429)", "Try again later"]),
}
FAILURES: dict[str, tuple[httpx.Response, list[str]]] = {
    "v1 500": (v1(500, "Internal Server Error", "The server met an error"), ["(500)", "The server met an error"]),
    "v2 500": (v2(500, "An error occurred while trying to deserialize Dag: x"), ["(500)", "trying to deserialize Dag"]),
    "v2 500 of the database": (v2(500, NOT_UNIQUE | {"reason": "Database error"}), ["(500)", "Database error"]),
    "500 text": (httpx.Response(500, text="Internal Server Error"), ["(500)"]),
    "502": (page(502, "Bad Gateway"), ["a proxy in front of it", "(502)"]),
    "503": (page(503, "Service Unavailable"), ["a proxy in front of it", "(503)"]),
    "504": (page(504, "Gateway Time-out"), ["a proxy in front of it", "(504)"]),
}
every_refusal = pytest.mark.parametrize(("response", "kind", "parts"), REFUSALS.values(), ids=REFUSALS)
every_failure = pytest.mark.parametrize(("response", "parts"), FAILURES.values(), ids=FAILURES)


@every_refusal
@pytest.mark.parametrize("call", [READ, CHANGE], ids=["read", "change"])
async def test_a_refusal_says_what_failed_and_what_to_do(
    response: httpx.Response, kind: type[AirflowMcpError], parts: list[str], call: Request
) -> None:
    error = await told(response, call)
    assert type(error) is kind
    assert [part for part in parts if part not in str(error)] == []
    assert str(error).endswith(".")
    assert "<" not in str(error)


@every_refusal
async def test_a_refused_change_is_said_not_to_have_happened(
    response: httpx.Response, kind: type[AirflowMcpError], parts: list[str]
) -> None:
    # 406 is about the form of the answer: what was asked for may have been done.
    assert ("Nothing was changed." in str(await told(response, CHANGE))) is (kind is not NotAcceptableError)
    assert "Nothing was changed" not in str(await told(response, READ))


@every_failure
async def test_a_failure_of_a_read(response: httpx.Response, parts: list[str]) -> None:
    error = await told(response, READ)
    assert type(error) is ServerFaultError
    assert [part for part in [*parts, "Try again", "web server's log"] if part not in str(error)] == []
    assert "<" not in str(error)


@every_failure
async def test_a_failure_of_a_change_leaves_it_open(response: httpx.Response, parts: list[str]) -> None:
    error = await told(response, CHANGE)
    assert type(error) is MayHaveHappenedError
    for part in (f"it answered {response.status_code}", "may or may not have happened", "was not sent again"):
        assert part in str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
@pytest.mark.parametrize(
    "said",
    [
        "one\r\ntwo\n\n  three",
        "one \x1b[31mtwo\x1b[0m\tthree",
        "one\u2028two\x85three\x00",
        "\u202eone\u200b two three",
    ],
    ids=["lines", "colours", "other line ends", "invisible"],
)
async def test_what_airflow_says_is_on_one_line(status: int, said: str) -> None:
    for response in (v2(status, said), v1(status, "Oops", said, DOCS + "X"), v1(status, said, None, DOCS + "X")):
        message = str(await told(response, READ))
        assert "one" in message
        assert "three" in message
        assert message.isprintable(), message


async def test_permissions_are_named_for_airflow_alone() -> None:
    call = Request("GET", "api/v2/dags", needs="can read on DAGs")
    for response in (v1(403, "Forbidden"), v2(403, "Forbidden"), httpx.Response(403)):
        error = await told(response, call)
        assert "Needed: can read on DAGs." in str(error)
        assert isinstance(error, ForbiddenError)
        assert error.needs == "can read on DAGs"
    for title in ("Forbidden", "Blocked"):
        error = await told(page(403, title), call)
        assert "Needed" not in str(error)
        assert isinstance(error, ForbiddenError)
        assert error.needs == ""


@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 409, 422, 429, 500])
async def test_a_long_reason_is_cut(status: int) -> None:
    many = [{"loc": ["body", "task_ids", number], "msg": "Input should be a valid string"} for number in range(2000)]
    for response in (v2(status, "x" * 100_000), v2(status, many), v1(status, "x" * 100_000, None, DOCS + "X")):
        assert len(str(await told(response, READ))) < 900


@pytest.mark.parametrize(
    "content",
    [b"null", b"[]", b'"text"', b"12", b"{}", b'{"detail": null}', b'{"detail": []}', b'{"detail": ', b"\xff\xfe", b""],
    ids=ascii,
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 406, 409, 422, 429, 500])
async def test_a_reason_in_no_known_form_is_left_out(content: bytes, status: int) -> None:
    response = httpx.Response(status, content=content, headers={"content-type": "application/json"})
    message = str(await told(response, READ))
    assert f"({status})" in message
    assert "says:" not in message
