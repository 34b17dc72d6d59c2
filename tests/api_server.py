"""An Airflow that answers and does nothing else: it starts sooner, and nothing moves but what a test moves."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Sequence
from typing import Any

from airflow_mcp.demo.releases import StandaloneError, tail
from airflow_mcp.demo.standalone import Standalone


class ApiServer(Standalone):
    """The API server of 3 or the webserver of 2, with the DAG files as they are at the start.

    Without a scheduler, which would run what is to stand still, and a DAG processor, which would drop copies.
    """

    vital = "metadatabase"

    def command(self) -> Sequence[str]:
        return [str(self.venv / "bin/airflow"), "api-server" if self.release.major == 3 else "webserver"]

    def prepare(self) -> None:
        """Make the tables, and load the DAG files once."""
        self._run("db", "migrate")
        self._run("dags", "reserialize")

    def _run(self, *arguments: str) -> None:
        """Run an `airflow` command as the server would. Raises StandaloneError, with the end of its output."""
        command = [str(self.venv / "bin/airflow"), *arguments]
        log = self.home / f"{'-'.join(arguments[:2])}.log"
        with log.open("wb") as out:
            done = subprocess.run(
                command,
                cwd=self.home,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                check=False,
                timeout=self._patience,
            )
        if done.returncode != 0:
            raise StandaloneError(f"airflow {' '.join(arguments[:2])} failed:\n{tail(log, 30)}")


class FabServer(ApiServer):
    """One that has FAB's users: an administrator is there."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.password = secrets.token_hex(8)

    def prepare(self) -> None:
        """Add the administrator, too."""
        super().prepare()
        names = ("--firstname", "A", "--lastname", "A", "--email", "admin@example.com", "--role", "Admin")
        self._run("users", "create", "--username", self.username, "--password", self.password, *names)

    def read_password(self) -> bool:
        """It is known from the beginning."""
        return True
