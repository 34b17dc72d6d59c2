"""DAGs that do not go on: a full pool, a sensor that never ends, a limit of runs, a past that failed."""

import time

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
ABOUT = {"schedule": None, "start_date": START, "catchup": False, "tags": ["stuck"]}


@dag(dag_id="full_pool", **ABOUT)
def full_pool():
    """Its pool, narrow, has one slot."""

    @task(pool="narrow")
    def holds():
        time.sleep(600)

    @task(pool="narrow")
    def waits(): ...

    holds()
    waits()


@dag(dag_id="never_there", **ABOUT)
def never_there():
    @task.sensor(mode="reschedule", poke_interval=5, timeout=3600)
    def file_is_there():
        return False

    @task
    def load(): ...

    file_is_there() >> load()


@dag(dag_id="at_limit", max_active_runs=1, **ABOUT)
def at_limit():
    @task
    def takes_long():
        time.sleep(600)

    takes_long()


@dag(dag_id="on_the_past", **ABOUT)
def on_the_past():
    @task(depends_on_past=True)
    def waits_for_its_last(): ...

    waits_for_its_last()


full_pool()
never_there()
at_limit()
on_the_past()
