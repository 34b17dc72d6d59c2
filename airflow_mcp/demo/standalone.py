"""Run a real Airflow on this machine, for the demo and for the tests."""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from airflow_mcp.demo.processes import end_server
from airflow_mcp.demo.releases import Release, Report, StandaloneError, install, tail


class Standalone:
    """A running `airflow standalone`, as a context manager: ready on entry, gone on exit.

    Takes the release, the DAG files and folders to copy in, and environment variables that win over
    the ones set here, and how many seconds it may take to get ready. A home of the caller's own, or any
    home with `keep`, outlives the server.
    Entering raises StandaloneError when Airflow does not install or does not get ready.
    """

    username = "admin"
    password = ""
    vital = "scheduler"
    """The part of Airflow that must be healthy for it to be ready."""
    venv: Path
    home: Path
    url: str

    def __init__(
        self,
        release: Release,
        dags: Sequence[Path] = (),
        *,
        home: Path | None = None,
        report: Report = print,
        env: Mapping[str, str] | None = None,
        keep: bool = False,
        patience: float = 180,
    ) -> None:
        self.release = release
        self._dags, self._report, self._env = dags, report, env or {}
        self._own_home, self._keep, self._patience = home, keep, patience
        self._disposable: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.venv = install(self.release, self._report)
        home = self._own_home or Path(tempfile.mkdtemp(prefix=f"airflow-{self.release.name}-"))
        self.home = home.resolve()
        self._disposable = None if self._keep or self._own_home else self.home
        try:
            self._copy_dags()
            self._start()
            self.wait_ready(self._patience)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that leads the others; 0 before the start."""
        return self._process.pid if self._process else 0

    @property
    def dags_folder(self) -> Path:
        """Where the server looks for DAG files."""
        return self.home / "dags"

    def _copy_dags(self) -> None:
        self.dags_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for source in self._dags:
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, self.dags_folder, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(source, self.dags_folder)

    def _start(self) -> None:
        port, *log_ports = free_ports(3)
        self.url = f"http://127.0.0.1:{port}"
        settings = _settings(self.release, self.home, port, log_ports)
        self._environment = {**_clean_environment(self.venv), **settings, **self._env}
        self.prepare()
        self._report(f"Starting Airflow {self.release.version} on {self.url}")
        with (self.home / "standalone.log").open("wb") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def command(self) -> Sequence[str]:
        """What is started, in the home."""
        return [str(self.venv / "bin/airflow"), "standalone"]

    def prepare(self) -> None:
        """What a kind of server does before it starts; nothing, for `airflow standalone` does it by itself."""

    def wait_ready(self, timeout: float) -> None:
        """Wait until the API answers, its vital part is healthy and the password is known.

        Raises StandaloneError, with the end of the log, when the server ends or `timeout` seconds pass.
        """
        deadline = time.monotonic() + timeout
        while not (self.read_password() and self._is_healthy()):
            status = self._process.poll() if self._process else "none"
            if status is not None:
                raise self._failure(f"ended (status {status}) before it was ready")
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready after {timeout:g} s")
            time.sleep(0.3)

    def read_password(self) -> bool:
        """Take the administrator's password where Airflow left it; False while it is not there."""
        with contextlib.suppress(OSError, ValueError):  # not there yet, or half written
            if self.release.major == 2:
                self.password = (self.home / "standalone_admin_password.txt").read_text().strip()
            else:
                generated = (self.home / "simple_auth_manager_passwords.json.generated").read_text()
                self.password = json.loads(generated).get(self.username, "")
        return bool(self.password)

    def _is_healthy(self) -> bool:
        path = "/api/v1/health" if self.release.major == 2 else "/api/v2/monitor/health"
        # Not urllib: a proxy of the caller's cannot reach this address.
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=5)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                response = connection.getresponse()
                health = json.loads(response.read())
                return response.status == 200 and health[self.vital]["status"] == "healthy"
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                return False

    def _failure(self, what: str) -> StandaloneError:
        log = tail(self.home / "standalone.log", 30)
        if self.read_password() and self.password:  # which a server without a sign-in has not
            log = log.replace(self.password, "***")
        return StandaloneError(f"Airflow {self.release.version} {what}; the end of its log:\n{log}")

    def stop(self) -> None:
        """End every process of the server, then remove its home; harmless before a start and when repeated.

        Raises StandaloneError if a process outlives SIGKILL.
        """
        if self._process is not None:
            end_server(self.home, self._process.pid)
            self._process.wait(10)
            self._process = None
        if self._disposable is not None:
            shutil.rmtree(self._disposable, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Pick free loopback ports.

    Airflow binds them many seconds later: so at random, for another server's pick to differ, and from
    below the ports that systems give to outgoing connections.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = 20000 + secrets.randbelow(12000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("", port))  # the log servers listen on every interface
            if port not in ports:
                ports.append(port)
    return ports


def _clean_environment(venv: Path) -> dict[str, str]:
    """The caller's environment, less what would change this Airflow or its Python."""
    dropped = ("AIRFLOW", "_AIRFLOW", "PYTHON", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return env | {
        "PATH": f"{venv / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}",
        "NO_PROXY": "127.0.0.1,localhost",  # tasks of 3.x report to the API server
        "no_proxy": "127.0.0.1,localhost",
        "SPT_NOENV": "1",  # process titles would overwrite the environment that stop() reads
    }


def _settings(release: Release, home: Path, port: int, log_ports: Sequence[int]) -> dict[str, str]:
    url = f"http://127.0.0.1:{port}"
    parsing = "scheduler" if release.major == 2 else "dag_processor"
    common = {
        "core__dags_folder": f"{home}/dags",
        "core__load_examples": "False",
        "core__parallelism": "2",
        "database__load_default_connections": "False",
        "logging__worker_log_server_port": f"{log_ports[0]}",
        "logging__trigger_log_server_port": f"{log_ports[1]}",
        # A file that changed is parsed at once; all of them every few seconds cost a sixth of a core.
        f"{parsing}__min_file_process_interval": "300",
        "scheduler__scheduler_heartbeat_sec": "1",
        "scheduler__scheduler_idle_sleep_time": "0.2",
        "usage_data_collection__enabled": "False",
    }
    two = {
        "api__auth_backends": "airflow.api.auth.backend.basic_auth,airflow.api.auth.backend.session",
        "core__executor": "LocalExecutor",  # the sequential one starts a Python per task
        "scheduler__dag_dir_list_interval": "5",
        "webserver__base_url": url,
        "webserver__web_server_host": "127.0.0.1",
        "webserver__web_server_port": f"{port}",
        "webserver__workers": "2",
    }
    three = {
        "api__base_url": url,
        "api__host": "127.0.0.1",
        "api__port": f"{port}",
        "api__workers": "1",
        "core__execution_api_server_url": f"{url}/execution/",
        "dag_processor__refresh_interval": "5",
    }
    settings = common | (two if release.major == 2 else three)
    return {
        "AIRFLOW_HOME": str(home),
        "_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK": "1",  # 2.x: SQLite and LocalExecutor
        **{f"AIRFLOW__{key.upper()}": value for key, value in settings.items()},
    }
