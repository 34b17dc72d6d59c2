"""A DAG that makes an asset, one that it starts, and one that waits for another asset too, which nobody makes."""

import pendulum

try:
    from airflow.sdk import Asset, dag, task
except ImportError:  # Airflow 2
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import dag, task

START = pendulum.datetime(2026, 1, 1, tz="UTC")
ORDERS = Asset("s3://lake/orders.parquet")
RATES = Asset("s3://lake/rates.parquet")


@dag(dag_id="makes_orders", schedule=None, start_date=START, catchup=False, tags=["assets"])
def makes_orders():
    @task(outlets=[ORDERS])
    def write(): ...

    write()


@dag(dag_id="reads_orders", schedule=[ORDERS], start_date=START, catchup=False, tags=["assets"])
def reads_orders():
    @task
    def read(): ...

    read()


@dag(dag_id="reads_both", schedule=[ORDERS, RATES], start_date=START, catchup=False, tags=["assets"])
def reads_both():
    @task
    def join(): ...

    join()


makes_orders()
reads_orders()
reads_both()
