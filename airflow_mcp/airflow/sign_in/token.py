"""Signing in with a bearer token that somebody else gave out."""

from __future__ import annotations

from airflow_mcp.airflow.sign_in.base import SignIn
from airflow_mcp.airflow.sign_in.given import GivenAuth
from airflow_mcp.instance import Instance


def with_token(instance: Instance) -> SignIn:
    """The token of the settings; renewed only by who writes its file."""
    return SignIn(
        "with the given token",
        always=GivenAuth(
            "authorization",
            lambda: f"Bearer {instance.read_header('token')}",
            f"Check {instance.named('token')}: a token may have expired.",
        ),
    )
