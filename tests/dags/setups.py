"""create (a setup) -> work[0..2] -> report -> delete (its teardown). On Airflow 2 its docs hold half a character."""

import pendulum

try:
    from airflow.sdk import dag, task

    DOCS = None  # Airflow 3 loads no DAG with half a character
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

    DOCS = "bad \ud800 end"


@dag(
    dag_id="setups",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    tags=["changing"],
    doc_md=DOCS,
)
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
