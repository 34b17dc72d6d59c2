"""The one way out for text: each answer and each error passes here, and nothing else cleans or marks."""

from __future__ import annotations

import json
import math
from typing import Any

from airflow_mcp.text.fence import Fence, safe


class Outgoing:
    """One answer on its way out."""

    def __init__(self) -> None:
        self._fence = Fence()

    def fenced(self, text: str) -> str:
        """A text of Airflow's users, safe and between the fences of this answer."""
        return self._fence.around(safe(text))

    def walked(self, value: Any) -> Any:
        """JSON data with all of its texts and names safe."""
        if isinstance(value, str):
            # Only what was fenced for this answer can begin with its code.
            return value if value.startswith(self._fence.start) else safe(value)
        if isinstance(value, list):
            return [self.walked(item) for item in value]
        if isinstance(value, dict):
            return {safe(name): self.walked(item) for name, item in value.items()}
        if isinstance(value, float) and not math.isfinite(value):
            return json.dumps(value)  # NaN, Infinity: which JSON has no number for
        return value


def as_message(text: str) -> str:
    """An error, or a line of the check, as it may leave this server."""
    return safe(text)
