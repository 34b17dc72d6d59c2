"""The settings and the command line: each variable, each mistake in one line, and no secret anywhere."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import pytest

import airflow_mcp
import airflow_mcp.check
import airflow_mcp.server
import airflow_mcp.stdio
from airflow_mcp.__main__ import main
from airflow_mcp.check import Finding
from airflow_mcp.errors import SettingsError
from airflow_mcp.instance import PREFIX, Instance, variable
from airflow_mcp.settings import FIELDS, Policy, Settings, load_settings
from tests.fakes import Airflow

SECRET = "s3cret"
NAMES = [variable(name) for name in FIELDS]


def load(**variables: str) -> Instance:
    """The Airflow that variables name, given here without their prefix."""
    return load_all(**variables).instances[0]


def load_all(**variables: str) -> Settings:
    return load_settings({PREFIX + name: value for name, value in variables.items()})


def refusal(**variables: str) -> str:
    with pytest.raises(SettingsError) as error:
        load(**variables)
    message = str(error.value)
    assert "\n" not in message
    assert not message.startswith(" ")
    return message


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "secret.txt"
    path.write_text(f"{SECRET}\n")
    return str(path)


# -- each variable


def test_the_defaults() -> None:
    settings = load_settings({})
    assert settings == Settings((Instance(),), Policy())
    assert settings.policy.model_dump() == {"confirm": "argument", "preview_tools": True}
    assert settings.instances[0].model_dump() == {
        "url": "http://localhost:8080",
        "ui_url": None,
        "username": None,
        "password": None,
        "password_file": None,
        "token": None,
        "token_file": None,
        "token_command": None,
        "cookie": None,
        "cookie_file": None,
        "auth": "auto",
        "kerberos_service": "airflow",
        "kerberos_host": None,
        "kerberos_principal": None,
        "kerberos_keytab": None,
        "kerberos_ccache": None,
        "api_version": "auto",
        "verify_ssl": True,
        "ca_bundle": None,
        "client_cert": None,
        "client_key": None,
        "client_key_password": None,
        "headers": None,
        "headers_file": None,
        "timeout": 30,
        "read_only": False,
    }


@pytest.mark.parametrize(
    ("variables", "field", "value"),
    [
        ({"URL": "https://airflow.example.com/prefix"}, "url", "https://airflow.example.com/prefix"),
        ({"USERNAME": "ана", "PASSWORD": "x"}, "username", "ана"),
        ({"API_VERSION": "v1"}, "api_version", "v1"),
        ({"API_VERSION": "v2"}, "api_version", "v2"),
        ({"API_VERSION": "auto"}, "api_version", "auto"),
        *[({"VERIFY_SSL": word}, "verify_ssl", False) for word in ("false", "False", "0", "no", "off")],
        *[({"READ_ONLY": word}, "read_only", True) for word in ("true", "TRUE", "1", "yes", "on")],
        ({"TIMEOUT": "2.5"}, "timeout", 2.5),
        ({"TIMEOUT": "600"}, "timeout", 600),
        ({"TOKEN_COMMAND": "az account get-access-token"}, "program", "az"),
        ({"TOKEN_COMMAND": "'/opt/my tools/get-token' --for airflow"}, "program", "get-token"),
        ({}, "program", ""),
    ],
    ids=str,
)
def test_a_variable_is_read(variables: dict[str, str], field: str, value: object) -> None:
    assert getattr(load(**variables), field) == value


def test_the_policy_is_read() -> None:
    assert load_all(CONFIRM="plan", URL="http://a.test") == Settings(
        (Instance(url="http://a.test"),), Policy(confirm="plan")
    )


def test_secrets_are_read(file: str) -> None:
    assert load(USERNAME="ana", PASSWORD="p w ").read("password") == "p w "
    assert load(USERNAME="ana", PASSWORD_FILE=file).read("password") == SECRET
    assert load(TOKEN="abc").read_header("token") == "abc"
    assert load(TOKEN_FILE=file).read("token") == SECRET
    assert load(CA_BUNDLE=file).ca_bundle == Path(file)
    assert (load().read("password"), load().read("token")) == ("", "")
    assert load(COOKIE=" session=abc ").read_header("cookie") == "session=abc"
    assert load(COOKIE_FILE=file).read_header("cookie") == SECRET
    assert load(HEADERS="X-A: 1\nX-B: 2").read_headers() == {"x-a": "1", "x-b": "2"}
    assert load().read_headers() == {}


def test_a_headers_file_is_read_at_each_use(tmp_path: Path) -> None:
    path = tmp_path / "headers"
    path.write_text("X-A: 1\r\n\r\nX-B: 2\r\n")
    settings = load(HEADERS_FILE=str(path))
    assert settings.read_headers() == {"x-a": "1", "x-b": "2"}
    path.write_text("X-A: 3")
    assert settings.read_headers() == {"x-a": "3"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("get-token", ["get-token"]),
        ("  get-token  --for airflow\n", ["get-token", "--for", "airflow"]),
        ("'/opt/my tools/get-token' \"a b\" c\\ d", ["/opt/my tools/get-token", "a b", "c d"]),
        ("sh -c 'get-token | tail -1'", ["sh", "-c", "get-token | tail -1"]),
        ("get-token $HOME ~ * ; | && #", ["get-token", "$HOME", "~", "*", ";", "|", "&&", "#"]),
    ],
)
def test_a_command_is_split_into_words_and_nothing_else(line: str, words: list[str]) -> None:
    assert load(TOKEN_COMMAND=line).read_command() == words


def test_a_file_may_be_named_from_home(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(Path(file).parent))
    assert load(TOKEN_FILE="~/secret.txt").read("token") == SECRET


def test_an_empty_variable_is_not_set() -> None:
    assert load_settings(dict.fromkeys(NAMES, "")) == Settings.for_one()
    assert load_settings(dict.fromkeys(NAMES, " \t")) == Settings.for_one()
    assert load_settings({"PATH": "/bin", "AIRFLOW_HOME": "/x", "AIRFLOW_MCPX": "y"}) == Settings.for_one()


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://airflow.example.com/", "https://airflow.example.com"),
        (" https://airflow.example.com ", "https://airflow.example.com"),
        ("https://host/team/airflow//", "https://host/team/airflow"),
        ("https://host/airflow/api/v1/", "https://host/airflow"),
        ("https://host/api/v2", "https://host"),
        ("HTTPS://Host:8443/A", "https://Host:8443/A"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://10.0.0.7", "http://10.0.0.7"),
        ("http://host/api/v3", "http://host/api/v3"),
    ],
)
def test_an_address_is_kept_without_what_we_add(given: str, url: str) -> None:
    assert load(URL=given).url == url


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("localhost:8080", "must look like https://airflow.example.com"),
        ("airflow.example.com", "must look like"),
        ("//airflow.example.com", "must look like"),
        ("ftp://airflow.example.com", "must look like"),
        ("file:///etc/passwd", "must look like"),
        ("http://", "must look like"),
        ("http:///dags", "must look like"),
        ("http://a b", "must look like"),
        ("http://a\nb", "must look like"),
        ("http://airflow.example.com?x=1", "must end with the path"),
        ("http://airflow.example.com/#/home", "must end with the path"),
        ("http://ana@airflow.example.com", "must not hold credentials: set AIRFLOW_MCP_USERNAME"),
        ("http://:s3cret@airflow.example.com", "must not hold credentials"),
        ("http://ana:s3cret@airflow.example.com", "must not hold credentials"),
        ("http://airflow.example.com:port", "port"),
        ("http://airflow.example.com:99999", "port"),
        ("http://[::1", ""),
        # Half of a password whose slash nobody encoded stands where a port does.
        ("http://ana:s3cret/x@airflow.example.com", ""),
        ("http://ana:s3cret@air\u2100flow.example.com", ""),
        # Hosts that IDNA refuses, or that its decoding does; and what is in no URL.
        *[(f"http://{host}", "host") for host in ("xn--\u0130", "xn--", "xn--a.test", "xn--ls8h.la", "\u2488.test")],
        *[(f"http://{host}", "host") for host in ("a\u00adb", "\u200d", "\U0001f4a9.la", "999.999.999.999", "[v1.a]")],
        *[(f"http://{host}", "host") for host in ("a\x00b", "a/\x00", "a" * 255 + "\u0436")],
        ("http://a/\ud800", "not UTF-8"),
        ("http://a" + "b" * 100_000, "100008 characters long; 16384 are allowed"),
        ("http://a/" + "b" * 100_000, "100009 characters long; 16384 are allowed"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_an_address_that_cannot_be_one(given: str, says: str) -> None:
    message = refusal(URL=given)
    assert message.startswith("AIRFLOW_MCP_URL: ")
    assert says in message.lower() or says in message
    assert SECRET not in message


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.annotation not in (bool, float)])
@pytest.mark.parametrize(
    "value",
    [
        "x" * 100_000,
        "1" * 5000,
        "x" * 16_384,
        "/" + "x/" * 5000,
        "a\x00b",
        "\ud800",
        "\udcff",
        "\u0130",
        "~\x00",
        "{0}%s",
        "/{0}{x}%s",
    ],
    ids=lambda value: ascii(value)[:12],
)
@pytest.mark.anyio
async def test_no_value_of_a_setting_ends_in_a_traceback(name: str, value: str, file: str) -> None:
    """It is refused at the start by name, or taken; then a call ends in an error that can be read, or in none."""
    also = {
        "username": {"password": "x"},
        "password": {"username": "ana"},
        "password_file": {"username": "ana"},
        "client_cert": {"url": "https://a.test"},
        "client_key": {"url": "https://a.test", "client_cert": file},
        "client_key_password": {"url": "https://a.test", "client_cert": file},
    }.get(name, {"auth": "kerberos", "api_version": "v1"} if name.startswith("kerberos_") else {})
    try:
        settings = load_settings({variable(field): text for field, text in {**also, name: value}.items()})
    except SettingsError as error:
        assert variable(name) in str(error)
        assert len(str(error)) < 200
        return
    given = httpx.MockTransport(lambda request: httpx.Response(200, json={"version": "3.3.0", "access_token": "abc"}))
    lines = [str(line) async for line in airflow_mcp.check.findings(settings.instances[0], given)]
    assert "\n".join(lines).encode()


# -- each mistake, in one line that names the variable and never the value


@pytest.mark.parametrize(
    ("variables", "name", "says"),
    [
        ({"API_VERSION": "s3cret"}, "API_VERSION", "'auto', 'v1' or 'v2'"),
        ({"API_VERSION": "V2"}, "API_VERSION", "'auto', 'v1' or 'v2'"),
        ({"VERIFY_SSL": "s3cret"}, "VERIFY_SSL", "must be true or false"),
        ({"READ_ONLY": "s3cret"}, "READ_ONLY", "must be true or false"),
        ({"TIMEOUT": "s3cret"}, "TIMEOUT", "must be a number"),
        ({"TIMEOUT": "30s3cret"}, "TIMEOUT", "must be a number"),
        ({"TIMEOUT": "0"}, "TIMEOUT", "greater than 0"),
        ({"TIMEOUT": "-1"}, "TIMEOUT", "greater than 0"),
        ({"TIMEOUT": "601"}, "TIMEOUT", "must be at most 600"),
        ({"TIMEOUT": "inf"}, "TIMEOUT", "600"),
        ({"TIMEOUT": "nan"}, "TIMEOUT", ""),
        ({"CONFIRM": "s3cret"}, "CONFIRM", "'argument' or 'plan'"),
        ({"CONFIRM": "human"}, "CONFIRM", "'argument' or 'plan'"),
        (
            {"PASSWORD_FILE": "/nowhere/at-all", "USERNAME": "ana"},
            "PASSWORD_FILE",
            "there is no such file (/nowhere/at-all)",
        ),
        ({"TOKEN_FILE": "/nowhere/at-all"}, "TOKEN_FILE", "there is no such file (/nowhere/at-all)"),
        ({"TOKEN_FILE": "/"}, "TOKEN_FILE", "is not a file (/)"),
        ({"CA_BUNDLE": "/nowhere/at-all"}, "CA_BUNDLE", "there is no such file (/nowhere/at-all)"),
        ({"COOKIE_FILE": "/nowhere/at-all"}, "COOKIE_FILE", "there is no such file (/nowhere/at-all)"),
        ({"COOKIE_FILE": "/"}, "COOKIE_FILE", "is not a file (/)"),
        ({"HEADERS_FILE": "/nowhere/at-all"}, "HEADERS_FILE", "there is no such file (/nowhere/at-all)"),
        ({"HEADERS_FILE": "/"}, "HEADERS_FILE", "is not a file (/)"),
        (
            {"CLIENT_CERT": "/nowhere/at-all", "URL": "https://a.test"},
            "CLIENT_CERT",
            "there is no such file (/nowhere/at-all)",
        ),
        ({"CLIENT_CERT": "/", "URL": "https://a.test"}, "CLIENT_CERT", "is not a file (/)"),
        ({"CLIENT_KEY": "/nowhere/at-all"}, "CLIENT_KEY", "there is no such file (/nowhere/at-all)"),
        # What names no place may be the secret itself, in the wrong variable.
        ({"TOKEN_FILE": "s3cret"}, "TOKEN_FILE", "there is no such file: give its whole path"),
        ({"PASSWORD_FILE": "~/no-s\x1b[2Juch", "USERNAME": "ana"}, "PASSWORD_FILE", "/no-s\u241b[2Juch)"),
        ({"TOKEN_COMMAND": "get-token 's3cret"}, "TOKEN_COMMAND", "is not a command line: no closing quotation"),
        ({"TOKEN_COMMAND": "get-token s3cret\\"}, "TOKEN_COMMAND", "is not a command line: no escaped character"),
        ({"TOKEN_COMMAND": "''"}, "TOKEN_COMMAND", "is not a command line: names no program"),
        ({"TOKEN_COMMAND": "'' s3cret"}, "TOKEN_COMMAND", "is not a command line: names no program"),
        ({"HEADERS": "s3cret"}, "HEADERS", "line 1 has no colon"),
        ({"HEADERS": "X-A: 1\ns3cret name: 1"}, "HEADERS", "line 2 has a name that no header can have"),
        ({"HEADERS": "X-A: s3cr\u00e9t s3cret"}, "HEADERS", "line 1 holds"),
        ({"HEADERS": "X-A: s3cret\nx-a: s3cret"}, "HEADERS", "line 2 sets x-a again"),
        ({"HEADERS": "Host: s3cret"}, "HEADERS", "line 1 sets host, which this server sets itself"),
    ],
    ids=str,
)
def test_a_wrong_value(variables: dict[str, str], name: str, says: str) -> None:
    message = refusal(**variables)
    assert message.startswith(f"AIRFLOW_MCP_{name}: ")
    assert says in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({"USERNAME": "ana", "PASSWORD": SECRET, "PASSWORD_FILE": "file"}, ["PASSWORD and", "PASSWORD_FILE", "keep"]),
        ({"TOKEN": SECRET, "TOKEN_FILE": "file"}, ["TOKEN and", "TOKEN_FILE", "keep one"]),
        ({"TOKEN": SECRET, "USERNAME": "ana"}, ["TOKEN", "USERNAME", "keep one sign-in"]),
        ({"TOKEN": SECRET, "USERNAME": "ana", "PASSWORD": SECRET}, ["TOKEN", "USERNAME", "keep one sign-in"]),
        ({"TOKEN_FILE": "file", "PASSWORD": SECRET}, ["TOKEN_FILE", "PASSWORD", "keep one sign-in"]),
        ({"USERNAME": "ana"}, ["USERNAME", "without AIRFLOW_MCP_PASSWORD or its _FILE"]),
        ({"PASSWORD": SECRET}, ["PASSWORD", "without AIRFLOW_MCP_USERNAME"]),
        ({"PASSWORD_FILE": "file"}, ["PASSWORD_FILE is set", "without AIRFLOW_MCP_USERNAME"]),
        ({"COOKIE": SECRET, "COOKIE_FILE": "file"}, ["MCP_COOKIE and", "COOKIE_FILE", "keep one"]),
        ({"HEADERS": "X-A: s3cret", "HEADERS_FILE": "file"}, ["MCP_HEADERS and", "HEADERS_FILE", "keep one"]),
        ({"CLIENT_KEY": "file"}, ["CLIENT_KEY", "without AIRFLOW_MCP_CLIENT_CERT"]),
        ({"CLIENT_KEY_PASSWORD": SECRET}, ["CLIENT_KEY_PASSWORD", "without AIRFLOW_MCP_CLIENT_CERT"]),
        ({"CLIENT_CERT": "file"}, ["CLIENT_CERT", "needs an https address in AIRFLOW_MCP_URL"]),
        ({"CLIENT_CERT": "file", "URL": "http://a.test"}, ["CLIENT_CERT", "needs an https address in AIRFLOW_MCP_URL"]),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_settings_that_do_not_go_together(variables: dict[str, str], names: list[str], file: str) -> None:
    message = refusal(**{name: file if value == "file" else value for name, value in variables.items()})
    assert message.startswith("AIRFLOW_MCP_")
    assert [name for name in names if name not in message] == []
    assert SECRET not in message


WAYS = {"USERNAME": "password", "TOKEN_COMMAND": "command", "AUTH": "kerberos"}
"""What a sign-in is called, where that is not the first word of the variable that chooses it."""

SIGN_INS = {
    "USERNAME": {"USERNAME": "ana", "PASSWORD": SECRET},
    "TOKEN": {"TOKEN": SECRET},
    "TOKEN_FILE": {"TOKEN_FILE": "file"},
    "TOKEN_COMMAND": {"TOKEN_COMMAND": f"get-token {SECRET}"},
    "COOKIE": {"COOKIE": f"session={SECRET}"},
    "COOKIE_FILE": {"COOKIE_FILE": "file"},
    "AUTH": {"AUTH": "kerberos"},
}


@pytest.mark.parametrize(
    ("one", "another"), [pair for pair in combinations(SIGN_INS, 2) if not pair[1].startswith(pair[0] + "_F")]
)
def test_only_one_sign_in_may_be_set(one: str, another: str, file: str) -> None:
    both = {name: file if value == "file" else value for name, value in (SIGN_INS[one] | SIGN_INS[another]).items()}
    message = refusal(**both)
    assert "are both set: keep one sign-in" in message
    assert re.search(rf"AIRFLOW_MCP_{one}\b", message)
    assert re.search(rf"AIRFLOW_MCP_{another}\b", message)
    assert SECRET not in message


@pytest.mark.parametrize("sign_in", SIGN_INS)
def test_each_sign_in_goes_with_headers_and_a_client_certificate(sign_in: str, file: str) -> None:
    given = {name: file if value == "file" else value for name, value in SIGN_INS[sign_in].items()}
    settings = load(URL="https://a.test", HEADERS="X-A: 1", CLIENT_CERT=file, CLIENT_KEY=file, **given)
    assert settings.sign_in == WAYS.get(sign_in, sign_in.removesuffix("_FILE").lower())
    assert settings.read_headers() == {"x-a": "1"}


@pytest.mark.parametrize("sign_in", SIGN_INS)
@pytest.mark.parametrize("source", ["HEADERS", "HEADERS_FILE"])
def test_the_header_that_a_sign_in_sets_cannot_be_set_twice(
    sign_in: str, source: str, file: str, tmp_path: Path
) -> None:
    taken, free = ("Cookie", "Authorization") if sign_in.startswith("COOKIE") else ("Authorization", "Cookie")
    given = {name: file if value == "file" else value for name, value in SIGN_INS[sign_in].items()}
    headers = tmp_path / "headers"

    def read(text: str) -> dict[str, str]:
        headers.write_text(text)
        return load(**given, **{source: text if source == "HEADERS" else str(headers)}).read_headers()

    assert read(f"{free}: {SECRET}") == {free.lower(): SECRET}
    with pytest.raises(SettingsError) as error:
        read(f"X-A: 1\n{taken}: {SECRET}")
    assert str(error.value).startswith(f"AIRFLOW_MCP_{source}: {taken.lower()} is what the sign-in sets: remove it")
    assert SECRET not in str(error.value)


def test_without_a_sign_in_headers_may_be_one() -> None:
    settings = load(HEADERS=f"Authorization: Basic {SECRET}\nCookie: a={SECRET}")
    assert settings.read_headers() == {"authorization": f"Basic {SECRET}", "cookie": f"a={SECRET}"}
    assert settings.sign_in is None


@pytest.mark.parametrize("name", ["TOKEN", "COOKIE"])
@pytest.mark.parametrize(
    "value",
    ["s3cret\r\nX-Evil: 1", "s3cret\nmore", "s3cret\x00", "s3cr\u00e9t s3cret", "s3cret\u200b"],
    ids=ascii,
)
def test_a_secret_that_no_header_can_hold_is_named_and_not_told(name: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(value.encode())
    for source, settings in ((name, load(**{name: value})), (f"{name}_FILE", load(**{f"{name}_FILE": str(path)}))):
        with pytest.raises(SettingsError, match=rf"^AIRFLOW_MCP_{source}: it holds a line break or another") as error:
            settings.read_header("token" if name == "TOKEN" else "cookie")
        assert SECRET not in str(error.value)


@pytest.mark.parametrize("name", ["TOKEN_FILE", "COOKIE_FILE", "HEADERS_FILE"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Path.unlink, "cannot be read: No such file or directory. Check the file."),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read: Is a directory. Check the file."),
        (lambda path: path.write_text(" \n\t\n"), "the file is empty."),
        (lambda path: path.write_bytes(b"\xff\xfes\x003\x00"), "the file is not text. Check the file."),
    ],
    ids=["missing", "folder", "empty", "not text"],
)
def test_a_file_that_became_useless_is_named(name: str, change: Any, says: str, file: str) -> None:
    settings = load(**{name: file})
    change(Path(file))
    with pytest.raises(SettingsError) as error:
        if name == "HEADERS_FILE":
            settings.read_headers()
        else:
            settings.read_header("token" if name == "TOKEN_FILE" else "cookie")
    assert str(error.value).startswith(f"AIRFLOW_MCP_{name}: {says}")


@pytest.mark.parametrize("name", ["TOKEN_FILE", "COOKIE_FILE", "HEADERS_FILE"])
def test_a_file_that_may_not_be_read_is_named(name: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")  # as for any user but root

    settings = load(**{name: file})
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(SettingsError, match=rf"^AIRFLOW_MCP_{name}: cannot be read: Permission denied"):
        settings.read("headers" if name == "HEADERS_FILE" else "token" if name == "TOKEN_FILE" else "cookie")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("TOKN", "TOKEN"), ("USER", "USERNAME"), ("PASSWD", "PASSWORD"), ("READONLY", "READ_ONLY"), ("url", "URL")],
)
def test_an_unknown_variable_is_refused_with_the_one_that_was_meant(name: str, meant: str) -> None:
    message = refusal(**{name: SECRET})
    assert message == f"AIRFLOW_MCP_{name} is not a setting. Did you mean AIRFLOW_MCP_{meant}?"


def test_an_unknown_variable_that_is_like_none() -> None:
    message = refusal(**{"Ж" * 30: SECRET})
    assert "is not a setting" in message
    assert SECRET not in message


def test_no_secret_in_what_settings_print(file: str) -> None:
    all_settings = [
        load(USERNAME="ana", PASSWORD=SECRET),
        load(TOKEN=SECRET),
        load(TOKEN_FILE=file),
        load(TOKEN_COMMAND=f"get-token {SECRET}"),
        load(COOKIE=f"session={SECRET}"),
        load(COOKIE_FILE=file),
        load(HEADERS=f"X-A: {SECRET}"),
        load(HEADERS_FILE=file),
        load(URL="https://a.test", CLIENT_CERT=file, CLIENT_KEY_PASSWORD=SECRET),
    ]
    for settings in all_settings:
        for text in (
            str(settings),
            repr(settings),
            f"{settings}",
            str(settings.model_dump()),
            settings.model_dump_json(),
        ):
            assert SECRET not in text.replace(file, "")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Instance().url = "http://other.test"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        Policy().confirm = "plan"  # type: ignore[misc]


@pytest.mark.anyio
async def test_a_ca_bundle_that_holds_no_certificate_is_named(file: str) -> None:
    airflow = Airflow(
        load(CA_BUNDLE=file, URL="https://airflow.test"), httpx.MockTransport(lambda _: httpx.Response(200))
    )
    with pytest.raises(SettingsError, match="AIRFLOW_MCP_CA_BUNDLE"):
        await airflow.version()


# -- the command line


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the environment: these settings and no other."""

    def set_to(**variables: str) -> None:
        for name in list(os.environ):
            if name.startswith(PREFIX):
                monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(PREFIX + name, value)

    set_to()
    return set_to


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """How servers were run, without running one."""
    seen: list[Mapping[str, Any]] = []

    class Fake:
        def __init__(self, settings: Settings) -> None:
            self.settings = settings

    def serve_stdio(server: Fake) -> None:
        seen.append({"transport": "stdio", "settings": server.settings})

    def http_app(server: Fake, host: str) -> Settings:
        return server.settings

    def serve_http(app: Any, host: str, port: int) -> int:
        seen.append({"transport": "http", "settings": app, "host": host, "port": port})
        return 0

    monkeypatch.setattr(airflow_mcp.stdio, "serve_stdio", serve_stdio)
    monkeypatch.setattr(airflow_mcp.server, "http_app", http_app)

    monkeypatch.setattr(airflow_mcp.server, "build_server", Fake)
    monkeypatch.setattr(airflow_mcp.__main__, "_serve_http", serve_http)
    return seen


@pytest.mark.parametrize("command", [[], ["serve"], ["check"], ["--transport", "http"]], ids=" ".join)
def test_a_wrong_setting_is_one_line_and_status_2(
    command: list[str], environ: Any, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    environ(TOKEN=SECRET, TIMEOUT=f"{SECRET}s")
    assert main(command) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("airflow-mcp: AIRFLOW_MCP_TIMEOUT: ")
    assert SECRET not in printed.err
    assert runs == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "airflow.example.com", "localhost.example.com", ""])
def test_an_open_address_is_refused(
    host: str, environ: Any, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--host", host, "--transport", "http"]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"airflow-mcp: --host {host}: ")
    assert "Bind a loopback address" in printed.err
    assert (printed.out, printed.err.count("\n"), runs) == ("", 1, [])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_loopback_address_serves_over_http(host: str, environ: Any, runs: list[Any]) -> None:
    assert main(["--transport", "http", "--host", host, "--port", "9876"]) == 0
    assert runs == [{"transport": "http", "settings": Settings.for_one(), "host": host, "port": 9876}]


@pytest.mark.parametrize("command", [[], ["serve"], ["--transport", "stdio"]], ids=" ".join)
def test_stdio_is_served_by_default_and_prints_nothing(
    command: list[str], environ: Any, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    environ(URL="https://host/airflow/api/v1", READ_ONLY="true")
    assert main(command) == 0
    assert runs == [{"transport": "stdio", "settings": Settings.for_one(url="https://host/airflow", read_only=True)}]
    assert capsys.readouterr().out == ""


def test_help_names_every_setting_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    lines = {line.split()[0]: line for line in text.splitlines() if line.strip().startswith(PREFIX)}
    assert list(lines) == NAMES
    for name, field in FIELDS.items():
        line = lines[variable(name)]
        assert str(field.description).replace("`", "") in line
        if field.default not in (None, False):
            assert f"(default: {field.default})" in line


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{airflow_mcp.__version__}\n"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("--transport sse", "argument --transport: invalid choice: 'sse'"),
        ("--port x --transport http", "argument --port: must be a number from 1 to 65535"),
        ("--port 0 --transport http", "argument --port: must be a number from 1 to 65535"),
        ("--port 65536 --transport http", "argument --port: must be a number from 1 to 65535"),
        ("chek", "argument COMMAND: invalid choice: 'chek' (choose from "),
        ("--verbose", "unrecognized arguments: --verbose"),
        ("--port 9000", "--port needs --transport http"),
        ("serve --host ::1", "--host needs --transport http"),
        ("serve --port 9000 --transport stdio", "--port needs --transport http"),
        ("--port 9000 check", "--port is for serving: `airflow-mcp check` does not take it"),
        ("--transport http demo", "--transport is for serving: `airflow-mcp demo` does not take it"),
    ],
)
def test_a_wrong_argument_is_status_2(
    wrong: str, says: str, runs: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong.split())
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert f"airflow-mcp: error: {says}" in " ".join(printed.err.split())
    assert (printed.out, runs) == ("", [])


@pytest.mark.parametrize(("verdicts", "status"), [(["ok", "no", "ok"], 0), (["ok", "fail"], 1), (["fail", "ok"], 1)])
def test_check_ends_with_1_only_if_something_failed(
    verdicts: list[Any], status: int, environ: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def findings(instance: Instance) -> AsyncIterator[Finding]:
        for verdict in verdicts:
            yield Finding(verdict, "url", instance.url)

    monkeypatch.setattr(airflow_mcp.check, "findings", findings)
    environ(URL="http://airflow.test")
    assert main(["check"]) == status
    assert capsys.readouterr().out.splitlines() == [f"{each:<5}url       http://airflow.test" for each in verdicts]
