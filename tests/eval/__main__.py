"""`make eval`: every scenario on a real Airflow 2.11 and a real Airflow 3.3, each answer scored."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import anyio

import airflow_mcp.demo
from airflow_mcp.demo.releases import RELEASES
from airflow_mcp.demo.standalone import Standalone
from tests.eval.broken import break_files, change_code, run_all, run_lasting, stop_scheduler
from tests.eval.held import DAGS, Held
from tests.eval.scenarios import ALL, STOPPED, Scenario
from tests.eval.score import Score, ask
from tests.oracle import Oracle
from tests.releases import LAST
from tests.session import connect

DEMO = Path(airflow_mcp.demo.__file__).parent / "dags"
SECTIONS = {
    "core__parallelism": "4",
    "core__min_serialized_dag_update_interval": "1",
    "core__min_serialized_dag_fetch_interval": "1",
    "scheduler__scheduler_health_check_threshold": "10",
    # Of a task whose process is gone, in the words of 3 and of 2.
    "scheduler__task_instance_heartbeat_timeout": "20",
    "scheduler__task_instance_heartbeat_timeout_detection_interval": "5",
    "scheduler__scheduler_zombie_task_threshold": "20",
    "scheduler__zombie_detection_interval": "5",
}
ENV = {f"AIRFLOW__{name.upper()}": value for name, value in SECTIONS.items()}

Scores = dict[str, Score]


async def answers(oracle: Oracle, scenarios: Iterable[Scenario], runs: Mapping[str, Sequence[str]]) -> Scores:
    """The scores by the scenario's name."""
    async with connect(oracle) as session:
        return {each.name: await ask(session, each, runs) for each in scenarios}


def evaluate(name: str) -> Scores:
    """Set all scenes on a server of its own, and ask."""
    broken = [file for file in DAGS.glob("*.py") if not file.name.startswith("held")]
    with Standalone(RELEASES[name], dags=[DEMO, *broken], env=ENV) as server:
        oracle = Oracle(server)
        with closing(oracle.http):
            runs = run_all(oracle)
            change_code(oracle, runs["changed_code"])
            run_lasting(oracle, runs)
            held = Held(oracle)
            held.set()
            held.produce("s3://held/a")
            oracle.pause("held_by_assets", True)
            held.produce("s3://held/b")
            break_files(oracle, held)
            scores = anyio.run(answers, oracle, [each for each in ALL if each is not STOPPED], {**runs, **held.runs})
            stop_scheduler(oracle, held)
            return scores | anyio.run(answers, oracle, [STOPPED], held.runs)


def table(scores: Mapping[str, Scores]) -> str:
    """A row a scenario: for each release what was missed, what was false, and the tokens."""
    cells = {each.name: [_cell(of[each.name]) for of in scores.values()] for each in ALL}
    lines = ["| Scenario | " + " | ".join(scores) + " |", "|" + " --- |" * (1 + len(scores))]
    lines += [f"| {name} | {' | '.join(row)} |" for name, row in cells.items()]
    totals = (
        f"{sum(score.full for score in each.values())} of {len(each)}, "
        f"{sum(score.tokens for score in each.values()) // len(each)} tokens on average"
        for each in scores.values()
    )
    return "\n".join([*lines, "| **right** | " + " | ".join(totals) + " |"])


def _cell(score: Score) -> str:
    if score.full:
        return f"{score.tokens}"
    missed = f"missed: {', '.join(score.missed)}" if score.missed else ""
    false = f"false: {', '.join(score.false)}" if score.false else ""
    return "; ".join(part for part in (missed, false, f"{score.tokens}") if part)


def main() -> int:
    """Gives the exit status: 0 if every answer is right."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--show", action="store_true", help="print the answers that are not right")
    options.add_argument("releases", nargs="*", default=LAST)
    given = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the servers end, too
    started, scores = time.monotonic(), dict[str, Scores]()
    for name in given.releases:
        scores[name] = evaluate(name)
        for scenario, score in scores[name].items():
            if given.show and not score.full:
                print(f"\n--- {scenario}, {name}: missed {score.missed}, false {score.false}\n{score.text}", flush=True)
    print(f"\n{table(scores)}\n\n{time.monotonic() - started:.0f} s")
    return 0 if all(score.full for each in scores.values() for score in each.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
