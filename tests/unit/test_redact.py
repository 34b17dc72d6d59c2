"""Secrets are masked with their kind told and the line kept; what only looks like one stays."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from airflow_mcp.models.base import Answer
from airflow_mcp.models.dags import DagDetails, DagSource, Param
from airflow_mcp.text.fence import safe
from airflow_mcp.text.outgoing import MOST_MESSAGE, as_message
from airflow_mcp.text.redact import redacted_by_name
from airflow_mcp.text.secret_names import secret_key
from airflow_mcp.text.secret_places import _CREDENTIALS, _PASSWORDS
from airflow_mcp.text.secret_shapes import SHAPES
from airflow_mcp.tools.present import as_data
from tests.session import unfenced

HARMLESS = Path(__file__).with_name("harmless.txt").read_text(encoding="utf-8").splitlines()


def made_up(start: str, length: int, letters: str = "aB3dE5gH7jK9mN1pQ") -> str:
    """A secret of nobody, put together so that no scanner takes this file for a leak."""
    return start + (letters * length)[:length]


HEX = "0a1b2c3d4e5f6978"
AWS_ID = made_up("AK" + "IA", 16, "ABCDEFGH234567JKL")
AWS_SECRET = made_up("", 40, "wJalrXUtnFEMI/K7MDENG+bPxRfiCY")
JWT = ".".join((made_up("ey" + "J", 30), made_up("ey" + "J", 40), made_up("", 43)))
FERNET = made_up("", 43) + "="
STORAGE = made_up("", 86) + "=="

# The line, what is secret in it, and its kind.
SECRETS = [
    ('AWS_SECRET = "{}"', AWS_SECRET, "aws-secret-key"),
    ("aws_secret_access_key={}", AWS_SECRET, "aws-secret-key"),
    ("aws_access_key_id = {}", AWS_ID, "aws-access-key"),
    ("cloning with {} now", made_up("gh" + "p_", 36), "github-token"),
    ("{}", made_up("github" + "_pat_", 82), "github-token"),
    ("remote: {}", made_up("gl" + "pat-", 20), "gitlab-token"),
    ("posting with {}", made_up("xo" + "xb-", 40), "slack-token"),
    ("https://hooks.slack.com/services/{}", "T0000000/B0000000/" + made_up("", 24), "slack-webhook"),
    ("maps?at=1&k={}", made_up("AI" + "za", 35), "google-api-key"),
    ("charged with {}", made_up("sk" + "_live_", 24), "stripe-key"),
    ("asking with {}", made_up("sk" + "-", 48), "openai-key"),
    ("asking with {}", made_up("sk" + "-proj-", 48), "openai-key"),
    ("asking with {}", made_up("sk" + "-ant-api03-", 93), "anthropic-key"),
    ("got {}", JWT, "jwt"),
    ("host adb-1.azuredatabricks.net {}", made_up("da" + "pi", 32, HEX), "databricks-token"),
    ("//registry/:_authToken={}", made_up("np" + "m_", 36), "npm-token"),
    ("twine -p {}", made_up("py" + "pi-Ag", 100), "pypi-token"),
    ("DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=core", STORAGE, "account-key"),
    ("https://x.blob.core.windows.net/c?sv=2022&se=2026&sig={}&sp=r", made_up("", 43) + "%3D", "azure-sas"),
    ("AIRFLOW__CORE__FERNET_KEY={}", FERNET, "fernet-key"),
    ('Fernet("{}")', FERNET, "fernet-key"),
    ("mail with {}", ".".join((made_up("SG" + ".x", 20), made_up("", 40))), "sendgrid-key"),
    ("vault login {}", made_up("hv" + "s.", 24), "vault-token"),
    ("pulled with {}", made_up("hf" + "_", 34), "hugging-face-token"),
    ("postgres://sales:{}@db:5432/sales", "hunter2", "password"),
    ("postgresql+psycopg2://sales:{}@db/sales", "p@ss%2Fword", "password"),
    ("redis://:{}@redis:6379/0", "hunter2", "password"),
    ("mongodb+srv://ana:{}@c0.example.net/?w=majority", "Hunter!2", "password"),
    ("cloning https://{}@git.example.com/a", made_up("", 40, HEX), "token"),
    ("Authorization: Bearer {}", "abc-123", "authorization"),
    ("> authorization: Basic {}", "YW5hOmh1bnRlcjI=", "basic-credentials"),
    ('headers={{"Authorization": "Bearer {}"}}', made_up("", 24), "bearer-token"),
    ("sent Bearer {} to it", made_up("", 24), "bearer-token"),
    ("X-Api-Key: {}", "abc123", "api-key"),
    ("Cookie: {}", "session=abc; csrf=def", "cookie"),
    ("psql --password {} -h db", "hunter2", "password"),
    ("psql --password {} -h db", "Hunter2!", "password"),
    ("Log in with `password: {}`.", "Hunter2!", "password"),
    ("mysql --password={} -h db", "hunter2", "password"),
    ('["--client-secret", "{}", "-v"]', "abc", "secret"),
    ("curl -u ana:{} https://example.com", "hunter2", "password"),
    ("PASSWORD={}", "x", "password"),
    ("export DB_PASSWORD={} && run", "hunter2", "password"),
    ("PGPASSWORD={} psql", "correct", "password"),
    ("password: {}", "hunter2", "password"),
    ("password: {}", "x", "password"),
    ("  db_password: '{}'  # of the warehouse", "correct horse battery staple", "password"),
    ("failed (user=ana, password={}, host=db)", "hunter2", "password"),
    ("DSN=db;UID=ana;PWD={}", "hunter", "password"),
    ("spring.datasource.password={}", "hunter2", "password"),
    ("https://example.com/x?access_token={}&page=2", "abc123", "token"),
    ('connect(host="db", password="{}", port=5432)', "hunter2", "password"),
    ('os.environ["DB_PASSWORD"] = "{}"', "hunter2", "password"),
    ('password = os.getenv("DB_PASSWORD", "{}")', "hunter2", "password"),
    ('Variable.set("api_key", "{}")', "abc", "api-key"),
    ('def connect(host: str, token: str | None = "{}") -> None:', "abc1", "token"),
    ("password = r'{}'", "it\\'s", "password"),
    ('password = """{}"""', "hunter2", "password"),
    ('{{"login": "ana", "password": "{}"}}', "hunter2", "password"),
    ("{{'login': 'ana', 'password': '{}'}}", "hunter2", "password"),
    ('extra="{{\\"password\\": \\"{}\\"}}"', "hunter2", "password"),
    ('{{"clientSecret":"{}"}}', "abc", "secret"),
    ("<password>{}</password>", "hunter2", "password"),
    ("create user ana identified by '{}'", "hunter2", "password"),
    ('auth=("ana", "{}")', "hunter2", "password"),
    ("--conf spark.hadoop.fs.s3a.secret.key={}", "abcDEF123", "secret-key"),
    ("--conf fs.azure.account.key.x.dfs.core.windows.net={}", made_up("", 30), "account-key"),
    ('{{"name": "DB_PASSWORD", "value": "{}"}}', "hunter2", "password"),
    ("12    - name: DB_PASSWORD\n13      value: {}", "hunter2", "password"),
    ("8|- name: API_TOKEN\n9|  value: '{}'", "abc", "token"),
    ("The token is {}.", "abc123def456", "token"),
    ("sshpass -p '{}' ssh db", "hunter2", "password"),
    ("docker login -u ana -p {} images.example.com", "hunter2", "password"),
    ("mysql -u root -p{} sales", "hunter2", "password"),
    ("12|API_KEY = '{}'", "abc", "api-key"),
    ("12  token: {}", "abc", "token"),
    ("file.py:12:password = '{}'", "hunter2", "password"),
]


@pytest.mark.parametrize(("line", "secret", "kind"), SECRETS, ids=[f"{line} {kind}" for line, _, kind in SECRETS])
def test_a_secret_is_masked_and_its_line_kept(line: str, secret: str, kind: str) -> None:
    assert safe(line.format(secret)) == line.format(f"***{kind}***")


@pytest.mark.parametrize(("line", "secret", "kind"), SECRETS, ids=[f"{line} {kind}" for line, _, kind in SECRETS])
def test_what_is_masked_is_masked_once(line: str, secret: str, kind: str) -> None:
    once = safe(f"begin {line.format(secret)}\nnext line")
    assert safe(once) == once
    assert secret not in once.replace("access", "") or len(secret) == 1


def test_there_are_lines_enough() -> None:
    assert len(SECRETS) >= 30
    assert len(HARMLESS) >= 300
    assert len(set(HARMLESS)) == len(HARMLESS)


@pytest.mark.parametrize("line", HARMLESS)
def test_a_harmless_line_stays(line: str) -> None:
    assert safe(line) == line


def test_harmless_lines_stay_together() -> None:
    """Else what follows a line would change it."""
    text = "\n".join(line for line in HARMLESS if "BEGIN" not in line)
    assert safe(text) == text


# -- private keys

BODY = [made_up("", 64, f"MIIEow{number}BAAKCAQEAx+/Q7bZ") for number in range(5)]
LAST = made_up("", 27) + "="
MASK = "***private-key***"


def key(kind: str, body: list[str] = BODY) -> list[str]:
    return [f"-----BEGIN {kind}-----", *body, LAST, f"-----END {kind}-----"]


WRITTEN = {
    "as it is": "{text}",
    "with the numbers of a source": "{number}|{text}",
    "with the numbers of a log": "{number}  {text}",
    "with a time": "[2026-01-31T06:00:00.000+0000] {{subprocess.py:93}} INFO - {text}",
    "indented": "    {text}",
    "as strings of a program": '    "{text}\\n"',
}


def written(form: str, lines: list[str], first: int = 97) -> list[str]:
    return [WRITTEN[form].format(number=number, text=line) for number, line in enumerate(lines, first)]


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize(
    "kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
)
def test_a_private_key_is_masked_line_by_line(form: str, kind: str) -> None:
    body = [line + "aB3/+x" for line in BODY] if "OPENSSH" in kind else BODY
    shown = written(form, ["before", *key(kind, body), "after"])
    masked = written(form, ["before", f"-----BEGIN {kind}-----", *[MASK] * 6, f"-----END {kind}-----", "after"])
    assert safe("\n".join(shown)) == "\n".join(masked)


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize(
    ("part", "masked"),
    [
        (slice(0, 3), [0, 1, 1]),
        (slice(2, 5), [1, 1, 1]),
        (slice(3, 4), [1]),
        (slice(4, 8), [1, 1, 1, 0]),
        (slice(6, 8), [1, 0]),
        (slice(4, 7), [1, 1, 1]),
    ],
    ids=["beginning", "middle", "one line", "end", "last line", "end without its mark"],
)
def test_a_part_of_a_private_key_is_masked(form: str, part: slice, masked: list[int]) -> None:
    lines = key("RSA PRIVATE KEY")[part]
    expected = [MASK if hidden else line for line, hidden in zip(lines, masked, strict=True)]
    assert safe("\n".join(written(form, lines))) == "\n".join(written(form, expected))


def test_a_private_key_in_one_line_is_masked() -> None:
    for joint in ("\\n", "\\\\n", " ", ""):
        whole = joint.join(key("PRIVATE KEY"))
        assert not any(line in safe(f'KEY = "{whole}"') for line in [*BODY, LAST])
        assert not any(line in safe(whole[:300]) for line in BODY[:3])


def test_what_is_public_stays() -> None:
    for kind in ("CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY"):
        text = "\n".join([*key(kind), "after"])
        assert safe(text) == text
    digests = "\n".join(made_up("", 64, f"{HEX}{number}") for number in range(5))
    assert safe(digests) == digests


# -- where a text is cut

TOKEN = made_up("gh" + "p_", 36)
CUTS = [
    TOKEN,
    f"password={made_up('', 60)}",
    f"postgres://ana:{made_up('', 60)}@db/x",
    f'api_key = "{made_up("", 60)}"',
]


@pytest.mark.parametrize("secret", CUTS, ids=lambda secret: secret[:10])
def test_no_part_of_a_secret_is_shown_where_a_text_is_cut(secret: str) -> None:
    """At each place in it."""
    last = secret.rstrip('@db/x"')[-6:]
    shown = re.compile("|".join(re.escape(secret[at : at + 6]) for at in range(20, len(secret) - 10)))
    for before in range(30_000 - len(secret), 30_000):
        data = as_data(DagDetails(dag_id="a", doc_md=" " * before + secret + " x" * 100))
        assert not shown.search(data["doc_md"])
    for at in range(len(secret)):
        half = MOST_MESSAGE // 2
        assert not shown.search(as_message("x " * 3000 + secret + " " * (half - at)))
        assert last not in as_message("x " * 3000 + secret + " " * (half - at))
        assert not shown.search(as_message(" " * (half - at) + secret + " x" * 3000))


# -- structured values

S = "hunter2-is-it"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"password": S, "rows": 5}, {"password": "***password***", "rows": 5}),
        ({"password": 123456}, {"password": "***password***"}),
        ({"apiKey": S}, {"apiKey": "***api-key***"}),
        ({"tokens": [S, S]}, {"tokens": ["***token***", "***token***"]}),
        ({"nested": [{"api-key": S}]}, {"nested": [{"api-key": "***api-key***"}]}),
        (
            {"credentials": {"user": S, "x": [S]}},
            {"credentials": {"user": "***credential***", "x": ["***credential***"]}},
        ),
        ({"key": "db_password", "value": S}, {"key": "db_password", "value": "***password***"}),
        ([{"name": "DB_PASSWORD", "value": S}], [{"name": "DB_PASSWORD", "value": "***password***"}]),
        (
            {"api_key": {"type": "string", "title": "The key", "default": S, "examples": [S]}},
            {
                "api_key": {
                    "type": "string",
                    "title": "The key",
                    "default": "***api-key***",
                    "examples": ["***api-key***"],
                }
            },
        ),
        (
            {"api_key": {"__class": "airflow.models.param.Param", "value": S, "schema": {"type": "string"}}},
            {
                "api_key": {
                    "__class": "airflow.models.param.Param",
                    "value": "***api-key***",
                    "schema": {"type": "string"},
                }
            },
        ),
    ],
)
def test_what_stands_under_the_name_of_a_secret_is_masked(value: Any, told: Any) -> None:
    assert redacted_by_name(value) == told
    assert redacted_by_name(told) == told


@pytest.mark.parametrize(
    "value",
    [
        {"key": "region", "value": "eu"},
        {"password": "", "token": None, "secret": False, "max_tokens": 4096, "tokens": 12},
        {"password_policy": "strong", "secret_name": "my-secret", "token_count": 5, "token_url": "https://example.com"},
        {"password": "{{ conn.warehouse.password }}", "token": "$TOKEN", "secret": "***", "api_key": "DB_API_KEY"},
        {"primary_key": "id", "author": "ana", "passed": "all", "pool": "default_pool"},
    ],
)
def test_other_values_stay(value: Any) -> None:
    assert redacted_by_name(value) == value


# As Airflow hides them.
OF_AIRFLOW = (
    "access_token api_key apikey authorization passphrase passwd password private_key proxy proxies secret token "
    "keyfile_dict service_account"
)


@pytest.mark.parametrize("name", OF_AIRFLOW.split())
def test_what_airflow_hides_is_masked(name: str) -> None:
    for key in (
        name,
        name.upper(),
        f"my_{name}" if name not in ("proxy", "proxies", "keyfile_dict", "service_account") else name,
    ):
        secret = secret_key(key)
        assert secret
        assert secret.certain


# -- answers


def test_each_place_of_an_answer_is_masked() -> None:
    data = as_data(
        DagDetails(
            dag_id="a",
            description=f"password={S}",
            doc_md=f"one\ntoken: {S}",
            tags=[f"password={S}"],
            params={
                "api_key": Param(value=S, schema={"type": "string", "default": S}),
                "day": Param(value=f"x --password {S}"),
            },
            default_args={"password": S, "env": [{"name": "TOKEN", "value": S}], "cmd": f"psql postgres://a:{S}@db"},
            owner_links={"ana": f"https://a:{S}@example.com"},
        )
    )
    assert S not in json.dumps(data)
    assert data["params"]["api_key"] == {
        "value": "***api-key***",
        "schema": {"type": "string", "default": "***api-key***"},
    }
    assert data["default_args"]["cmd"] == "psql postgres://a:***password***@db"


def test_a_source_keeps_its_lines() -> None:
    source = DagSource(total_lines=2, start_line=1, end_line=2, source=f'1|AWS_SECRET = "{AWS_SECRET}"\n2|x = 1')
    assert unfenced(as_data(source)["source"]) == '1|AWS_SECRET = "***aws-secret-key***"\n2|x = 1'


def test_an_id_is_given_back_as_it_is() -> None:
    class Ids(Answer):
        dag_id: str
        task_ids: list[str]
        plan: str
        note: str

    ids = {"dag_id": TOKEN, "task_ids": [f"password={S}"], "plan": TOKEN, "note": TOKEN}
    assert as_data(Ids.model_validate(ids)) == {**ids, "note": "***github-token***"}


def test_an_error_is_masked() -> None:
    assert as_message(f"Airflow says: login failed for password={S} at db.") == (
        "Airflow says: login failed for password=***password*** at db."
    )


# -- patterns

MODULES = ("redact", "secret_given", "secret_names", "secret_values", "secret_places", "secret_shapes", "private_keys")


def patterns() -> dict[str, re.Pattern[str]]:
    modules = [import_module(f"airflow_mcp.text.{name}") for name in MODULES]
    found = {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern)
    }
    found |= {f"{hint} {number}": value for number, (hint, value) in enumerate(_PASSWORDS)}
    found |= {hint: value for hint, _, value in _CREDENTIALS}
    return found | {f"{shape.kind} {shape.hint}": shape.pattern for shape in SHAPES}


def repeats(node: Any, within: bool = False) -> list[str]:
    """Repetitions of a pattern that could be tried in ways that multiply: one that gives back, in another."""
    found = []
    for operator, argument in node:
        name = str(operator)
        backtracks = name in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] > 1
        if backtracks and (within or not isinstance(argument[1], int) or argument[1] > 500):
            found.append(f"{name} {argument[0]}..{argument[1]}")
        inner = [part for part in flat(argument) if hasattr(part, "data")]
        found += [each for part in inner for each in repeats(part, within or backtracks)]
    return found


def flat(value: Any) -> list[Any]:
    return [each for part in value for each in flat(part)] if isinstance(value, list | tuple) else [value]


@pytest.mark.parametrize("name", patterns())
def test_no_pattern_backtracks_without_bound(name: str) -> None:
    parser: Any = import_module("re._parser")
    assert repeats(parser.parse(patterns()[name].pattern)) == []
