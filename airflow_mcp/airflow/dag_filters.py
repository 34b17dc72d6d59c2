"""The filters of get_dags, with one meaning on each release: what of them Airflow is asked, and what is judged here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_mcp.airflow.patterns import ANYTHING, matches, wide
from airflow_mcp.models.dags import DagRow
from airflow_mcp.release import Release

Judge = Callable[[DagRow], bool]


@dataclass(frozen=True)
class Filters:
    """What Airflow is asked, and by argument what decides which of the DAGs that it gives are meant."""

    query: Mapping[str, Any]
    judged: Mapping[str, Judge]
    nearly: bool = False
    """Whether Airflow means the same by all of them but for _, which it takes for any sign."""

    def fit(self, dag: DagRow) -> bool:
        """Whether a DAG that Airflow gives is meant."""
        return all(judge(dag) for judge in self.judged.values())


def filters(release: Release, query: Mapping[str, Any]) -> Filters:
    """The filters of a query as this release answers them: where it means something else by one, by no less."""
    sent = dict(query)
    judged: dict[str, Judge] = {}
    wider = False
    tags, owners, pattern = query.get("tags"), query.get("owners"), query.get("dag_id_pattern")
    if tags and release < (3, 0) and any("," in tag for tag in tags):
        sent["tags"] = None  # Airflow 2 splits each at its commas
        wider = True
        judged["tags"] = lambda dag: not {*tags}.isdisjoint(dag.tags or ())
    if owners:
        if release < (3, 0) or not all(each.isascii() and not {*each} & {ANYTHING, "\\"} for each in owners):
            sent["owners"] = None
            wider = True
        if sent["owners"] is None or any("_" in each for each in owners):
            judged["owners"] = lambda dag: _owned(dag, owners)
    if pattern:
        sent["dag_id_pattern"] = wide(pattern)
        wider = wider or pattern != wide(pattern)
        if pattern != wide(pattern) or "_" in pattern:
            judged["dag_id_pattern"] = lambda dag: matches(pattern, dag.dag_id)
    return Filters(sent, judged, nearly=not wider)


def by_display_name(release: Release, query: Mapping[str, Any]) -> Filters:
    """The filters that find by its display name what the pattern does not find by its id."""
    pattern = query["dag_id_pattern"]
    others = filters(release, {**query, "dag_id_pattern": None})
    # Airflow 2 has no such filter.
    sent = {**others.query, "dag_display_name_pattern": wide(pattern) if release >= (3, 0) else None}
    judged = {
        **others.judged,
        "dag_id_pattern": lambda dag: (
            dag.dag_display_name is not None
            and matches(pattern, dag.dag_display_name)
            and not matches(pattern, dag.dag_id)
        ),
    }
    return Filters(sent, judged)


def _owned(dag: DagRow, wanted: Sequence[str]) -> bool:
    owners = ", ".join(dag.owners or ()).lower()
    return any(each.lower() in owners for each in wanted)
