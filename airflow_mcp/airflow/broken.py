"""What broke an exchange, in our words: those of the HTTP library quote what was sent and what was answered."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from typing import TypeVar

import httpx

from airflow_mcp.airflow.failures import check_client_cert, with_scheme
from airflow_mcp.errors import UnreachableError
from airflow_mcp.instance import Instance

ErrorT = TypeVar("ErrorT", bound=OSError)

_BEGINNINGS = {
    "illegal status line": "what answers there does not speak HTTP",
    "illegal header": "its answer has a broken header",
    "Invalid URL in location": "its answer redirects to what is not a URL",
    "Server disconnected": "it hung up without an answer",
    "peer closed connection": "its answer was cut off",
}
"""How the HTTP library's words begin, where they tell more than their kind. What follows is never told."""

_KINDS: dict[type[httpx.RequestError], str] = {
    httpx.ConnectTimeout: "there was no connection in time",
    httpx.PoolTimeout: "no connection was free in time",
    httpx.TimeoutException: "there was no answer in time",
    httpx.ConnectError: "there is no connection",
    httpx.NetworkError: "the connection broke",
    httpx.LocalProtocolError: "the request holds what HTTP cannot carry",
    httpx.RemoteProtocolError: "its answer breaks the rules of HTTP",
    httpx.ProxyError: "the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY) refused",
    httpx.DecodingError: "its answer does not unpack",
    httpx.RequestError: "the request failed",
}

_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG")
"""OpenSSL's names for an answer that is none of TLS, as of a server that speaks HTTP alone."""


class LoginFailedError(httpx.RemoteProtocolError):
    """A login was answered with what is worth another try of a read. Its words are ours."""


def unreachable(instance: Instance, error: httpx.RequestError) -> UnreachableError:
    """The error for a connection that could not be made, or that broke on every try of a read."""
    failed = _first(error, ssl.SSLError)
    reason = _of_openssl(failed) if failed else ""
    advice = f"Is Airflow's web server up, and {instance.named('url')} right? `airflow-mcp check` tells more."
    if isinstance(failed, ssl.SSLCertVerificationError):
        advice = f"For a private certificate authority set {instance.named('ca_bundle')}."
        if "is not valid for" in failed.verify_message:
            advice = f"Give in {instance.named('url')} a host name that its certificate is for."
    elif reason in _NO_TLS:
        advice = f"{with_scheme(instance, 'http')}, or name its https port there."
    elif isinstance(error, httpx.RemoteProtocolError) and instance.url.startswith("http:"):
        advice += f" If it speaks https: {with_scheme(instance, 'https')}."
    elif instance.url.startswith("https:") and (isinstance(error, httpx.ReadError) or "_ALERT_" in reason):
        # Who wants another certificate, or one at all, hangs up; with TLS 1.3 only once a request was sent.
        advice += f" If a certificate of yours is wanted there, {check_client_cert(instance)}"
    return UnreachableError(f"Cannot reach Airflow at {instance.url}: {what_broke(error)}.", advice)


def what_broke(error: httpx.RequestError) -> str:
    """What kind of thing went wrong, with the system's word for it where there is one."""
    if isinstance(error, LoginFailedError):
        return str(error)
    kind = next(words for cause, words in _KINDS.items() if isinstance(error, cause))
    if reason := _reason(error):
        return reason if isinstance(error, httpx.ConnectError) else f"{kind} ({reason})"
    said = str(error)
    return next((words for beginning, words in _BEGINNINGS.items() if said.startswith(beginning)), kind)


def _reason(error: BaseException) -> str:
    """What the system or OpenSSL says of it; both know nothing of what was sent."""
    if failed := _first(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {failed.verify_message}"
    if broken := _first(error, ssl.SSLError):
        name = _of_openssl(broken)
        return "what answers there does not speak TLS (https)" if name in _NO_TLS else f"TLS failed {name}".strip()
    if unknown := _first(error, socket.gaierror):
        return unknown.strerror or "host name not found"
    refused = _first(error, OSError)
    return os.strerror(refused.errno) if refused and refused.errno else ""


def _of_openssl(error: ssl.SSLError) -> str:
    """Its name for what went wrong, which an error that Python has raised may lack."""
    return str(getattr(error, "reason", None) or "")


def _first(error: BaseException, kind: type[ErrorT]) -> ErrorT | None:
    return next((each for each in _causes(error) if isinstance(each, kind) and each.errno is not None), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from; of several that came at once, the first."""
    while error:
        yield error
        error = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__ or error.__context__
