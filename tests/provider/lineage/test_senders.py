"""One DAG is told by our listener, by Airflow's own OpenLineage provider, and by both, to a registry that runs."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from festaf.provider.demo.place import Place, Ports
from tests.served_registry import ServedRegistry, served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_aws.server import LocalAws

pytestmark = [pytest.mark.flow, pytest.mark.slow, pytest.mark.timeout(900)]

DAGS = Path(__file__).parent / "senders"
SENDERS = ("ours", "theirs", "both")
NAMESPACE = "rivers"
SECRET = "high-water-7"
COMPLETE_SINCE = Version("2.20")
"""The OpenLineage provider that this was seen to be complete with; 2.10, of the oldest Airflow's day, is not."""


@dataclass(frozen=True)
class Told:
    """A registry, and who told it."""

    registry: ServedRegistry
    sender: str

    @property
    def listens(self) -> bool:
        return self.sender != "theirs"

    def feature(self, feature_set: str, name: str) -> Any:
        return self.registry.get(f"/features/sea/{feature_set}/{name}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.registry.database)) as database:
            return database.execute(query).fetchall()

    def run(self, job: str) -> Any:
        """Give the one run of a job."""
        ((uuid,),) = self.rows(f"SELECT uuid FROM run WHERE job = '{job}'")
        return self.registry.get(f"/runs/{uuid}")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, local_aws_server: LocalAws) -> Place:
    """Make an Airflow's database, and the one that the SQL task works on."""
    folder = tmp_path_factory.mktemp("senders")
    with closing(sqlite3.connect(folder / "rivers.db")) as rivers, rivers:
        rivers.execute("CREATE TABLE raw (name TEXT, height REAL)")
        rivers.execute("CREATE TABLE levels (station TEXT, level REAL)")
    connection = {"conn_type": "sqlite", "host": str(folder / "rivers.db")}
    place = Place(
        folder,
        DAGS,
        replace(Ports.free(), local_aws=int(local_aws_server.url.rpartition(":")[2])),
        namespace=NAMESPACE,
        settings={"AIRFLOW_CONN_RIVERS_DB": json.dumps(connection), "AIRFLOW_VAR_RIVER_PASSWORD": SECRET},
    )
    _airflow(place, {}, "db", "migrate")
    return place


@pytest.fixture(scope="module", params=SENDERS)
def told(request: pytest.FixtureRequest, place: Place, local_aws_server: LocalAws) -> Iterator[Told]:
    """Run the DAG once, with a registry of its own."""
    local_aws_server.reset()
    folder = place.folder / request.param
    folder.mkdir()
    with served_registry(folder, demo=True) as registry:
        ours = {"AIRFLOW__FESTAF__REGISTRY_URL": registry.url}
        transport = {"type": "http", "url": registry.url, "endpoint": "api/v1/lineage", "compression": "gzip"}
        theirs = {
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
            "AIRFLOW__OPENLINEAGE__NAMESPACE": NAMESPACE,
        }
        settings = {
            "ours": ours,
            "theirs": theirs | {"AIRFLOW__FESTAF__REGISTRY_URL": ""},
            "both": ours | theirs,
        }[request.param]
        _airflow(place, settings, "dags", "test", "rivers", f"2026-11-2{SENDERS.index(request.param)}")
        yield Told(registry, request.param)


def _airflow(place: Place, settings: dict[str, str], *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *words],
        env=place.airflow_environment() | settings,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-8000:]


def _alone(told: Told) -> None:
    """Pass over what the provider of an older day does not tell, when nobody else tells it."""
    if not told.listens and Version(version("apache-airflow-providers-openlineage")) < COMPLETE_SINCE:
        pytest.skip("this OpenLineage provider tells neither runs of DAGs nor what was attached at run time")


def test_every_task_is_one_run_whoever_tells_it(told: Told) -> None:
    _alone(told)
    # The provider counts each statement of a hook as a job of its own, and in ``dags test`` those of earlier tasks too.
    jobs = sorted(job for (job,) in told.rows("SELECT job FROM run WHERE job NOT LIKE '%.query.%'"))
    assert jobs == [
        "rivers",
        "rivers.above",
        "rivers.create",
        "rivers.fill",
        "rivers.group.below",
        "rivers.group.below",
        "rivers.plain",
    ]
    assert {state for (state,) in told.rows("SELECT state FROM run")} == {"COMPLETE"}


def test_sql_is_told_down_to_the_columns_and_without_secrets(told: Told) -> None:
    run = told.run("rivers.fill")
    if not told.listens:
        # Airflow's SQLite hook has no words for OpenLineage, so its provider is silent on this task.
        assert run["outputs"] == []
        return
    (output,) = run["outputs"]
    origins = {
        column: [(item["name"].rpartition("/")[2], item["field"]) for item in body["inputFields"]]
        for column, body in output["facets"]["columnLineage"]["fields"].items()
    }
    assert origins == {"station": [("raw", "name")], "level": [("raw", "height")]}
    edges = told.rows(
        "SELECT s.name, s.field, t.name, t.field FROM edge JOIN node s ON s.id = source_id "
        "JOIN node t ON t.id = target_id WHERE t.name LIKE '%rivers.db/levels' AND t.field = 'level'"
    )
    assert [(source.rpartition("/")[2], field) for source, field, _, _ in edges] == [("raw", "height")]
    assert told.rows("SELECT count(*) FROM source_blob WHERE text LIKE 'INSERT INTO levels%***%'") == [(1,)]
    # Airflow's own provider may send the statement as it ran; our listener asks Airflow's masker.
    leaked = told.rows(f"SELECT count(*) FROM source_blob WHERE text LIKE '%{SECRET}%'")
    assert leaked == [(0,)] or told.sender == "both"


def test_what_is_declared_is_answered_as_declared(told: Told) -> None:
    _alone(told)
    level = told.feature("levels", "level")
    assert (level["who"]["owner"], level["how"]["technique"]) == ("team:rivers", "mean of a day")
    assert [source["uri"] for source in level["sources"]] == ["s3://harbour/raw.parquet#height"]
    assert {level["origins"][fact] for fact in ("who.owner", "how.technique", "type")} == {"declared"}
    assert level["run"]["rows"] == {"read": 8, "accepted": 7, "rejected": 1}
    flood = told.feature("floods", "flood")
    assert (flood["why"]["purpose"], flood["run"]["rows"]) == ("to warn", None)


def test_each_run_wrote_a_feature_set_once(told: Told) -> None:
    _alone(told)
    writes = dict(
        told.rows(
            "SELECT s.name, count(*) FROM feature_set_write w JOIN feature_set s ON s.id = w.feature_set_id "
            "WHERE superseded_at IS NULL GROUP BY s.name"
        )
    )
    assert writes == {"levels": 1, "floods": 2, "gauges": 1}


def test_our_operator_tells_the_same_to_both(told: Told) -> None:
    at = told.feature("stations", "at")
    assert (at["who"]["owner"], at["how"]["technique"], at["origins"]["how.technique"]) == (
        "team:rivers",
        "copied",
        "declared",
    )
    (output,) = told.run("rivers.create")["outputs"]
    assert {"schema", "columnLineage", "ownership", "festaf_definition"} <= set(output["facets"])


def test_the_run_names_its_dag_task_and_operator(told: Told) -> None:
    run = told.run("rivers.fill")
    task = run["task"]
    assert (task["dag_id"], task["task_id"], task["try_number"], task["map_index"]) == ("rivers", "fill", 1, -1)
    assert task["operator"] == "SQLExecuteQueryOperator"
    assert task["run_id"].startswith("manual__")
    (dag,) = told.registry.get("/dags")["items"]
    assert (dag["namespace"], dag["description"], dag["schedule"]) == (NAMESPACE, "Levels of rivers", "0 0 * * *")
    assert dag["tags"] == ["river"]
    assert dag["owners"] == ["ann", "team:rivers"]


def test_the_source_of_a_python_task_arrives(told: Told) -> None:
    facets = told.run("rivers.plain")["job_facets"]
    assert ("sourceCode" in facets) == told.listens
