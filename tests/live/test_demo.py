"""The demo, as `make demo` runs it: it installs, starts, breaks, repairs and stops a real Airflow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.releases import RUN


@pytest.mark.parametrize("version", RUN[-1:])  # the others' turn comes in the matrix: each starts an Airflow for it
def test_every_step_does_what_it_says_and_nothing_is_left(version: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        [sys.executable, "-m", "airflow_mcp", "demo", "--airflow", version],
        env={**environment, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    if "which was not found" in done.stderr and not os.environ.get("CI"):
        pytest.skip(f"no real Airflow can be installed here: {done.stderr}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every step did what it says." in done.stdout
    assert done.stdout.count("    | ") > 40
    assert [file for file in tmp_path.iterdir() if file.name.startswith("airflow-")] == []
    assert not any(str(tmp_path).encode() in environ for environ in environments())


def environments() -> list[bytes]:
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            found.append(file.read_bytes())
        except OSError:  # ended meanwhile, or another user's
            continue
    return found
