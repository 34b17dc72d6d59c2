"""Import errors: the files that gave no DAG, and why."""

from __future__ import annotations

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.patterns import any_sign
from airflow_mcp.airflow.route import Route, may_read
from airflow_mcp.errors import AirflowMcpError
from airflow_mcp.models.base import Answer, Moment
from airflow_mcp.models.import_errors import ImportErrorList, ImportErrorRow
from airflow_mcp.text.clean import one_line
from airflow_mcp.text.stack_traces import end_of, error_of, line_in

LIST = Route("GET", "importErrors", may_read("ImportError"))
LOOKED_THROUGH = 100
"""Import errors, the newest ones, among which a DAG's is looked for."""
MOST_OF_AN_ERROR = 300


class FailedFile(Answer):
    """An import error as Airflow tells it."""

    filename: str
    bundle_name: str | None = None
    timestamp: Moment
    stack_trace: str


class ImportErrors(Answer):
    """Some import errors, and how many there are."""

    import_errors: list[FailedFile]
    total_entries: int


async def list_import_errors(
    api: Api, *, limit: int = 25, offset: int = 0, filename_pattern: str | None = None
) -> ImportErrorList:
    """A page of the files that do not import, the newest error first. Route: GET /importErrors."""
    answer = await _read(api, limit, offset, filename_pattern)
    rows = [
        ImportErrorRow(
            filename=each.filename,
            line=line_in(each.stack_trace, each.filename),
            bundle_name=each.bundle_name,
            timestamp=each.timestamp,
            error=end_of(each.stack_trace),
        )
        for each in answer.import_errors
    ]
    note = any_sign({"filename_pattern": filename_pattern}) if rows else _why_empty(filename_pattern)
    return ImportErrorList.of(rows, answer.total_entries, offset, note)


async def newest(api: Api, limit: int = LOOKED_THROUGH) -> ImportErrors:
    """The newest import errors: by default as many as one is looked for among. Route: GET /importErrors."""
    return await _read(api, limit, 0)


async def of_file(api: Api, path: str) -> str | None:
    """Why a file does not import, in a sentence; None where Airflow does not tell. Route: GET /importErrors."""
    try:
        return among(await newest(api), path)
    except AirflowMcpError:
        return None


def among(errors: ImportErrors, path: str) -> str | None:
    """Why a file does not import, in a sentence; None where it is not among these."""
    # Airflow 3 has a bundle's path in them.
    failed = (each for each in errors.import_errors if f"/{path}".endswith(f"/{each.filename.lstrip('/')}"))
    return next(map(told, failed), None)


async def _read(api: Api, limit: int, offset: int, filename_pattern: str | None = None) -> ImportErrors:
    query: dict[str, str | int] = {"limit": limit, "offset": offset, "order_by": "-timestamp"}
    if filename_pattern is not None:
        query["filename_pattern"] = filename_pattern
    return await api.read(LIST, ImportErrors, query=query)


def _why_empty(filename_pattern: str | None) -> str:
    if filename_pattern:
        return "No file with such a path has an import error."
    return "Every file imports, or this user may see none of those that do not."


def told(failed: FailedFile, most: int = MOST_OF_AN_ERROR) -> str:
    """Which file does not import, and why, in a sentence with at most so many characters of the error."""
    line = line_in(failed.stack_trace, failed.filename)
    error = one_line(error_of(failed.stack_trace), most).rstrip(".")
    return f"{one_line(failed.filename)} does not import: {f'line {line}, ' if line else ''}{error}."
