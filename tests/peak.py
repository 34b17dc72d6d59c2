"""Reads a small log, then a big one, in a process of its own; tells on standard output what the big one cost.

`python -m tests.peak SETTINGS ARGUMENTS`, both as JSON; the small log is that of the task `small`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp import Client

from airflow_mcp.server import build_server
from airflow_mcp.settings import Settings
from tests.session import Session, text_of


def memory(name: str) -> int:
    """Bytes of this process: VmRSS is what it has now, VmHWM the most that it ever had.

    Not what getrusage tells: that begins with the peak of the process that started this one.
    """
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


async def main(settings: dict[str, Any], arguments: dict[str, Any]) -> None:
    async with Client(build_server(Settings(**settings))) as client:
        session = Session(client)
        await session.ok("get_task_log", **{**arguments, "task_id": "small"})
        idle = memory("VmRSS")
        result = await session.call("get_task_log", arguments)
        cost = memory("VmHWM") - idle
    print(json.dumps({"cost": cost, "failed": result.is_error, "text": text_of(result)}))


if __name__ == "__main__":
    anyio.run(main, *map(json.loads, sys.argv[1:]))
