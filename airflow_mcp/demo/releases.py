"""The Airflow releases that the demo and the tests run, and how they get onto this machine (Linux, macOS)."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

Report = Callable[[str], None]


class StandaloneError(RuntimeError):
    """Airflow could not be installed, started or stopped; the message says why."""


@dataclass(frozen=True)
class Release:
    """An Airflow release, and a day on which its dependencies resolve to a set that works."""

    name: str
    version: str
    resolved_as_of: str
    variant: str = ""
    """Sets an install of the same version with other packages apart."""
    more: Sequence[Sequence[str]] = ()
    """What `uv pip install` is given after Airflow itself, one call each."""

    @property
    def folder(self) -> str:
        """The name of its virtual environment."""
        return f"airflow-{self.version}{'-' if self.variant else ''}{self.variant}"

    @property
    def major(self) -> int:
        """2 or 3."""
        return int(self.version.partition(".")[0])


RELEASES = {
    version.rpartition(".")[0]: Release(version.rpartition(".")[0], version, day)
    for version, day in (
        ("2.7.3", "2023-12-01"),
        ("2.8.4", "2024-04-10"),
        ("2.9.3", "2024-08-10"),
        ("2.10.5", "2025-03-01"),
        ("2.11.2", "2026-03-20"),
        ("3.0.6", "2025-09-20"),
        ("3.1.8", "2026-04-01"),
        ("3.2.2", "2026-07-15"),
        ("3.3.2", "2026-10-01"),
    )
}


def cache_folder() -> Path:
    """Where installed releases are kept, made if it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airflow-ops-mcp"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def install(release: Release, report: Report) -> Path:
    """Install a release into the user's cache, once.

    Returns the folder of its virtual environment; `report` gets lines on the progress.
    Raises StandaloneError when uv is missing or fails.
    """
    cache = cache_folder()
    venv = cache / release.folder
    marker = venv / ".installed"
    stamp = "\n".join([f"{release.version} {release.resolved_as_of}", *map(" ".join, release.more), ""])
    with _locked(cache / f"{venv.name}.lock", report):
        # The interpreter is a link, which dangles once that Python has been removed.
        if (venv / "bin/python").exists() and marker.is_file() and marker.read_text() == stamp:
            report(f"Airflow {release.version} is already installed")
        else:
            report(f"Installing Apache Airflow {release.version} into {venv} (once, about a minute)")
            shutil.rmtree(venv, ignore_errors=True)  # half an install
            _install_into(venv, release, cache / f"{venv.name}.log")
            marker.write_text(stamp)
    return venv


def _install_into(venv: Path, release: Release, log: Path) -> None:
    uv = shutil.which(os.environ.get("UV") or "uv") or shutil.which("uv")
    if uv is None:
        raise StandaloneError("Airflow is installed with uv, which was not found: pip install uv")
    uv = str(Path(uv).absolute())  # it runs in another folder
    log.unlink(missing_ok=True)
    pip = [uv, "pip", "install", "-p", str(venv / "bin/python"), "--exclude-newer", release.resolved_as_of]
    installs = [[f"apache-airflow=={release.version}"], *release.more]
    done = _run([uv, "venv", "-p", "3.11", str(venv)], log)
    done = done or _run([uv, "venv", "-p", sys.executable, str(venv)], log)
    if not (done and all(_run([*pip, *packages], log) for packages in installs)):
        raise StandaloneError(f"uv did not install Airflow; the end of {log}:\n{tail(log, 15)}")


@contextlib.contextmanager
def _locked(path: Path, report: Report) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Waiting for another process that is installing the same Airflow")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str], log: Path) -> bool:
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    with log.open("a") as out:
        # From the cache folder, so that no project's uv settings apply.
        done = subprocess.run(command, cwd=log.parent, env=env, stdout=out, stderr=out, check=False)
    return done.returncode == 0


def tail(log: Path, lines: int) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
