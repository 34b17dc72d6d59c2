"""A door of TLS before a server: a private authority's certificate, and who comes in has to show one too."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trustme


class Certificates:
    """What one private authority gave out, as files in a folder."""

    def __init__(self, folder: Path, *hosts: str) -> None:
        self.authority = trustme.CA()
        self.ca_bundle = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca_bundle))
        self.server = self.authority.issue_cert(*(hosts or ("127.0.0.1", "localhost")))
        client = self.authority.issue_cert("operator@example.com")
        self.client_cert, self.client_key = folder / "client.pem", folder / "client.key"
        client.cert_chain_pems[0].write_to_path(str(self.client_cert))
        client.private_key_pem.write_to_path(str(self.client_key))


@asynccontextmanager
async def tls_door(certificates: Certificates, port: int) -> AsyncIterator[str]:
    """An https address on loopback; what comes there from holders of a certificate is passed on to a port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.ca_bundle)
    context.verify_mode = ssl.CERT_REQUIRED
    certificates.server.configure_cert(context)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, behind_writer), _copy(behind_reader, writer))

    async with await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()
