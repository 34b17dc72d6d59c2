"""Signing in to an Airflow, in the one way that its instance names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from airflow_mcp.airflow.sign_in.base import SignIn
from airflow_mcp.airflow.sign_in.command import with_command
from airflow_mcp.airflow.sign_in.cookie import with_cookie
from airflow_mcp.airflow.sign_in.kerberos import with_kerberos
from airflow_mcp.airflow.sign_in.open import without_sign_in
from airflow_mcp.airflow.sign_in.password import with_password
from airflow_mcp.airflow.sign_in.token import with_token
from airflow_mcp.instance import Instance, SignInName

WAYS: Mapping[SignInName | None, Callable[[Instance], SignIn]] = {
    "password": with_password,
    "token": with_token,
    "command": with_command,
    "cookie": with_cookie,
    "kerberos": with_kerberos,
    None: without_sign_in,
}


def sign_in_to(instance: Instance) -> SignIn:
    """The sign-in that an instance names. Nothing is sent or read before its first use."""
    return WAYS[instance.sign_in](instance)


def how_signed_in(instance: Instance) -> str:
    """How its requests are signed in, all of it, without any secret. Raises SettingsError for unreadable headers."""
    how = sign_in_to(instance).how + (", a client certificate" if instance.client_cert else "")
    headers = sorted(instance.read_headers())
    return f"{how}; more headers: {', '.join(headers)}" if headers else how
