"""Import errors: the files that gave no DAG, and why; told too where a DAG is not there."""

from __future__ import annotations

from airflow_mcp.airflow.api import Api
from airflow_mcp.airflow.route import Route, may_read
from airflow_mcp.errors import AirflowMcpError, DagNotFoundError
from airflow_mcp.models.base import Answer, Moment
from airflow_mcp.models.import_errors import ImportErrorList, ImportErrorRow
from airflow_mcp.text.clean import one_line
from airflow_mcp.text.stack_traces import end_of, error_of, line_in

LIST = Route("GET", "importErrors", may_read("ImportError"))
LOOKED_THROUGH = 100
"""Import errors, the newest ones, among which a DAG's is looked for."""
MOST_NAMED = 3
MOST_OF_AN_ERROR = 300


class _ImportError(Answer):
    """One as Airflow tells it."""

    filename: str
    bundle_name: str | None = None
    timestamp: Moment
    stack_trace: str


class _ImportErrors(Answer):
    import_errors: list[_ImportError]
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
    note = None if rows else _why_empty(filename_pattern)
    return ImportErrorList.of(rows, answer.total_entries, offset, note)


async def why_no_dag(api: Api, dag_id: str, error: DagNotFoundError) -> DagNotFoundError:
    """The error of a DAG that is not there, with the files that may hold it where they do not import.

    It stays as it is where import errors may not be read, or there are none. Route: GET /importErrors.
    """
    try:
        answer = await _read(api, LOOKED_THROUGH, 0)
    except AirflowMcpError:
        return error
    told = [_told(each) for each in answer.import_errors if _may_hold(each, dag_id)]
    if told:
        more = f" and {len(told) - MOST_NAMED} more." if len(told) > MOST_NAMED else ""
        advice = f"{' '.join(told[:MOST_NAMED])}{more} get_import_errors tells more."
    elif answer.import_errors:
        total = answer.total_entries
        files = "1 file does" if total == 1 else f"{total} files do"
        advice = f"{error.advice} {files} not import: get_import_errors."
    else:
        return error
    return DagNotFoundError(error.what, advice).with_effects(error.effects)


async def _read(api: Api, limit: int, offset: int, filename_pattern: str | None = None) -> _ImportErrors:
    query: dict[str, str | int] = {"limit": limit, "offset": offset, "order_by": "-timestamp"}
    if filename_pattern is not None:
        query["filename_pattern"] = filename_pattern
    return await api.read(LIST, _ImportErrors, query=query)


def _why_empty(filename_pattern: str | None) -> str:
    if filename_pattern:
        return "No file with such a path has an import error."
    return "Every file imports, or this user may see none of those that do not."


def _may_hold(failed: _ImportError, dag_id: str) -> bool:
    """Whether a file, or its folder, is named for a DAG, or the stack trace names it."""
    names = "/".join(failed.filename.split("/")[-2:])
    # In a file's name it may be one of several words: broken in load_broken.py.
    return has_word(names.lower(), dag_id.lower(), "") or has_word(failed.stack_trace, dag_id, "_")


def has_word(text: str, word: str, joins: str) -> bool:
    """Whether a text has a word with neither letter nor digit before it or behind it, nor a sign that `joins`."""
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        around = text[max(start - 1, 0) : start] + text[end : end + 1]
        if not any(each.isalnum() or each in joins for each in around):
            return True
        start = text.find(word, end)
    return False


def _told(failed: _ImportError) -> str:
    line = line_in(failed.stack_trace, failed.filename)
    error = one_line(error_of(failed.stack_trace), MOST_OF_AN_ERROR).rstrip(".")
    return f"{one_line(failed.filename)} does not import: {f'line {line}, ' if line else ''}{error}."
