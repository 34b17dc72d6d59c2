"""What Airflow 3 tells of an exception, as a traceback: the same as Python's own."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from airflow_mcp.text.tracebacks import traceback_lines


def told(error: BaseException) -> list[dict[str, Any]]:
    """What Airflow 3 keeps of an exception, as its library makes it."""
    chain: list[dict[str, Any]] = []
    following: BaseException | None = error
    is_cause = False
    while following:
        chain.append(
            {
                "exc_type": type(following).__name__,
                "exc_value": str(following),
                "exc_notes": getattr(following, "__notes__", []),
                "syntax_error": None,
                "is_cause": is_cause,
                "frames": [
                    {"filename": frame.filename, "lineno": frame.lineno, "name": frame.name}
                    for frame in traceback.extract_tb(following.__traceback__)
                ],
                "is_group": isinstance(following, BaseExceptionGroup),
                "exceptions": list(map(told, getattr(following, "exceptions", ()))),
            }
        )
        if isinstance(following, SyntaxError):
            names = {"offset": "offset", "filename": "filename", "line": "text", "lineno": "lineno", "msg": "msg"}
            chain[-1]["syntax_error"] = {ours: getattr(following, its) for ours, its in names.items()}
        is_cause = following.__cause__ is not None
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return chain


def pythons(error: BaseException) -> list[str]:
    """Python's own, without source lines and blank ones."""
    printed = traceback.TracebackException.from_exception(error)
    seen = [printed]
    for each in seen:
        seen += [other for other in (each.__cause__, each.__context__, *(each.exceptions or ())) if other]
        each.stack = traceback.StackSummary.from_list(
            [traceback.FrameSummary(frame.filename, frame.lineno, frame.name, line="") for frame in each.stack]
        )
    return [line for line in "".join(printed.format()).split("\n") if re.search(r"[^ |]", line)]


def plain() -> None:
    raise ValueError("no amount")


def nothing_said() -> None:
    raise AssertionError


def two_lines() -> None:
    raise RuntimeError("load failed\nof 2026-01-01")


def cause() -> None:
    try:
        plain()
    except ValueError as error:
        error.add_note("rows come from\norders.csv")
        raise RuntimeError("load failed") from error


def three() -> None:
    try:
        cause()
    except RuntimeError:
        raise KeyError("x")  # noqa: B904 - while the other is handled


def suppressed() -> None:
    try:
        plain()
    except ValueError:
        raise KeyError("x") from None


def syntax() -> None:
    compile("if x:\n    y = = 1", "rules.py", "exec")


def caught(function: Callable[[], None]) -> Exception:
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError(function)


def group() -> None:
    raise ExceptionGroup("two", [caught(cause), TypeError("t")])


def nested() -> None:
    parts = [ValueError("v"), caught(syntax), caught(group)]
    try:
        group()
    except ExceptionGroup as error:
        raise ExceptionGroup("outer", parts) from error


def wide() -> None:
    raise ExceptionGroup("many", [ValueError(str(number)) for number in range(40)])


def deep() -> None:
    error: Exception = ValueError("inmost")
    for number in range(14):
        error = ExceptionGroup(f"level {number}", [error])
    raise error


RAISING = [plain, nothing_said, two_lines, cause, three, suppressed, syntax, group, nested, wide, deep]


@pytest.mark.parametrize("function", RAISING)
def test_it_is_what_python_prints(function: Callable[[], None]) -> None:
    error = caught(function)
    lines = list(traceback_lines(told(error)))
    assert lines == pythons(error)
    assert len(lines) > 1


def test_frames_that_airflow_left_out_are_told() -> None:
    frame = {"filename": "", "lineno": -1, "name": "Skipped frames: 12"}
    assert list(traceback_lines([{"exc_type": "E", "exc_value": "v", "frames": [frame]}])) == [
        "Traceback (most recent call last):",
        "  [Skipped frames: 12]",
        "E: v",
    ]


@pytest.mark.parametrize("detail", [None, "E", 7, {}, [], [None, "E", 7], [[]]])
def test_what_is_no_list_of_exceptions_has_no_lines(detail: Any) -> None:
    assert list(traceback_lines(detail)) == []


def test_of_an_odd_exception_what_is_there_is_told() -> None:
    odd: dict[str, Any] = {
        "exc_type": 7,
        "exc_value": None,
        "frames": [None, {}],
        "exceptions": 3,
        "is_group": 1,
        "exc_notes": "n",
    }
    lines = list(traceback_lines([odd, {"syntax_error": {"line": 5, "offset": "x"}}, {"frames": "none"}]))
    assert "  | 7" in lines
    assert '  File "None", line None' in lines
