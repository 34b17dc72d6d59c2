"""Which lines of a log are shown, and how to see the rest."""

from __future__ import annotations

import random

import pytest

from airflow_mcp.text.kept import KeptLine
from airflow_mcp.text.windows import Errors, Grep, Head, Tail, Window, numbered, shortened

LINES = [f"14:00:{number % 60:02} row {number}" for number in range(1, 1001)]


def shown(window: Window, lines: list[str], most: int = 2000) -> list[str]:
    for number, line in enumerate(lines, 1):
        window.add(number, line)
    text = numbered(window.lines(), most)
    assert len(text.encode()) <= most
    return text.split("\n") if text else []


def test_head_has_the_first_lines_and_says_where_to_go_on() -> None:
    head = Head(2000)
    rows = shown(head, LINES)
    assert rows[:2] == ["1|14:00:01 row 1", "2|14:00:02 row 2"]
    following = head.rest(1000).next_line
    assert following == len(rows) + 1 > 20
    on = shown(Head(2000, following), LINES)
    assert on[0] == f"{following}|{LINES[following - 1]}"


def test_reading_on_shows_each_line_once() -> None:
    rows: list[str] = []
    line: int | None = 1
    while line:
        head = Head(2000, line)
        rows += shown(head, LINES)
        line = head.rest(1000).next_line
    assert rows == [f"{number}|{line}" for number, line in enumerate(LINES, 1)]


def test_past_the_end_there_is_nothing() -> None:
    head = Head(2000, 1001)
    assert shown(head, LINES) == []
    assert head.rest(1000) == ("The log has 1000 lines: from_line=1001 is past the end.", None)


def test_tail_has_the_last_lines() -> None:
    tail = Tail(2000)
    rows = shown(tail, LINES)
    assert rows[-1] == "1000|14:00:40 row 1000"
    first = int(rows[0].partition("|")[0])
    assert [int(row.partition("|")[0]) for row in rows] == list(range(first, 1001))
    assert tail.rest(1000).note == (
        f"These begin with line {first}; from_line={2 * first - 1001} shows those before, grep finds texts."
    )
    assert tail.rest(1000).next_line is None


def test_of_a_short_log_all_is_shown_and_nothing_is_left_to_say() -> None:
    for window in (Head(2000), Tail(2000)):
        assert shown(window, ["a", "b"]) == ["1|a", "2|b"]
        assert window.rest(2) == (None, None)


def test_grep_shows_lines_that_hold_a_text_with_those_around_them() -> None:
    lines = list(LINES)
    lines[499] = "14:00:00 ERROR Password refused"
    lines[699] = "14:00:00 exit code 3"
    grep = Grep(Head(2000), ["password REFUSED", "Exit Code"], 2, 2000)
    numbers = [int(row.partition("|")[0]) for row in shown(grep, lines)]
    assert numbers == [498, 499, 500, 501, 502, 698, 699, 700, 701, 702]
    assert grep.rest(1000) == ("2 lines hold one of them.", None)


def test_what_grep_looks_for_is_no_pattern() -> None:
    grep = Grep(Head(2000), ["row 1.*", "(a+)+$"], 0, 2000)
    assert shown(grep, [*LINES, "row 1.* of (A+)+$"]) == ["1001|row 1.* of (A+)+$"]
    nothing = Grep(Head(2000), ["nowhere"], 0, 2000)
    assert shown(nothing, LINES) == []
    assert nothing.rest(1000).note == "No line holds any of these texts."


def test_grep_goes_on_where_there_was_no_more_room() -> None:
    found: list[str] = []
    line: int | None = 1
    while line:
        grep = Grep(Head(2000, line), ["row"], 1, 2000, line)
        found += shown(grep, LINES)
        line = grep.rest(1000).next_line
    assert found == [f"{number}|{line}" for number, line in enumerate(LINES, 1)]


def test_grep_of_the_end_says_that_there_are_more() -> None:
    grep = Grep(Tail(2000), ["row"], 0, 2000)
    assert shown(grep, LINES)[-1] == "1000|14:00:40 row 1000"
    assert grep.rest(1000).note == "1000 lines hold one of them. There is room for the last ones only."


def test_overlapping_context_stands_once() -> None:
    grep = Grep(Head(2000), ["x"], 2, 2000)
    assert shown(grep, ["a", "x", "b", "x", "c", "d", "e"]) == ["1|a", "2|x", "3|b", "4|x", "5|c", "6|d"]


CAUSE = "14:00:00 WARNING orders.py:31 order 500 was rejected: customer 812 is unknown"
END = [
    "14:00:00 ERROR taskinstance.py:9 Task failed with exception",
    "Traceback (most recent call last):",
    '  File "/dags/sales.py", line 90, in publish',
    "ValueError: 1 order is missing",
]


def test_errors_are_shown_with_their_numbers_and_the_rest_is_counted() -> None:
    errors = Errors(2000)
    rows = shown(errors, [*LINES[:500], CAUSE, *LINES[500:], *END])
    for row in (f"501|{CAUSE}", *(f"{number}|{line}" for number, line in enumerate(END, 1002))):
        assert row in rows
    assert errors.rest(1005) == (f"{len(rows)} of 1005 lines; grep or from_line shows others.", None)


def test_what_failed_on_another_day_than_the_first_stands_with_its_date() -> None:
    lines = ["23:59:58 load.py:7 begins", "2026-11-30 00:31:02 ERROR load.py:9 Task failed with exception"]
    assert shown(Errors(2000), lines)[-1] == f"2|{lines[1]}"


def test_a_log_of_errors_alone_leaves_nothing_to_say() -> None:
    errors = Errors(2000)
    assert shown(errors, END) == [f"{number}|{line}" for number, line in enumerate(END, 1)]
    assert errors.rest(len(END)) == (None, None)


def test_without_an_error_the_end_is_shown() -> None:
    errors, tail = Errors(2000), Tail(2000)
    assert shown(errors, LINES) == shown(tail, LINES)
    assert errors.rest(1000).note == f"No error was found. {tail.rest(1000).note}"
    short = Errors(2000)
    assert shown(short, ["a", "b"]) == ["1|a", "2|b"]
    assert short.rest(2).note == "No error was found."


def test_what_may_be_an_error_is_told_as_such() -> None:
    errors = Errors(2000)
    rows = shown(errors, [*LINES[:500], "14:00:00 WARNING rows.py:7 the check failed, going on", *LINES[500:]])
    assert "501|14:00:00 WARNING rows.py:7 the check failed, going on" in rows
    perhaps = "perhaps errors, none is certain. mode=tail shows the end."
    assert errors.rest(1001).note == f"{len(rows)} of 1001 lines: {perhaps}"


def test_errors_that_are_alike_are_shown_once_with_their_number() -> None:
    rows = shown(Errors(2000), [*(f"14:00:00 ERROR part {number} could not be read" for number in range(400)), *END])
    assert "1|14:00:00 ERROR part 0 could not be read (x399)" in rows
    assert "400|14:00:00 ERROR part 399 could not be read" in rows


@pytest.mark.parametrize("window", [Head(2000), Tail(2000), Grep(Head(2000), ["a"], 3, 2000)])
def test_repeats_are_folded_with_their_number(window: Window) -> None:
    lines = [*(f"14:00:{second:02} again" for second in range(50)), "14:01:00 once", "14:01:01 again"]
    assert shown(window, lines) == ["1|14:00:00 again (x50)", "51|14:01:00 once", "52|14:01:01 again"]


def test_what_differs_is_not_folded() -> None:
    lines = ["14:00:00 row 1", "14:00:01 row 2", "a", "b", "", "x" * 99 + "a", "x" * 99 + "b"]
    assert len(shown(Head(2000), lines)) == len(lines)
    apart = Grep(Head(2000), ["same"], 0, 2000)
    assert shown(apart, ["same", "else", "same"]) == ["1|same", "3|same"]


def test_a_long_line_is_cut_and_says_how_long_it_was() -> None:
    line = "begin" + "." * 99_990 + "end!!"
    for window in (Head(2000), Tail(2000)):
        [row] = shown(window, [line])
        assert row.startswith("1|begin...")
        assert row.endswith("...end!!")
        assert "… (100000 characters) …" in row
        assert len(row) < 400


def test_grep_cuts_a_long_line_around_what_it_found() -> None:
    for place in (0, 5, 50_000, 99_980):
        line = "." * place + "HERE" + "." * (99_996 - place)
        [row] = shown(Grep(Head(2000), ["here"], 0, 2000), [line])
        assert "HERE" in row
        assert "(100000 characters)" in row
        assert len(row) < 400


@pytest.mark.parametrize("longest", [0, 1, 20, 30, 100, 199, 200])
def test_a_cut_line_is_no_longer_than_it_may_be(longest: int) -> None:
    for around in (None, 0, 100, 199):
        assert len(shortened("x" * 200, longest, around)) <= max(longest, len("… (200 characters) …") + 1)


def test_kept_lines_that_are_too_long_together_are_cut_and_all_stay() -> None:
    short = [KeptLine(number, "short") for number in range(1, 6)]
    long = [KeptLine(6, "begin" + "é" * 5000 + "end"), KeptLine(7, "\U0001f600" * 3000, times=12)]
    rows = numbered([*short, *long], 1000).split("\n")
    assert rows[:5] == [f"{number}|short" for number in range(1, 6)]
    assert rows[5].startswith("6|begin")
    assert rows[6].endswith("(x12)")
    assert len("\n".join(rows).encode()) <= 1000


def test_no_log_breaks_the_budget() -> None:
    dice = random.Random(7)
    alphabets = ["a", "\u0434", "\u4e2d", "\U00012000", "<U+200B>", "\t", '"\\']
    for most in (1000, 6000, 40_000):
        for _ in range(20):
            lines = [dice.choice(alphabets) * dice.choice([1, 9, 200, 9000]) for _ in range(dice.choice([1, 50, 500]))]
            for window in (
                Head(most),
                Tail(most),
                Errors(most),
                Grep(Tail(most), alphabets, 3, most),
                Grep(Head(most), ["a"], 9, most),
            ):
                shown(window, lines, most)
