"""Import errors: the arguments and answer of get_import_errors."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from airflow_mcp.models.base import Answer, Moment, Pattern, Untrusted
from airflow_mcp.models.page import Page, PageArguments
from airflow_mcp.release import Since


class GetImportErrors(PageArguments):
    """Arguments of get_import_errors."""

    filename_pattern: Annotated[Pattern | None, Since("3.1")] = Field(None, description="% matches anything")


class ImportErrorRow(Answer):
    """A DAG file that does not import."""

    filename: str
    line: int | None = Field(None, description="of the file")
    bundle_name: Annotated[str | None, Since("3")] = None
    timestamp: Moment
    error: Untrusted = Field(description="the end of its stack trace")


class ImportErrorList(Page[ImportErrorRow]):
    """A page of import errors."""

    rest: ClassVar = "A smaller limit leaves more room for each."
    rows: list[ImportErrorRow] = Field(alias="import_errors")
