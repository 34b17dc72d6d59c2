"""What `make test-matrix` makes of a run: counts by tool, beside those of other versions, in docs/versions.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_mcp.tools.toolsets import ALL_TOOLS
from scripts import generate, matrix

REPORT = """<testsuites><testsuite>
<testcase name="a"><properties><property name="tools" value="get_dag get_dags" /></properties></testcase>
<testcase name="b"><properties><property name="tools" value="get_dags" /></properties><failure>no</failure></testcase>
<testcase name="c"><properties><property name="tools" value="" /></properties><skipped>why</skipped></testcase>
<testcase name="d"><error>not started</error></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(matrix, "RESULTS", tmp_path / "matrix.json")
    return tmp_path / "matrix.json"


def test_a_report_is_counted_by_tool(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    assert matrix.counted(report) == {
        "tests": {"failed": 2, "passed": 1, "skipped": 1},
        "tools": {"get_dag": {"passed": 1}, "get_dags": {"failed": 1, "passed": 1}},
    }


def test_one_version_replaces_its_own_results_alone(results: Path) -> None:
    for name, passed in (("3.0", 1), ("2.10", 2), ("2.9", 3), ("2.10", 4)):
        matrix.keep(name, {"tests": {"passed": passed}})
    kept = json.loads(results.read_text())
    assert [(name, kept[name]["tests"]["passed"]) for name in kept] == [("2.9", 3), ("2.10", 4), ("3.0", 1)]


def test_a_failure_is_in_the_table() -> None:
    specs = [spec for spec in ALL_TOOLS if spec.name in ("get_dag", "get_dags")]
    counts = {"tests": {"failed": 2, "passed": 9}, "tools": {"get_dags": {"failed": 1, "passed": 3}}}
    table = generate.versions_table(specs, {"2.9": {"version": "2.9.3", **counts}})
    assert table.splitlines()[2:] == [
        "| `get_dags` | **fail** |",
        "| `get_dag` | none |",
        "| all live tests | **fail** |",
    ]


def test_an_unknown_version_is_refused(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.main(["2.9 2.6"]) == 2
    assert capsys.readouterr().err.startswith("No such Airflow here: 2.6. There are 2.7, 2.8,")
    assert not results.exists()
