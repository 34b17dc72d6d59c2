"""A DAG whose file will break, or go."""

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow import DAG

with DAG("held_by_file", schedule=None):
    pass
