"""DAGs of which nothing runs, each held by one thing."""

from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
    from airflow.providers.standard.sensors.python import PythonSensor
    from airflow.sdk import DAG, Asset, task
except ImportError:
    from airflow import DAG
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task
    from airflow.sensors.date_time import DateTimeSensorAsync
    from airflow.sensors.python import PythonSensor

COMMON = {"schedule": None, "start_date": pendulum.datetime(2026, 1, 1, tz="UTC"), "catchup": False}
NEVER = {"target_time": "2099-01-01T00:00:00+00:00"}


@task
def work(): ...


@task
def fail():
    raise ValueError("no")


with DAG("held_by_pause", **COMMON):
    work()

with DAG("held_by_limit", max_active_runs=1, **COMMON):
    DateTimeSensorAsync(task_id="wait", **NEVER)

with DAG("held_by_pools", **COMMON):
    DateTimeSensorAsync(task_id="takes", pool="held_full", priority_weight=9, **NEVER)
    for name, slots in (("missing", 1), ("zero", 1), ("small", 3)):
        work.override(task_id=name, pool=f"held_{name}", pool_slots=slots)()

with DAG("held_by_full_pool", **COMMON):
    work.override(task_id="load", pool="held_full")() >> work.override(task_id="save")()

with DAG("held_by_past", **COMMON):
    fail.override(task_id="load", depends_on_past=True)()

with DAG("held_by_tasks", **COMMON):
    PythonSensor(task_id="look", python_callable=lambda: False, mode="reschedule", poke_interval=600)
    fail.override(task_id="again", retries=1, retry_delay=timedelta(hours=1))()

with DAG("held_by_assets", **{**COMMON, "schedule": [Asset("s3://held/a"), Asset("s3://held/b")]}):
    work()

with DAG("held_by_scheduler", **COMMON):
    work()

with DAG("held_until_due", **{**COMMON, "schedule": "@daily", "start_date": pendulum.datetime(2099, 1, 1, tz="UTC")}):
    work()
