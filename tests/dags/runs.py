"""DAGs whose runs are started, waited for and ended."""

import time

import pendulum

try:
    from airflow.sdk import Param, dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.models.param import Param

START = pendulum.datetime(2026, 1, 1, tz="UTC")


@dag(
    dag_id="with_params",
    schedule=None,
    start_date=START,
    catchup=False,
    tags=["runs"],
    params={
        "day": Param(type="string", format="date", description="The day to load"),
        "rows": Param(5, type="integer", minimum=1, maximum=10),
    },
)
def with_params():
    @task
    def load(params=None):
        print(f"loading {params['rows']} rows of {params['day']}")

    load()


@dag(dag_id="slow", schedule=None, start_date=START, catchup=False, tags=["runs"])
def slow():
    """quick -> sleeps -> after: the second takes half a minute."""

    @task
    def quick(): ...

    @task
    def sleeps():
        time.sleep(30)

    @task
    def after(): ...

    quick() >> sleeps() >> after()


@dag(dag_id="listed", schedule=None, start_date=START, catchup=False, tags=["lists"])
def listed():
    @task
    def nothing(): ...

    nothing()


listed()
with_params()
slow()
