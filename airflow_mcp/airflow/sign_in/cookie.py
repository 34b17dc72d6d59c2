"""Signing in with the cookie of a browser's session."""

from __future__ import annotations

from airflow_mcp.airflow.sign_in.base import SignIn
from airflow_mcp.airflow.sign_in.given import GivenAuth
from airflow_mcp.instance import Instance


def with_cookie(instance: Instance) -> SignIn:
    """The cookie of the settings; renewed only by who writes its file."""
    return SignIn(
        "with a session cookie",
        always=GivenAuth(
            "cookie",
            lambda: instance.read_header("cookie"),
            f"Check {instance.named('cookie')}: the session may have run out, or its cookie may have another name.",
        ),
    )
