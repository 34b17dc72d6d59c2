"""Compressed answers: what is unpacked, what is refused, and how much memory and time either takes."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import anyio
import pytest

from airflow_mcp.airflow.http import MAX_BODY
from tests.examples import agreeable, examples
from tests.hostile.airflow import IDS, RELEASES, Request, Way, airflow, answer, connected, outcome, ways

pytestmark = pytest.mark.anyio
every_release = pytest.mark.parametrize("release", RELEASES)

MIB = 2**20
SAID = "may or may not have happened"
DAGS = Way("GET dags", "get_dags", {}, -1, changes=False)
PAUSE = Way("PATCH dags/{dag_id}", "patch_dag", examples(IDS["dag_id"])["patch_dag"], -1, changes=True)


def one_member(size: int) -> bytes:
    """Zeros as one member of gzip, made in no time: its one block, again and again. Its checksum never comes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08" + bytes(7) + block * (size // MIB)


BOMB = one_member(256 * MIB)
TWICE = gzip.compress(gzip.compress(bytes(64 * MIB)))
THRICE = gzip.compress(TWICE)
MEMBERS = gzip.compress(bytes(MIB)) * 64

GZIP = b"content-encoding: gzip"
BOMBS: dict[str, tuple[bytes, list[bytes], str]] = {
    "one": (BOMB, [GZIP], "over 16 MiB"),
    "many members": (MEMBERS, [GZIP], "over 16 MiB"),
    "twice": (TWICE, [GZIP + b", gzip"], "compressed as gzip, gzip"),
    "twice, two headers": (TWICE, [GZIP, b"Content-Encoding: GZIP"], "compressed as gzip, gzip"),
    "three deep": (THRICE, [GZIP + b",gzip,  gzip"], "compressed as gzip, gzip, gzip"),
    "deflate": (zlib.compress(bytes(64 * MIB)), [b"content-encoding: deflate"], "compressed as deflate"),
    "raw deflate": (BOMB[10:], [b"content-encoding: deflate"], "compressed as deflate"),
    "brotli": (b"\x0b\x02\x80\x61\x03", [b"content-encoding: br"], "compressed as br"),
    "zstd, then gzip": (BOMB, [b"content-encoding: zstd, gzip"], "compressed as zstd, gzip"),
    "unknown": (b"x", [b"content-encoding: x-\xff\x1b[31m"], "this server takes gzip only"),
}
"""What is in the body, the headers, and what is said."""
CUT = gzip.compress(b'{"total_entries": 1}' + bytes(1000))[:-12]
GARBLED: dict[str, tuple[bytes, list[bytes], str]] = {
    "cut off": (CUT, [GZIP], "cut off"),
    "the head alone": (CUT[:10], [GZIP], "cut off"),
    "the second member cut off": (gzip.compress(b"{}") + CUT, [GZIP], "cut off"),
    "no gzip": (b"{}", [GZIP], "cut off"),
    "a wrong checksum": (gzip.compress(b"{}")[:-8] + bytes(8), [GZIP], "cut off"),
}


def as_gzip(body: bytes) -> tuple[bytes, bytes]:
    return gzip.compress(body), GZIP


UNPACKED: dict[str, Callable[[bytes], tuple[bytes, bytes]]] = {
    "upper case": lambda body: (gzip.compress(body), b"CONTENT-ENCODING: GZip"),
    "its old name": lambda body: (gzip.compress(body), b"content-encoding: x-gzip"),
    "not packed": lambda body: (body, b"content-encoding: identity"),
    "empty": lambda body: (body, b"content-encoding:"),
    "both": lambda body: (gzip.compress(body), b"content-encoding: identity, gzip,"),
    "many members": lambda body: (b"".join(gzip.compress(body[at : at + 7]) for at in range(0, len(body), 7)), GZIP),
    "padding": lambda body: (gzip.compress(body) + bytes(512), GZIP),
    "rubbish behind": lambda body: (gzip.compress(body) + b"rubbish" * 50_000, GZIP),
}


LOG = "GET dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}"
"""Read line by line, however long it is."""


async def wrong_ways(release: str, packed: tuple[bytes, list[bytes], str], *but: str) -> list[str]:
    """The steps at which such an answer is not told, or is told wrongly; `but` these."""
    content, headers, says = packed
    wrong = []
    for way in await ways(release):
        if way.step in but:
            continue
        failed, told = await outcome(release, way, lambda _: answer(200, content, *headers))
        if not (failed or '"not_seen":["' in told) or says not in told or (SAID in told) is not way.changes:
            wrong.append(f"{way.step}: {told[:300]}")
    return wrong


@every_release
@pytest.mark.parametrize("kind", ["one", "twice"])
async def test_no_bomb_goes_off_on_any_route(kind: str, release: str) -> None:
    assert await wrong_ways(release, BOMBS[kind], *([LOG] if kind == "one" else [])) == []


@every_release
async def test_of_a_bomb_in_place_of_a_log_the_beginning_is_read(release: str) -> None:
    content, headers, _ = BOMBS["one"]
    [way] = [way for way in await ways(release) if way.step == LOG]
    failed, told = await outcome(release, way, lambda _: answer(200, content, *headers))
    assert failed  # its checksum never comes
    assert "it ends early" in told


@every_release
async def test_a_cut_off_answer_is_told_on_every_route(release: str) -> None:
    assert await wrong_ways(release, GARBLED["cut off"]) == []


@pytest.mark.parametrize("status", [201, 302, 400, 401, 403, 404, 422, 429, 500, 503])
@pytest.mark.parametrize("way", [DAGS, PAUSE], ids=["read", "change"])
async def test_each_status_is_bounded(way: Way, status: int) -> None:
    for kind in ("one", "twice"):
        content, headers, says = BOMBS[kind]
        hostile = answer(status, content, *headers)
        failed, told = await outcome("3.3", way, lambda _, whole=hostile: whole)  # type: ignore[misc]
        assert failed
        assert says in told
        assert (SAID in told) is way.changes


@pytest.mark.parametrize("kind", GARBLED)
async def test_what_does_not_unpack_is_told(kind: str) -> None:
    content, headers, says = GARBLED[kind]
    for way in (DAGS, PAUSE):
        failed, told = await outcome("3.3", way, lambda _: answer(200, content, *headers))
        assert failed
        assert says in told
        assert (SAID in told) is way.changes


@every_release
async def test_gzip_is_asked_for_alone_and_read_on_every_route(release: str) -> None:
    for way in await ways(release):
        async with airflow(release) as fake, connected(fake) as session:
            fake.map_index = way.map_index
            fake.hostile[way.step] = lambda request: repacked(fake.good(request), as_gzip)
            await session.ok(way.tool, **way.arguments)
        assert {request.headers["accept-encoding"] for request in fake.requests} == {"gzip"}


def repacked(whole: bytes, pack: Callable[[bytes], tuple[bytes, bytes]]) -> bytes:
    """A good answer, with its body packed."""
    head, body = whole.split(b"\r\n\r\n", 1)
    packed, line = pack(body)
    return b"\r\n".join([head, line, b"", packed])


@pytest.mark.parametrize("kind", UNPACKED)
async def test_what_means_gzip_is_unpacked(kind: str) -> None:
    async with airflow("3.3") as fake, connected(fake) as session:
        fake.hostile["GET dags"] = lambda request: repacked(fake.good(request), UNPACKED[kind])
        assert (await session.ok("get_dags"))["dags"][0]["dag_id"] == IDS["dag_id"]


async def test_a_drip_is_read() -> None:
    def drip(request: Request) -> Iterator[bytes | float]:
        whole = repacked(fake.good(request), as_gzip)
        yield from (part for at in range(0, len(whole), 40) for part in (whole[at : at + 40], 0.001))

    async with airflow("3.3") as fake, connected(fake) as session:
        fake.hostile["GET dags"] = drip
        assert (await session.ok("get_dags"))["total"] == 1


@pytest.mark.parametrize("length", [b"content-length: 20", b"content-length: 99999"], ids=["too short", "too long"])
@pytest.mark.parametrize("way", [DAGS, PAUSE], ids=["read", "change"])
async def test_a_length_that_lies_is_no_answer(way: Way, length: bytes) -> None:
    body = gzip.compress(b'{"dags": [], "total_entries": 0, "dag_id": "history"}')
    failed, told = await outcome("3.3", way, lambda _: answer(200, body, GZIP, length))
    assert failed
    assert (SAID in told) is way.changes
    assert "cut off" in told or "peer closed connection" in told or "RemoteProtocolError" in told


@pytest.mark.parametrize("way", [DAGS, PAUSE], ids=["read", "change"])
async def test_the_time_limit_holds_while_it_is_unpacked(way: Way) -> None:
    def endless(_: Request) -> Iterator[bytes | float]:
        yield answer(200, b"", GZIP)
        while True:  # members with nothing in them: they never come to the limit of size
            yield gzip.compress(b"") * 100
            yield 0.01

    with anyio.fail_after(5):
        failed, told = await outcome("3.3", way, endless, timeout=0.5)
    assert failed
    assert "within 0.5 s" in told
    assert (SAID in told) is way.changes


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize("step", ["GET dags", "POST auth/token", "GET api/v2/version"])
async def test_a_bomb_takes_little_memory_and_time(kind: str, step: str) -> None:
    content, headers, says = BOMBS[kind]
    async with airflow("3.3") as fake, connected(fake) as session:
        fake.hostile[step] = lambda _: answer(200, content, *headers)
        tracemalloc.start()
        try:
            with anyio.fail_after(5):
                assert says in await session.error("get_dags")
            assert tracemalloc.get_traced_memory()[1] < 4 * MAX_BODY
        finally:
            tracemalloc.stop()


async def test_an_answer_that_is_refused_leaves_the_next_one_alone() -> None:
    async with airflow("3.3") as fake, connected(fake) as session:
        fake.hostile["GET dags"] = lambda _: answer(200, TWICE, GZIP + b", gzip")
        await session.error("get_dags")
        del fake.hostile["GET dags"]
        assert (await session.ok("get_dags"))["total"] == agreeable(IDS, "3.3.2")["total_entries"]
