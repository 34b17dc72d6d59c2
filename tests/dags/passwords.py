"""A DAG as people write it, with what should not stand in it. Each of these was made up."""

import os

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DB_PASSWORD = os.environ.get("DB_PASSWORD", "Sommer2026!")
WAREHOUSE = "postgresql://loader:Herbst2026!@warehouse:5432/sales"
SSH_KEY = """
MIIEowIBAAKCAQEAx7Q2bZmade0up0nlyF0rth1sT3stabcdEFGH12345678ijkl
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAABlwAAAAdz
c2gtcnNhAAAAAwEAAQ==
"""


@dag(
    dag_id="passwords",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    tags=["secrets"],
    default_args={"owner": "secretary", "password": "Winter2026!", "env": {"API_TOKEN": "Lenz2026!", "region": "eu"}},
    params={"api_key": "Advent2026!", "token_count": 5, "command": "psql --password Mai2026! -h warehouse"},
    doc_md="Loads the day.\n\nLog in with `password: Fasching2026!`.",
)
def passwords():
    @task
    def load(): ...

    load()


passwords()
