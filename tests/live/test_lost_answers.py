"""A change whose answer is lost, or that somebody else makes at the same time, on both real servers."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import pytest

from tests.oracle import Oracle
from tests.session import Session, text_of

pytestmark = pytest.mark.anyio

SENDS = httpx.AsyncHTTPTransport.handle_async_request
SCENE = {
    "create": "success",
    "work[0]": "failed",
    "work[1]": "failed",
    "work[2]": "success",
    "report": "upstream_failed",
}
ALL_CHANGED = "Looked at again since: all of it has changed, by this call or another at the same time."
BY_ANOTHER = "Nothing was changed. Looked at again since: all of it has changed, by another call at the same time."
NOTHING_CHANGED = "Looked at again since: nothing of it has changed so far."


@pytest.fixture
def run_id(oracle: Oracle) -> str:
    """A failed run of a paused DAG."""
    oracle.pause("setups", True)
    made = oracle.trigger("setups")
    oracle.put("setups", made, SCENE, run="failed")
    return made


def lose_answers(patch: pytest.MonkeyPatch, *, arrives: bool) -> None:
    """A proxy that answers 502 to what changes something, and lets it through to Airflow or not."""

    async def lossy(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.method not in ("POST", "PATCH") or not is_change(request):
            return await SENDS(self, request)
        if arrives:
            answer = await SENDS(self, request)
            await answer.aread()
            assert answer.is_success, answer.text
            await answer.aclose()
        return httpx.Response(502, text="Bad Gateway")

    patch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", lossy)


def is_change(request: httpx.Request) -> bool:
    """Whether a request is neither a list nor a dry run nor a sign-in."""
    body = json.loads(request.content or b"{}")
    return not (body.get("dry_run") or request.url.path.endswith(("/list", "/dry_run", "/token")))


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize(
    ("tool", "rest"),
    [
        ("clear_task_instances", {}),
        ("set_task_instances_state", {"task_id": "work", "new_state": "success"}),
    ],
)
async def test_what_came_of_a_change_whose_answer_is_lost_is_told(
    session: Session,
    oracle: Oracle,
    run_id: str,
    tool: str,
    rest: dict[str, Any],
    arrives: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = {"dag_id": "setups", "dag_run_id": run_id, **rest}
    preview = await session.ok(tool, confirm=False, **arguments)
    before = oracle.states("setups", run_id)
    with monkeypatch.context() as patch:
        lose_answers(patch, arrives=arrives)
        sent = {**arguments, "confirm": True, "plan": preview["plan"]}
        message = text_of(await session.client.call_tool(tool, sent))
    assert (oracle.states("setups", run_id) != before) is arrives
    one_by_one = tool == "set_task_instances_state" and (oracle.major == 2 or oracle.server.release.name == "3.0")
    seen = ALL_CHANGED if not one_by_one else "2 of 3 have changed so far."  # work[0] is set, report cleared
    assert (seen if arrives else NOTHING_CHANGED) in message


async def test_two_callers_at_once_are_both_told_what_is_so(session: Session, oracle: Oracle, run_id: str) -> None:
    arguments = {"dag_id": "setups", "dag_run_id": run_id, "confirm": True}
    answers: list[Any] = []

    async def clear() -> None:
        answers.append(await session.client.call_tool("clear_task_instances", arguments))

    async with anyio.create_task_group() as group:
        group.start_soon(clear)
        group.start_soon(clear)
    assert set(oracle.states("setups", run_id).values()) == {"success", None}
    told = [text_of(each) for each in answers if each.is_error]
    assert len(told) < len(answers)
    # "so far": Airflow may refuse the second call before it has carried out the first.
    so = (ALL_CHANGED, NOTHING_CHANGED, BY_ANOTHER)
    assert [message for message in told if not any(each in message for each in so)] == []
