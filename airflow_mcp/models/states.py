"""The states of Airflow."""

from __future__ import annotations

from typing import Literal

RunState = Literal["queued", "running", "success", "failed"]
