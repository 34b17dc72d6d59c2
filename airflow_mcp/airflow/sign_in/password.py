"""Signing in with a user name and a password: sent with each request to Airflow 2, for a token to Airflow 3."""

from __future__ import annotations

import base64

import httpx

from airflow_mcp.airflow.broken import LoginFailedError
from airflow_mcp.airflow.failures import RETRIABLE
from airflow_mcp.airflow.sign_in.base import SignIn
from airflow_mcp.airflow.sign_in.credential import Credential, bearer
from airflow_mcp.airflow.sign_in.given import GivenAuth
from airflow_mcp.airflow.sign_in.login import access_token, token_request
from airflow_mcp.airflow.sign_in.renewed import RenewedAuth
from airflow_mcp.errors import NoLoginError, NotSignedInError
from airflow_mcp.instance import Instance
from airflow_mcp.release import ApiName


def with_password(instance: Instance) -> SignIn:
    """The user name and the password of the settings; at Airflow 3, the token is renewed before it runs out."""

    def differing(api: ApiName) -> httpx.Auth:
        if api == "v2":
            return RenewedAuth(PasswordLogin(instance))
        return GivenAuth("authorization", lambda: _basic(instance))

    return SignIn(f"as {instance.username}, with a password", differing=differing)


def _basic(instance: Instance) -> str:
    pair = f"{instance.username}:{instance.read('password')}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


class PasswordLogin:
    """Gives out the tokens of `POST /auth/token`; the password is read at each use."""

    advice = ""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def request(self) -> httpx.Request:
        """The login."""
        password = self._instance.read("password")
        user = {"username": self._instance.username, "password": password}
        return token_request(self._instance, "POST", user, secrets=(password,))

    async def credential(self, answer: httpx.Response | None) -> Credential:
        """The token that the login was answered with. Raises NotSignedInError where there is none."""
        assert answer is not None  # noqa: S101 - there is always a request
        status = answer.status_code
        if status in RETRIABLE:
            raise LoginFailedError(f"signing in was answered with {status}")
        if status == 401:
            username, password = self._instance.named("username"), self._instance.named("password")
            raise NotSignedInError(
                f"Airflow refused the user name or the password (401). Check {username} and {password}."
            )
        token = access_token(answer, self._instance) if answer.is_success else None
        if not token:
            raise (NoLoginError if status == 404 else NotSignedInError)(
                f"Signing in with a user name and a password did not work: /auth/token answered {status} without a "
                f"token. Set {self._instance.named('token')} if this Airflow signs in another way."
            )
        return bearer(token)
