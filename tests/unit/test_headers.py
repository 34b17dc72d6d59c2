"""Headers as a person writes them: what is read, and each mistake told by its line and never by its value."""

from __future__ import annotations

import pytest

from airflow_mcp.headers import OURS, checked_value, parse_headers


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("", {}),
        (" \n\t\n", {}),
        ("X-Team: data", {"x-team": "data"}),
        ("X-Team:data", {"x-team": "data"}),
        ("  X-Team :  data  ", {"x-team": "data"}),
        ("\nX-A: 1\n\n  \nX-B: 2\n", {"x-a": "1", "x-b": "2"}),
        ("X-A: 1\r\nX-B: 2\r\n", {"x-a": "1", "x-b": "2"}),
        ("Authorization: Basic YTpi==", {"authorization": "Basic YTpi=="}),
        ("Cookie: a=1; b=2", {"cookie": "a=1; b=2"}),
        ("X-Where: https://a.test:8080/b?c", {"x-where": "https://a.test:8080/b?c"}),
        ("!#$%&'*+.^_`|~09aZ-: every character that a name may have", None),
        ('X-Odd: "quoted", {json: [1, 2]} <tag> \\ back\\n', {"x-odd": '"quoted", {json: [1, 2]} <tag> \\ back\\n'}),
    ],
    ids=ascii,
)
def test_headers_are_read_one_a_line(text: str, headers: dict[str, str] | None) -> None:
    if headers is None:
        headers = {"!#$%&'*+.^_`|~09az-": "every character that a name may have"}
    assert parse_headers(text) == headers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("s3cret", "line 1 has no colon: one `Name: value` a line"),
        ("X-A: 1\n\ns3cret", "line 3 has no colon"),
        # A line that goes on in the next one, as mail has it.
        ("X-A: s3cret\n  s3cret", "line 2 has no colon"),
        (": s3cret", "line 1 has a name that no header can have"),
        ("s3cret name: 1", "line 1 has a name that no header can have"),
        ("Bearer s3cret: Authorization", "line 1 has a name that no header can have"),
        ("Cookie; s3cret: 1", "line 1 has a name that no header can have"),
        ("X-Команда: s3cret", "line 1 has a name that no header can have"),
        ("\ufeffX-Team: s3cret", "line 1 has a name that no header can have"),
        ("X-\x00Team: s3cret", "line 1 has a name that no header can have"),
        ('"X-Team": s3cret', "line 1 has a name that no header can have"),
        ("{X-Team: s3cret}", "line 1 has a name that no header can have"),
        ("X-Team:", "line 1 is empty"),
        ("X-A: s3cret\nX-Team: \t ", "line 2 is empty"),
        ("X-Team: s3cr\u00e9t", "line 1 holds a line break or another character that no header can hold"),
        ("X-Team: s3cret\u200b", "line 1 holds"),
        ("X-Team: s3cret\x00", "line 1 holds"),
        ("X-Team: s3cret\x1b[0m", "line 1 holds"),
        ("X-Team: s3cret\x7f.", "line 1 holds"),
        ("X-Team: s3cret\ttab", "line 1 holds"),
        ("X-A: s3cret\nX-B: 2\nx-a: s3cret", "line 3 sets x-a again: keep one"),
        ("X-A: s3cret\nX-A: s3cret", "line 2 sets x-a again: keep one"),
    ],
    ids=ascii,
)
def test_a_mistake_is_told_by_its_line(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^line ") as error:
        parse_headers(text)
    assert str(error.value).startswith(says)
    assert "s3cr" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028"], ids=ascii)
def test_what_ends_a_line_is_never_in_a_value(end: str) -> None:
    assert parse_headers(f"X-A: 1{end}X-B: 2") == {"x-a": "1", "x-b": "2"}
    with pytest.raises(ValueError, match=r"^it holds a line break") as error:
        checked_value(f"s3cret{end}X-B: 2", "it")
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_this_server_sets_itself_is_refused(name: str) -> None:
    for written in (name, name.upper(), f" {name.title()} "):
        with pytest.raises(ValueError, match=rf"^line 1 sets {name}, which this server sets itself$"):
            parse_headers(f"{written}: s3cret")


@pytest.mark.parametrize(
    "name", ["host", "content-length", "transfer-encoding", "connection", "accept", "content-type"]
)
def test_what_would_change_where_or_how_a_request_is_read_is_among_them(name: str) -> None:
    assert name in OURS
