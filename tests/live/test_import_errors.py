"""Files that do not import, on both real servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.oracle import Oracle
from tests.scenarios import BROKEN
from tests.session import Session, connect, unfenced

pytestmark = pytest.mark.anyio

NO_MODULE = "ModuleNotFoundError: No module named 'nope'"


@pytest.fixture
def broken(oracle: Oracle) -> Iterator[str]:
    """What Airflow calls a DAG file that does not import. It is deleted at the end."""
    file = oracle.server.dags_folder / "broken.py"
    try:
        file.write_text(BROKEN)
        oracle.wait_for_import_error(file.name)
        yield oracle.call("GET", "importErrors")["import_errors"][0]["filename"]
    finally:
        file.unlink()


async def test_a_file_that_does_not_import(session: Session, oracle: Oracle, broken: str) -> None:
    answer = await session.ok("get_import_errors")
    [told] = oracle.call("GET", "importErrors")["import_errors"]
    [row] = answer["import_errors"]
    assert (row["filename"], row["line"], answer["total"]) == (broken, 3, 1)
    assert row.get("bundle_name") == told.get("bundle_name")
    assert row["timestamp"] == f"{told['timestamp'][:19].removesuffix(':00')}Z"
    assert unfenced(row["error"]).split("\n")[-2:] == ["    import nope", NO_MODULE]
    if "filename_pattern" in oracle.document.taken("get", f"/api/v{oracle.major - 1}/importErrors"):
        assert (await session.ok("get_import_errors", filename_pattern="brok%.py"))["total"] == 1
        assert (await session.ok("get_import_errors", filename_pattern="sales"))["total"] == 0
        loose = await session.ok("get_import_errors", filename_pattern="br_ken")
        assert (loose["total"], loose["note"]) == (1, "_ in filename_pattern stands for any sign.")
        assert "filename_pattern: must not contain ~, " in await session.error(
            "get_import_errors", filename_pattern="~"
        )
    else:
        message = await session.error("get_import_errors", filename_pattern="brok%.py")
        assert message.startswith("filename_pattern needs Airflow 3.1. ")

    why = f"{broken} does not import: line 3, {NO_MODULE}. get_import_errors tells more."
    async with connect(oracle, "vera", read_only=True) as viewer:
        assert (await viewer.ok("get_import_errors"))["total"] == 1
        for each in (session, viewer):
            for tool in ("get_dag", "get_dag_details", "get_dag_source", "get_tasks", "get_dag_runs"):
                message = await each.error(tool, dag_id="broken")
                assert message.startswith("Not found: ")
                assert message.endswith(why), (tool, message)
        for tool, more in (("patch_dag", {"is_paused": True}), ("clear_task_instances", {"dag_run_id": "any"})):
            assert (await session.error(tool, dag_id="broken", confirm=False, **more)).endswith(why), tool
    other = await session.error("get_dag", dag_id="no_such_dag")
    assert other.endswith(
        "Look the id up: get_dags finds DAGs, get_tasks lists a DAG's tasks. If it was deleted, its runs went with it. "
        "1 file does not import: get_import_errors."
    )
