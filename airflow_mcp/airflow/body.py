"""The body of an answer: never more of it than was agreed."""

from __future__ import annotations

import httpx

from airflow_mcp.errors import TooLargeError


async def body_of(response: httpx.Response, most: int) -> bytes:
    """The unpacked body. Raises TooLargeError as soon as it is over `most` bytes."""
    try:
        body = response.content
    except httpx.ResponseNotRead:
        read = bytearray()
        async for chunk in response.aiter_bytes():
            read += chunk
            if len(read) > most:
                break
        # httpx reads the answer to a sign-in once more, without a limit, unless it has the body already.
        body = response._content = bytes(read)
    if len(body) > most:
        raise TooLargeError(
            f"The answer is over {most / 2**20:g} MiB. Ask for less: one run instead of a date range, fewer tasks, a "
            "filter."
        )
    return body
