"""old -> next; a test gives the first of them another name."""

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(dag_id="renamed", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), tags=["changing"])
def renamed():
    @task(task_id="old")
    def first(): ...

    @task(task_id="next")
    def second(_): ...

    second(first())


renamed()
