"""Twenty DAGs of five tasks each, which the database is filled with copies of."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

for number in range(20):
    with DAG(
        dag_id=f"template-{number:02d}",
        description=f"Kind {number} of the DAGs that there are many of",
        schedule=f"{number} 6 * * *",
        start_date=datetime(2023, 1, 1),
        catchup=False,
        default_args={"owner": f"owner-{number:02d}", "retries": number % 3, "retry_delay": timedelta(minutes=5)},
        tags=[f"kind-{number:02d}"],
        doc_md=f"# Kind {number}\n\nCopied many times.",
        params={"region": "eu"},
    ):
        extract, transform, check, load, report = (
            EmptyOperator(task_id=name) for name in ("extract", "transform", "check", "load", "report")
        )
        extract >> transform >> check >> load >> report
