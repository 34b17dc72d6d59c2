"""What an answer is worth: all true causes named, nothing false named, and how long it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.generate import tokens
from tests.eval.scenarios import Scenario
from tests.session import Session, text_of


@dataclass(frozen=True)
class Score:
    """Of one answer."""

    missed: Sequence[str]
    """True causes, and facts, that it does not hold."""
    false: Sequence[str]
    """What it names as a cause, or says, and is not true."""
    tokens: int
    text: str

    @property
    def full(self) -> bool:
        """Whether it is right, and names all."""
        return not self.missed and not self.false


async def ask(session: Session, scenario: Scenario, runs: Mapping[str, Sequence[str]]) -> Score:
    """Ask the scenario's question, once; `runs` are those of each DAG, in the order in which they were made."""
    arguments = {"dag_id": scenario.dag_id}
    if scenario.run is not None:
        arguments["dag_run_id"] = runs[scenario.dag_id][scenario.run]
    if scenario.task_id:
        arguments["task_id"] = scenario.task_id
    result = await session.call(scenario.tool, arguments)
    text = text_of(result)
    answer = result.structured_content or {}
    named, said = set(_named(answer)), "\n".join(_strings(answer)) or text
    missed = [*(set(scenario.causes) - named), *(fact for fact in scenario.facts if fact not in said)]
    false = [*(named - {*scenario.causes, *scenario.may_name}), *(word for word in scenario.never if word in said)]
    return Score(missed, false, tokens(text), text)


def _named(answer: Mapping[str, Any]) -> list[str]:
    causes = [str(each["task_id"]) for each in answer.get("causes", ())]
    return [*causes, *(str(each["reason"]) for each in answer.get("reasons", ()))]


def _strings(value: object) -> Iterator[str]:
    """All texts of an answer, as a person reads them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
