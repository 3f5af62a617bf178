"""What is found in files, and above all what is not: a check that cries wolf is switched off."""

from __future__ import annotations

import base64
import json
import time

import pytest

from festaf.contract.dag_package import Finding
from festaf.sharing.checks import check_files
from festaf.sharing.checks.capabilities import check_capabilities
from festaf.sharing.checks.compatibility import check_compatibility, check_modules
from festaf.sharing.checks.secrets import check_notebook, check_secrets
from festaf.sharing.checks.source_text import check_source_text, parsed
from tests.sharing.packages import FILES, manifest

PRIVATE_KEY = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEow\n-----END RSA PRIVATE " + "KEY-----"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
AWS = "AKIA" + "IOSFODNN7EXAMPL3"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
SECRETS = {
    "connection": 'Connection(conn_id="x", password="hunter2hunter")',
    "connection_uri": 'Connection(uri="postgres://sales:s3cr3t@db/sales")',
    "pgpassword": 'BashOperator(task_id="x", bash_command="PGPASSWORD=s3cr3tpw psql -h db -c \'select 1\'")',
    "variable_default": 'Variable.get("warehouse_password", default="hunter2")',
    "variable_default_var": 'Variable.get("api_key", default_var="a8f5f167f44f4964e6c998dee827110c")',
    "bearer": 'headers = {"Authorization": "Bearer abcdef1234567890abcdef"}',
    "base64": f'kubeconfig = "{base64.b64encode(b"postgres://sales:s3cr3t@db/sales").decode()}"',
    "base64_decoded": f'token = b64decode("{base64.b64encode(b"aB3dE6gH9jK2").decode()}").decode()',
    "split": 'PASSWORD = "hun" + "ter2" + "xyz"',
    "split_names": 'first = "s3cr3t"\nsecond = "w0rd"\npassword = first + second',
    "joined": 'password = "".join(["hunt", "er2", "xyz"])',
    "split_token": f'x = "{TOKEN[:10]}" + "{TOKEN[10:]}"',
    "aws": f'key = "{AWS}"',
    "github": f'TOKEN = "{TOKEN}"',
    "jwt": f'header = "{JWT}"',
    "private_key": f'KEY = """{PRIVATE_KEY}"""',
    "dictionary": 'config = {"db_password": "hunter2hunter"}',
    "environ": 'os.environ["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"',
    "default_argument": 'def connect(password="hunter2hunter"): ...',
    "extra_json": 'Connection(extra=\'{"api_key": "a8f5f167f44f4964e6c9"}\')',
    "curl": 'BashOperator(bash_command="curl -u admin:s3cr3tpw https://x")',
    "option": 'BashOperator(bash_command="tool --password=s3cr3tpw run")',
    "comment": "x = 1  # postgres://sales:s3cr3t@db/sales",
    "basic": 'b64encode(b"user:s3cr3tpw")',
    "compared": 'if password == "hunter2hunter": ...',
    "sql": "sql = \"create user sales identified by 's3cr3tpw'\"",
}
HARMLESS = {
    "k8s_secret": 'Secret(deploy_type="env", deploy_target="SQL", secret="airflow-secrets", key="sql_alchemy_conn")',
    "k8s_name": 'secret_name = "sales-db-credentials"',
    "variable_name": 'password = Variable.get("sales_password")',
    "variable_key": 'PASSWORD_VARIABLE = "sales_db_password"\npassword_key = "sales_password"',
    "template": 'BashOperator(bash_command="PGPASSWORD={{ conn.db.password }} psql")',
    "shell": 'BashOperator(bash_command="PGPASSWORD=$PGPASSWORD psql --password=$PW --token ${TOKEN}")',
    "fstring": 'password = f"{prefix}{suffix}"\nuri = f"postgres://{user}:{password}@{host}/db"',
    "flag": 'arguments = ["--password-file", "/run/secrets/pw", "--token-url", "https://x/token"]',
    "environment": 'token = os.environ["TOKEN"]\npassword = os.getenv("DB_PASSWORD", "")',
    "arn": 'secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf"',
    "tokenizer": 'pad_token = "[PAD]"\nmax_tokens = "512"\neos_token = "</s>"',
    "hash": 'sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
    "placeholder": 'password = "changeme"\npassword2 = "<your password>"\ntoken = "xxxxxxxx"',
    "prose": '"""Set the password: it is asked for once. The token is read from the connection."""',
    "url": 'token_url = "https://login.example.com/oauth2/token"',
    "conn_id": 'Hook(gcp_conn_id="google_cloud_default", credentials_conn_id="my_credentials")',
    "schedule": 'email = "data@acme.example"\nurl = "https://host:8080/path@x"',
    "s3": 'key = "s3://bucket/{{ ds }}/part.csv"\nencryption = "AES256"',
    "empty": 'password = ""\ntoken = None',
    "id": 'access_key = "id"\nsecret_key_ref = "name"\npass_through = "yes please"',
}


def rules(findings: object) -> set[str]:
    return {finding.rule for finding in findings if isinstance(finding, Finding)}  # type: ignore[attr-defined]


def secrets(text: str, path: str = "dag.py") -> list[Finding]:
    content = text.encode()
    return list(check_secrets(path, content, parsed(content) if path.endswith(".py") else None))


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found(name: str) -> None:
    found = secrets(SECRETS[name])
    assert rules(found) == {"secret"}
    assert all(finding.severity == "error" for finding in found)
    assert not any(word in finding.message for finding in found for word in ("hunter2", "s3cr3t", TOKEN, AWS))


@pytest.mark.parametrize("name", HARMLESS)
def test_what_names_a_secret_is_none(name: str) -> None:
    assert secrets(HARMLESS[name]) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("config.yaml", "db:\n  password: hunter2hunter\n"),
        ("config.ini", "api_key = a8f5f167f44f4964\n"),
        ("run.sh", "export DB_PASSWORD=hunter2hunter\n"),
        ("x.json", '{"password": "hunter2hunter"}'),
        ("x.sql", "alter user sales password 's3cr3tpw';"),
        ("README.md", f"Use `{TOKEN}`"),
        ("key.txt", PRIVATE_KEY),
    ],
)
def test_a_secret_is_found_in_other_files(path: str, text: str) -> None:
    assert rules(secrets(text, path)) == {"secret"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("config.yaml", "db:\n  password: ${DB_PASSWORD}\n  secret: airflow-secrets\n"),
        ("values.yaml", "passwordSecretName: sales-db\nexistingSecret: sales\n"),
        ("x.sql", "select token, password from users where secret = :secret"),
        ("README.md", "Password: ask the owner.\nToken: see the connection\n"),
    ],
)
def test_other_files_that_name_secrets_hold_none(path: str, text: str) -> None:
    assert secrets(text, path) == []


def test_an_allowed_line_becomes_a_note() -> None:
    found = secrets('password = "hunter2hunter"  # pragma: allowlist secret\n')
    assert [(finding.rule, finding.severity, finding.line) for finding in found] == [("secret_allowed", "note", 1)]
    assert rules(secrets('# pragma: allowlist nextline secret\npassword = "hunter2hunter"\n')) == {"secret_allowed"}
    assert rules(secrets('# pragma: allowlist secret\npassword = "hunter2hunter"\n')) == {"secret"}


def test_looking_for_secrets_takes_time_linear_in_the_text() -> None:
    for piece in ("a://", "PASSWORD=", 'x="', "curl ", "bearer ", "eyJaaaaaaaa.", '{"a":', "mysql ", "export A", "\\"):
        content = (piece * (300_000 // len(piece))).encode()
        began = time.process_time()
        list(check_secrets("x.txt", content, None))
        assert time.process_time() - began < 5, piece


def test_names_that_stand_for_each_other_end() -> None:
    lines = [f"a{number} = a{number + 1} + a{number + 1}" for number in range(60)]
    began = time.process_time()
    secrets("\n".join([*lines, 'a60 = "x"', "b = c", "c = b", "password = a0 + b"]))
    assert time.process_time() - began < 5


def test_a_notebook_must_not_carry_outputs() -> None:
    cells = [{"cell_type": "code", "source": ["1"], "outputs": [{"text": ["1"]}]}]
    assert rules(check_notebook("x.ipynb", json.dumps({"cells": cells}).encode())) == {"notebook_outputs"}
    cells[0]["outputs"] = []
    assert rules(check_notebook("x.ipynb", json.dumps({"cells": cells}).encode())) == set()
    assert rules(check_notebook("x.ipynb", b"[" * 100_000)) == {"bad_notebook"}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"# -*- coding: utf-7 -*-\nx = 1\n", "coding_cookie"),
        (b"#!/usr/bin/python\n# vim: set fileencoding=raw_unicode_escape :\n", "coding_cookie"),
        (b"\xff\xfex\x00", "source_encoding"),
        (b"x = '\xe9'\n", "source_encoding"),
        (b"x = 1\0\n", "control_character"),
        (b"# comment\rimport os\n", "bare_return"),
        ("x = 'a\u202eb'\n".encode(), "bidi_character"),
        ("x = 'a\u200bb'\n".encode(), "unseen_character"),
        (b"x = '\x1b[2J'\n", "control_character"),
        ("\U0001d41e\U0001d42f\U0001d41a\U0001d425('1')\n".encode(), "disguised_name"),
        ("p\u0430ssword = 1\n".encode(), "disguised_name"),
        (b"x = (\n", "syntax_error"),
        (b"(" * 5_000, "syntax_error"),
        (b"x = " + b"9" * 5_000 + b"\n", "syntax_error"),
        (b"x = " + b"1+" * 60_000 + b"1\n", "too_complex"),
        (b"x = " + b"-" * 100_000 + b"1\n", "too_complex"),
        (b"#" * (2**20 + 1), "large_file"),
    ],
)
def test_source_that_is_not_what_it_looks_like_is_found(content: bytes, rule: str) -> None:
    assert rules(check_source_text("dag.py", content)) == {rule}


@pytest.mark.parametrize(
    "content", [b"# -*- coding: utf-8 -*-\n", b"x = 1\r\n", "größe = 'ü'\n".encode(), b"\xef\xbb\xbfx = 1\n"]
)
def test_plain_source_is_fine(content: bytes) -> None:
    assert rules(check_source_text("dag.py", content)) == set()


@pytest.mark.parametrize(
    ("source", "rule", "severity"),
    [
        ("import os\nos.system('x')", "runs_process", "warning"),
        ("import subprocess as s\ns.run(['x'])", "runs_process", "warning"),
        ("from subprocess import run\n@dag\ndef d():\n    run(['x'])\nd()", "runs_process", "warning"),
        ("exec(b64decode('eA=='))", "runs_made_code", "warning"),
        ("def f():\n    exec('x')", "runs_made_code", "note"),
        ("import marshal\nmarshal.loads(b'')", "loads_unsafe_data", "warning"),
        ("import pickle\npickle.loads(b'')", "loads_unsafe_data", "warning"),
        ("import ctypes\nctypes.CDLL('x')", "calls_native_code", "warning"),
        ("import socket\nsocket.socket().connect(1)", "opens_network", "warning"),
        ("import requests\nx = requests.get('x').json()", "opens_network", "warning"),
        ("import importlib\nimportlib.import_module('o' + 's')", "imports_computed_name", "warning"),
        ("import sys\nsys.path.insert(0, '/x')", "changes_imports", "warning"),
        ("import sys\nsys.modules['x'] = 1", "changes_imports", "warning"),
        ("from airflow.sdk import BaseHook\nBaseHook.get_connection('x')", "reads_connection", "note"),
        ("from airflow.models import DagBag\nDagBag.collect = None", "changes_airflow", "warning"),
        ("from airflow.listeners.listener import get_listener_manager as g\ng()", "changes_airflow", "warning"),
        ("from airflow.plugins_manager import AirflowPlugin\nclass P(AirflowPlugin): ...", "is_plugin", "note"),
        ("open('x', 'w')", "changes_files", "note"),
    ],
)  # fmt: skip
def test_what_code_does_by_being_imported_is_told(source: str, rule: str, severity: str) -> None:
    tree = parsed(source.encode())
    assert tree is not None
    assert (rule, severity) in {(finding.rule, finding.severity) for finding in check_capabilities("dag.py", tree)}


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess\n@task\ndef t():\n    subprocess.run(['x'])\nt()",
        "import requests\ndef f():\n    requests.get('x')\nPythonOperator(python_callable=f)",
        "import yaml\nyaml.load(open('x'), Loader=yaml.SafeLoader)",
        "import importlib\nimportlib.import_module('os.path')",
        "import pendulum\nx = pendulum.datetime(2024, 1, 1)",
    ],
)
def test_what_runs_in_tasks_or_does_no_harm_is_not_told(source: str) -> None:
    tree = parsed(source.encode())
    assert tree is not None
    assert [finding.message for finding in check_capabilities("dag.py", tree)] == []


def absent(source: str) -> set[str]:
    tree = parsed(source.encode())
    assert tree is not None
    return rules(check_modules("dag.py", tree))


def test_a_module_that_airflow_does_not_have_is_found() -> None:
    assert absent("from airflow.operators.subdag import SubDagOperator") == {"absent_module"}
    assert absent("import airflow.contrib.hooks.x") == {"absent_module"}
    assert absent("from airflow.sdk import dag\nfrom airflow.providers.acme.x import y\nimport os") == set()
    assert absent("try:\n    import airflow.contrib\nexcept ImportError:\n    pass") == set()


def test_what_airflow_3_removed_is_found_in_every_file() -> None:
    removed = b"from airflow import DAG\nDAG(dag_id='x', schedule_interval='@daily')  # noqa: AIR301\n"
    found = list(check_compatibility({"a/b.py": removed, "c.py": b"x = 1\n"}))
    assert [(finding.rule, finding.severity, finding.file, finding.line) for finding in found] == [
        ("AIR301", "error", "a/b.py", 2)
    ]


def test_a_sound_package_has_no_findings() -> None:
    assert check_files(FILES, manifest()) == ()


def test_findings_come_from_all_files_at_once() -> None:
    files = {
        **FILES,
        "a.py": b"import os\nos.system('x')\n",
        "b.py": b"x = (\n",
        "c.yaml": b"password: hunter2hunter\n",
        "d.py": b"from airflow.contrib import x\n",
    }
    found = check_files(files, manifest())
    assert {("a.py", "runs_process"), ("b.py", "syntax_error"), ("c.yaml", "secret"), ("d.py", "absent_module")} <= {
        (finding.file, finding.rule) for finding in found
    }


def test_a_file_that_takes_too_much_is_told_and_the_caller_lives() -> None:
    giant = b"x = [" + b"1," * (2**19 - 10) + b"]\n"
    found = check_files({"a.sql": b"", "giant.py": giant}, manifest(), memory=300 * 2**20)
    assert [(finding.rule, finding.file) for finding in found] == [("too_complex", "giant.py")]


def test_a_dag_id_of_look_alike_letters_is_told() -> None:
    dag = manifest().dags[0].model_copy(update={"dag_id": "s\u0430les"})
    assert rules(check_files({}, manifest(dags=(dag,)))) == {"dag_id_letters"}
