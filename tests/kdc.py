"""A real Kerberos realm (MIT) on this machine, in a folder of its own: the machine's own Kerberos is left alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

REALM = "AIRFLOW.TEST"
NEEDED = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit", "krb5-config", "gcc")
"""The programs of the realm, and those that build the Python packages that speak Kerberos."""

CLIENT = """\
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
ignore_acceptor_hostname = true
udp_preference_limit = 1
default_ccache_name = FILE:{folder}/tickets
[realms]
{realm} = {{
  kdc = 127.0.0.1:{port}
}}
"""

SERVER = """\
[kdcdefaults]
kdc_listen = 127.0.0.1:{port}
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
}}
"""


def missing() -> list[str]:
    """What a realm needs and this machine does not have."""
    return [program for program in NEEDED if _find(program) is None]


class Realm:
    """A running realm, as a context manager. Principals are named without the realm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "krb5.conf"
        self.env = {"KRB5_CONFIG": str(self.config), "KRB5_KDC_PROFILE": str(folder / "kdc.conf")}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        names = {"realm": REALM, "folder": self.folder, "port": port}
        self.config.write_text(CLIENT.format(**names))
        (self.folder / "kdc.conf").write_text(SERVER.format(**names))
        self._run("kdb5_util", "create", "-s", "-W", "-P", "master")
        log = self.folder / "kdc.log"
        with log.open("wb") as out:
            # -n: it stays in the foreground, and ours to end.
            self._process = subprocess.Popen(
                [_find("krb5kdc") or "", "-n"], env=self._environ(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        try:
            _wait_until_it_listens(self._process, port, log)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def add(self, principal: str, password: str = "") -> None:
        """Make a principal, with a password or else with a random key."""
        self._admin(f"addprinc {f'-pw {password}' if password else '-randkey'} {principal}")

    def change_key(self, principal: str) -> None:
        """Give a principal another key: its keytabs are worth nothing from now on."""
        self._admin(f"cpw -randkey {principal}")

    def keytab(self, principal: str) -> Path:
        """A file with the key of a principal."""
        path = self.folder / f"{principal.replace('/', '_')}.keytab"
        self._admin(f"ktadd -k {path} -norandkey {principal}")
        return path

    def tickets(self, principal: str, password: str, lifetime: str = "1h") -> Path:
        """A cache file with a fresh ticket of a principal."""
        path = self.folder / f"{principal}.{time.monotonic_ns()}.tickets"
        self._run("kinit", "-l", lifetime, "-c", str(path), principal, said=f"{password}\n")
        return path

    def _admin(self, query: str) -> None:
        self._run("kadmin.local", "-q", query)

    def _run(self, program: str, *arguments: str, said: str = "") -> None:
        command = [_find(program) or program, *arguments]
        done = subprocess.run(
            command, env=self._environ(), input=said, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("KRB5")}
        return {**kept, **self.env, "LC_ALL": "C"}


def _find(program: str) -> str | None:
    # Debian keeps the servers where only root's PATH leads.
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]))


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"the KDC did not start: {log.read_text()}")
