"""The scenarios: what is asked about each, what is true of it, and what an answer must therefore hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Scenario:
    """One thing that is wrong, and the question."""

    name: str
    tool: Literal["diagnose_dag_run", "explain_dag_state"]
    dag_id: str
    causes: tuple[str, ...]
    """All that is to be named: tasks that failed first, or what holds it in a word of explain_dag_state."""
    facts: tuple[str, ...] = ()
    """What the answer must hold besides."""
    run: int | None = None
    """Which of the DAG's runs is asked for; None: the DAG alone."""
    task_id: str | None = None
    may_name: tuple[str, ...] = field(default=())
    """What is true as well and need not be named."""
    never: tuple[str, ...] = ()
    """What would be false."""


def failed(name: str, dag_id: str, task_id: str, *facts: str, never: tuple[str, ...] = (), run: int = 0) -> Scenario:
    return Scenario(name, "diagnose_dag_run", dag_id, (task_id,), facts, run=run, never=never)


def held(name: str, dag_id: str, reason: str, *facts: str, run: int | None = None, task: str | None = None) -> Scenario:
    causes = (reason,) if reason else ()
    return Scenario(name, "explain_dag_state", dag_id, causes, facts, run=run, task_id=task)


CHAIN = failed("a chain", "sales_etl", "validate", "KeyError: 'amount'", 'order["amount"] > 0', "order 1041", "report")
MAPPED = failed("a mapped index", "load_files", "load_file", "south.csv: line 118 has 4 columns, expected 6")
POOLS = (
    held("a pool is missing", "held_by_pools", "pool_missing", "held_missing", run=0, task="missing"),
    held("a pool has no slots", "held_by_pools", "pool_without_slots", "held_zero", "0 slots", run=0, task="zero"),
    held("a pool is too small", "held_by_pools", "pool_too_small", "3 slots", "has 2", run=0, task="small"),
    held("a pool is full", "held_by_full_pool", "pool_full", "takes of held_by_pools", run=0, task="load"),
)
LIMIT = held("active-run limit", "held_by_limit", "max_active_runs", "max_active_runs of held_by_limit is 1", run=1)
PAST = held("depends_on_past", "held_by_past", "depends_on_past", "load", "failed in the run before", run=1)
QUICK = (CHAIN, MAPPED, *POOLS, LIMIT, PAST)
"""Those of `make test`."""

FAILED = (
    failed("a cause in a long log", "long_log", "load", "nothing was loaded", "password authentication failed"),
    failed(
        "an exception chain",
        "exception_chain",
        "convert",
        "orders of 2026-11-28 are not readable",
        "could not convert string to float: 'n/a'",
        'row["amount"].replace',
        "publish",
    ),
    failed("a failing sensor", "late_file", "wait_for_file", "AirflowSensorTimeout", "timeout", "read_file"),
    failed(
        "a time-out", "slow_query", "aggregate", "AirflowTaskTimeout", "waiting for the lock on orders", "sleep(60)"
    ),
    failed("a killed task", "killed_task", "train", "killed", "40 GB", "deploy", never=("no error is logged",)),
    failed("a task without heartbeat", "lost_task", "convert_video", "heartbeat", never=("no error is logged",)),
    failed("retries with two errors", "two_errors", "fetch", "key expired", "2 of 2", "TimeoutError: the supplier"),
    failed("a trigger rule", "trigger_rule", "south", "south is not reachable", "merge"),
    failed("a connection is missing", "no_connection", "extract", "warehouse_eu", "isn't defined", "is there"),
    failed("a variable is missing", "no_variable", "configure", "target_schema", "is there"),
    failed("a module is missing", "no_module", "write", "No module named 'clickhouse_client_of_ours'", "is installed"),
    failed("SQL", "bad_sql", "count_orders", "no such table: orders_v2", "SELECT count(*)"),
    failed("a shell command", "bad_shell", "dump", 'role "etl" does not exist', "exit code 3"),
    failed(
        "one time in three", "one_in_three", "call_api", "Connection reset by peer", "did not fail", "may help", run=2
    ),
    failed("the code has changed", "changed_code", "transform", "KeyError: 'cost'", "has changed since", run=1),
    failed("a task that exits", "exits", "upload", "no key 'bucket'", never=("may help",)),
    failed("killed after an error that was caught", "caught_then_killed", "train", "it was killed"),
    failed(
        "a group of exceptions", "two_shards", "copy", "ExceptionGroup: two shards", "caused by ValueError: shard 1"
    ),
    failed("an error of 100,000 characters", "long_error", "parse", "RuntimeError: bad payload"),
    failed("a recursion", "too_deep", "walk", "RecursionError", "deeper(0)", never=("has changed",)),
    failed(
        "a failed run of a DAG whose file is gone",
        "file_is_gone",
        "load",
        "no rows for the day",
        "No file defines file_is_gone any more",
        "Put the DAG back",
        never=("as it is now", "Not found"),
    ),
    Scenario(
        "a failed run of a DAG that was deleted",
        "diagnose_dag_run",
        "is_deleted",
        (),
        ("was not found", "If it was deleted, its runs went with it"),
        run=0,
    ),
    Scenario("dagrun_timeout", "diagnose_dag_run", "too_long", (), ("dagrun_timeout is 5 s", "by then: slow"), run=0),
    Scenario(
        "a retry that succeeded", "diagnose_dag_run", "recovers", (), ("no task of it has failed", "fetch (2)"), run=0
    ),
    Scenario("a short circuit", "explain_dag_state", "nothing_new", ("skipped",), ("any_rows",), run=0, task_id="load"),
)
LASTING = (
    held("wait_for_downstream", "waits_for_downstream", "depends_on_past", "publish is failed", "[publish]", run=1),
    held("task concurrency", "one_at_a_time", "task_concurrency", "2 of send", run=0),
    held("a sensor for a paused DAG", "waits_for_other", "sensor", "DAG other, which is paused", run=0),
)
"""Of runs that do not end."""
HELD = (
    Scenario(
        "what a trigger rule holds",
        "explain_dag_state",
        "trigger_rule",
        ("upstream_failed",),
        ("south", "none_failed"),
        run=0,
        task_id="merge",
    ),
    held("a paused DAG", "held_by_pause", "paused", run=0),
    Scenario(
        "asset events for a paused DAG",
        "explain_dag_state",
        "held_by_assets",
        ("paused",),
        ("s3://held/b",),
        may_name=("waits_for_assets",),
    ),
    held("import error of what once worked", "held_by_file", "import_error", "No module named 'nope'", "line 3"),
    held("import error from the beginning", "held_by_nope", "import_error", "No module named 'nope'", "line 3"),
    held("the file is gone", "held_by_gone", "file_gone", "file"),
    held("not due yet", "held_until_due", "", "due at 2099-01-0"),
)
STOPPED = held("no scheduler", "held_by_scheduler", "scheduler_down", "heartbeat", run=0)
"""Asked once the scheduler is stopped, and so the last."""
ALL = (*QUICK, *FAILED, *LASTING, *HELD, STOPPED)
