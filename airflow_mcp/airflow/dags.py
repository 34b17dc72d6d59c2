"""One DAG: in short, with all details, or as source."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

from airflow_mcp.airflow import import_errors
from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import DAGS, Route, may_read
from airflow_mcp.airflow.together import together
from airflow_mcp.errors import DagNotFoundError, InvalidArgumentError, ServerFaultError
from airflow_mcp.models.base import Answer
from airflow_mcp.models.dags import Dag, DagDetails, DagSource

GET = Route("GET", "dags/{dag_id}", may_read(*DAGS))
GET_DETAILS = Route("GET", "dags/{dag_id}/details", may_read(*DAGS))
GET_SOURCE = Route("GET", "dagSources/{dag_id}", may_read(*DAGS, "DAG Code"))
GET_SOURCE_BY_TOKEN = Route("GET", "dagSources/{file_token}", may_read(*DAGS, "DAG Code"))


class _File(Dag):
    file_token: str = ""


class _Source(Answer):
    content: str | None


DagT = TypeVar("DagT", bound=Dag)
NO_DETAILS = (
    "This is what get_dag tells. On the details Airflow fails, most likely for a value of default_args or params that "
    "it cannot serialize."
)
SOURCE_LINES = 300
SOURCE_CHARACTERS = 24_000
LONGEST_LINE = 2000


async def get_dag(api: Api, dag_id: str, fields: Sequence[str] | None = None) -> Dag:
    """One DAG. Route: GET /dags/{dag_id}. Raises NotFoundError."""
    dag = await api.read(GET, Dag, dag_id=dag_id)
    return told(api, dag).pick(fields, always=("dag_id",))


def told(api: Api, dag: DagT) -> DagT:
    """A DAG as it is told: with the page of it."""
    return dag.model_copy(update={"url": api.links.to(dag.dag_id)})


async def require_dag(api: Api, dag_id: str) -> None:
    """Raise NotFoundError for an unknown DAG. Route: GET /dags/{dag_id}."""
    await api.read(GET, Dag, dag_id=dag_id)


async def get_dag_details(api: Api, dag_id: str, fields: Sequence[str] | None = None) -> DagDetails:
    """One DAG with all that Airflow tells; where it fails to, what the short form has, and a note.

    Route: GET /dags/{dag_id}/details, and GET /dags/{dag_id} where that fails or has no owners. Raises NotFoundError.
    """
    try:
        details = await api.read(GET_DETAILS, DagDetails, dag_id=dag_id)
    except ServerFaultError:
        # Airflow 3 cannot write each value of default_args as JSON: a relativedelta, for one.
        details = (await api.read(GET, DagDetails, dag_id=dag_id)).model_copy(update={"note": NO_DETAILS})
    if not details.owners:
        # Airflow 2's details leave the owners empty.
        details = details.model_copy(update={"owners": (await api.read(GET, Dag, dag_id=dag_id)).owners})
    return told(api, details).pick(fields, always=("dag_id", "note"))


async def get_dag_source(
    api: Api,
    *,
    dag_id: str | None = None,
    file_token: str | None = None,
    version_number: int | None = None,
    start_line: int = 1,
    end_line: int | None = None,
) -> DagSource:
    """Numbered lines of a DAG's source, given the DAG, or on Airflow 2 its file token.

    Route: GET /dags/{dag_id} and GET /dagSources/{file_token} on Airflow 2, GET /dagSources/{dag_id} and
    GET /dags/{dag_id} on 3; where the file does not import, GET /importErrors.
    Raises NotFoundError, InvalidArgumentError for a line that there is not.
    """
    if dag_id is None:
        answer, file = await api.read(GET_SOURCE_BY_TOKEN, _Source, file_token=file_token or ""), None
    elif api.release < (3, 0):
        answer, file = await _source_in_2(api, dag_id)
    elif version_number:
        query = {"version_number": version_number}
        answer, file = await api.read(GET_SOURCE, _Source, query=query, dag_id=dag_id), None
    else:
        answer, file = await together(
            lambda: api.read(GET_SOURCE, _Source, dag_id=dag_id), lambda: api.read(GET, _File, dag_id=dag_id)
        )
    lines, total, last = _numbered(answer.content or "", start_line, end_line)
    return DagSource(
        dag_id=dag_id,
        version_number=version_number,
        total_lines=total,
        start_line=start_line,
        end_line=last,
        next_line=last + 1 if last < total else None,
        url=api.links.to(dag_id) if dag_id else None,
        note=await _why_older(api, file) if file else None,
        source="\n".join(lines),
    )


async def source_lines(api: Api, dag_id: str) -> list[str]:
    """The lines of a DAG's file, as Airflow has it now. Route: those of get_dag_source. Raises NotFoundError."""
    if api.release < (3, 0):
        answer, _ = await _source_in_2(api, dag_id)
    else:
        answer = await api.read(GET_SOURCE, _Source, dag_id=dag_id)
    return _lines(answer.content or "")


async def source_hash(api: Api, dag_id: str, version_number: int) -> str:
    """The first 12 digits of the SHA-256 of a DAG's file, as Airflow 3 has it of a version of the DAG.

    Route: GET /dagSources/{dag_id}. Raises NotFoundError.
    """
    answer = await api.read(GET_SOURCE, _Source, query={"version_number": version_number}, dag_id=dag_id)
    return sha256((answer.content or "").encode(errors="surrogatepass")).hexdigest()[:12]


async def _source_in_2(api: Api, dag_id: str) -> tuple[_Source, _File]:
    file = await api.read(GET, _File, dag_id=dag_id)
    try:
        return await api.read(GET_SOURCE_BY_TOKEN, _Source, file_token=file.file_token), file
    except ServerFaultError:
        if file.active is not False:
            raise
        # It has no code of a file that is gone, and fails.
        raise DagNotFoundError(f"Airflow has no code of DAG {dag_id}.") from None


async def _why_older(api: Api, file: Dag) -> str | None:
    """Why the code is not what stands in the file now: that is gone, or does not import."""
    if file.has_import_errors:
        why = await import_errors.of_file(api, file.fileloc or "") or "The file does not import: get_import_errors."
        return f"{why} This is its code as it last imported."
    return "No file defines this DAG any more; this is its last code." if file.active is False else None


def shorten(line: str) -> str:
    """A line without its end where it is very long."""
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}… ({len(line)} characters)"


def _lines(content: str) -> list[str]:
    """The lines of a text as Python counts them: a form feed begins no new one."""
    return content.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def _numbered(content: str, start_line: int, end_line: int | None) -> tuple[list[str], int, int]:
    """Some lines of a text with their numbers; how many it has, and the number of the last that is given."""
    lines = _lines(content)
    total = len(lines)
    if start_line > max(total, 1):
        raise InvalidArgumentError("start_line", f"is {start_line}; the file has {total} lines.")
    last = min(end_line or total, start_line + SOURCE_LINES - 1, total)
    numbered: list[str] = []
    size = 0
    for number in range(start_line, last + 1):
        line = f"{number}|{shorten(lines[number - 1])}"
        size += len(line)
        if numbered and size > SOURCE_CHARACTERS:
            return numbered, total, number - 1
        numbered.append(line)
    return numbered, total, last
