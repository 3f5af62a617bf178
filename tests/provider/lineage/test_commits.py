"""What Airflow stores of a DAG whose bundle has versions: the sync proves from it which text stands in which."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

from festaf.provider.demo.place import Place, Ports

pytestmark = [pytest.mark.flow, pytest.mark.long, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
VERSIONS_ARE_MOVED = Version(version("apache-airflow-core")) >= Version("3.2")
BUNDLE = {"name": "commits", "classpath": "tests.provider.lineage.commits.CommitBundle", "kwargs": {}}
DAG = """from airflow.sdk import DAG, task

with DAG("sea", schedule=None):

    @task
    def fill():
        return {number}

    fill()
"""


class Parsed:
    """An Airflow's database, and the folder that its DAGs are parsed from."""

    def __init__(self, folder: Path) -> None:
        self.commits = folder / "commits"
        self.commits.mkdir()
        settings = {
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([BUNDLE]),
            "COMMITS": str(self.commits),
            "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}",
        }
        self.place = Place(folder, self.commits, Ports.free(), settings=settings)
        self.airflow("db", "migrate")

    def airflow(self, *words: str, interval: int = 3600) -> None:
        name = "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL"
        environment = self.place.airflow_environment() | {name: str(interval)}
        command = [sys.executable, "-m", "airflow", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def commit(self, number: int, interval: int = 3600) -> tuple[str, str, str]:
        """Change the body of the task, parse, and give the DAG's and the DAG version's commit, and the text."""
        (self.commits / "sea.py").write_text(DAG.format(number=number))
        (self.commits / "CURRENT").write_text(f"commit-{number}")
        self.airflow("dags", "reserialize", "--bundle-name", "commits", interval=interval)
        with closing(sqlite3.connect(self.place.folder / "airflow" / "airflow.db")) as database:
            (found,) = database.execute(
                "SELECT dag.bundle_version, dag_version.bundle_version, source_code FROM dag"
                " JOIN dag_version ON dag_version.dag_id = dag.dag_id"
                " JOIN dag_code ON dag_code.dag_version_id = dag_version.id WHERE version_number = 1"
            )
        return found[0], found[1], found[2]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    parsed = Parsed(tmp_path_factory.mktemp("commits"))
    assert parsed.commit(1) == ("commit-1", "commit-1", DAG.format(number=1))
    return parsed


def test_a_text_is_stored_with_the_dags_commit_and_not_with_that_of_the_dag_version(parsed: Parsed) -> None:
    """Once Airflow stores all three together, the sync may read the DAG version's instead."""
    assert parsed.commit(2) == ("commit-2", "commit-1", DAG.format(number=2))


def test_a_parse_after_the_interval_brings_all_together(parsed: Parsed) -> None:
    """Airflow 3.1 leaves a DAG version the commit that it was made with for good."""
    parsed.commit(3, interval=0)
    own = "commit-3" if VERSIONS_ARE_MOVED else "commit-1"
    assert parsed.commit(3, interval=0) == ("commit-3", own, DAG.format(number=3))
