"""A message names a setting as its reader wrote it: the instance tells how, and no other module knows the names."""

from __future__ import annotations

import re
from pathlib import Path

import airflow_mcp

PACKAGE = Path(airflow_mcp.__file__).parent
MAY_KNOW = {"__main__.py", "demo/walk.py", "instance.py", "settings.py"}
"""What reads the environment, what tells of it, and what writes one for a client."""


def test_no_other_module_knows_what_a_variable_is_called() -> None:
    knows = re.compile(r"AIRFLOW_MCP_|\bPREFIX\b|\bvariable\(")
    files = {file.relative_to(PACKAGE).as_posix(): file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py")}
    assert {name for name, text in files.items() if knows.search(text)} == MAY_KNOW
