"""Loads the day's orders: fails in `validate` until somebody mends the data.

The orders come from `orders.json` in the Airflow home, or from ORDERS below, in which one has no amount.
"""

import json
import os
from pathlib import Path

import pendulum

try:
    from airflow.sdk import Param, dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task
    from airflow.models.param import Param

ORDERS = [
    {"id": 1041, "region": "eu", "amount": 120.0},
    {"id": 1042, "region": "eu"},
    {"id": 1043, "region": "us", "amount": 75.5},
    {"id": 1044, "region": "apac", "amount": 310.25},
]


def read_orders():
    """Read the orders afresh, so that a task that is cleared sees data mended since."""
    mended = Path(os.environ["AIRFLOW_HOME"]) / "orders.json"
    return json.loads(mended.read_text()) if mended.exists() else ORDERS


@dag(
    dag_id="sales_etl",
    description="Orders of the shop into the warehouse.",
    schedule="0 6 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    tags=["sales", "etl"],
    params={"region": Param("eu", type="string", enum=["eu", "us", "apac"], description="Region to load")},
    default_args={"owner": "ana", "retries": 0},
    doc_md="### Sales ETL\nRuns at 06:00 UTC. If `validate` fails, mend `orders.json` and clear it.",
)
def sales_etl():
    """Extract, validate, load, report."""

    @task
    def extract_orders():
        ids = [order["id"] for order in read_orders()]
        print(f"extracted {len(ids)} orders")
        return ids

    @task
    def validate(ids):
        valid = []
        for order in read_orders():
            print(f"checking order {order['id']}")
            if order["id"] in ids and order["amount"] > 0:
                valid.append(order)
        return valid

    @task
    def load(orders, region):
        rows = [order for order in orders if order["region"] == region]
        print(f"loaded {len(rows)} orders of region {region}")
        return rows

    @task
    def report(rows):
        print(f"total: {sum(order['amount'] for order in rows):.2f} EUR")

    report(load(validate(extract_orders()), "{{ params.region }}"))


sales_etl()
