"""What takes long when it is made to: each pattern, and each loop over text from outside, at its worst and long."""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import httpx
import pytest

import airflow_mcp
from airflow_mcp.airflow.changes.markers import Marker, other_indexes, require_present
from airflow_mcp.airflow.failures import failure, not_json
from airflow_mcp.airflow.secrets import Secrets
from airflow_mcp.airflow.task_instances import TaskInstance
from airflow_mcp.ids import near
from airflow_mcp.instance import Instance
from airflow_mcp.release import Release
from airflow_mcp.text.evidence import Evidence
from airflow_mcp.text.evidence.line import LONGEST as LONGEST_LINE
from airflow_mcp.text.fence import safe
from airflow_mcp.text.redact import redacted_by_name
from airflow_mcp.text.secret_places import _CREDENTIALS, _PASSWORDS
from airflow_mcp.text.secret_shapes import SHAPES
from airflow_mcp.tools.present import as_text
from airflow_mcp.tools.toolsets import ALL_TOOLS
from tests.examples import agreeable, examples
from tests.hostile.airflow import IDS, RELEASES, airflow, answer, connected, ways

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]

LENGTH = 250_000
"""Of a text, in characters: what is square in it takes many seconds, what is not a fraction of one."""
PATTERNS = {
    f"{module.name}.{name}": value
    for module in walk_packages(airflow_mcp.__path__, "airflow_mcp.")
    if not module.name.endswith("__main__")
    for name, value in vars(import_module(module.name)).items()
    if isinstance(value, re.Pattern)
}


def many(text: str, end: str = "") -> str:
    return text * (LENGTH // len(text)) + end


# What each pattern goes furthest on before it fails: the same again, or a long run without the end that it wants.
WORST: dict[str, list[Any]] = {
    "airflow_mcp.text.fence._FENCE": [
        f"<{many(' ')}x",
        f"<{many('-')}",
        many("< "),
        many("<a: "),
        many("<aaaaaaaaaaaaaaa"),
        f"<{many('a')}",
        f"<a{many(' ')}:{many(' ')}",
        many("<u-n-t-r-u-s-t-e-"),
        f"<u{many('- ')}",
    ],
    "airflow_mcp.text.clean._COLOUR": [f"\x1b[{many('0')}", many("\x1b[0"), many("\x1b"), many("\x1b[;m")],
    "airflow_mcp.text.clean._INVISIBLE": [many("\u200b"), many("\u200bx"), many("x"), many("م\u200c")],
    "airflow_mcp.text.clean._NEEDED": [many("\u200b"), many("x")],
    "airflow_mcp.text.evidence.line._ESCAPE": [f"\x1b[{many('0')}", many("\x1b[0"), many("^["), many("\r")],
    "airflow_mcp.text.evidence.line._DATE": [many("2"), many("2026-11-29 "), "2026-11-29T06:00:00." + many("1")],
    "airflow_mcp.text.evidence.line._OTHER_DAY": [many("2"), many("2026-11-29 06:00:00 ")],
    "airflow_mcp.text.evidence.line._BEFORE": [many("["), many("{"), "{" + many("a"), many("06:00:00"), many("INFO")],
    "airflow_mcp.text.evidence.line._VARIABLE": [many("aaaaaaa "), many("a"), many("0x"), many(" "), many("1a")],
    "airflow_mcp.text.evidence.line._NEAR": [many("erro"), many("faifai"), many("tracebac")],
    "airflow_mcp.text.evidence.signs.MARKS": [many("."), many(".aaaaaaaa:111111:"), many(".a")],
    "airflow_mcp.text.evidence.signs.NOTHING_WRONG": [
        many("0 "),
        many("0 aaaaaaaaaaaaaaaaaaaa "),
        many("errors "),
        many("without any "),
        many("error-"),
        many("exited with "),
    ],
    "airflow_mcp.text.evidence.signs.ROUTINE": [many("::"), many("Running: ")],
    "airflow_mcp.text.evidence.signs.PASSED": [many("."), many("PASS")],
    "airflow_mcp.text.evidence.signs.PASSED_AT_THE_END": [
        many(" "),
        many("..ok "),
        many(": ok ("),
        many("ok [100%]", " x"),
    ],
    "airflow_mcp.text.evidence.signs.QUIET": [many("retr"), many("will be ")],
    "airflow_mcp.text.evidence.signs.DEBUG": [many("level="), many('"level": "')],
    "airflow_mcp.text.evidence.blocks._LISTED": [many("##[group]"), many("Running ")],
    "airflow_mcp.text.evidence.blocks._LISTED_TO": [many("##"), many("#")],
    "airflow_mcp.text.evidence.choose._WORD": [many("aa "), many("a")],
    "airflow_mcp.text.evidence.choose._TOKEN": [many("a"), many("1"), many("!"), many("\u200b")],
    "airflow_mcp.text.fence._OPENING": [many("x"), many("<")],
    "airflow_mcp.text.fence._LETTER": [many("LETTER "), many("LETTER SMALL ")],
    "airflow_mcp.text.redact._LONG_WORD": [many("a" * 15, " "), many("a" * 15 + " ")],
    "airflow_mcp.text.secret_given._GIVEN": [many("a "), many("- ")],
    "airflow_mcp.text.secret_shapes._HINT": [many("github_pat"), many("x")],
    "airflow_mcp.text.secret_places._HINT": [many(":/"), many("IDENTIFIED B")],
    "airflow_mcp.text.secret_given._SIGN": [many(" "), many("\\"), f'"]{many(" ")}', f"={many(' ')}", many("=")],
    "airflow_mcp.text.secret_given._TYPE": [
        many("a"),
        many("a."),
        f"a[{many('[')}",
        f"a{many(' | a')}",
        f"a{many('|')}",
    ],
    "airflow_mcp.text.secret_given._AFTER_OPTION": [many(" "), many("\\"), f'",{many(" ")}'],
    "airflow_mcp.text.secret_given._CALL": [many("get("), many("get( "), many("set")],
    "airflow_mcp.text.secret_given._IN_CALL": [f"',{many(' ')}", f"',default={many(' ')}"],
    "airflow_mcp.text.secret_given._NAMED": [many("name="), many("key"), many("name: ")],
    "airflow_mcp.text.secret_given._ITS_VALUE": [many(" "), f"\n{many(' ')}", f"\n{many('1')}", many("\\")],
    "airflow_mcp.text.secret_given._SAID": [many(" "), f" is{many(' ')}"],
    "airflow_mcp.text.secret_given._OPENING": [many("r"), many("\\")],
    "airflow_mcp.text.secret_given._REST": [many("a")],
    "airflow_mcp.text.secret_given._LINE": [many("a")],
    "airflow_mcp.text.secret_given._UNQUOTED": [many("a"), many("a,b"), many("a("), f"a{many(',aaaaa')}"],
    "airflow_mcp.text.secret_given._CREDENTIALS": [many("Bearer "), f"Bearer{many(' ')}", many("a")],
    "airflow_mcp.text.secret_given._BEHIND_SCHEME": [many("Bearer "), f"Bearer{many(' ')}"],
    "airflow_mcp.text.secret_given._IN_XML": [many("a"), many("a<")],
    "airflow_mcp.text.secret_given._COOKIES": [many("a"), many("a="), many("=")],
    "airflow_mcp.text.secret_names._WORD": [many("A"), many("Aa"), many("A1"), many("aA")],
    "airflow_mcp.text.secret_values._TEMPLATE": [
        many("{"),
        many("{{"),
        many("${"),
        many("$("),
        many("%("),
        many("<a"),
        many("{%"),
    ],
    "airflow_mcp.text.secret_values._FILLER": [many("*", "a"), many("[")],
    "airflow_mcp.text.secret_values._SCHEME": [many(" ", "a"), f"bearer{many(' ')}a"],
    "airflow_mcp.text.secret_values._PATH_OF_NAMES": [many("a"), many("a."), many("a1")],
    "airflow_mcp.text.secret_values._LETTERS": [many("a", "1"), many("a.", "1")],
    "airflow_mcp.text.secret_values._CONSTANT": [many("A", "a"), many("A_", "a")],
    "airflow_mcp.text.secret_values._SLUG": [many("a", "!"), many("a-", "!"), many("a-b", "!"), many("a b", "!")],
    "airflow_mcp.text.secret_values._NUMBER": [many("1"), many("1_")],
    "airflow_mcp.text.secret_values._TYPE": [many("a."), many("A"), many("Key", "!"), f"a.{many('Key', '!')}"],
    "airflow_mcp.text.secret_values._NAMES_A_SECRET": [many("pas"), many("cre")],
    "airflow_mcp.text.secret_places._IN_URL": [
        many("://"),
        many("://a:"),
        many("://a:b@"),
        f"://{many('a')}",
        f"://a:{many('b@')}",
    ],
    "airflow_mcp.text.secret_places._PORT": [many("1")],
    "airflow_mcp.text.secret_places._USER_IN_URL": [many("://"), f"://{many('a')}"],
    "airflow_mcp.text.private_keys._BEGIN": [many("-"), many("---- BEGIN "), many("---- BEGIN A ")],
    "airflow_mcp.text.private_keys._END": [many("-"), many("---- END "), many("---- END A ")],
    "airflow_mcp.text.private_keys._BODY": [
        many("a", "!"),
        many("a "),
        many("="),
        many("a="),
        many("a\\n", "!"),
        many('a" '),
    ],
    "airflow_mcp.text.private_keys._HEX": [many("a", "!")],
    "airflow_mcp.text.private_keys._HEADER": [many("A"), many("Aa")],
    "airflow_mcp.text.private_keys._ON_ONE_LINE": [many("a"), many("a "), many("aaaaaaaaaaaaaaaaaaaa ")],
    "airflow_mcp.ids._CONTROL": [many("x"), many("\x1f")],
    "airflow_mcp.ids._DAMAGED": [many("x"), many("\ud800")],
    "airflow_mcp.instance_fields._HALF_CHARACTER": [many("a")],
    "airflow_mcp.text.whole._HALF_ESCAPED": [
        many("\\"),
        many(r"\ud800"),
        many(r"\ud83d\ude00"),
        many(r"\ud8"),
        many(r"\u"),
    ],
    "airflow_mcp.text.whole._OPENS_OR_CLOSES": [
        many("["),
        '"' + many("x"),
        many('"'),
        many(r'"\u00'),
        '"' + many(r"\\"),
        '"' + many(r"\u0041"),
    ],
    "airflow_mcp.text.log_lines._STAMPED": [
        many("["),
        f"[2026-11-29T14:38:16{many('.')}",
        f"[2026-11-29T14:38:16] {{{many('a')}",
        f"[2026-11-29T14:38:16] {{a}} {many('A')}",
    ],
    "airflow_mcp.text.log_lines._MOMENT": [many("2026-11-29T14:38:16"), f"2026-11-29T14:38:16.{many('1')}"],
    "airflow_mcp.headers._NAME": [many("x", "\n"), many("\n")],
    "airflow_mcp.check._TO_ITSELF": [
        many(" ", "x"),
        many(" `airflow-mcp check` tells"),
        f"`airflow-mcp check` tells{many(' ')}",
    ],
    "airflow_mcp.airflow.sign_in.command._TOKEN": [many("a", "\n"), many("=", "\n"), many("a=")],
    "airflow_mcp.airflow.sign_in.command._SECRET_LIKE": [many("a"), many("a", " 1"), many("a1 "), many("-=")],
    "airflow_mcp.airflow.sign_in.credential._PRINTABLE": [many("a", "\n"), many("\n")],
    "airflow_mcp.airflow.secrets._CODE": [many("%"), many("%4"), many("%41")],
    "airflow_mcp.airflow.secrets._ESCAPED": [many("\\u0041"), many('\\"'), many("\\u00"), many("x")],
    "airflow_mcp.airflow.secrets._ESCAPES": [many("\\u00x").encode(), many("\\x").encode(), many("x").encode()],
    "airflow_mcp.release._RELEASE": [many("1"), f"1.{many('1')}", many("1.")],
    "airflow_mcp.text.stack_traces._PLACE": [
        many('File "'),
        many('File "a'),
        f'File "{many("a")}',
        f'File "a", line {many("1")}',
        many('File "a", line '),
    ],
    "airflow_mcp.text.raised._FRAME": [f'File "{many("a")}', many('File "a", line 1'), f'File "a", line {many("1")}'],
    "airflow_mcp.diagnosis.retry._PASSING": [many("time"), many("connection "), many("try agai"), many("temporar ")],
    "airflow_mcp.diagnosis.retry._KILLED": [many("sigkil"), many("out of memor"), many("137x")],
    "airflow_mcp.diagnosis.retry._MODULE": [many("No module named '"), f"No module named '{many('a')}"],
    "airflow_mcp.diagnosis.retry._CONNECTION": [many("conn_id `"), f"conn_id `{many('a')}"],
    "airflow_mcp.diagnosis.retry._VARIABLE": [many("Variable "), many("Variable a "), f"Variable {many('a')}"],
    "airflow_mcp.diagnosis.retry._TABLE": [many("relation "), f"no such table: {many('a')}"],
    "airflow_mcp.diagnosis.retry._FILE": [many("No such file or directory: '"), many("No such file or directory")],
    "airflow_mcp.diagnosis.retry._COMMAND": [many("command not "), many("command ")],
    "airflow_mcp.diagnosis.retry._ACCESS": [many("permission "), many("access "), many("403x")],
    "airflow_mcp.diagnosis.retry._CREDENTIALS": [many("authentica"), many("401x")],
    "airflow_mcp.diagnosis.retry._CODE": [many("SyntaxErro"), many("Import")],
    "airflow_mcp.text.stack_traces._UNINDENTED": [many("\n"), many("\n ")],
    "airflow_mcp.airflow.failures._DAG": [
        f"the source code of the dag {many('a')}",
        many("the source code of the dag a, version_number "),
        many("the dag run "),
    ],
    "airflow_mcp.airflow.failures._RUN": [many("dag"), many("dag "), many("x")],
    "airflow_mcp.airflow.failures._TITLE": [
        many("<title>"),
        f"<title>{many(' ')}<",
        many("<title> "),
        f"<title>{many(' ')}1<",
        many("<TITLE"),
    ],
    "airflow_mcp.airflow.changes.markers._WITH_INDEX": [f"a[{many('1')}", many("a[1"), many("a[1]", "x"), many("[")],
}


@contextmanager
def at_once() -> Iterator[None]:
    """Within a second of work, since others work here too."""
    started = time.process_time()
    yield
    assert time.process_time() - started < 1


def test_each_pattern_is_tried() -> None:
    assert PATTERNS.keys() - WORST.keys() <= {name for name in PATTERNS if name.startswith("airflow_mcp.demo.")}


def test_each_pattern_has_a_name() -> None:
    """Else it could not be tried here."""
    unnamed = [
        f"{file.name}:{node.lineno}"
        for file in Path(airflow_mcp.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "re"
        if node.attr not in ("compile", "IGNORECASE", "DOTALL", "Pattern", "Match", "escape")
    ]
    assert unnamed == []


@pytest.mark.parametrize(("name", "number"), [(name, at) for name, texts in WORST.items() for at in range(len(texts))])
def test_a_pattern_takes_no_longer_than_its_text(name: str, number: int) -> None:
    module, _, constant = name.rpartition(".")
    own = Path(str(import_module(module).__file__))
    files = [own] if constant.startswith("_") else own.parent.glob("*.py")  # others of its package use it too
    used = {each for file in files for each in re.findall(rf"\b{constant}\.(\w+)\(", file.read_text("utf-8"))}
    assert used
    for method in used:
        call = getattr(PATTERNS[name], method)
        with at_once():
            call("", WORST[name][number]) if method == "sub" else call(WORST[name][number])


MESSY = "".join("ab"[(number * number // 7) % 2] for number in range(199))
MARKERS = [Marker("load", number) for number in range(LENGTH // 100)]
INSTANCES = [TaskInstance("etl", "run", "load", number, "failed") for number in reversed(range(LENGTH // 100))]

LIKE_ITSELF = "a" * 8000 + "b"


def masked(**answer: Any) -> httpx.Response:
    """An answer to a request with a token that nearly everything in the answer begins like."""
    secrets = Secrets()
    request = httpx.Request("GET", "http://airflow.test/", headers={"authorization": f"Bearer {LIKE_ITSELF}"})
    secrets.note(request)
    response = httpx.Response(400, request=request, **answer)
    secrets.mask_headers(response)
    return secrets.masked(response)


def evidence(line: str) -> object:
    """A log whose lines are all the same, but for what makes them be looked at again."""
    kept = Evidence(6000)
    for number in range(LENGTH // LONGEST_LINE):
        kept.add(number, f"{shown_number(number)}{line * (LONGEST_LINE // len(line))}")
    return kept.lines()


def shown_number(number: int) -> str:
    """In letters: numbers are taken for the same."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


# What each shape of a line wants again and again, and what is long without its end.
LINES = [
    *("a", " ", "_", "=", ".", "x.", "a:", "E   ", "[a] ", "> ", "+ ", "#1 [", '"level": ', "HTTP ", "status 4"),
    *("expect ", "exit ", "exit with an ", "return code ", "non-zero ", "1 a b ", "error", "error [", "error(a"),
    *("A1Error", "Exception in thread ", "Unhandled ", "Caused by ", "thread 'a", "no such", "does ", "unsatis"),
    *("a.b:1:", "at ", "make["),
]


# Each hint by itself without end, and what could be a secret, is looked at, and is none.
LIKE_SECRETS = [
    *(many(shape.hint) for shape in SHAPES),
    *(many(f"{shape.hint} ") for shape in SHAPES),
    *(many(f"{hint} ") for hint, _ in _PASSWORDS),
    *(many(f"{hint} ") for hint, _, _ in _CREDENTIALS),
    many("password"),
    many("password="),
    many("password=a("),
    many("password=a(-."),
    many("password= "),
    many("password='"),
    many("password='{{"),
    many("password='$A "),
    many("password=\\'$A "),
    many('token=\\"5\\" '),
    many('password="""'),
    many("cookie: a=*** "),
    many("authorization: ***"),
    many("--token "),
    many("get('token', "),
    many("<password>"),
    many("password: str | "),
    many("password: a["),
    many("x" * 60 + "password"),
    many("PRIVATE KEY\n"),
    many("-----BEGIN PRIVATE KEY-----"),
    many("-----BEGIN PRIVATE KEY-----\n"),
    many("-----END PRIVATE KEY-----\n"),
    many("aB3/" * 16 + "\n"),
    many("aB3/" * 16),
    many("://a:b"),
    many("sk-a"),
    many("eyJaaaaaaaaaa."),
]

FUNCTIONS: dict[str, Callable[[], object]] = {
    **{f"a log of {line!r}": partial(evidence, line) for line in LINES},
    "fences": lambda: safe(many("x <" + " " * 1000)),
    "fences in another script": lambda: safe(many("\u2039 </\u057dntr us\u0435")),
    **{f"secrets in {text[:24]!r}": partial(safe, text[: LENGTH // 5]) for text in LIKE_SECRETS},
    "names of secrets in JSON": lambda: redacted_by_name({f"password{number}": "a" for number in range(LENGTH // 20)}),
    "what hides": lambda: safe(many("👩\ufe0f\u200d\u200bم\u200c")),
    "characters that all differ": lambda: safe("<" + "".join(map(chr, range(0x3400, 0x3400 + LENGTH // 10)))),
    "a version": lambda: Release.parse("9" * LENGTH),
    "near ids": lambda: near("ab" * 99, [f"{'ba' * 50}{'ab' * 48}{number}" for number in range(LENGTH // 200)], 3, 0.5),
    "near ids of few letters": lambda: near(MESSY, [MESSY[at % 199 :] + MESSY[: at % 199] for at in range(5000)], 3),
    "rows without a common column": lambda: as_text({"rows": [{f"a{number}": 1} for number in range(LENGTH // 10)]}),
    "many markers": lambda: other_indexes(MARKERS, INSTANCES),
    "many markers that are there": lambda: require_present(MARKERS, INSTANCES, "etl"),
    "a text like a token": lambda: masked(content=many("a").encode()),
    "JSON like a token": lambda: masked(json={"detail": many("a") + "\\/"}),
    "a header like a token": lambda: masked(headers={"location": "a" * 100_000}),
    "a header of many encodings": lambda: masked(headers={"location": "%" + "25" * 50_000}),
    "a title": lambda: failure(page(b"<title>" + b" " * LENGTH), Instance()),
    "a title in an encoding that takes a square": lambda: failure(page(many("a-b").encode(), b"punycode"), Instance()),
    "a title in an encoding that unpacks": lambda: failure(page(many("x").encode(), b"zlib_codec"), Instance()),
    "a charset of many parameters": lambda: failure(page(b"<title>x", b"x" + b';"' * 50_000), Instance()),
    "a type of many parameters": lambda: not_json(page(b"", b"x" + b';"' * 50_000), Instance(), change=False),
}


def page(body: bytes, charset: bytes = b"utf-8") -> httpx.Response:
    headers = [(b"content-type", b"text/html; charset=" + charset)]
    return httpx.Response(502, headers=headers, content=body, request=httpx.Request("GET", "http://airflow.test/"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_no_longer_than_its_text(name: str) -> None:
    with at_once():
        FUNCTIONS[name]()


# -- what Airflow answers

TEXTS = {
    "blanks after a bracket": "<" + " " * LENGTH,
    "brackets and blanks": many("x <  "),
    "escapes": many("\x1b[0"),
    "nothing to be seen": many("\u200b"),
    "one word": many("a"),
}


def filled(value: Any, text: str) -> Any:
    """The same answer with all of its texts but ids and dates made long."""
    if isinstance(value, dict):
        kept = {*IDS, "logical_date", "state", "version", "access_token"}
        return {name: each if name in kept else filled(each, text) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, text) for each in value]
    return text if isinstance(value, str) else value


@pytest.mark.parametrize("kind", TEXTS)
async def test_a_long_text_of_airflow_holds_nobody_up(kind: str) -> None:
    text = TEXTS[kind][: LENGTH // 8]  # in many places, and six bytes a character
    more = {"doc_md": text, "description": text, "params": {"a": {"value": text, "description": text}}, "tags": [text]}
    for tool in ("get_dag_details", "get_dag_source"):
        async with airflow("3.3") as fake, connected(fake) as session:
            body = filled(agreeable(IDS, "3.3.2"), text) | {"owners": [text]} | more
            for step in ("GET dags/{dag_id}/details", "GET dagSources/{dag_id}"):
                fake.hostile[step] = lambda _: answer(200, body)  # noqa: B023
            started = time.process_time()
            await session.ok(tool, dag_id=IDS["dag_id"])
            assert time.process_time() - started < 6


@pytest.mark.parametrize("status", [400, 422, 500])
async def test_a_long_refusal_is_told_in_short(status: int) -> None:
    for release in RELEASES:
        for way in [way for way in await ways(release) if way.step in ("GET dags", "PATCH dags/{dag_id}")]:
            async with airflow(release) as fake, connected(fake) as session:
                fake.map_index = way.map_index
                body = (
                    {"detail": "<" + " " * LENGTH + "x", "title": "x" * LENGTH}
                    if status < 500
                    else b"<title>" + b" " * LENGTH
                )
                fake.hostile[way.step] = lambda _: answer(status, body)  # noqa: B023
                assert len(await session.error(way.tool, **way.arguments)) < 3000


# -- what a client sends

LONG = "x" * LENGTH
STRINGS = [
    (spec.name, name, LONG if part.annotation in (str, str | None) or "Id" in str(part.annotation) else [LONG])
    for spec in ALL_TOOLS
    for name, part in spec.arguments.model_fields.items()
    if "str" in str(part.annotation) or "Id" in str(part.annotation)
]


@pytest.mark.parametrize(("tool", "name", "value"), STRINGS, ids=[f"{tool} {name}" for tool, name, _ in STRINGS])
async def test_a_long_argument_is_refused_by_name(tool: str, name: str, value: str | list[str]) -> None:
    async with airflow("3.3") as fake, connected(fake) as session:
        for given in (value, [LONG] if isinstance(value, str) else LONG, ["x"] * (LENGTH // 4)):
            with at_once():
                message = await session.error(tool, **{**examples()[tool], name: given})
            assert re.search(rf"\b{name}\b", message)
            assert len(message) < 2000
        assert fake.requests == []


async def test_arguments_without_end_are_told_in_short() -> None:
    async with airflow("3.3") as fake, connected(fake) as session:
        for arguments in ({LONG: 1}, {f"limits{number}": 1 for number in range(LENGTH // 20)}, {"limit": LONG}):
            with at_once():
                message = await session.error("get_dags", **arguments)
            assert len(message) < 10_000
        message = await session.error("get_dags", **{f"limits{number}": 1 for number in range(1000)})
        assert message.endswith("And 990 more.")
        assert fake.requests == []


async def test_filters_too_long_for_a_request_are_said_to_be() -> None:
    async with airflow("3.3") as fake, connected(fake) as session:
        message = await session.error("get_dags", tags=["x" * 100] * 1000)
        assert "too long for one request: give fewer, or shorter ones. Nothing was sent." in message
        assert "GET dags" not in [request.step for request in fake.requests]


def test_rows_that_are_alike_still_become_columns() -> None:
    rows = [{"task_id": f"t{number}", "state": "failed"} for number in range(2000)]
    written = json.loads(as_text({"rows": [*rows, {"task_id": "last"}]}))
    assert written["rows"]["columns"] == ["task_id", "state"]
    assert written["rows"]["rows"][-1] == ["last", None]
