"""A real nginx in front of a server: TLS with a certificate of a private authority, and a path prefix."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from airflow_mcp.demo.releases import tail
from airflow_mcp.demo.standalone import free_ports
from tests.tls import Certificates

PROGRAM = "nginx"

# One process, which we can end. The headers are those that Airflow's page on reverse proxies asks for.
CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  log_format bytes $body_bytes_sent;
  access_log {folder}/access.log bytes;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name localhost;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.pem;
    location {prefix}/ {{
      proxy_pass {upstream};
      proxy_http_version 1.1;
      proxy_redirect off;
      proxy_read_timeout 300s;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }}
    location / {{
      default_type text/html;
      return 200 "<html><body>Somebody else's page</body></html>";
    }}
  }}
}}
"""


def missing() -> list[str]:
    """What it needs and this machine does not have."""
    return [] if _find() else [PROGRAM]


class Nginx:
    """A proxy, as a context manager. Its address is known from the start, what it passes on to with `start`."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder, self.prefix = folder, prefix
        [self.port] = free_ports(1)
        self.url = f"https://localhost:{self.port}{prefix}"
        self.certificates = Certificates(folder, "localhost")
        self.log = folder / "access.log"
        """One line for each answer: the bytes of its body."""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def start(self, upstream: str) -> None:
        """Pass on what comes to the prefix. Raises AssertionError when nginx does not start."""
        self.certificates.server.private_key_and_cert_chain_pem.write_to_path(str(self.folder / "server.pem"))
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.folder, port=self.port, prefix=self.prefix, upstream=upstream))
        log = self.folder / "error.log"
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [_find() or PROGRAM, "-p", self.folder, "-c", config, "-e", log],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        deadline = time.monotonic() + 10
        while not self._listens():
            assert self._process.poll() is None, f"nginx did not start:\n{tail(log, 20)}"
            assert time.monotonic() < deadline, f"nginx does not listen:\n{tail(log, 20)}"
            time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _find() -> str | None:
    # Debian keeps servers where users do not look.
    return shutil.which(PROGRAM, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
