"""What is kept of a long log: the parts that a person would look for, whatever its length."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from airflow_mcp.excerpt import BLOCK_HEAD, BLOCK_TAIL, Errors, Excerpt, Head, Line, Matches, Tail, gaps


def lines(count: int, **errors: str) -> Iterable[Line]:
    """So many lines; at `at_7="boom"` an error with its traceback of two more lines."""
    number = 0
    for place in range(1, count + 1):
        number += 1
        message = errors.get(f"at_{place}")
        if message is None:
            yield Line(number, f"line {place}", "INFO")
            continue
        yield Line(number, "ERROR failed", "ERROR")
        number += 1
        yield Line(number, "Traceback (most recent call last):")
        number += 1
        yield Line(number, f"ValueError: {message}")


def kept(excerpt: Excerpt, source: Iterable[Line]) -> list[str]:
    for line in source:
        excerpt.add(line)
    return [line.text for line in excerpt.kept()]


def size(excerpt: Excerpt) -> int:
    return sum(line.size for line in excerpt.kept())


@pytest.mark.parametrize("excerpt", [Head(300), Tail(300), Matches(re.compile("1"), 300), Errors(300)])
def test_a_budget_is_kept(excerpt: Excerpt) -> None:
    kept(excerpt, lines(5000, at_100="one", at_200="two", at_4000="three", at_4999="four"))
    assert 200 < size(excerpt) <= 300


def test_head_is_the_beginning_and_goes_on_from_a_line() -> None:
    assert kept(Head(30), lines(100)) == ["line 1", "line 2", "line 3"]
    assert kept(Head(30, start=50), lines(100)) == ["line 50", "line 51"]
    assert kept(Head(30, start=500), lines(100)) == []


def test_tail_is_the_end() -> None:
    assert kept(Tail(33), lines(99)) == ["line 97", "line 98", "line 99"]


def test_one_line_that_is_too_long_is_kept_all_the_same() -> None:
    for excerpt in (Head(10), Tail(10), Errors(10)):
        assert kept(excerpt, [Line(1, "x" * 50, "ERROR")]) == ["x" * 50]


def test_matches_come_with_the_lines_around_them() -> None:
    excerpt = Matches(re.compile("line 50$"), 1000)
    assert kept(excerpt, lines(100)) == [f"line {each}" for each in range(47, 53)]
    assert excerpt.found == 1


def test_matches_that_overlap_are_told_once() -> None:
    excerpt = Matches(re.compile("line (50|51)$"), 1000)
    assert kept(excerpt, lines(100)) == [f"line {each}" for each in range(47, 54)]
    assert excerpt.found == 2


def test_an_error_comes_with_its_traceback_and_the_lines_around_it() -> None:
    excerpt = Errors(1000)
    assert kept(excerpt, lines(100, at_50="boom")) == [
        *("line 47", "line 48", "line 49"),
        *("ERROR failed", "Traceback (most recent call last):", "ValueError: boom"),
        *("line 51", "line 52"),
    ]
    assert excerpt.found == 1


def test_a_cause_in_the_middle_and_the_final_error_are_both_there() -> None:
    excerpt = Errors(400)
    texts = kept(excerpt, lines(60_000, at_30000="the cause", at_60000="the end"))
    assert "ValueError: the cause" in texts
    assert texts[-1] == "ValueError: the end"
    assert excerpt.found == 2


def test_the_final_error_wins_where_there_is_room_for_one() -> None:
    texts = kept(Errors(110), lines(1000, at_500="the cause", at_1000="the end"))
    assert "ValueError: the cause" not in texts
    assert texts[-1] == "ValueError: the end"


def test_of_a_long_traceback_the_middle_goes() -> None:
    frames = [Line(2 + each, f"  frame {each}") for each in range(500)]
    source = [Line(1, "ERROR failed", "ERROR"), *frames, Line(502, "RecursionError: too deep")]
    texts = kept(Errors(100_000), source)
    assert (texts[0], texts[-1]) == ("ERROR failed", "RecursionError: too deep")
    assert len(texts) == BLOCK_HEAD + BLOCK_TAIL
    small = kept(Errors(120), source)
    assert (small[0], small[-1]) == ("ERROR failed", "RecursionError: too deep")


def test_of_a_traceback_the_frames_in_libraries_go_but_for_the_last() -> None:
    library = '  File "/v/lib/python3.11/site-packages/{}.py", line 1, in run'
    texts = [
        "Traceback (most recent call last):",
        *(library.format("airflow"), "    code()", "    ^^^^^^"),
        *('  File "/dags/etl.py", line 57, in load', "    insert()"),
        *(library.format("driver"), "    send()"),
        *(library.format("wire"), "    raise Refused"),
        "Refused: no",
        "Traceback (most recent call last):",
        *(library.format("airflow"), "    code()"),
        *('  File "/dags/etl.py", line 60, in load', "    boom()"),
        "ValueError: boom",
    ]
    source = [Line(1, "ERROR failed", "ERROR"), *(Line(2 + place, text) for place, text in enumerate(texts))]
    assert kept(Errors(10_000), source) == ["ERROR failed", texts[0], *texts[4:6], *texts[8:12], *texts[14:]]


def test_many_errors_do_not_fill_memory() -> None:
    excerpt = Errors(10_000)
    errors = {f"at_{place}": f"number {place}" for place in range(1, 20_000, 10)}
    texts = kept(excerpt, lines(20_000, **errors))
    assert excerpt.found == 2000
    assert "ValueError: number 1" in texts
    assert "ValueError: number 19991" in texts


def test_gaps_are_what_is_not_shown() -> None:
    assert gaps([Line(2, ""), Line(3, ""), Line(7, "")], 9) == ["1", "4-6", "8-9"]
    assert gaps([], 3) == ["1-3"]
    assert gaps([Line(1, "")], 1) == []
