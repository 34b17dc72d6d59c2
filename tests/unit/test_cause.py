"""What a log says went wrong."""

from __future__ import annotations

from airflow_mcp.airflow.log_lines import LogLines
from airflow_mcp.diagnosis.cause import Cause, Frame, cause
from airflow_mcp.diagnosis.evidence import UsersErrors

TWO = """\
[2026-11-22T13:46:02.408+0000] {logging_mixin.py:190} INFO - checking order 1042
[2026-11-22T13:46:02.408+0000] {taskinstance.py:3315} ERROR - Task failed with exception
Traceback (most recent call last):
  File "/opt/venv/lib/python3.11/site-packages/airflow/models/taskinstance.py", line 768, in _execute_task
    result = execute_callable(context)
  File "/opt/airflow/dags/sales_etl.py", line 70, in validate
    if order["amount"] > 0:
       ~~~~~^^^^^^^^^^
KeyError: 'amount'
[2026-11-22T13:46:02.419+0000] {taskinstance.py:1225} INFO - Marking task as FAILED.
[2026-11-22T13:46:02.439+0000] {standard_task_runner.py:124} ERROR - Failed to execute job 7 for task v
Traceback (most recent call last):
  File "/opt/airflow/dags/sales_etl.py", line 70, in validate
    if order["amount"] > 0:
       ~~~~~^^^^^^^^^^
KeyError: 'amount'
[2026-11-22T13:46:02.449+0000] {local_task_job_runner.py:266} INFO - Task exited with return code 1
"""
CHAIN = """\
[2026-11-22T13:46:02.408+0000] {taskinstance.py:3315} ERROR - Task failed with exception
Traceback (most recent call last):
  File "/opt/airflow/dags/rates.py", line 7, in rate
    return RATES[code]
KeyError: 'EUR'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/opt/airflow/dags/rates.py", line 12, in load
    raise RuntimeError("no rate") from error
RuntimeError: no rate
"""
NO_TRACEBACK = """\
[2026-11-22T13:46:01.408+0000] {subprocess.py:106} INFO - curl: (6) Could not resolve host
[2026-11-22T13:46:02.408+0000] {job.py:1} ERROR - Killed: out of memory
"""


def read(text: str) -> Cause | None:
    lines = LogLines(UsersErrors(4000), events=False)
    lines.feed(text.encode())
    lines.end()
    return cause(lines.excerpt.kept())


def test_the_exception_its_own_frames_and_the_record_before_it() -> None:
    found = read(TWO)
    assert found is not None
    assert found.error == "KeyError: 'amount'"
    assert found.frames == [Frame("/opt/airflow/dags/sales_etl.py", 70, "validate")]
    assert [line.text for line in found.around] == ["13:46:02 checking order 1042"]
    assert found.first_error == ""


def test_of_a_chain_the_last_and_the_first() -> None:
    found = read(CHAIN)
    assert found is not None
    assert (found.error, found.first_error) == ("RuntimeError: no rate", "KeyError: 'EUR'")
    assert str(found.frames[-1]) == "/opt/airflow/dags/rates.py:12 in load"


def test_an_error_without_a_traceback() -> None:
    found = read(NO_TRACEBACK)
    assert found is not None
    assert (found.error, found.frames) == ("Killed: out of memory", [])
    assert [line.text for line in found.around] == ["13:46:01 curl: (6) Could not resolve host"]


def test_no_error() -> None:
    assert read("[2026-11-22T13:46:02.408+0000] {a.py:1} INFO - fine\n") is None


def test_errors_are_the_same_by_type_and_place() -> None:
    other = TWO.replace("KeyError: 'amount'", "KeyError: 'id'").replace("order 1042", "order 7")
    one, two = read(TWO), read(other)
    assert one is not None
    assert two is not None
    assert one.place == two.place != (read(CHAIN) or one).place
