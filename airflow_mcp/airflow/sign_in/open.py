"""An Airflow without a sign-in; from 3.1 on it lets in with a token alone, and gives one to everybody."""

from __future__ import annotations

import httpx

from airflow_mcp.airflow.sign_in.base import SignIn
from airflow_mcp.airflow.sign_in.credential import Credential, bearer
from airflow_mcp.airflow.sign_in.login import access_token, token_request
from airflow_mcp.airflow.sign_in.renewed import RenewedAuth
from airflow_mcp.errors import NotSignedInError
from airflow_mcp.instance import Instance
from airflow_mcp.release import ApiName


def without_sign_in(instance: Instance) -> SignIn:
    """Nothing, until Airflow 3 asks for a token; and none of that beside headers, which may sign in."""

    def differing(api: ApiName) -> httpx.Auth | None:
        if api == "v2" and not instance.has("headers"):
            return RenewedAuth(OpenLogin(instance), first=Credential({}))
        return None

    return SignIn("none is set, and Airflow asks for none", differing=differing)


class OpenLogin:
    """Gives out the tokens of `GET /auth/token`."""

    advice = ""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def request(self) -> httpx.Request:
        """The question for one."""
        return token_request(self._instance, "GET")

    async def credential(self, answer: httpx.Response | None) -> Credential:
        """The token that everybody gets. Raises NotSignedInError where nobody does."""
        assert answer is not None  # noqa: S101 - there is always a request
        token = access_token(answer, self._instance) if answer.is_success else None
        if not token:
            username, password, token_setting = map(self._instance.named, ("username", "password", "token"))
            raise NotSignedInError(
                f"Not signed in (401): this Airflow wants a sign-in, and none is set. Set {username} and {password}, "
                f"or {token_setting}."
            )
        return bearer(token)
