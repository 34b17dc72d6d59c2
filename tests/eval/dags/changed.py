"""A DAG that is changed after its first run."""

import pendulum

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task

with DAG("changed_code", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False):

    @task
    def transform():
        rows = [{"price": 3}, {"price": 4}]
        return sum(row["price"] for row in rows)

    transform()
