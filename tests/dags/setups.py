"""create (a setup) -> work[0..2] -> report -> delete (its teardown)."""

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(dag_id="setups", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), tags=["changing"])
def setups():
    @task
    def create(): ...

    @task
    def work(number): ...

    @task
    def report(): ...

    @task
    def delete(): ...

    created = create().as_setup()
    created >> work.expand(number=[0, 1, 2]) >> report() >> delete().as_teardown(setups=created)


setups()
