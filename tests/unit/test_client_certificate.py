"""A client certificate: shown to a door that asks for one, and each file or password that does not fit, by name."""

from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from airflow_mcp.errors import SettingsError, UnreachableError
from airflow_mcp.instance import Instance
from tests.fakes import Airflow
from tests.tls import Certificates, tls_door

pytestmark = pytest.mark.anyio

PASSWORD = "s3cret pässword"
ANSWER = b"""HTTP/1.1 200 OK\r
Content-Type: application/json\r
Content-Length: 20\r
Connection: close\r
\r
{"version": "3.3.2"}"""


@pytest.fixture(autouse=True, scope="module")
def authorities_read_once() -> Iterator[None]:
    """Not here: a certificate must not stay for the next test."""
    yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def certificates(folder: Path) -> Certificates:
    """One authority's, and next to them what does not fit."""
    given = Certificates(folder)
    cert, key = given.client_cert.read_bytes(), given.client_key.read_bytes()
    (folder / "both.pem").write_bytes(cert + key)
    opened = load_pem_private_key(key, None)
    for name, form in (("locked.key", PrivateFormat.PKCS8), ("old-locked.key", PrivateFormat.TraditionalOpenSSL)):
        locked = opened.private_bytes(Encoding.PEM, form, BestAvailableEncryption(PASSWORD.encode()))
        (folder / name).write_bytes(locked)
    (folder / "both-locked.pem").write_bytes(cert + (folder / "locked.key").read_bytes())
    another = given.authority.issue_cert("another@example.com")
    another.private_key_pem.write_to_path(str(folder / "another.key"))
    rsa = given.authority.issue_cert("rsa@example.com", key_type=trustme.KeyType.RSA)
    rsa.private_key_pem.write_to_path(str(folder / "rsa.key"))
    stranger = trustme.CA().issue_cert("stranger@example.com")
    stranger.private_key_and_cert_chain_pem.write_to_path(str(folder / "stranger.pem"))
    (folder / "binary.pem").write_bytes(ssl.PEM_cert_to_DER_cert(cert.decode()))
    (folder / "junk.pem").write_text("s3cret, and no certificate\n")
    (folder / "empty.pem").touch()
    return given


@pytest.fixture
async def door(certificates: Certificates) -> AsyncIterator[str]:
    """An Airflow 3, behind a proxy that asks for a certificate of this authority's."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline():
            writer.write(ANSWER)
            await writer.drain()
        writer.close()

    behind = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with behind, tls_door(certificates, behind.sockets[0].getsockname()[1]) as url:
        yield url


def settings(folder: Path, url: str, **names: str) -> Instance:
    """Settings that trust the authority; files are named by their names in the folder."""
    given = {name: value if name.endswith("password") else folder / value for name, value in names.items()}
    return Instance.model_validate({"url": url, "timeout": 5, "ca_bundle": folder / "ca.pem", **given})


async def version(given: Instance) -> str:
    airflow = Airflow(given)
    try:
        return await airflow.version()
    finally:
        await airflow.aclose()


@pytest.mark.parametrize(
    "names",
    [
        {"client_cert": "client.pem", "client_key": "client.key"},
        {"client_cert": "both.pem"},
        {"client_cert": "both.pem", "client_key": "client.key"},
        {"client_cert": "client.pem", "client_key": "locked.key", "client_key_password": PASSWORD},
        {"client_cert": "client.pem", "client_key": "old-locked.key", "client_key_password": PASSWORD},
        {"client_cert": "both-locked.pem", "client_key_password": PASSWORD},
        # A password that is not needed does no harm.
        {"client_cert": "both.pem", "client_key_password": PASSWORD},
    ],
    ids=lambda names: "+".join(names.values()),
)
async def test_it_opens_the_door(names: dict[str, str], door: str, folder: Path) -> None:
    assert await version(settings(folder, door, **names)) == "3.3.2"


@pytest.mark.parametrize("names", [{}, {"client_cert": "stranger.pem"}], ids=["none", "a stranger's"])
async def test_without_the_right_one_the_door_stays_shut(names: dict[str, str], door: str, folder: Path) -> None:
    with pytest.raises(UnreachableError, match=f"^Cannot reach Airflow at {door}: ") as error:
        await version(settings(folder, door, **names))
    assert "check AIRFLOW_MCP_CLIENT_CERT, or set it." in str(error.value)


async def test_the_servers_certificate_is_checked_all_the_same(door: str, folder: Path) -> None:
    given = settings(folder, door, client_cert="both.pem").model_copy(update={"ca_bundle": None})
    with pytest.raises(UnreachableError, match="certificate verify failed"):
        await version(given)
    assert await version(given.model_copy(update={"verify_ssl": False})) == "3.3.2"


WRONG_KEY = "AIRFLOW_MCP_CLIENT_KEY: is not the key of the certificate in AIRFLOW_MCP_CLIENT_CERT."
NOT_OPENED = (
    "AIRFLOW_MCP_CLIENT_CERT: no certificate in PEM form, or no key that can be opened, in it and AIRFLOW_MCP_C"
)
NEEDS = "A locked key needs AIRFLOW_MCP_CLIENT_KEY_PASSWORD."


@pytest.mark.parametrize(
    ("names", "starts", "ends"),
    [
        ({"client_cert": "client.pem", "client_key": "another.key"}, WRONG_KEY, ""),
        ({"client_cert": "client.pem", "client_key": "rsa.key"}, WRONG_KEY, ""),
        ({"client_cert": "client.pem"}, NOT_OPENED, ""),
        ({"client_cert": "client.key", "client_key": "client.pem"}, NOT_OPENED, ""),
        ({"client_cert": "junk.pem"}, NOT_OPENED, ""),
        ({"client_cert": "empty.pem"}, NOT_OPENED, ""),
        ({"client_cert": "binary.pem", "client_key": "client.key"}, NOT_OPENED, ""),
        ({"client_cert": "client.pem", "client_key": "junk.pem"}, NOT_OPENED, ""),
        ({"client_cert": "client.pem", "client_key": "locked.key"}, NOT_OPENED, NEEDS),
        ({"client_cert": "client.pem", "client_key": "old-locked.key"}, NOT_OPENED, NEEDS),
        ({"client_cert": "both-locked.pem"}, NOT_OPENED, NEEDS),
        ({"client_cert": "both-locked.pem", "client_key_password": "s3cret"}, NOT_OPENED, NEEDS),
        (
            {"client_cert": "client.pem", "client_key": "old-locked.key", "client_key_password": "s3cret"},
            NOT_OPENED,
            NEEDS,
        ),
        ({"client_cert": "both-locked.pem", "client_key_password": "s3cret" * 500}, "AIRFLOW_MCP_CLIENT_KEY_PASS", ""),
    ],
    ids=lambda names: "+".join(names.values())[:60] if isinstance(names, dict) else "",
)
async def test_what_does_not_fit_is_named_before_anything_is_sent(
    names: dict[str, str], starts: str, ends: str, folder: Path, certificates: Certificates, capfd: Any
) -> None:
    # Nobody listens there: it would be another error.
    given = settings(folder, "https://127.0.0.1:1", **names)
    with pytest.raises(SettingsError) as error:
        await version(given)
    assert str(error.value).startswith(starts)
    assert str(error.value).endswith(ends)
    assert "s3cret" not in "".join(traceback.format_exception(error.value))
    # OpenSSL asks for a password at the terminal, unless told otherwise.
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["client_cert", "client_key"])
async def test_a_file_that_is_gone_is_named(name: str, tmp_path: Path) -> None:
    Certificates(tmp_path)
    given = settings(tmp_path, "https://127.0.0.1:1", client_cert="client.pem", client_key="client.key")
    (tmp_path / f"client.{name[7:].replace('cert', 'pem')}").unlink()
    with pytest.raises(SettingsError, match=r"^AIRFLOW_MCP_CLIENT_CERT, or its key, cannot be read: No such file"):
        await version(given)


async def test_once_the_files_are_mended_it_works_without_a_restart(
    door: str, folder: Path, certificates: Certificates, tmp_path: Path
) -> None:
    file = tmp_path / "client.pem"
    file.write_text("not yet")
    airflow = Airflow(settings(folder, door).model_copy(update={"client_cert": file}))
    with pytest.raises(SettingsError):
        await airflow.version()
    file.write_bytes((folder / "both.pem").read_bytes())
    assert await airflow.version() == "3.3.2"
    await airflow.aclose()


async def test_the_password_is_in_no_log_or_repr(door: str, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    given = settings(folder, door, client_cert="both-locked.pem", client_key_password=PASSWORD)
    await version(given)
    for text in (repr(given), str(given), given.model_dump_json(), caplog.text):
        assert "s3cret" not in text
