"""Secrets are masked before anything is stored, always in the same way, and nothing else is."""

from __future__ import annotations

import json
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
]


@pytest.mark.parametrize(("text", "masked"), FOUND)
def test_a_secret_is_masked_in_its_place(text: str, masked: str) -> None:
    assert mask_text(text) == masked
    assert masked_places(masked) == 1


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


def test_an_event_without_secrets_is_given_back_itself() -> None:
    for event in (task_event(outputs=(written(RICH),)), dag_event()):
        assert mask(event) is event


def test_no_text_that_holds_a_trigger_looks_clean() -> None:
    wanted = {trigger for rule in rules() for trigger in rule.triggers} - {"festaf_", "@"}

    assert {text.decode() for found in triggers().values() for text in found} == wanted | {'pass"', "authorization"}
    assert all(not looks_clean(f"x{trigger.upper()}x".encode()) for trigger in wanted)


PIECES = st.sampled_from([text for text, _ in FOUND] + CLEAN + [" ", "\n", "'", '"', "@", "=", "&", "token=", MASKED])
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
    ["eyJ-", "password='", "-----BEGIN PRIVATE KEY", "://a:", "aws key ", "token=", " \n", "a", "-", "bearer ", "@:"],
)
def test_no_text_takes_longer_than_its_length(hostile: str) -> None:
    def seconds(length: int) -> float:
        text = f"{length}{hostile * (length // len(hostile))}password"
        start = time.process_time()
        mask_text(text)
        return time.process_time() - start

    assert seconds(160_000) < 16 * seconds(20_000) + 0.5
