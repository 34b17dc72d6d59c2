"""Ends the Airflows that a test started and, interrupted, did not end."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from airflow_mcp.demo.processes import end_server

RUN_BY = "TESTS_RUN_BY"
"""The environment variable with the id of the process that leads a run of the tests: workers and servers inherit it."""


def end_airflows_of_this_run() -> None:
    """End them where the system tells whose they are, and remove their homes."""
    mark = f"{RUN_BY}={os.environ[RUN_BY]}".encode()
    homes = set[Path]()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # ended meanwhile, or another user's
            variables = environ.read_bytes().split(b"\0")
            if mark in variables:
                homes |= {Path(os.fsdecode(each[13:])) for each in variables if each.startswith(b"AIRFLOW_HOME=")}
    for home in homes:
        end_server(home, 0)
        shutil.rmtree(home, ignore_errors=True)
