"""What real servers answered, a file a tool and release: each line a request with its answer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import httpx

FOLDER = Path(__file__).parent / "recorded"

Exchange = dict[str, Any]
"""`at` its place among all exchanges, `request`, and `status`, `type` and `body` of the answer."""


def recorded_runs(version: str) -> dict[str, str]:
    """The ids that stand in the recordings for those of the recorded runs, and what else calls take."""
    return {
        "history": "manual__history",
        "load_files": "manual__load_files",
        "failing": "manual__failing",
        "logical_date": "2026-02-01T05:00:00+00:00" if version < "3" else "2026-02-01T05:00:00Z",
        "file_token": "file-token-of-sales_etl" if version < "3" else "None",
    }


@cache
def load(version: str) -> tuple[Exchange, ...]:
    """All exchanges of a release, in the order in which they were."""
    texts = [file.read_text(encoding="utf-8") for file in FOLDER.glob(f"{version}/*.jsonl")]
    exchanges = [json.loads(line) for text in texts for line in text.split("\n") if line]
    return tuple(sorted(exchanges, key=lambda exchange: int(exchange["at"])))


def written(exchanges: Iterable[Exchange]) -> str:
    """Exchanges as a file has them."""
    return "".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in exchanges)


def described(request: httpx.Request) -> dict[str, Any]:
    """What tells one request from another, as sent."""
    return {
        "method": request.method,
        "path": request.url.raw_path.decode().partition("?")[0],
        "query": sorted(request.url.params.multi_items()),
        "body": json.loads(request.content) if request.content else None,
    }
