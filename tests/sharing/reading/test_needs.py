"""What a DAG needs around it is collected from all of its code, and from its templates."""

from __future__ import annotations

from festaf.sharing.reading import read_file
from tests.sharing.reading.dags import read_dag

HEAD = """
import os
from airflow.sdk import DAG, BaseHook, Variable, task
from airflow.providers.amazon.aws.operators.s3 import S3CopyObjectOperator
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
"""


def test_connections_are_those_of_operators_hooks_defaults_and_templates() -> None:
    dag = read_dag(
        HEAD
        + """
from airflow.providers.postgres.hooks.postgres import PostgresHook
CONN = 'warehouse'
@task
def f():
    PostgresHook(postgres_conn_id=CONN)
    PostgresHook('first')
    BaseHook.get_connection('direct')
with DAG('d') as d:
    f()
    S3CopyObjectOperator(task_id='a')
    SQLExecuteQueryOperator(task_id='b', conn_id='named', sql="SELECT '{{ conn.templated.host }}'")
"""
    )
    assert dag.connections == ("aws_default", "direct", "first", "named", "templated", "warehouse")
    assert [item.conn_id for item in dag.connection_needs if item.default] == ["aws_default"]


def test_a_connection_belongs_to_the_dag_that_names_it() -> None:
    text = HEAD + (
        "with DAG('a') as a:\n    SQLExecuteQueryOperator(task_id='t', conn_id='x', sql='s')\n"
        "with DAG('b') as b:\n    SQLExecuteQueryOperator(task_id='t', conn_id='y', sql='s')\n"
    )
    first, second = read_file({"dag.py": text.encode()}, "dag.py").dags
    assert (first.connections, second.connections) == (("x",), ("y",))


def test_variables_are_those_that_code_and_templates_read() -> None:
    dag = read_dag(
        HEAD
        + """
PREFIX = 'app'
@task
def f():
    Variable.get(f'{PREFIX}_key', default=None)
    Variable.get('bare')
with DAG('d') as d:
    f()
    SQLExecuteQueryOperator(task_id='b', conn_id='c', sql="{{ var.value.table }} {{ var.json.get('deep', 1) }}")
"""
    )
    assert [(item.key, item.has_default) for item in dag.variable_needs] == [
        ("app_key", True),
        ("bare", False),
        ("deep", True),
        ("table", False),
    ]


def test_a_computed_key_is_told() -> None:
    dag = read_dag(HEAD + "@task\ndef f(key):\n    Variable.get(key)\nwith DAG('d') as d:\n    f('x')\n")
    assert "variables" in dag.confidence


def test_files_that_are_named_are_data_files_and_their_templates_are_read() -> None:
    text = HEAD + (
        "with DAG('d', template_searchpath=[os.path.join(os.path.dirname(__file__), 'sql')]) as d:\n"
        "    SQLExecuteQueryOperator(task_id='b', conn_id='c', sql='load.sql')\n"
        "    SQLExecuteQueryOperator(task_id='e', conn_id='c', sql='missing.sql')\n"
    )
    sources = {"team/dag.py": text.encode(), "team/sql/load.sql": b"SELECT {{ var.value.limit }}", "other.sql": b""}
    [dag] = read_file(sources, "team/dag.py").dags
    assert dag.data_files == ("team/sql/load.sql",)
    assert dag.variables == ("limit",)


def test_dags_of_a_configuration_in_the_package_are_read() -> None:
    text = HEAD + (
        "import json\nfrom pathlib import Path\n"
        "CONFIG = json.loads((Path(__file__).parent / 'dags.json').read_text())\n"
        "for item in CONFIG['dags']:\n    with DAG(item['name'], schedule=item.get('schedule')): ...\n"
    )
    sources = {"dag.py": text.encode(), "dags.json": b'{"dags": [{"name": "a"}, {"name": "b", "schedule": "@daily"}]}'}
    found = read_file(sources, "dag.py").dags
    assert [(item.dag_id, item.schedule) for item in found] == [("a", None), ("b", "0 0 * * *")]
    assert found[0].data_files == ("dags.json",)


def test_environment_images_providers_and_requirements_are_read() -> None:
    dag = read_dag(
        HEAD
        + """
import yaml, numpy as np
from google.cloud import bigquery
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.providers.microsoft.azure.hooks.wasb import WasbHook
REGION = os.environ['REGION']
@task
def f():
    os.getenv('TOKEN')
with DAG('d') as d:
    f()
    DockerOperator(task_id='a', image='python:3.12')
"""
    )
    assert dag.environment == ("REGION", "TOKEN")
    assert dag.images == ("python:3.12",)
    assert dag.requirements == ("PyYAML", "google-cloud-bigquery", "numpy")
    assert dag.providers == (
        "apache-airflow-providers-amazon",
        "apache-airflow-providers-common-sql",
        "apache-airflow-providers-docker",
        "apache-airflow-providers-microsoft-azure",
    )
