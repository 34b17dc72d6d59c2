"""Servers that `airflow-mcp demo --keep` left running, for `--stop` to find them."""

import json
import shutil
from pathlib import Path

from airflow_mcp.demo.processes import end_server
from airflow_mcp.demo.releases import cache_folder


def keep(home: Path, leader: int) -> None:
    """Remember a server that goes on running."""
    kept = _kept()
    _file().write_text(json.dumps({**kept, str(home): leader}))


def stop_kept() -> list[Path]:
    """End every server that was kept and remove its home; gives the homes.

    Raises StandaloneError if one does not end.
    """
    kept = _kept()
    for home, leader in kept.items():
        end_server(Path(home), leader)
        shutil.rmtree(home, ignore_errors=True)
    _file().unlink(missing_ok=True)
    return [Path(home) for home in kept]


def _kept() -> dict[str, int]:
    return dict(json.loads(_file().read_text())) if _file().exists() else {}


def _file() -> Path:
    return cache_folder() / "kept.json"
