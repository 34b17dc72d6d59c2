"""DAGs whose runs fail, each in a way of its own."""

import os
import signal
import sqlite3
import time
from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.providers.standard.sensors.python import PythonSensor
    from airflow.sdk import DAG, Asset, BaseHook, Variable, get_current_context, task
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task
    from airflow.hooks.base import BaseHook
    from airflow.models import Variable
    from airflow.operators.bash import BashOperator
    from airflow.operators.python import get_current_context
    from airflow.sensors.python import PythonSensor

COMMON = {"schedule": None, "start_date": pendulum.datetime(2026, 1, 1, tz="UTC"), "catchup": False}
LINES = 20_000


def parse_amount(row):
    return float(row["amount"].replace(",", "."))


def read_rows(rows):
    try:
        return [parse_amount(row) for row in rows]
    except ValueError as error:
        raise RuntimeError("orders of 2026-11-28 are not readable") from error


with DAG("long_log", **COMMON):

    @task
    def load():
        print("\n".join(f"INFO row {number} read" for number in range(LINES)))
        print("ERROR connection to warehouse lost: password authentication failed for user etl")
        print("\n".join(f"INFO row {number} read" for number in range(LINES, 2 * LINES)))
        raise RuntimeError("nothing was loaded")

    load()

with DAG("exception_chain", **COMMON):

    @task
    def convert():
        read_rows([{"id": 1, "amount": "12,50"}, {"id": 2, "amount": "n/a"}])

    @task
    def publish(): ...

    convert() >> publish()

with DAG("late_file", **COMMON):
    PythonSensor(
        task_id="wait_for_file", python_callable=lambda: False, timeout=2, poke_interval=1, soft_fail=False
    ) >> BashOperator(task_id="read_file", bash_command="true")

with DAG("slow_query", **COMMON):

    @task(execution_timeout=timedelta(seconds=2))
    def aggregate():
        print("waiting for the lock on orders")
        time.sleep(60)

    aggregate()

with DAG("killed_task", **COMMON):

    @task
    def train():
        print("reading 40 GB into memory", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def deploy(): ...

    train() >> deploy()

with DAG("two_errors", default_args={"retries": 1, "retry_delay": timedelta(0)}, **COMMON):

    @task
    def fetch():
        if get_current_context()["ti"].try_number == 1:
            raise TimeoutError("the supplier's API did not answer")
        raise PermissionError("the supplier's API refused: key expired")

    fetch()

with DAG("trigger_rule", **COMMON):

    @task
    def north(): ...

    @task
    def south():
        raise ConnectionError("south is not reachable")

    @task(trigger_rule="none_failed")
    def merge(): ...

    @task(trigger_rule="all_done")
    def clean(): ...

    # The last one succeeds, and alone would make the run a success: so one watches.
    merged = merge()
    [north(), south()] >> merged >> clean()
    merged >> BashOperator(task_id="watch", bash_command="exit 1", trigger_rule="one_failed")

with DAG("no_connection", **COMMON):

    @task
    def extract():
        BaseHook.get_connection("warehouse_eu")

    extract()

with DAG("no_variable", **COMMON):

    @task
    def configure():
        Variable.get("target_schema")

    configure()

with DAG("no_module", **COMMON):

    @task
    def write():
        import clickhouse_client_of_ours  # noqa: F401

    write()

with DAG("bad_sql", **COMMON):

    @task
    def count_orders():
        sqlite3.connect(":memory:").execute("SELECT count(*) FROM orders_v2")

    count_orders()

with DAG("bad_shell", **COMMON):
    BashOperator(
        task_id="dump",
        bash_command='echo "dumping orders"; echo "pg_dump: error: role \\"etl\\" does not exist" >&2; exit 3',
    )

with DAG("one_in_three", **COMMON):

    @task
    def call_api(logical_date=None):
        if logical_date.day % 3 == 0:
            raise ConnectionError("Connection reset by peer")

    call_api()

with DAG("lost_task", **COMMON):

    @task
    def convert_video():
        print("converting", flush=True)
        # With the process that watches it, as when the machine is gone.
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    convert_video()

with DAG("produces", **COMMON):

    @task(outlets=[Asset("s3://eval/orders")])
    def export():
        raise OSError("disk quota exceeded")

    export()

with DAG("consumes", **{**COMMON, "schedule": [Asset("s3://eval/orders")]}):

    @task
    def read(): ...

    read()
