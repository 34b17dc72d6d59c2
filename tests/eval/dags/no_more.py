"""Two DAGs of which a run fails: one whose file then goes, and one that is deleted besides."""

from __future__ import annotations

from datetime import datetime

try:
    from airflow.sdk import dag, task
except ImportError:
    from airflow.decorators import dag, task


def no_more(dag_id: str) -> None:
    @dag(dag_id, start_date=datetime(2026, 1, 1), schedule=None)
    def build() -> None:
        @task
        def load() -> None:
            raise ValueError("no rows for the day")

        load()

    build()


no_more("file_is_gone")
no_more("is_deleted")
