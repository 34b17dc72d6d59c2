"""Which assets a DAG waits for, judged of its asset expression and the events that it has got."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from airflow_mcp.diagnosis.words import named
from airflow_mcp.models.dag_state import Reason
from airflow_mcp.text.clean import one_line

DEEPEST = 20
"""Of `all` and `any` in each other, how many are looked into."""


class Asset(NamedTuple):
    """An asset of an expression: what its events are known by, and its name."""

    key: int | str | None
    name: str


def of_assets(
    dag_id: str, expression: Mapping[str, Any], got: Collection[int | str] | None, *, lost: bool
) -> list[Reason]:
    """That a DAG waits for assets; nothing where it has got what it waits for, None where that is not known.

    `lost` says that events which come now do not count, since the DAG is paused.
    """
    assets = list(dict.fromkeys(_assets(expression)))
    # Those of an alias are known when its producer has run.
    known = [asset for asset in assets if asset.key is not None]
    have = [asset.name for asset in known if got and asset.key in got]
    lacking = [asset.name for asset in assets if asset.name not in have] or ["none that Airflow names"]
    if got is not None and _is_met(expression, got):
        return []
    every = "any" not in expression or len(assets) == 1
    waits = f"DAG {dag_id} waits for {'' if every else 'one of '}assets without an event since its last run"
    told = f"{waits}: {named(lacking)}" if got is not None else f"DAG {dag_id} runs on events of {named(lacking)}"
    has = f"; those with one: {named(have)}" if have else ""
    return [
        Reason(
            reason="waits_for_assets",
            fact=f"{told}{has}.{' Events that come while it is paused do not count.' if lost else ''}",
            remedy="Run the DAGs that produce them; explain_dag_state of those tells why they do not.",
        )
    ]


def _assets(expression: Any, depth: int = 0) -> list[Asset]:
    """The assets of an expression, in its order."""
    if depth > DEEPEST:
        return []
    if isinstance(expression, str):  # Airflow 2
        return [Asset(expression, one_line(expression, 200))]
    if not isinstance(expression, Mapping):
        return []
    parts = [part for name in ("all", "any") for part in _list(expression.get(name))]
    found = [asset for part in parts for asset in _assets(part, depth + 1)]
    for kind, told in expression.items():
        if kind == "asset" and isinstance(told, Mapping):
            found.append(Asset(told.get("id"), one_line(str(told.get("name") or told.get("uri")), 200)))
        elif kind not in ("all", "any"):
            name = told.get("name") or told.get("uri") if isinstance(told, Mapping) else told
            found.append(Asset(None, f"{kind} {one_line(str(name), 200)}"))
    return found


def _is_met(expression: Any, got: Collection[int | str], depth: int = 0) -> bool:
    """Whether events of these assets are what an expression waits for."""
    if depth > DEEPEST:
        return False
    if isinstance(expression, str):
        return expression in got
    if not isinstance(expression, Mapping):
        return False
    if "all" in expression:
        return all(_is_met(part, got, depth + 1) for part in _list(expression["all"]))
    if "any" in expression:
        return any(_is_met(part, got, depth + 1) for part in _list(expression["any"]))
    asset = expression.get("asset")
    return isinstance(asset, Mapping) and asset.get("id") in got


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
