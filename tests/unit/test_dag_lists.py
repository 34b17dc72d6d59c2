"""get_dags: one meaning of its filters, whatever a release makes of them."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.fakes import OfRelease
from tests.replay import replayed

pytestmark = pytest.mark.anyio
every_version = pytest.mark.parametrize("version", ["2.9.3", "2.11.2", "3.0.6", "3.3.2"])

DAGS: dict[str, dict[str, Any]] = {
    "aXb": {"tags": ["eu"], "owners": ["anaXb"]},
    "a_b": {"tags": ["eu,us"], "owners": ["Ana_B"]},
    "sales_x": {"name": "Other | 100% ~ name"},
    "x17": {"tags": ["us"], "owners": ["Ольга"], "name": "Daily sales"},
    "ОТЧЁТ": {},
}


def like(pattern: str, text: str) -> bool:
    """As SQLite has ILIKE: _ is any sign, % anything, and case is that of ASCII letters."""
    parts = {"%": ".*", "_": "."}
    written = "".join(parts.get(each, re.escape(each)) for each in f"%{pattern}%")
    return re.fullmatch(written, text, re.IGNORECASE | re.ASCII | re.DOTALL) is not None


class Lists(OfRelease):
    """An Airflow with these DAGs, and `more` of which none is like them; it takes filters as its release does."""

    def __init__(self, version: str, more: int = 0) -> None:
        super().__init__(version)
        self.dags = {**DAGS, **{f"other-{number:05}": {} for number in range(more)}}

    async def rest(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/token":
            return httpx.Response(201, json={"access_token": "token"})
        if request.method == "POST":
            return httpx.Response(200, json={"dag_runs": [], "total_entries": 0})
        asked = request.url.params
        found = [dag_id for dag_id, dag in self.dags.items() if self._matches(dag_id, dag, asked)]
        if asked["order_by"] == "-dag_id":
            found.reverse()
        start = int(asked["offset"])
        rows = [self._row(dag_id) for dag_id in found[start : start + int(asked["limit"])]]
        return httpx.Response(200, json={"dags": rows, "total_entries": len(found)})

    def _matches(self, dag_id: str, dag: dict[str, Any], asked: httpx.QueryParams) -> bool:
        tags = asked.get_list("tags")
        if self.version < "3":
            tags = ",".join(tags).split(",") if tags else []
        owner = ", ".join(dag.get("owners", []))
        names = {"dag_id_pattern": dag_id}
        if self.version > "3":
            names["dag_display_name_pattern"] = dag.get("name", dag_id)
        else:
            assert "dag_display_name_pattern" not in asked
            assert "owners" not in asked
        return (
            (not tags or not {*tags}.isdisjoint(dag.get("tags", [])))
            and all(self._pattern(asked[name], text) for name, text in names.items() if name in asked)
            and (not asked.get_list("owners") or any(self._owner(each, owner) for each in asked.get_list("owners")))
        )

    def _pattern(self, pattern: str, text: str) -> bool:
        if self.version < "3":
            return like(pattern, text)
        terms = [each.strip() for each in pattern.split("|") if each.strip()] if self.version > "3.3" else [pattern]
        return any(like("%" if each == "~" else each, text) for each in terms)

    def _owner(self, wanted: str, text: str) -> bool:
        if self.version > "3.3":
            return re.search(re.escape(wanted), text, re.IGNORECASE | re.ASCII) is not None
        return like(wanted, text)

    def _row(self, dag_id: str) -> dict[str, Any]:
        dag = self.dags[dag_id]
        tags = [{"name": tag} for tag in dag.get("tags", [])]
        return {
            "dag_id": dag_id,
            "dag_display_name": dag.get("name", dag_id),
            "tags": tags,
            "owners": dag.get("owners", ["airflow"]),
        }


async def get_dags(airflow: Lists, **arguments: Any) -> Any:
    async with replayed(airflow) as session:
        return await session.ok("get_dags", **arguments)


@every_version
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"tags": ["eu,us"]}, ["a_b"]),
        ({"tags": ["eu"]}, ["aXb"]),
        ({"tags": ["eu", "us"]}, ["aXb", "x17"]),
        ({"tags": ["us", "eu,us"]}, ["a_b", "x17"]),
        ({"tags": ["eu,us"], "dag_id_pattern": "x"}, []),
        ({"dag_id_pattern": "A_B"}, ["a_b"]),
        ({"dag_id_pattern": "a%b"}, ["aXb", "a_b"]),
        ({"dag_id_pattern": "_"}, ["a_b", "sales_x"]),
        ({"dag_id_pattern": "b%a"}, []),
        ({"dag_id_pattern": "a|x1"}, []),
        ({"dag_id_pattern": "|"}, ["sales_x"]),
        ({"dag_id_pattern": "~"}, ["sales_x"]),
        ({"dag_id_pattern": "100%"}, ["sales_x"]),
        ({"dag_id_pattern": "\\"}, []),
        ({"dag_id_pattern": "a\\b"}, []),
        ({"dag_id_pattern": "отчёт"}, ["ОТЧЁТ"]),
        ({"dag_id_pattern": "daily SALES"}, ["x17"]),
        ({"dag_id_pattern": "sales"}, ["sales_x", "x17"]),
        ({"dag_id_pattern": "sales", "tags": ["us"]}, ["x17"]),
        ({"dag_id_pattern": "sales", "owners": ["ольга"]}, ["x17"]),
        ({"owners": ["ana"]}, ["aXb", "a_b"]),
        ({"owners": ["ANA_B"]}, ["a_b"]),
        ({"owners": ["ОЛЬГА", "axb"]}, ["aXb", "x17"]),
        ({"owners": ["a%b"]}, []),
    ],
    ids=repr,
)
async def test_a_filter_has_one_meaning(arguments: dict[str, Any], expected: list[str], version: str) -> None:
    airflow = Lists(version)
    answer = await get_dags(airflow, **arguments)
    assert [row["dag_id"] for row in answer["dags"]] == expected
    assert answer["total"] == len(expected)
    paged = [await get_dags(airflow, **arguments, limit=1, offset=number) for number in range(len(expected))]
    assert [page["dags"][0]["dag_id"] for page in paged] == expected
    assert [page.get("next_offset") for page in paged] == [*range(1, len(expected)), None][: len(expected)]


@every_version
async def test_a_row_has_a_display_name_where_it_is_not_the_id(version: str) -> None:
    rows = (await get_dags(Lists(version)))["dags"]
    told = {row["dag_id"]: row["dag_display_name"] for row in rows if "dag_display_name" in row}
    assert told == {"sales_x": "Other | 100% ~ name", "x17": "Daily sales"}


@every_version
async def test_those_found_by_display_name_stand_in_order(version: str) -> None:
    answer = await get_dags(Lists(version), dag_id_pattern="sales", order_by="-dag_id")
    assert [row["dag_id"] for row in answer["dags"]] == ["x17", "sales_x"]
    assert "note" not in answer


async def test_where_only_airflow_knows_the_order_those_found_by_display_name_stand_last() -> None:
    answer = await get_dags(Lists("3.3.2"), dag_id_pattern="sales", order_by="-next_dagrun")
    assert [row["dag_id"] for row in answer["dags"]] == ["sales_x", "x17"]
    assert answer["note"] == "Those found by display name stand last."
    answer = await get_dags(Lists("3.3.2"), dag_id_pattern="daily", order_by="-next_dagrun")
    assert ([row["dag_id"] for row in answer["dags"]], "note" in answer) == (["x17"], False)


@every_version
async def test_of_too_many_only_ids_are_searched_and_it_says_so(version: str) -> None:
    airflow = Lists(version, more=400)
    answer = await get_dags(airflow, dag_id_pattern="other", limit=1)
    assert answer["total"] == 400
    assert answer["note"].startswith("Only ids were searched: for display names there are over 300 DAGs")
    answer = await get_dags(airflow, dag_id_pattern="sales")
    if version < "3":  # where the server cannot look for names, it is all DAGs that there are to look through
        assert [row["dag_id"] for row in answer["dags"]] == ["sales_x"]
        assert answer["note"].startswith("Only ids were searched: ")
    else:
        assert [row["dag_id"] for row in answer["dags"]] == ["sales_x", "x17"]
        assert "note" not in answer


async def test_no_display_names_before_airflow_2_9() -> None:
    airflow = Lists("2.8.4", more=400)
    answer = await get_dags(airflow, dag_id_pattern="sales")
    assert ([row["dag_id"] for row in answer["dags"]], "note" in answer) == (["sales_x"], False)


@pytest.mark.parametrize(("arguments", "name"), [({"owners": ["ana"]}, "owners"), ({"tags": ["a,b"]}, "tags")])
async def test_too_many_to_look_through_are_refused_by_name(arguments: dict[str, Any], name: str) -> None:
    airflow = Lists("2.11.2", more=20_001)
    async with replayed(airflow) as session:
        message = await session.error("get_dags", **arguments)
    assert message.startswith(f"{name}: there are more than 20000 DAGs to look through")
    assert len(airflow.paths("GET")) < 5


@every_version
async def test_of_thousands_a_page_is_shown_as_airflow_finds_them_and_it_says_so(version: str) -> None:
    airflow = Lists(version, more=3000)
    airflow.dags |= {f"other_{number:05}": {} for number in range(1000)}
    answer = await get_dags(airflow, dag_id_pattern="other_", order_by="-dag_id", limit=2)
    assert [row["dag_id"] for row in answer["dags"]] == ["other_00999", "other_00998"]
    assert answer["total"] == 4000
    assert answer["note"].startswith("_ stands for any sign here: over 1000 DAGs match.")
    assert len(airflow.paths("GET")) < 6
    few = await get_dags(airflow, dag_id_pattern="other_0000", limit=1)
    assert (few["total"], "any sign" in few.get("note", "")) == (10, False)


@every_version
async def test_fields_are_those_asked_for_and_last_runs_are_looked_for_if_they_are(version: str) -> None:
    airflow = Lists(version)
    [row] = (await get_dags(airflow, dag_id_pattern="aXb", fields=["tags", "owners"]))["dags"]
    assert row == {"dag_id": "aXb", "tags": ["eu"], "owners": ["anaXb"]}
    assert [path for path in airflow.paths("POST") if "dagRuns" in path] == []
    [row] = (await get_dags(airflow, dag_id_pattern="aXb", fields=["last_run_state"]))["dags"]
    assert row == {"dag_id": "aXb", "last_run_state": "none"}
