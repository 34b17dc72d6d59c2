"""What an id of Airflow's can be."""

from __future__ import annotations

import re

LONGEST = 250

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def id_problem(value: str, longest: int = LONGEST) -> str | None:
    """What keeps a text from being an id, as the end of a sentence that begins with its name; None for nothing."""
    if not value.strip():
        return "is empty"
    if value in (".", "..", "~"):  # the last is Airflow's own word for all of them
        return f"{value!r} is no Airflow id"
    if len(value) > longest:
        return f"is {len(value)} characters long; Airflow allows {longest}"
    if "/" in value or "\\" in value:
        return "holds a slash; an Airflow id has none"
    if _CONTROL.search(value):
        return "holds a control character or a line break"
    return None
