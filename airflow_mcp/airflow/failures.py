"""What an answer of Airflow, or of something in front of it, means as an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import ValidationError

from airflow_mcp.errors import (
    AirflowMcpError,
    BusyError,
    ConflictError,
    DagNotFoundError,
    ForbiddenError,
    MayHaveHappenedError,
    NotAcceptableError,
    NotAirflowError,
    NotFoundError,
    NotSignedInError,
    RejectedError,
    RouteMissingError,
    ServerFaultError,
    UnfitAnswerError,
    problem_of,
)
from airflow_mcp.instance import Instance
from airflow_mcp.text.clean import one_line
from airflow_mcp.text.whole import read_json

RETRIABLE = frozenset({429, 502, 503, 504})
ADVICE = "airflow_mcp_advice"
"""The extension of a request by which a sign-in tells, per status, what its refusal means and what to do."""

_LOOK = "Look before trying again: get the present states (a call with confirm=false shows them)."
INVALID_TOKEN = "Invalid JWT token"  # noqa: S105 - what Airflow 3 says, no token

_UNFIT = "Response body does not conform to specification"
_GENERIC = ("Forbidden", "Unauthorized")
# Airflow says it in many ways: "DAG not found", "The Dag with ID: `etl` was not found", "DAG etl not found".
_DAG = re.compile(
    r"(?:the )?dag\b(?! (?:run|source)\b)|the source code of the dag [^,]{1,500}+, version_number none\b", re.IGNORECASE
)
_RUN = re.compile(r"\bdag ?run", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(?:\d{3} )?([^<]{1,200})", re.IGNORECASE)


def failure(response: httpx.Response, instance: Instance, needs: str = "") -> AirflowMcpError:  # noqa: PLR0911
    """The error for an answer with a status of 400 or more; `needs` is the permission that the request takes."""
    status = response.status_code
    problem = _problem(response)
    said = f" {_speaker(response)} says: {problem}." if problem else ""
    if status == 405:
        # Airflow 3 says so of every /api/v1 route that is not a GET.
        return _route_missing(response, instance)
    if status == 404:
        return _not_found(response, instance, problem)
    # Airflow 3 says 403 of a token that it cannot read.
    if status == 401 or INVALID_TOKEN in problem:
        advice = _advice(response) or _check_sign_in(instance)
        return NotSignedInError(f"Not signed in ({status}).{said}", advice)
    if status == 403:
        return _forbidden(response, instance, said, needs)
    if status == 406:
        return NotAcceptableError(
            f"Not acceptable (406).{said}",
            "This server asks for application/json: a proxy between here and Airflow may be changing the Accept "
            "header.",
        )
    if status == 409:
        return ConflictError(f"The present state does not allow it (409).{said}")
    if status == 429:
        return BusyError(f"Airflow, or a proxy, asks to slow down (429).{said}", "Try again later.")
    if status >= 500:
        if (unfit := _unfit(response)) is not None:
            return unfit
        return ServerFaultError(
            f"Airflow, or a proxy in front of it, failed ({status}).{said}",
            "Try again; if it stays, look at the web server's log.",
        )
    if "SSL certificate" in problem:  # nginx, of a missing or an unknown one
        return NotSignedInError(f"Not let in ({status}).{said}", f"For the certificate {check_client_cert(instance)}")
    if "HTTPS port" in problem:  # nginx, of a request without TLS
        return NotAirflowError(f"{instance.url} wants https ({status}).{said}", f"{with_scheme(instance, 'https')}.")
    return RejectedError(f"Airflow refused the request ({status}).{said or ' It gave no reason.'}")


def with_scheme(instance: Instance, scheme: str) -> str:
    """What to do where the address names the wrong one of http and https."""
    return f"Begin {instance.named('url')} with {scheme}://"


def check_client_cert(instance: Instance) -> str:
    """What to do where another client certificate is wanted, or one at all."""
    return f"check {instance.named('client_cert')}, or set it."


def _check_sign_in(instance: Instance) -> str:
    """What to do where a password was refused, or nothing was sent: the other ways have advice of their own."""
    username, password, token = map(instance.named, ("username", "password", "token"))
    if instance.sign_in == "password":
        return f"Check {username} and {password}."
    return f"Set {username} and {password}, or {token}."


def _check_url(instance: Instance) -> str:
    return f"Check {instance.named('url')}. `airflow-mcp check` tells what answers there."


def _advice(response: httpx.Response) -> str:
    return str(response.request.extensions.get(ADVICE, {}).get(response.status_code, ""))


def _forbidden(response: httpx.Response, instance: Instance, said: str, needs: str) -> ForbiddenError:
    needs = "" if is_page(response) else needs  # Airflow's permissions do not open a proxy
    needed = f" Needed: {needs}." if needs else ""
    if said:
        return ForbiddenError(f"This user may not do that (403).{said}{needed}", needs=needs)
    if known := _advice(response):
        return ForbiddenError(f"Refused (403) without a reason: {known}{needed}", needs=needs)
    # Airflow 2 with several auth backends says just this, for a wrong password too.
    return ForbiddenError(
        "Refused (403) without a reason: the sign-in is missing or wrong, or this user does not have the "
        f"permission.{needed}",
        f"{_check_sign_in(instance)} `airflow-mcp check` tells which.",
        needs=needs,
    )


def _not_found(response: httpx.Response, instance: Instance, problem: str) -> AirflowMcpError:
    payload = _payload(response)
    # Airflow's own "no such DAG" has a typed problem (v1) or a detail (v2); a router's 404 has neither.
    own = isinstance(payload, dict) and (
        (payload.get("detail") and "status" not in payload) or payload.get("type", "about:blank") != "about:blank"
    )
    if not own:
        return _route_missing(response, instance)
    kind = DagNotFoundError if _DAG.match(problem) else NotFoundError
    return kind(f"Not found: {problem or 'Airflow does not say what'}.", _where_to_look(problem))


def _where_to_look(problem: str) -> str:
    if _RUN.search(problem):
        return "Look the id up: get_dag_runs."
    return "Look the id up: get_dags finds DAGs, get_tasks lists a DAG's tasks."


def _route_missing(response: httpx.Response, instance: Instance) -> RouteMissingError:
    path, status = response.request.url.path, response.status_code
    return RouteMissingError(f"No Airflow API answers at {path} ({status}).", _check_url(instance))


def undecodable(problem: str) -> NotAirflowError:
    """The error for a compressed answer that does not unpack."""
    return NotAirflowError(
        f"The answer is garbled ({problem}): it was cut off or changed on its way.",
        "Try again; if it stays, look at the proxy in front of Airflow.",
    )


def packed_otherwise(codings: Sequence[str], expected: str) -> NotAirflowError:
    """The error for an answer that is compressed in another way than was asked for, or more than once."""
    given = one_line(", ".join(codings), 100)
    return NotAirflowError(
        f"The answer is compressed as {given}; this server takes {expected} only, and not twice.",
        "Look at the proxy in front of Airflow.",
    )


def outcome_unknown(what: str) -> MayHaveHappenedError:
    """The error for a change that was sent and whose answer did not come."""
    return MayHaveHappenedError(
        f"The change was sent once, and {what}: it may or may not have happened. It was not sent again.", _LOOK
    )


def redirected(response: httpx.Response, instance: Instance) -> NotAirflowError:
    """The error for a redirect: none is followed, since it could take credentials elsewhere."""
    try:
        target = response.request.url.join(response.headers.get("location", ""))
    except httpx.InvalidURL:
        return NotAirflowError("Airflow's address redirects to what is not a URL.", _check_url(instance))
    address = one_line(f"{target.scheme}://{target.netloc.decode()}{target.path}")
    if "login" in target.path or "auth" in target.path or target.host != response.request.url.host:
        return NotAirflowError(
            f"Airflow's address redirects to {address}, a sign-in page or another host, and was not followed.",
            "A proxy wants its own sign-in, or the sign-in settings are wrong.",
        )
    return NotAirflowError(
        f"Airflow's address redirects to {address}.", f"Set {instance.named('url')} to that server's address."
    )


def not_json(response: httpx.Response, instance: Instance, *, change: bool) -> AirflowMcpError:
    """The error for a 2xx that is no JSON: most often a web page from a wrong path or a sign-in proxy."""
    if change:
        return outcome_unknown("something other than Airflow's API answered")
    kind = one_line(response.headers.get("content-type", "nothing").split(";")[0], 100)
    return NotAirflowError(
        f"{response.request.url.path} answered {kind} instead of JSON: a web page, not Airflow's API.",
        f"The path prefix may be wrong, or a proxy wants a sign-in. {_check_url(instance)}",
    )


def garbled(response: httpx.Response, *, change: bool) -> AirflowMcpError:
    """The error for JSON that ends early or is broken."""
    if change:
        return outcome_unknown("its answer was cut off")
    return NotAirflowError(
        f"{response.request.url.path} gave {len(response.content)} bytes that are not whole JSON: the answer was "
        "cut off on its way.",
        "Try again; if it stays, look at the proxy in front of Airflow.",
    )


def misshapen(path: str, error: ValidationError) -> NotAirflowError:
    """The error for JSON that is not what Airflow gives on a route; it tells where, and nothing of what was given."""
    problems = error.errors(include_url=False, include_input=False)
    where = "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'all of it'}: {problem_of(each['msg'])}" for each in problems[:3]
    )
    return NotAirflowError(
        f"The answer of {path} is not what Airflow gives there ({one_line(where)}): something changed it on its way, "
        "or this release of Airflow is not one that this server knows.",
        "`airflow-mcp check` tells which it is.",
    )


def _unfit(response: httpx.Response) -> UnfitAnswerError | None:
    """The error for an answer that Airflow 2 has made and then refuses, as an operator has "black" for a color."""
    payload = _payload(response)
    if not isinstance(payload, dict) or payload.get("title") != _UNFIT:
        return None
    detail = str(payload.get("detail") or "")
    problem, place = one_line(detail.partition("\n\n")[0]), detail.partition("On instance")[2].partition(":\n")[0]
    name = one_line(place.rpartition("[")[2].strip("]'")) or "a value"
    said = f" It says: {problem}." if problem else ""
    return UnfitAnswerError(
        f"Airflow refuses its own answer (500): {name} in it does not have the form that its API promises.{said}",
        "Trying again does not help: correct it in the code of the DAG, or of an operator in it.",
    )


def _payload(response: httpx.Response) -> Any:
    try:
        return read_json(response.content)
    except (ValueError, RecursionError):  # too deep, or a number too long, for Python
        return None


def _speaker(response: httpx.Response) -> str:
    return "A web page" if is_page(response) else "Airflow"


def is_page(response: httpx.Response) -> bool:
    """Whether it is a web page, which Airflow's API has none of."""
    return "html" in response.headers.get("content-type", "").lower()


def _problem(response: httpx.Response) -> str:
    """On one line, Airflow's own words: `detail`, or `title` where v1 leaves that empty; or a page's title."""
    if is_page(response):
        # By no other encoding: Python has some that unpack, and some that take a square of the time.
        title = _TITLE.search(response.content.decode(errors="replace"))
        return "" if title is None or title[1].strip() in _GENERIC else one_line(title[1])
    payload = _payload(response)
    if not isinstance(payload, dict):
        return ""
    detail = payload.get("detail")
    if isinstance(detail, list):
        text = "; ".join(_one_detail(item) for item in detail)
    elif detail:
        text = str(detail)
    else:
        generic = payload.get("title") in _GENERIC
        text = "" if generic else str(payload.get("title") or payload.get("error") or "")
    return one_line(text).rstrip(".")


def _one_detail(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    where = ".".join(str(part) for part in item.get("loc", []) if part != "body")
    message = problem_of(str(item.get("msg", "")))
    return f"{where}: {message}" if where else message
