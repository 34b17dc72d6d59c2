"""Our tools at an Airflow with 10,000 DAGs: how long each call takes, what it asks for, how long its answer is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import anyio
from mcp import Client
from mcp.types import TextContent

REPEATS = 7


@dataclass(frozen=True)
class Case:
    """A call to measure."""

    name: str
    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """What calling a case some times has shown."""

    case: Case
    milliseconds: Sequence[float]
    requests: int
    """Sent to Airflow for one call."""
    received: int
    """Bytes of Airflow's answers to them, as they were sent."""
    answered: int
    """Bytes of text in the tool's answer."""


async def measure(client: Client, case: Case, log: Path, repeats: int = REPEATS) -> Figure:
    """Call a case once for warmth, then some times with a clock. Raises AssertionError when it does not succeed.

    The log is the proxy's, with the bytes of each answer that went through it.
    """
    await _text(client, case)
    milliseconds, text = [], ""
    before = len(await _lines(log))
    for _ in range(repeats):
        start = time.perf_counter()
        text = await _text(client, case)
        milliseconds.append((time.perf_counter() - start) * 1000)
    sizes = [int(line) for line in (await _lines(log))[before:]]
    return Figure(case, milliseconds, len(sizes) // repeats, sum(sizes) // repeats, len(text.encode()))


def table(figures: Sequence[Figure]) -> str:
    """The figures as a table in Markdown."""
    head = ("call", "median ms", "worst ms", "requests", "kB from Airflow", "answer, bytes")
    rows = [
        (
            figure.case.name,
            f"{median(figure.milliseconds):,.0f}",
            f"{max(figure.milliseconds):,.0f}",
            f"{figure.requests}",
            f"{figure.received / 1000:,.0f}",
            f"{figure.answered:,}",
        )
        for figure in figures
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "".join(f"| {' | '.join(map(_padded, line, widths, range(len(head))))} |\n" for line in lines)


def _padded(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column else cell.ljust(width)


async def _text(client: Client, case: Case) -> str:
    result = await client.call_tool(case.tool, dict(case.arguments))
    [content] = result.content
    assert isinstance(content, TextContent)
    assert not result.is_error, content.text
    return content.text


async def _lines(log: Path) -> list[str]:
    await anyio.sleep(0.2)  # nginx writes a line after its answer
    return (await anyio.Path(log).read_text()).splitlines()
