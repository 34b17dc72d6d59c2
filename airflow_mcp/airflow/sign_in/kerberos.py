"""Signing in to Airflow 2 with a Kerberos ticket. The package `gssapi` is an extra, imported at the first use."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import anyio
import anyio.to_thread
import httpx

from airflow_mcp.airflow.failures import ADVICE
from airflow_mcp.airflow.sign_in.base import SignIn
from airflow_mcp.errors import NotSignedInError
from airflow_mcp.instance import Instance
from airflow_mcp.release import ApiName
from airflow_mcp.text.clean import one_line

SPNEGO = "1.3.6.1.5.5.2"
KRB5 = "1.2.840.113554.1.2.2"
PATIENCE = 10  # seconds, at most, to get a ticket from the Kerberos server

_KRB5_CODES = 2529638912
"""Where MIT Kerberos starts to count its errors (RFC 4120, 7.5.9)."""
SERVICE_UNKNOWN = _KRB5_CODES + 7
KEY_REFUSED = (_KRB5_CODES + 24, _KRB5_CODES + 31)
TICKET_EXPIRED = _KRB5_CODES + 32
NO_CACHE = _KRB5_CODES + 195


def with_kerberos(instance: Instance) -> SignIn:
    """A ticket for each request to Airflow 2; at Airflow 3, an error that says that it takes none."""
    return SignIn("with a Kerberos ticket", differing=lambda api: KerberosAuth(instance, api))


class KerberosAuth(httpx.Auth):
    """A ticket with each request, sent before Airflow asks: with some settings it answers 403, and does not ask.

    One request a flow, so a change is sent once. The tickets are those of `kinit`, or come from a keytab.
    """

    def __init__(self, instance: Instance, api: ApiName) -> None:
        self._instance = instance
        self._named = instance.named
        self._api = api
        self._service = f"{instance.kerberos_service}@{instance.kerberos_host or urlsplit(instance.url).hostname}"
        self._memory = f"MEMORY:{uuid4()}"
        # One at a time: the first gets the ticket from the Kerberos server, the others find it in the cache.
        self._turns = anyio.CapacityLimiter(1)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a new token for Airflow's service."""
        if self._api != "v1":
            raise NotSignedInError(
                f"{self._named('auth', 'kerberos')} needs Airflow 2: the API of Airflow 3 has no Kerberos. Set a user "
                f"name and a password, or {self._named('token')}, instead."
            )
        token, principal = await self._in_time()
        request.headers["authorization"] = f"Negotiate {base64.b64encode(token).decode()}"
        request.extensions[ADVICE] = self._advice(principal)
        yield request

    async def _in_time(self) -> tuple[bytes, str]:
        """A token, made in a thread: a Kerberos server may have to be asked, which can take its time."""
        patience = min(PATIENCE, self._instance.timeout / 2)
        try:
            with anyio.fail_after(patience):
                return await anyio.to_thread.run_sync(self._token, abandon_on_cancel=True, limiter=self._turns)
        except TimeoutError:
            raise NotSignedInError(
                f"The Kerberos server gave no ticket within {patience:g} s; nothing was sent to Airflow. "
                "Check this machine's krb5.conf, and that its KDC can be reached."
            ) from None

    def _token(self) -> tuple[bytes, str]:
        gssapi = _load(self._instance)
        try:
            return self._ask(gssapi, SPNEGO)
        except gssapi.exceptions.GSSError as error:
            cause = error
        try:
            # SPNEGO hides the cause; Kerberos alone tells it.
            self._ask(gssapi, KRB5)
        except gssapi.exceptions.GSSError as error:
            cause = error
        raise self._problem(gssapi, cause)

    def _ask(self, gssapi: Any, mechanism: str) -> tuple[bytes, str]:
        """The first token for Airflow's service, and the principal that it is of."""
        mech = gssapi.OID.from_int_seq(mechanism)
        wanted = self._instance.kerberos_principal
        name = gssapi.Name(wanted, gssapi.NameType.kerberos_principal) if wanted else None
        tickets = gssapi.Credentials(name=name, mechs=[mech], usage="initiate", store=self._store())
        context = gssapi.SecurityContext(
            name=gssapi.Name(self._service, gssapi.NameType.hostbased_service),
            creds=tickets,
            mech=mech,
            # Airflow's answer to it does not reach the client, so it is asked for and not insisted on.
            flags=[gssapi.RequirementFlag.mutual_authentication],
            usage="initiate",
        )
        return context.step(), str(tickets.name)

    def _store(self) -> dict[str, str] | None:
        """Where the tickets are; None for where `kinit` puts them."""
        if self._instance.kerberos_keytab:
            return {"client_keytab": str(self._instance.kerberos_keytab), "ccache": self._memory}
        return {"ccache": self._instance.kerberos_ccache} if self._instance.kerberos_ccache else None

    def _problem(self, gssapi: Any, error: Any) -> NotSignedInError:
        reason = _reason(error)
        if error.min_code == SERVICE_UNKNOWN:
            return NotSignedInError(
                f"Kerberos knows no service {self._service}: {reason}. Set {self._named('kerberos_service')} and "
                f"{self._named('kerberos_host')} to the name in the keytab of Airflow's web server."
            )
        if error.min_code == TICKET_EXPIRED or isinstance(error, gssapi.exceptions.ExpiredCredentialsError):
            return NotSignedInError(f"The Kerberos ticket has expired. {self._renew()}")
        if isinstance(error, gssapi.exceptions.BadNameError):
            return NotSignedInError(f"{self._named('kerberos_principal')} is not a name that Kerberos takes: {reason}.")
        if isinstance(error, gssapi.exceptions.MissingCredentialsError):
            keytab = self._instance.kerberos_keytab
            if keytab:
                return NotSignedInError(self._keytab_problem(keytab, error.min_code, reason))
            return NotSignedInError(f"No Kerberos ticket: {reason}. {self._renew()}")
        return NotSignedInError(
            f"Kerberos gave no ticket for {self._service}: {reason}. Check this machine's krb5.conf, and that its "
            "KDC can be reached."
        )

    def _keytab_problem(self, file: Path, code: int, reason: str) -> str:
        setting, whose = self._named("kerberos_keytab"), self._instance.kerberos_principal or "the principal in it"
        try:
            file.open("rb").close()
        except OSError as error:
            return f"{setting}: cannot be read: {error.strerror}. Check the file."
        if code == NO_CACHE:  # it looks for tickets when there is no key
            return f"{setting}: holds no key of {whose}. `klist -k {file}` lists whose it holds."
        hint = " The key in the file is an old one, or another's: make a new keytab." if code in KEY_REFUSED else ""
        return f"{setting}: no ticket for {whose}: {reason}.{hint}"

    def _renew(self) -> str:
        cache, principal = self._instance.kerberos_ccache, self._instance.kerberos_principal
        words = ["kinit", *(["-c", cache] if cache else []), *([principal] if principal else [])]
        return f"Run `{' '.join(words)}`, or set {self._named('kerberos_keytab')}."

    def _advice(self, principal: str) -> dict[int, str]:
        service, host = self._named("kerberos_service"), self._named("kerberos_host")
        return {
            401: f"It did not take the Kerberos ticket of {principal} for {self._service}: its auth_backends may be "
            f"without Kerberos, or its keytab without that service. Check {service} and {host}.",
            403: f"the ticket is good, but Airflow has no user {principal}, or this user no role that allows it. "
            "Airflow's users are named by the whole principal, realm included.",
        }


def _load(instance: Instance) -> Any:
    try:
        import gssapi  # noqa: PLC0415 - an extra, and needs the system's Kerberos library
    except (ImportError, OSError) as error:
        raise NotSignedInError(
            f"{instance.named('auth', 'kerberos')} needs the package gssapi ({one_line(str(error))}): run pip install "
            "gssapi in this server's environment, or `make kerberos` in a checkout. It is compiled: gcc and Kerberos's "
            "headers (Debian: libkrb5-dev) have to be there."
        ) from None
    return gssapi


def _reason(error: Any) -> str:
    """What the library says, without its numbers."""
    said = " ".join(error.get_all_statuses(error.min_code, False))
    return one_line(said.replace("\0", "")).rstrip(".")  # which ends some in C's way
