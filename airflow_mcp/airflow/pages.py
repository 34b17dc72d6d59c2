"""Pages of lists that Airflow gives whole, or cannot filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_mcp.airflow.client import Airflow
from airflow_mcp.airflow.dags import PAGE
from airflow_mcp.errors import TooLargeError

MOST_PAGES = 50
Row = Mapping[str, Any]


async def page(
    airflow: Airflow, route: str, rows_name: str, args: Any, query: Mapping[str, str | int] | None = None
) -> tuple[Sequence[Row], int]:
    """A page as Airflow has it: its rows, and how many there are in all."""
    answer = await airflow.read(route, query={**(query or {}), "limit": args.limit, "offset": args.offset})
    return answer[rows_name], answer["total_entries"]


async def filtered(
    airflow: Airflow,
    route: str,
    rows_name: str,
    args: Any,
    *,
    keep: Callable[[Row], bool] | None = None,
    query: Mapping[str, Any] | None = None,
) -> tuple[Sequence[Row], int]:
    """A page of the rows to keep of the whole list. Raises TooLargeError where that is too long to look through."""
    found: list[Row] = []
    for number in range(MOST_PAGES):
        answer = await airflow.read(route, query={**(query or {}), "limit": PAGE, "offset": number * PAGE})
        rows = answer[rows_name]
        found += [row for row in rows if keep is None or keep(row)]
        if not rows or (number + 1) * PAGE >= answer["total_entries"]:
            return found[args.offset : args.offset + args.limit], len(found)
    raise TooLargeError(f"There are more than {MOST_PAGES * PAGE} to look through: leave the pattern out.")


def about(rows: Sequence[Any], total: int, args: Any, empty: str) -> dict[str, Any]:
    """What every page tells of itself."""
    end = args.offset + len(rows)
    past = f"offset {args.offset} is past the end: there are {total}."
    return {
        "total": total,
        "returned": len(rows),
        "next_offset": end if rows and end < total else None,
        "note": None if rows else past if total else empty,
    }
