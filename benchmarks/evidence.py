"""How much evidence `errors` keeps of logs that fail in many ways, and at how many tokens: `make evidence`.

`logs/` holds Airflow task logs of failing tools, and `evidence.json` what a diagnosis of each needs, letter by letter.
A log that is too long to be stored is made here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from airflow_mcp.text.evidence import Evidence
from scripts.generate import tokens

LOGS = Path(__file__).with_name("logs")
LAST = 200  # lines, to compare with


def reduce_text(log: str, most: int = 6000) -> str:
    """What `errors` keeps of a log, as text."""
    evidence = Evidence(most)
    for number, line in enumerate(log.split("\n"), 1):
        evidence.add(number, line)
    return "\n".join(f"{line.number}: {line.text}{_times(line.times)}" for line in evidence.lines())


def _times(times: int) -> str:
    return f" ({times} times)" if times > 1 else ""


def last_lines(log: str) -> str:
    return "\n".join(log.split("\n")[-LAST:])


def long_log(cause: list[str], lines: int = 60_000) -> str:
    """A cause in the middle of a log whose end tells only a consequence."""
    stamp = "[2026-11-29T06:00:00.000+0000]"
    work = [f"{stamp} {{orders.py:26}} INFO - order {number} is loaded" for number in range(lines)]
    end = [f"{stamp} {{taskinstance.py:3315}} ERROR - Task failed with exception"]
    end += ["Traceback (most recent call last):", '  File "/opt/airflow/dags/sales_etl.py", line 90, in publish']
    end += ['    raise ValueError("1 of 60000 orders is missing")', "ValueError: 1 of 60000 orders is missing"]
    return "\n".join([*work[: lines // 2], *cause, *work[lines // 2 :], *end])


def corpus() -> Iterator[tuple[str, str, list[str]]]:
    """Name, log and evidence of each case."""
    for name, signals in json.loads((LOGS / "evidence.json").read_text()).items():
        yield name, (LOGS / f"{name}.log").read_text(), signals
    cause = "[2026-11-29T06:30:00.000+0000] {orders.py:31} WARNING - order 30000 was rejected: customer 812 is unknown"
    yield (
        "long",
        long_log([cause]),
        ["customer 812 is unknown", "ValueError: 1 of 60000 orders is missing", "line 90, in publish"],
    )


def measured(reduce: Callable[[str], str]) -> dict[str, tuple[float, int, list[str]]]:
    """For each case the share of its evidence that is kept, the tokens, and what is lost."""
    found = {}
    for name, log, signals in corpus():
        text = reduce(log)
        lost = [signal for signal in signals if signal not in text]
        found[name] = (1 - len(lost) / len(signals), tokens(text), lost)
    return found


def main() -> None:
    for title, reduce in (("errors", reduce_text), (f"the last {LAST} lines", last_lines)):
        found = measured(reduce)
        for name, (share, cost, lost) in found.items():
            print(f"{share:5.2f} {cost:7,} tokens  {name}")
            for signal in lost:
                print(f"        lost: {signal[:150]}")
        costs = [cost for _, cost, _ in found.values()]
        kept = sum(share for share, _, _ in found.values()) / len(found)
        print(f"{title}: {kept:.2f} kept, {sum(costs) / len(costs):,.0f} tokens, at most {max(costs):,}\n")


if __name__ == "__main__":
    main()
