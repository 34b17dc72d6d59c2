"""Each recipe of docs/signing-in.md as it stands there, with a stand-in for the cloud's program."""

from __future__ import annotations

import base64
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_mcp.instance import Instance
from airflow_mcp.settings import load_settings
from tests.fakes import Airflow
from tests.tls import Certificates

pytestmark = pytest.mark.anyio

DOCUMENT = Path(__file__).parents[2] / "docs" / "signing-in.md"
RECIPES: Mapping[str, str] = dict(
    re.findall(r"<!-- recipe: (\S+) -->\n```sh\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
)
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.c2lnbmF0dXJl"
OPAQUE = "ya29.a0AfH6SMBx_y-z"
LATER = int(time.time()) + 3599

AZ = {
    "accessToken": JWT,
    "expiresOn": "2026-11-22 05:00:00.000000",
    "expires_on": LATER,
    "subscription": "5dd1b7a4-0000-0000-0000-000000000000",
    "tenant": "5dd1b7a4-0000-0000-0000-000000000001",
    "tokenType": "Bearer",
}
CONFIG_HELPER = {
    "configuration": {"active_configuration": "default", "properties": {"core": {"account": "alice@example.com"}}},
    "credential": {"access_token": OPAQUE, "id_token": JWT, "token_expiry": "2126-11-22T05:00:00Z"},
    "sentinels": {"config_sentinel": "/home/alice/.config/gcloud/config_sentinel"},
}
BASIC = base64.b64encode(b"alice:p@ss").decode()

# Recipe: what its program is called and prints, and the headers that Airflow then gets.
COMMANDS: Mapping[str, tuple[str, str, dict[str, str]]] = {
    "azure": ("az", json.dumps(AZ, indent=2), {"authorization": f"Bearer {JWT}"}),
    "composer": ("gcloud", json.dumps(CONFIG_HELPER, indent=2), {"authorization": f"Bearer {OPAQUE}"}),
    "iap": ("gcloud", JWT, {"authorization": f"Bearer {JWT}"}),
    "iap-and-password": (
        "gcloud",
        JWT,
        {"authorization": f"Basic {BASIC}", "proxy-authorization": f"Bearer {JWT}"},
    ),
    "oauth": (
        "curl",
        json.dumps({"access_token": OPAQUE, "token_type": "Bearer", "expires_in": 299}),
        {"authorization": f"Bearer {OPAQUE}"},
    ),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, whose `bin` comes first on the path."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)  # another one's launcher may change the path
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def stand_in(place: Path, program: str, printed: str) -> None:
    """A program that prints one thing, for the arguments that its recipe has in the document alone."""
    file = place / "bin" / program
    file.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"arguments = ' '.join([{program!r}, *sys.argv[1:]]).replace({str(place)!r}, '$PWD')\n"
        f"open({str(place / 'called')!r}, 'a').write(arguments + '\\n')\n"
        f"print({printed!r})\n"
    )
    file.chmod(0o755)


def settings_of(recipe: str) -> Instance:
    """Follow a recipe in a shell; gives the Airflow that this server then has."""
    script = f"set -eu\n{recipe}\nenv -0"
    done = subprocess.run(["sh", "-c", script], check=True, stdout=subprocess.PIPE, timeout=30)
    pairs = (line.partition("=") for line in done.stdout.decode().split("\0"))
    return load_settings({name: value for name, _, value in pairs}).instances[0]


async def headers_sent(settings: Instance) -> httpx.Headers:
    """What an Airflow 3 gets of a read."""
    got: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(200, json={"version": "3.3.2"})

    airflow = Airflow(settings, httpx.MockTransport(answer))
    await airflow.read("dags")
    await airflow.aclose()
    return got[-1].headers


def test_every_recipe_is_tried_here() -> None:
    assert set(RECIPES) == {*COMMANDS, "astronomer", "kubernetes", "mwaa"}


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_recipe_with_a_command(name: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, printed, headers = COMMANDS[name]
    monkeypatch.setenv("AIRFLOW_PASSWORD", "p@ss")
    stand_in(place, program, printed)
    sent = await headers_sent(settings_of(RECIPES[name]))
    assert {header: sent.get(header) for header in headers} == headers
    [called] = (place / "called").read_text().splitlines()
    assert called.replace("'", "") in RECIPES[name]


async def test_the_recipe_with_a_token_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRO_API_TOKEN", JWT)
    sent = await headers_sent(settings_of(RECIPES["astronomer"]))
    assert sent["authorization"] == f"Bearer {JWT}"
    assert (place / "astro-token").stat().st_mode & 0o077 == 0


async def test_the_recipe_with_a_token_file_of_kubernetes(place: Path) -> None:
    mounted = "/var/run/secrets/tokens/airflow"
    file = place / "projected"
    file.write_text(f"{JWT}\n")
    assert mounted in RECIPES["kubernetes"]
    sent = await headers_sent(settings_of(RECIPES["kubernetes"].replace(mounted, str(file))))
    assert sent["authorization"] == f"Bearer {JWT}"


@contextmanager
def web_server(certificates: Certificates, cookies: Mapping[str, str]) -> Iterator[str]:
    """What MWAA's web server does with a login token: gives a cookie, by path, and sends on. Its host and port."""

    class Login(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["content-length"]))
            good = form == b"token=djEtdG9rZW4.x_y%3D" and self.path in cookies
            self.send_response(302 if good else 403)
            if good:
                self.send_header("set-cookie", f"{cookies[self.path]}; Secure; HttpOnly; Path=/")
                self.send_header("location", "/home")
            self.end_headers()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Login)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificates.server.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("airflow", "header", "value"),
    [("3", "authorization", f"Bearer {JWT}"), ("2", "cookie", "session=.eJw_x.y-z")],
    ids=["3", "2"],
)
async def test_the_recipe_of_mwaa(
    airflow: str, header: str, value: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = Certificates(place)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_bundle))
    cookies = {"/aws_mwaa/login": "session=.eJw_x.y-z", "/pluginsv2/aws_mwaa/login": f"_token={JWT}"}
    with web_server(certificates, cookies) as host:
        answer = {"WebToken": "djEtdG9rZW4.x_y=", "WebServerHostname": host, "IamIdentity": "user/alice"}
        stand_in(place, "aws", json.dumps(answer, indent=4))
        recipe = RECIPES["mwaa"].replace("my-environment 3", f"my-environment {airflow}")
        sent = await headers_sent(settings_of(recipe))
    assert sent[header] == value
    assert (place / "called").read_text() == "aws mwaa create-web-login-token --name my-environment --output json\n"
