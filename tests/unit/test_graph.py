"""The graph of a DAG's tasks."""

from __future__ import annotations

import pytest

from airflow_mcp.airflow.graph import running_order, upstream_of
from airflow_mcp.airflow.tasks import require_tasks
from airflow_mcp.errors import NotFoundError

Graph = dict[str, list[str]]

DIAMOND: Graph = {"a_last": [], "m_left": ["a_last"], "z_first": ["m_left", "b_right"], "b_right": ["a_last"]}


@pytest.mark.parametrize(
    ("downstream", "expected"),
    [
        ({}, []),
        ({"only": []}, ["only"]),
        (DIAMOND, ["z_first", "b_right", "m_left", "a_last"]),
        ({"c": [], "a": [], "b": []}, ["a", "b", "c"]),
        ({"z": ["a"], "y": ["b"], "a": [], "b": []}, ["y", "z", "a", "b"]),
        ({"long": ["middle", "end"], "middle": ["end"], "end": []}, ["long", "middle", "end"]),
        ({"a": ["gone"]}, ["a", "gone"]),
        ({"b": ["x", "x"], "x": []}, ["b", "x"]),
    ],
    ids=["empty", "one", "diamond", "ties", "ties in each step", "short cut", "unknown downstream", "twice the same"],
)
def test_running_order(downstream: Graph, expected: list[str]) -> None:
    assert running_order(downstream) == {task_id: place for place, task_id in enumerate(expected)}


@pytest.mark.parametrize("downstream", [{"b": ["a"], "a": ["b"], "c": []}, {"self": ["self"], "a": []}])
def test_running_order_of_a_cycle_is_as_it_came(downstream: Graph) -> None:
    assert running_order(downstream) == {task_id: place for place, task_id in enumerate(downstream)}


@pytest.mark.parametrize(
    ("downstream", "expected"),
    [
        ({}, {}),
        (DIAMOND, {"a_last": ["m_left", "b_right"], "m_left": ["z_first"], "z_first": [], "b_right": ["z_first"]}),
        ({"a": ["gone"]}, {"a": [], "gone": ["a"]}),
        ({"a": ["b"], "b": ["a"]}, {"a": ["b"], "b": ["a"]}),
    ],
)
def test_upstream_of(downstream: Graph, expected: Graph) -> None:
    assert upstream_of(downstream) == expected


def test_the_graph_that_came_is_left_as_it_is() -> None:
    before = {task_id: list(below) for task_id, below in DIAMOND.items()}
    running_order(DIAMOND)
    upstream_of(DIAMOND)
    assert before == DIAMOND


def test_a_task_of_a_group_is_found_by_its_name_alone() -> None:
    known = ["left_over", "outer.inner.left", "lift", "outer.left"]
    with pytest.raises(NotFoundError, match=r"no task 'left'\. Did you mean outer\.inner\.left, outer\.left\?"):
        require_tasks(["left"], known, "etl")
