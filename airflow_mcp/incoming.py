"""What a client sends over HTTP, made whole before the SDK reads it.

A surrogate without its other half is good JSON and no text. The SDK refuses it without saying what for.
"""

from __future__ import annotations

from mcp.server.transport_security import DEFAULT_MAX_REQUEST_BODY_SIZE, RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_mcp.text.whole import whole_json


def whole_bodies(app: ASGIApp) -> ASGIApp:
    """The same application, the body of each request made whole. One that is too large for the SDK is refused."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def whole() -> Message:
            message = await receive()
            if message["type"] != "http.request":
                return message
            return {**message, "body": whole_json(message["body"].decode(errors="replace")).encode()}

        await app(scope, whole, send)

    return RequestBodyLimitMiddleware(call, DEFAULT_MAX_REQUEST_BODY_SIZE)  # which gives a body as one message
