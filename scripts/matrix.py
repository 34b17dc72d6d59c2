"""Run the live tests on one Airflow after the other: `make test-matrix`. docs/versions.md shows what came of it.

    make test-matrix                  every release that this project knows
    make test-matrix AIRFLOW="2.9"    one of them, or several; the results of the others stay as they are

What each run found goes to tests/matrix.json. The exit status is 1 when a test failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from airflow_mcp.demo.processes import end_server
from airflow_mcp.demo.releases import RELEASES, install
from scripts import generate
from tests.releases import FAB

RESULTS = generate.ROOT / "tests" / "matrix.json"
# It starts an Airflow of its own, always the same one, whatever the matrix is at.
LEFT_OUT = ("tests/live/test_kerberos.py",)
OUTCOMES = {"failure": "failed", "error": "failed", "skipped": "skipped"}


def main(argv: Sequence[str]) -> int:
    """Run the tests on each of the named releases, or on all. Gives the exit status."""
    names = [name for argument in argv for name in argument.split()] or list(RELEASES)
    unknown = [name for name in names if name not in RELEASES]
    if unknown:
        print(f"No such Airflow here: {', '.join(unknown)}. There are {', '.join(RELEASES)}.", file=sys.stderr)
        return 2
    good = True
    for name in names:
        result = run(name)
        good = good and not result["tests"].get("failed", 0)
        keep(name, result)
        generate.write(generate.ROOT)
    return 0 if good else 1


def run(name: str) -> dict[str, Any]:
    """The live tests on one release: what came of them, in all and by tool."""
    print(f"\nAirflow {RELEASES[name].version}", flush=True)
    for release in (RELEASES[name], *([FAB] if name == FAB.name else [])):
        install(release, print)  # which counts with no test's time
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "tests/live", *(f"--ignore={file}" for file in LEFT_OUT)]
        command += ["-q", "--tb=short", f"--junitxml={report}", "-o", "junit_family=xunit1"]
        # CI: an Airflow that does not start is a failure there, and no reason to skip. TMPDIR: where servers live.
        process = subprocess.Popen(command, env={**os.environ, "AIRFLOW": name, "CI": "true", "TMPDIR": folder})
        try:
            process.wait()
        except KeyboardInterrupt:
            process.wait()  # it was interrupted as well, and stops its server
            raise
        finally:
            for home in Path(folder).glob(f"airflow-{name}-*"):
                end_server(home, 0)
        return {"version": RELEASES[name].version, **counted(report)}


def counted(report: Path) -> dict[str, Any]:
    """How many tests passed, failed and were skipped, in all and by the tool that they call, of a JUnit report."""
    tests: Counter[str] = Counter()
    tools: dict[str, Counter[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = next((OUTCOMES[part.tag] for part in case if part.tag in OUTCOMES), "passed")
        tests[outcome] += 1
        called = case.find("properties/property[@name='tools']")
        for tool in (called.get("value") or "" if called is not None else "").split():
            tools.setdefault(tool, Counter())[outcome] += 1
    return {
        "tests": dict(sorted(tests.items())),
        "tools": {tool: dict(sorted(tools[tool].items())) for tool in sorted(tools)},
    }


def keep(name: str, result: dict[str, Any]) -> None:
    """Put what came of one release into the file, beside the others."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    results[name] = result
    ordered = {known: results[known] for known in RELEASES if known in results}
    RESULTS.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
