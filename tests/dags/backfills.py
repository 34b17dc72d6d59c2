"""DAGs with a daily schedule, for backfills: one that ends at once, one that takes its time."""

import time

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(dag_id="every_day", schedule="@daily", start_date=START, catchup=False, tags=["backfills"])
def every_day():
    @task
    def count(): ...

    count()


@dag(dag_id="every_day_slowly", schedule="@daily", start_date=START, catchup=False, tags=["backfills"])
def every_day_slowly():
    @task
    def wait():
        time.sleep(5)

    wait()


every_day()
every_day_slowly()
