"""Text of Airflow's users marked as data."""

from __future__ import annotations

import re

from airflow_mcp.text.clean import clean

_FENCE = re.compile(r"<(?=\s*+(?:/\s*+)?untrusted)", re.IGNORECASE)


def fence(text: str) -> str:
    """Mark text of Airflow's users as data: cleaned, between fences that it cannot forge."""
    return f"<untrusted>\n{_FENCE.sub('&lt;', clean(text))}\n</untrusted>"
