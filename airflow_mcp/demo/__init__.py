"""A real Airflow on this machine, with DAGs to operate."""
