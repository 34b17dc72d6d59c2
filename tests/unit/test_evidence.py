"""The lines of a log that tell why: what is kept whatever the log, and that no log breaks the budget."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest

from airflow_mcp.text.evidence import Evidence
from airflow_mcp.text.kept import KeptLine
from benchmarks.evidence import corpus, long_log, measured, reduce_text
from scripts.generate import tokens

MOST = 6000
BORING = [f"order {number} is loaded into the warehouse" for number in range(500)]
TRACEBACK = """Traceback (most recent call last):
  File "/opt/airflow/dags/sales_etl.py", line 21, in amount
    return Decimal(row["amount"])
decimal.InvalidOperation: [<class 'decimal.ConversionSyntax'>]

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/local/lib/python3.12/site-packages/airflow/operators/python.py", line 238, in execute
    return_value = self.execute_callable()
  File "/opt/airflow/dags/sales_etl.py", line 30, in totals
    total += amount(row)
  File "/opt/airflow/dags/sales_etl.py", line 23, in amount
    raise BadRow(row) from error
BadRow: row 4711 has no amount: '12,50'"""


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[float, int, list[str]]]:
    return measured(reduce_text)


def kept(lines: list[str], most: int = MOST) -> list[KeptLine]:
    evidence = Evidence(most)
    for number, line in enumerate(lines, 1):
        evidence.add(number, line)
    return evidence.lines()


def texts(lines: list[str], most: int = MOST) -> list[str]:
    return [line.text for line in kept(lines, most)]


@pytest.mark.parametrize("most", [200, MOST])
def test_the_final_error_is_kept(most: int) -> None:
    noise = [f"ERROR: part {name} could not be read" for name in ("one", "two", "three", "four", "five", "six") * 300]
    assert "ValueError: the last word" in texts([*BORING, *noise, *BORING, "ValueError: the last word", *BORING], most)


def test_a_final_error_that_was_met_before_is_shown_where_it_was_last() -> None:
    lines = kept([*BORING, "ERROR: no connection", *BORING, "ERROR: no connection"])
    assert [(line.number, line.times) for line in lines if line.text == "ERROR: no connection"] == [(501, 1), (1002, 1)]


def test_the_first_error_is_kept_as_well_as_the_last() -> None:
    errors = [f"ERROR: step {chr(97 + number % 26) * 4}{chr(97 + number // 26) * 4} failed" for number in range(600)]
    found = texts([*BORING, "OSError: disk is full", *BORING, *errors])
    assert "OSError: disk is full" in found
    assert errors[-1] in found


def test_a_cause_in_the_middle_of_a_long_log_is_kept() -> None:
    cause = ["WARNING: order 30000 was rejected: customer 812 is unknown"]
    assert cause[0] in texts(long_log(cause).split("\n"))


def test_each_exception_of_a_chain_is_kept_with_the_frames_of_ones_own_code() -> None:
    found = texts([*BORING, *TRACEBACK.split("\n"), *BORING])
    for line in (
        "decimal.InvalidOperation: [<class 'decimal.ConversionSyntax'>]",
        '  File "/opt/airflow/dags/sales_etl.py", line 21, in amount',
        "The above exception was the direct cause of the following exception:",
        '  File "/opt/airflow/dags/sales_etl.py", line 23, in amount',
        '  File "/opt/airflow/dags/sales_etl.py", line 30, in totals',
        "BadRow: row 4711 has no amount: '12,50'",
    ):
        assert line in found


def test_frames_of_libraries_go_first() -> None:
    library = ['  File "/usr/local/lib/python3.12/site-packages/lib.py", line 7, in call', "    return self.call(next)"]
    deep = ["Traceback (most recent call last):", '  File "/opt/airflow/dags/a.py", line 3, in mine', "    run()"]
    found = texts([*deep, *library * 400, "RecursionError: maximum recursion depth exceeded"])
    assert '  File "/opt/airflow/dags/a.py", line 3, in mine' in found
    assert "RecursionError: maximum recursion depth exceeded" in found
    assert len(found) < 10


def test_repeats_are_folded_and_counted() -> None:
    lines = [
        f"2026-11-29T06:00:{number % 60:02d}Z ERROR: job {number} of 0x{number:08x} timed out" for number in range(900)
    ]
    found = kept(lines)
    assert [(line.number, line.times) for line in found] == [(1, 899), (900, 1)]


def test_what_lines_of_a_kind_end_with_alike_is_shown_once() -> None:
    why = " - ConnectionError: could not reach db.example:5432 within 30 seconds, giving up"
    failed = [
        f"FAILED tests/test_{name}.py::test_rows{why}"
        for name in ("orders", "line_items", "exchange", "user", "warehouse_x")
    ]
    found = texts([*BORING, *failed])
    assert len(found) == 6
    assert sum(why in text for text in found) == 2


def test_numbers_are_those_of_the_log() -> None:
    log = [*BORING, *TRACEBACK.split("\n"), *BORING]
    found = kept(log)
    assert len(found) > 5
    assert [line.number for line in found] == sorted({line.number for line in found})
    assert all(log[line.number - 1] == line.text for line in found)


def test_what_preceded_a_failure_and_what_follows_it_is_kept() -> None:
    found = texts(
        [
            *BORING,
            "+ cp /data/a.csv /tmp/a.csv",
            "cp: cannot stat '/data/a.csv': No such file or directory",
            "exit status 1",
        ]
    )
    assert found[-3:] == [
        "+ cp /data/a.csv /tmp/a.csv",
        "cp: cannot stat '/data/a.csv': No such file or directory",
        "exit status 1",
    ]


def test_what_airflow_says_of_each_task_is_no_evidence() -> None:
    log = """15:14:00 local_task_job_runner.py:123 ::group::Pre task execution logs
15:14:01 taskinstance.py:2885 Starting attempt 1 of 1
15:14:04 taskinstance.py:3158 Exporting env vars: AIRFLOW_CTX_DAG_OWNER='ben'
15:14:04 taskinstance.py:740 ::endgroup::
15:14:04 loading south.csv
15:14:04 ERROR taskinstance.py:3337 Task failed with exception
Traceback (most recent call last):
  File "/opt/airflow/dags/load_files.py", line 32, in load_file
    raise ValueError(f"{name}: line 118 has 4 columns, expected 6")
ValueError: south.csv: line 118 has 4 columns, expected 6
15:14:04 taskinstance.py:1242 Marking task as FAILED. dag_id=load_files, task_id=load_file
15:14:04 local_task_job_runner.py:266 Task exited with return code 1"""
    assert [line.number for line in kept(log.split("\n"))] == [5, 6, 7, 8, 9, 10, 12]


def test_a_script_that_a_runner_lists_is_no_evidence_but_what_it_prints() -> None:
    script = ["##[group]Run ./load.sh", "if ! ./load; then echo 'Error: not loaded'; exit 1; fi", "##[endgroup]"]
    found = texts([*BORING, *script, "Error: no such table: orders", "##[error]Process completed with exit code 1."])
    assert "Error: no such table: orders" in found
    assert script[1] not in found


def test_a_list_without_end_hides_no_error() -> None:
    log = ["##[group]Run ./load.sh", *BORING, *BORING, "ValueError: no rows"]
    assert "ValueError: no rows" in texts(log)
    assert "ValueError: no rows" in texts(["Running command: ssh host ./load.sh", "ValueError: no rows"])


def test_what_another_logger_says_within_a_traceback_is_not_its_exception() -> None:
    log = TRACEBACK.split("\n")
    log.insert(2, "[2026-11-29T06:00:00.000+0000] {orders.py:26} INFO - order 1 is loaded")
    found = texts([*BORING, *log])
    assert "BadRow: row 4711 has no amount: '12,50'" in found
    assert "decimal.InvalidOperation: [<class 'decimal.ConversionSyntax'>]" in found


def test_exceptions_of_a_group_are_kept() -> None:
    group = """  + Exception Group Traceback (most recent call last):
  |   File "/opt/airflow/dags/sales_etl.py", line 9, in load
  |     run(parts)
  |   File "/usr/local/lib/python3.12/site-packages/airflow/operators/python.py", line 238, in execute
  |     return_value = self.execute_callable()
  |   File "/opt/airflow/dags/sales_etl.py", line 4, in run
  |     raise ExceptionGroup("two parts failed", errors)
  | ExceptionGroup: two parts failed (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/opt/airflow/dags/parts.py", line 2, in check
    |     raise ValueError("part 3 is empty")
    | ValueError: part 3 is empty
    +---------------- 2 ----------------
    | KeyError: 'amount'
    +------------------------------------"""
    found = [line.strip(" |") for line in texts([*BORING, *group.split("\n"), *BORING])]
    assert "ValueError: part 3 is empty" in found
    assert "KeyError: 'amount'" in found
    assert "ExceptionGroup: two parts failed (2 sub-exceptions)" in found
    frames = [line for line in found if line.startswith("File ")]
    assert frames == [
        'File "/opt/airflow/dags/sales_etl.py", line 9, in load',
        'File "/opt/airflow/dags/sales_etl.py", line 4, in run',
        'File "/opt/airflow/dags/parts.py", line 2, in check',
    ]


def test_what_airflow_says_of_each_task_is_not_kept() -> None:
    routine = [
        "14:00:00 task_runner.py:1073 Worker startup parse complete bundle_name=dags dag_file=a.py",
        "14:00:00 dagbag.py:460 Filling up the DagBag from /dags/a.py",
        "14:00:00 task_runner.py:2280 Pushing xcom ti=RuntimeTaskInstance(id=7)",
    ]
    assert texts([*routine, "14:00:01 ERROR task_runner.py:1676 Task failed with exception", "ValueError: no"]) == [
        "14:00:01 ERROR task_runner.py:1676 Task failed with exception",
        "ValueError: no",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Finished with 0 errors, 0 warnings",
        "Command exited with return code 0",
        "tests/test_error.py::test_raises_an_exception PASSED   [ 12%]",
        "[gw2] [ 47%] PASSED tests/test_net.py::test_raises[501-Server Error]",
        "tests/test_net.py::test_raises[401-Client Error]",
        "test tests/fail/macros_join.rs [should fail to compile] ... ok",
        "✓ throws an error when the file is missing (3 ms)",
        "   Compiling thiserror v1.0.69",
        '{"level": "info", "msg": "batch written", "errors": 0, "error": null}',
        "Downloading error_prone_annotations-2.36.jar",
        "PASS [ 0.006s] (390/396) tokio-util::error single_failure",
    ],
)
def test_what_went_well_is_no_evidence(line: str) -> None:
    assert kept([*BORING, line, *BORING]) == []


@pytest.mark.parametrize(
    "line",
    [
        "src/app.ts(12,5): error TS2322: Type 'string' is not assignable to type 'number'.",
        "dags/sales.py:12:80: E501 line too long (91 > 79 characters)",
        "--- FAIL: TestTotals (0.00s)",
        "panic: runtime error: index out of range [3] with length 3",
        "[ERROR] Failed to execute goal org.apache.maven.plugins:maven-compiler-plugin:3.11.0:compile",
        "> Task :compileJava FAILED",
        "npm ERR! code ERESOLVE",
        'psql:load.sql:14: ERROR:  relation "orders" does not exist',
        "Caused by: java.net.ConnectException: Connection refused",
        "Error: creating S3 Bucket (sales): BucketAlreadyExists: status code: 409",
        "fatal: unable to access 'https://git.example/': Could not resolve host: git.example",
        "ORA-00942: table or view does not exist",
        "Killed",
        "/opt/jobs/run.sh: line 3: 4242 Segmentation fault      (core dumped) ./load",
        "not ok 13 - rounds half up",
        'fatal: [host1]: FAILED! => {"changed": false, "msg": "no package"}',
        "E       AssertionError: assert 3 == 4",
        '{"level": "error", "msg": "commit failed", "topic": "orders"}',
        'time="2026-11-29T06:00:00Z" level=fatal msg="giving up"',
        'Error from server (NotFound): pods "load" not found',
        "make: *** [Makefile:4: main.o] Error 1",
        "The job was terminated: OOMKilled, exit code: 137",
    ],
)
def test_failures_of_many_tools_are_seen(line: str) -> None:
    assert line in texts([*BORING, line, *BORING])


HOSTILE = {
    "nothing": [],
    "blank": [""] * 5000,
    "one long line": ["x" * 5_000_000],
    "one long line of blanks": [" " * 5_000_000 + "error"],
    "errors without end": [f"ERROR: {chr(0x4E00 + number)} failed" for number in range(5000)],
    "a traceback without end": ["Traceback (most recent call last):", *["  File \"a.py\", line 1, in a"] * 5000],
    "tracebacks without exception": ["Traceback (most recent call last):"] * 5000,
    "hashes": [f"ERROR: {random.Random(number).randbytes(150).hex()}" for number in range(500)],
    "signs": ["ERROR: " + "{}[]()<>:;,.!?" * 100] * 100,
    "no ASCII": ["ERROR: " + "錯誤🚀" * 300 + str(number) for number in range(500)],
    "half characters": ["ERROR: \ud800\udfff failed"] * 50,
    "colours": ["\x1b[31mERROR\x1b[0m: \x1b[" * 500] * 50,
    "dots": ["a." * 700 + ":1:1: x", "a" * 1400 + ".py:1:1", "." * 1499],
    "underscores": ["_" * 1499, "=" * 1499, "___ " * 300, "E   " * 300],
    "expectations": ["expect " * 200, "exit " * 300, "returned " * 150, "1 a b " * 250],
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_log_breaks_the_budget_or_takes_long(name: str) -> None:
    started = time.process_time()
    for most in (0, 10, 300, MOST):
        evidence = Evidence(most)
        for number, line in enumerate(HOSTILE[name], 1):
            evidence.add(number, line)
        lines = evidence.lines()
        assert sum(len(line.text) for line in lines) <= most
        shown = "\n".join(f"{line.number}: {line.text}" for line in lines).encode("utf-8", "replace").decode()
        assert tokens(shown) <= max(most // 3, 20)
    assert time.process_time() - started < 20


def test_a_log_of_any_length_takes_little_memory() -> None:
    program = (
        "import resource\n"
        "from airflow_mcp.text.evidence import Evidence\n"
        "evidence = Evidence(6000)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for number in range(15_000):\n"
        "    name = ''.join(chr(97 + number // 26 ** place % 26) for place in range(4))\n"
        "    evidence.add(number, f'ERROR: {name} failed ' + name * 20)\n"
        "evidence.lines()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    kilobytes = int(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout)
    assert kilobytes < 24_000


@pytest.mark.parametrize("name", [name for name, _, _ in corpus()])
def test_the_corpus_keeps_its_evidence(name: str, found: dict[str, tuple[float, int, list[str]]]) -> None:
    share, cost, lost = found[name]
    assert share >= 0.8, lost
    assert cost <= 1500
