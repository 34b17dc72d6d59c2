"""Headers as a person writes them: what is understood, and what is refused without quoting it."""

from __future__ import annotations

import pytest

from airflow_mcp.headers import OURS, parse_headers

SECRET = "s3cret"


def test_names_are_lower_case_and_blanks_around_do_not_count() -> None:
    text = f"\n  X-Api-Key :  {SECRET} \r\n\nProxy-Authorization: Bearer a:b=c\n"
    assert parse_headers(text) == {"x-api-key": SECRET, "proxy-authorization": "Bearer a:b=c"}


def test_no_lines_are_no_headers() -> None:
    assert parse_headers(" \n\n") == {}


REFUSED = {
    "no colon": (SECRET, "line 1 has no colon: one `Name: value` a line"),
    "no name": (f": {SECRET}", "line 1: what comes before the colon is no header's name"),
    "a blank in the name": (f"X: 1\nMy Key: {SECRET}", "line 2: what comes before the colon is no header's name"),
    "a letter that is none of ASCII": (
        f"Schlüssel: {SECRET}",
        "line 1: what comes before the colon is no header's name",
    ),
    "no value": ("X-Key:  ", "line 1 is empty"),
    "a tab in the value": (f"X-Key: {SECRET}\tx", "line 1 holds a line break or another character"),
    "a NUL": (f"X-Key: {SECRET}\0", "line 1 holds a line break or another character"),
    "a letter that no header can hold": (f"X-Key: {SECRET}ü", "line 1 holds a line break or another character"),
    "twice": (f"X-Key: {SECRET}\nx-key: {SECRET}", "line 2 sets x-key again: keep one"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_header_is_refused_by_its_line(what: str) -> None:
    text, says = REFUSED[what]
    with pytest.raises(ValueError, match=says.split(":", maxsplit=1)[0]) as error:
        parse_headers(text)
    assert says in str(error.value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_header_that_is_ours_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"line 1 sets {name}, which this server sets itself"):
        parse_headers(f"{name.title()}: {SECRET}")
