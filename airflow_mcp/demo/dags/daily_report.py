"""Counts the day's visits and writes the report: a small DAG that succeeds."""

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(
    dag_id="daily_report",
    description="Yesterday's visits per country.",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["report", "web"],
    default_args={"owner": "maria"},
    doc_md="### Daily report\nYesterday's visits per country, mailed at midnight. Safe to run again.",
)
def daily_report():
    """Collect, count, publish."""

    @task
    def collect_visits():
        return ["de", "fr", "de", "us", "de", "fr"]

    @task
    def count_by_country(visits):
        return sorted((country, visits.count(country)) for country in set(visits))

    @task
    def publish(rows):
        for country, visits in rows:
            print(f"{country}: {visits} visits")

    publish(count_by_country(collect_visits()))


daily_report()
