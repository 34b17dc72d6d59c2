"""DAGs of which it is easy to tell a false cause."""

import logging
import os
import signal
import sys
import time
from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.providers.standard.operators.python import ShortCircuitOperator
    from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
    from airflow.sdk import DAG, get_current_context, task
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task
    from airflow.operators.bash import BashOperator
    from airflow.operators.python import ShortCircuitOperator, get_current_context
    from airflow.sensors.external_task import ExternalTaskSensor

COMMON = {"schedule": None, "start_date": pendulum.datetime(2026, 1, 1, tz="UTC"), "catchup": False}


@task
def work(): ...


# Airflow 3 logs in each task of this file that the template is not there.
with DAG("no_template", **COMMON):
    BashOperator(task_id="say", bash_command="scripts/not_there.sh")

with DAG("exits", **COMMON):

    @task
    def upload():
        print("ERROR: config has no key 'bucket'", flush=True)
        sys.exit(1)

    upload()

with DAG("caught_then_killed", **COMMON):

    @task
    def train():
        try:
            {}["region"]
        except KeyError:
            logging.getLogger("airflow.task").exception("no region, taking eu")
        os.kill(os.getpid(), signal.SIGKILL)

    train()

with DAG("two_shards", **COMMON):

    @task
    def copy():
        raise ExceptionGroup("two shards", [ValueError("shard 1 is empty"), OSError("shard 2 is away")])

    copy()

with DAG("long_error", **COMMON):

    @task
    def parse():
        raise RuntimeError("bad payload: " + "{'id': 17, 'name': 'x'}, " * 4500)

    parse()

with DAG("too_deep", **COMMON):

    @task
    def walk():
        def deeper(number):
            return deeper(number + 1)

        deeper(0)

    walk()

with DAG("too_long", dagrun_timeout=timedelta(seconds=5), **COMMON):

    @task
    def slow():
        time.sleep(90)

    slow()

with DAG("recovers", **COMMON):

    @task(retries=1, retry_delay=timedelta(0))
    def fetch():
        if get_current_context()["ti"].try_number == 1:
            raise TimeoutError("the supplier did not answer")

    fetch()

with DAG("nothing_new", **COMMON):
    ShortCircuitOperator(task_id="any_rows", python_callable=lambda: False) >> work.override(task_id="load")()

with DAG("waits_for_other", **COMMON):
    ExternalTaskSensor(task_id="wait", external_dag_id="other", mode="reschedule", poke_interval=600) >> work()

with DAG("other", **COMMON):
    work()

with DAG("waits_for_downstream", **COMMON):

    @task(wait_for_downstream=True)
    def load(): ...

    @task
    def publish():
        raise ValueError("no")

    load() >> publish()

with DAG("one_at_a_time", **COMMON):

    @task(max_active_tis_per_dag=1)
    def send(number):
        time.sleep(1500)

    send.expand(number=[1, 2, 3])
