"""Loads a list of files, one mapped task each: the one at index 2 is damaged and fails."""

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(
    dag_id="load_files",
    description="Supplier files into the warehouse, one task per file.",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["files", "mapped"],
    default_args={"owner": "ben", "retries": 0},
    doc_md="### Load files\nStarted by hand when the suppliers have delivered. One task per file.",
)
def load_files():
    """List, load each, summarize."""

    @task
    def list_files():
        return ["north.csv", "east.csv", "south.csv", "west.csv"]

    @task
    def load_file(name):
        print(f"loading {name}")
        if name == "south.csv":
            raise ValueError(f"{name}: line 118 has 4 columns, expected 6")
        return 250

    @task
    def summarize(counts):
        print(f"loaded {sum(counts)} rows")

    summarize(load_file.expand(name=list_files()))


load_files()
