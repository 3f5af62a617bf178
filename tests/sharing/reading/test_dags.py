"""DAGs are found where Airflow finds them, and say what Airflow says of them."""

from __future__ import annotations

import pytest

from festaf.sharing.reading import read_file, read_package
from tests.sharing.reading.dags import ids, read, read_dag

HEAD = """
from datetime import datetime, timedelta
import pendulum
from airflow.sdk import DAG, Asset, AssetAlias, Param, asset, dag, task
from airflow.timetables.trigger import CronTriggerTimetable, MultipleCronTriggerTimetable
from airflow.providers.standard.operators.empty import EmptyOperator
"""


def test_dags_of_a_loop_and_a_factory_are_found() -> None:
    found = read(
        HEAD
        + """
CONFIG = {'a': '@daily', 'b': None}
def build(name, schedule, *, prefix='x'):
    with DAG(dag_id=f'{prefix}_{name}', schedule=schedule) as made:
        for i in range(2):
            EmptyOperator(task_id='%s_%d' % (name, i))
    return made
for name, schedule in CONFIG.items():
    globals()[name] = build(name, schedule)
"""
    )
    assert [(item.dag_id, item.schedule, ids(item)) for item in found.dags] == [
        ("x_a", "0 0 * * *", ["a_0", "a_1"]),
        ("x_b", None, ["b_0", "b_1"]),
    ]


def test_a_dag_that_nothing_holds_is_not_found() -> None:
    assert read(HEAD + "def f():\n    DAG('lost')\nf()\n").dags == ()
    assert [item.dag_id for item in read(HEAD + "d = DAG('kept')\n").dags] == ["kept"]
    assert read(HEAD + "with DAG('off', auto_register=False): ...\n").dags == ()


def test_a_decorated_dag_counts_once_it_is_called() -> None:
    text = (
        HEAD
        + "@dag(schedule=timedelta(days=1), tags=['t'])\ndef d(limit=5):\n    'What it does.'\n    task(lambda: 1)\n"
    )
    assert read(text).dags == ()
    found = read_dag(text + "d()\n")
    assert (found.dag_id, found.schedule, found.tags, found.doc_md) == ("d", "1 day, 0:00:00", ("t",), "What it does.")
    assert [(item.name, item.default) for item in found.params] == [("limit", 5)]


@pytest.mark.parametrize(
    ("schedule", "shown"),
    [
        ("'@hourly'", "0 * * * *"),
        ("'5 4 * * *'", "5 4 * * *"),
        ("None", None),
        ("timedelta(hours=6)", "6:00:00"),
        ("[Asset('s3://b/k')]", "Asset"),
        ("Asset('a') & (Asset('b') | AssetAlias('c'))", "Asset"),
        ("CronTriggerTimetable('0 1 * * *', timezone='UTC')", "0 1 * * *"),
        ("MultipleCronTriggerTimetable('0 1 * * *', '0 2 * * *', timezone='UTC')", "0 1 * * *, 0 2 * * *"),
        ("'@once'", "@once"),
        ("'@continuous'", "@continuous"),
    ],
)
def test_a_schedule_is_shown_as_airflow_shows_it(schedule: str, shown: str | None) -> None:
    dag = read_dag(HEAD + f"d = DAG('d', schedule={schedule})\n")
    assert dag.schedule == shown
    assert "schedule" not in dag.confidence


def test_the_options_of_a_dag_are_read() -> None:
    dag = read_dag(
        HEAD
        + """
d = DAG('d', start_date=pendulum.datetime(2024, 1, 1, tz='Europe/Paris'), catchup=True, description='x',
        params={'n': Param(3, type='integer', minimum=1), 'plain': 'y'})
"""
    )
    assert (dag.start_date, dag.timezone, dag.catchup) == ("2024-01-01T00:00:00+01:00", "Europe/Paris", True)
    assert [(item.name, item.default, item.json_schema) for item in dag.params] == [
        ("n", 3, {"type": "integer", "minimum": 1}),
        ("plain", "y", {}),
    ]


def test_assets_of_tasks_and_schedules_are_read() -> None:
    dag = read_dag(
        HEAD
        + """
raw = Asset(name='raw', uri='S3://bucket/raw/')
with DAG('d', schedule=[raw]) as d:
    EmptyOperator(task_id='a', inlets=[raw], outlets=[Asset('out')])
"""
    )
    assert dag.scheduled_on == ("s3://bucket/raw",)
    assert dag.assets == ("out", "s3://bucket/raw")
    assert (dag.inlets, dag.outlets) == (("s3://bucket/raw",), ("out",))


def test_a_decorated_asset_is_a_dag_of_one_task() -> None:
    dag = read_dag(HEAD + "@asset(schedule='@daily')\ndef cleaned(raw): ...\n")
    assert (dag.dag_id, ids(dag), dag.outlets) == ("cleaned", ["cleaned"], ("cleaned",))


def test_modules_of_the_package_are_read_and_named() -> None:
    sources = {
        "dags/team/dag.py": b"from team.parts.names import NAMES\nfrom .parts import build\nimport team.other\n"
        b"for n in NAMES:\n    build(n)\n",
        "dags/team/__init__.py": b"",
        "dags/team/parts/__init__.py": b"from .builder import *\n",
        "dags/team/parts/names.py": b"NAMES = ['a', 'b']\n",
        "dags/team/parts/builder.py": b"from airflow.sdk import DAG\ndef build(n):\n    with DAG(n):\n        pass\n",
        "dags/team/other.py": b"import requests\n",
    }
    root = {path.removeprefix("dags/"): content for path, content in sources.items()}
    found = read_file(root, "team/dag.py")
    assert [item.dag_id for item in found.dags] == ["a", "b"]
    assert found.dags[0].local_files == (
        "team/__init__.py", "team/other.py", "team/parts/__init__.py", "team/parts/builder.py", "team/parts/names.py",
    )  # fmt: skip
    assert found.dags[0].requirements == ("requests",)


def test_classes_enumerations_and_dataclasses_are_evaluated() -> None:
    found = read(
        HEAD
        + """
from dataclasses import dataclass, field
from enum import Enum
class Team(Enum):
    SALES = 'sales'
@dataclass
class Spec:
    name: str
    team: Team = Team.SALES
    tags: list = field(default_factory=list)
    @property
    def dag_id(self):
        return f'{self.team.value}.{self.name}'
for spec in (Spec('a'), Spec('b', tags=['t'])):
    with DAG(spec.dag_id, tags=spec.tags + [spec.team.value]):
        pass
"""
    )
    assert [(item.dag_id, item.tags) for item in found.dags] == [("sales.a", ("sales",)), ("sales.b", ("sales", "t"))]


def test_what_depends_on_an_installed_package_is_told() -> None:
    dag = read_dag(HEAD + "try:\n    import rare\nexcept ImportError:\n    rare = None\nif rare:\n    d = DAG('d')\n")
    assert dag.confidence["dag_id"] == "partial"


def test_a_dag_id_given_twice_is_told() -> None:
    found = read(HEAD + "a = DAG('d')\nb = DAG('d')\n")
    assert all("dag_id" in item.confidence for item in found.dags)


def test_only_files_that_define_dags_are_given_for_a_package() -> None:
    sources = {
        "a.py": b"from airflow.sdk import DAG\nd = DAG('a')\n",
        "b.py": b"from airflow.sdk import DAG\n",
        "c.py": b"import airflow, dag\ndef (\n",
        "d.txt": b"airflow dag",
    }
    assert [item.file for item in read_package(sources)] == ["a.py", "c.py"]


def test_a_file_that_is_not_there_is_told() -> None:
    assert read_file({}, "dag.py").error == "The package has no such file"


def test_the_name_of_a_class_that_may_be_an_alias_is_not_guessed() -> None:
    dag = read_dag(HEAD + "from airflow.models import XCom\nwith DAG('d'):\n    EmptyOperator(task_id=XCom.__name__)\n")
    assert ids(dag) == []
    assert dag.confidence["tasks"] == "partial"


def test_a_dag_that_another_package_fills_is_told() -> None:
    dag = read_dag(HEAD + "from cosmos import DbtDag\nd = DbtDag(dag_id='d', schedule='@daily')\n")
    assert (dag.dag_id, dag.schedule) == ("d", "0 0 * * *")
    made_elsewhere = ("tasks", "edges", "owners", "params", "connections")
    assert {dag.confidence.get(name) for name in made_elsewhere} == {"unknown"}
