"""Secrets are masked before anything is stored, always in the same way, and nothing else is."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from festaf.contract.secrets import MASKED, masked_places
from festaf.registry_api.secrets.masking import looks_clean, mask, mask_text
from festaf.registry_api.secrets.rules import rules, triggers
from tests.registry_api.events import RICH, dag_event, task_event, written

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
AWS_KEY = "AKIAIOSFODNN7EXAMPLE"
PRIVATE_KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBkg\n-----END EC PRIVATE KEY-----"
FOUND = [
    (f'key = "{AWS_KEY}"', f'key = "{MASKED}"'),
    (f"x = '{JWT}'", f"x = '{MASKED}'"),
    (f"a\n{PRIVATE_KEY}\nb", f"a\n{MASKED}\nb"),
    ("festaf_" + "a-Z_9" * 8 + "abc", MASKED),
    ("ghp_" + "a1" * 18, MASKED),
    ("postgres://me:hunter2@db:5432/x", f"postgres://me:{MASKED}@db:5432/x"),
    ("amqp://me:p@ss@mq//", f"amqp://me:{MASKED}@mq//"),
    ("redis://:hunter2@cache:6379/0", f"redis://:{MASKED}@cache:6379/0"),
    ("jdbc:oracle:thin:scott/tiger@db:1521:x", f"jdbc:oracle:thin:scott/{MASKED}@db:1521:x"),
    ("jdbc:sqlserver://db;user=me;password=a.b;x=1", f"jdbc:sqlserver://db;user=me;password={MASKED};x=1"),
    ("host=db password=hunter2 dbname=x", f"host=db password={MASKED} dbname=x"),
    ("https://b.s3/k?X-Amz-Signature=0123abcd&v=1", f"https://b.s3/k?X-Amz-Signature={MASKED}&v=1"),
    ("https://x.blob/c?sv=2024&sig=a%2Fb%3D", f"https://x.blob/c?sv=2024&sig={MASKED}"),
    ("connect(password='hunter2')", f"connect(password='{MASKED}')"),
    ('API_TOKEN: Final = 1\napi_token = "hunter2"', f'API_TOKEN: Final = 1\napi_token = "{MASKED}"'),
    ("os.environ['DB_PASSWORD'] = 'hunter2'", f"os.environ['DB_PASSWORD'] = '{MASKED}'"),
    ('{"client_secret": "hunter2"}', f'{{"client_secret": "{MASKED}"}}'),
    ("CREATE USER me IDENTIFIED BY 'hunter2'", f"CREATE USER me IDENTIFIED BY '{MASKED}'"),
    ("Authorization: Bearer abcdef0123456789", f"Authorization: Bearer {MASKED}"),
    ("password: hunter22\nuser: me", f"password: {MASKED}\nuser: me"),
]
HIDDEN = [
    # Python
    'password: str = "X"',
    'api_key: str | None = "X"',
    "token: Final[str] = 'X'",
    "def login(password: Optional[str] = 'X', name: str = 'ann') -> None:",
    'password = """X"""',
    "password = '''X'''",
    'password = ("X")',
    'password = (\n    "X"\n)',
    'x = "{\\"password\\": \\"X\\"}"',
    'x = "{\\"password\\": \\"X\\", \\"user\\": \\"me\\"}"',
    'x = "{\\\\\\"password\\\\\\": \\\\\\"X\\\\\\"}"',
    "password = SecretStr('X')",
    # JSON in a text
    '{"password":["X"]}',
    '{"passwords":["X"], "user": "me"}',
    '{"passwords":["X", "Y"], "user": ["me", "you"]}',
    '{"password":{"value":"X"}}',
    '{\\"password\\":{\\"value\\":\\"X\\"}}',
    '{"sshPassphrase":"X"}',
    '{"pw":"X"}',
    '{"db_pw": "X", "user": "me"}',
    '{"passcode":"X"}',
    '{"fs.azure.account.key.lake.dfs.core.windows.net": "X"}',
    # URLs
    "postgresql://etl:X/ab@host",
    "postgresql://etl:X/ab@host:5432/db?x=y@z",
    "https://A1b2C3d4E5f6G7h8I9j0@github.com/x",
    "git+https://a1b2c3d4e5f6a7b8c9d0@github.com/x.git@v1",
    # Calls
    '.option("password","X").option("user", "me")',
    'os.getenv("DB_PASSWORD","X")',
    "os.getenv('DB_PASSWORD', default='X')",
    'os.environ.setdefault("DB_PASSWORD","X")',
    'os.environ.get("DB_PASSWORD", "X")',
    'x = "os.environ.get(\\"DB_PASSWORD\\", \\"X\\")"',
    'Variable.set("my_password","X")',
    'Variable.get("my_password", default_var="X")',
    'config.setPassword("X")',
    "fs.s3a.secret.key=X",
    "--conf spark.hadoop.fs.s3a.secret.key=X",
    'conf.set("fs.s3a.secret.key","X")',
    "spark.hadoop.fs.azure.account.key.lake.dfs.core.windows.net=X",
    'spark.conf.set("fs.azure.account.key.lake.dfs.core.windows.net", "X")',
    'spark.conf.set("fs.azure.account.oauth2.client.secret.lake.dfs.core.windows.net", "X")',
    'auth=("admin","X")',
    "requests.get(url, auth = (user, 'X'))",
    "HTTPBasicAuth('admin', 'X')",
    # SQL and the shell
    "UNLOAD ('select 1') ACCESS_KEY_ID 'me' SECRET_ACCESS_KEY 'X' SESSION_TOKEN 'Y'",
    "CREATE SECRET s (TYPE s3, KEY_ID 'me', SECRET 'X')",
    "create secret s (type s3, key_id 'me', secret 'X')",
    '["psql", "--password","X"]',
    "mysql --user me --password X --host db",
    "mysql --password 'X' --host db",
    "curl -u admin:X https://db/x",
    "curl -s \\\n  -u 'admin:X' https://db/x",
    "curl -uadmin:X https://db/x",
    "curl --user admin:X https://db/x",
    "sshpass -p X ssh me@db",
    "sshpass -p 'X' ssh me@db",
]
"""Texts in which ``X`` and ``Y`` stand for secrets, and what looks like one's own key in a URL for itself."""
CLEAN = [
    "postgres://db:5432/x",
    "abfss://container@account.dfs.core.windows.net/x",
    "postgres://{user}:{password}@db/x",
    "connect(password=password, token=self.token)",
    "token = context['token']",
    "def login(token: str, password: SecretStr | None = None) -> None:",
    "columns = ['token', 'name']",
    "tokenizer = 'bert-base'",
    "password = Variable.get('db_password')",
    "url = '{{ conn.db.password }}'",
    "next_token_id = 'x'",
    "sha256:" + "0123456789abcdef" * 4,
    "0195f000-0000-7000-8000-000000000001",
    "basic understanding-of-the-matter",
    "SELECT password, token FROM users WHERE token = :token",
    'os.getenv("DB_PASSWORD")',
    'os.getenv("TOKEN", None)',
    'os.getenv("TOKEN", "")',
    'os.getenv("TOKEN", default)',
    'row.get("token_count", "X1")',
    "password: str",
    "password: str = None",
    "def login(token: str, name: str = 'ann', user='me') -> None:",
    "def login(token: str | None, user='me') -> None:",
    'password = ("{{ conn.x.password }}")',
    "passwords = [password, token]",
    'password = """{{ var }}"""',
    '{"password": {"type": "string"}}',
    '{"password": ["${PASSWORD}"]}',
    r"{\"password\": \"{{ var.value.x }}\"}",
    r'print("token=\"" + token + "\"")',
    'primary_key = "id"',
    'class Token:\n    """A word of a text."""',
    "input_token = ['a', 'b']",
    '{"token": ["a", "b"]}',
    'partition_key="day"',
    'key="x1"',
    'df.option("key", "x1")',
    'secretary = "Ann"',
    'token_count = "12"',
    'max_tokens = "1000"',
    "upward = 'x1'",
    "mpw = 'x1'",
    "http://host:80/path@x",
    "http://host:{port}/path@x",
    "http://host:8080/a,http://other:9090/b@x",
    "https://ann@host",
    "https://annabelleofthedatateam@host",
    "https://A1b2C3d4E5f6G7h8I9j0/x@y",
    "abfss://a1b2c3d4e5f6a7b8c9d0@account.dfs.core.windows.net",
    "ssh://git@host:org/repo@v1",
    "docker run -u 1000:1000 curlimages/curl",
    "docker run -u me:staff image",
    "curl -s x; docker run -u me:staff image",
    "curl -u admin:$PASSWORD https://db",
    "curl -u {{ conn.x.login }}:{{ conn.x.password }} https://db",
    "sshpass -p $PASSWORD ssh me@db",
    "sshpass -e ssh me@db",
    "mysql --password {{ conn.x.password }}",
    "mysql --password $PASSWORD",
    'mysql --password "$PASSWORD"',
    "mysql --password PASSWORD --host db",
    "give it with --token or with --password if it is yours",
    "mysql --password-file x1",
    'parser.add_argument("--password", "-p")',
    'click.option("--password", "pw")',
    'click.option("-t", "--token", "token")',
    '["--password", "{{ conn.x.password }}"]',
    '["--token", "--password"]',
    "auth=('admin', password)",
    "auth = (user, '{{ conn.x.password }}')",
    "config.setPassword(password)",
    "config.set_token_count('12')",
    "the secret 'sauce' of it",
    "CREATE SECRET s (TYPE s3, SECRET ?)",
    "fs.s3a.endpoint=x1",
    "fs.azure.account.auth.type.lake=OAuth",
]


@pytest.mark.parametrize(("text", "masked"), FOUND)
def test_a_secret_is_masked_in_its_place(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert masked_places(masked) == 1


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_is_found_wherever_it_stands(text: str) -> None:
    masked = mask_text(text)

    assert MASKED in masked
    assert not re.search(r"\b[XY]\b|[Aa]1[Bb]2|/ab@", masked)
    assert mask_text(masked) == masked
    assert not looks_clean(json.dumps(text).encode())
    assert not looks_clean(json.dumps(json.dumps(text)).encode())
    kept = {"user", "me", "you", "ann", "host", "admin", "github.com", "db", "ssh"}
    assert all((word in masked) == (word in text) for word in kept)


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert mask_text(text) == text


def test_a_value_is_masked_by_the_name_it_stands_under() -> None:
    value = {
        "conf": {"dbPassword": "hunter2", "password": "{{ conn.x }}", "retries": 3},
        "tags": [{"key": "api_key", "value": "hunter2"}, {"key": "team", "value": "data"}],
        "fields": [{"name": "password", "type": "string"}, {"name": "token", "description": "of a bus"}],
        "columns": {"token": {"inputFields": []}},
        AWS_KEY: 1,
    }

    masked = mask(value)

    assert masked == {
        **{key: value[key] for key in ("fields", "columns")},
        "conf": {"dbPassword": MASKED, "password": "{{ conn.x }}", "retries": 3},
        "tags": [{"key": "api_key", "value": MASKED}, {"key": "team", "value": "data"}],
        MASKED: 1,
    }
    assert value["conf"] == {"dbPassword": "hunter2", "password": "{{ conn.x }}", "retries": 3}


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"password": ["X", "{{ var }}"]}, {"password": [MASKED, "{{ var }}"]}),
        ({"passwords": ["X"]}, {"passwords": [MASKED]}),
        ({"password": {"value": "X", "type": "string"}}, {"password": {"value": MASKED, "type": "string"}}),
        ({"password": {"value": ["X"]}}, {"password": {"value": [MASKED]}}),
        ({"sshPassphrase": "X"}, {"sshPassphrase": MASKED}),
        ({"pw": "X", "db_pw": "X"}, {"pw": MASKED, "db_pw": MASKED}),
        ({"passcode": "X"}, {"passcode": MASKED}),
        ({"fs.s3a.secret.key": "X"}, {"fs.s3a.secret.key": MASKED}),
        ({"fs.azure.account.key.lake": "X"}, {"fs.azure.account.key.lake": MASKED}),
        ({"text": '{"a": "{\\"password\\": \\"X\\"}"}'}, {"text": f'{{"a": "{{\\"password\\": \\"{MASKED}\\"}}"}}'}),
        (["psql", "--password", "X", "--host", "db"], ["psql", "--password", MASKED, "--host", "db"]),
    ],
)
def test_a_value_is_masked_in_lists_and_objects_under_its_name(value: Any, masked: Any) -> None:
    assert mask(value) == masked
    assert mask(masked) == masked
    assert not looks_clean(json.dumps(value).encode())


@pytest.mark.parametrize(
    "value",
    [
        {"token": {"inputFields": [{"name": "x", "field": "password"}]}},
        {"password": ["{{ var }}", 1, None]},
        {"password": {"value": "{{ var }}"}},
        {"tokens": ["a", "b"], "token_count": "12", "partition_key": "day", "secretary": "Ann", "mpw": "x"},
        ["--password", "--host", "db"],
        ["--name", "x"],
        {"input_token": ["a", "b"]},
        ["password", "name"],
    ],
)
def test_a_list_or_object_without_secrets_is_given_back_itself(value: Any) -> None:
    assert mask(value) is value


def test_an_event_without_secrets_is_given_back_itself() -> None:
    for event in (task_event(outputs=(written(RICH),)), dag_event()):
        assert mask(event) is event


def test_no_text_that_holds_a_trigger_looks_clean() -> None:
    wanted = {trigger for rule in rules() for trigger in rule.triggers} - {"festaf_", "@"}

    assert {text.decode() for found in triggers().values() for text in found} == wanted | {'pass"', "authorization"}
    assert all(not looks_clean(f"x{trigger.upper()}x".encode()) for trigger in wanted)


TEXTS = [text for text, _ in FOUND] + HIDDEN + CLEAN
PIECES = st.sampled_from([*TEXTS, " ", "\n", "'", '"', "@", "=", "&", "token=", MASKED])
JSON = st.recursive(
    st.lists(PIECES | st.text(max_size=5), max_size=4).map("".join) | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PIECES | st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(JSON)
@example({"password": "x" * 300, "name": "token", "value": "y"})
def test_masking_what_is_masked_changes_nothing(value: Any) -> None:
    once = mask(value)

    assert mask(once) == once
    assert mask(value) == once
    assert not looks_clean(json.dumps(value, ensure_ascii=False).encode()) or once == value


@pytest.mark.parametrize(
    "hostile",
    [
        *(
            "eyJ-",
            "password='",
            "-----BEGIN PRIVATE KEY",
            "://a:",
            "aws key ",
            "token=",
            " \n",
            "a",
            "-",
            "bearer ",
            "@:",
        ),
        *('"', "\\", "password", "://", "://a/", 'password=\\"', "password: a[", "password=['a',", "get('a", "auth=("),
        *("-u ", "-ua:", "--password ", "fs.azure.", "set", "[", "password:{"),
    ],
)
def test_no_text_takes_longer_than_its_length(hostile: str) -> None:
    def seconds(length: int) -> float:
        text = f"{length}{hostile * (length // len(hostile))}password"
        start = time.process_time()
        mask_text(text)
        return time.process_time() - start

    assert seconds(160_000) < 16 * seconds(20_000) + 0.5
