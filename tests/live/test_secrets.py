"""What somebody wrote into a DAG, and should not have, is not shown by a real server's answer."""

from __future__ import annotations

import json

import pytest

from tests.oracle import Oracle
from tests.session import Session, unfenced

pytestmark = pytest.mark.anyio

SECRETS = ("wJalr", "Sommer2026", "Herbst2026", "Winter2026", "Lenz2026", "Advent2026", "Mai2026", "Fasching2026")
KEY = ("MIIEow", "b3BlbnN", "c2gtcnNh")


async def test_secrets_in_a_dag_are_masked_and_the_rest_is_shown(session: Session, oracle: Oracle) -> None:
    source = unfenced((await session.ok("get_dag_source", dag_id="passwords"))["source"])
    assert not [secret for secret in (*SECRETS, *KEY) if secret in source]
    for line in (
        'AWS_SECRET = "***aws-secret-key***"',
        'DB_PASSWORD = os.environ.get("DB_PASSWORD", "***password***")',
        'WAREHOUSE = "postgresql://loader:***password***@warehouse:5432/sales"',
        '"password": "***password***", "env": {"API_TOKEN": "***token***", "region": "eu"}',
        '"api_key": "***api-key***", "token_count": 5, "command": "psql --password ***password*** -h warehouse"',
    ):
        assert line in source
    assert source.count("|***private-key***\n") == 3

    details = await session.ok("get_dag_details", dag_id="passwords")
    assert not [secret for secret in SECRETS if secret in json.dumps(details)]
    assert details["params"]["api_key"]["value"] == "***api-key***"
    assert details["params"]["token_count"]["value"] == 5
    assert details["params"]["command"]["value"] == "psql --password ***password*** -h warehouse"
    assert "`password: ***password***`" in details["doc_md"]
    if "default_args" in oracle.document.given("GET", f"/api/v{oracle.major - 1}/dags/any/details"):
        assert details["default_args"]["password"] == "***password***"
        assert details["default_args"]["env"] == {"API_TOKEN": "***token***", "region": "eu"}
    # The server itself shows them.
    assert "Advent2026" in json.dumps(oracle.call("GET", "dags/passwords/details"))

    task = await session.ok("get_task", dag_id="passwords", task_id="load")
    assert not [secret for secret in SECRETS if secret in json.dumps(task)]
