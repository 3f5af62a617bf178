"""A small company: Airflow and the registry on PostgreSQL, with tokens, and a local AWS; as in docker-compose.yml."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from festaf.provider.demo.airflow_api import AirflowApi
from festaf.provider.demo.cluster import Cluster
from festaf.provider.demo.place import Place, Ports
from tests.flows.company import Company

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
READY_SECONDS = 120


def festaf(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "festaf.provider.cli", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="package")
def company(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Start everything once for all flow tests of this folder."""
    # The oldest Airflow is tested without PostgreSQL.
    import psycopg

    folder = tmp_path_factory.mktemp("company")
    with psycopg.connect(postgres, autocommit=True) as connection:
        for database in ("airflow", "registry"):
            connection.execute(f"CREATE DATABASE {database}")
    airflow, registry = (
        postgres.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")
        for name in ("airflow", "registry")
    )
    festaf("registry", "migrate", "--database-url", registry)
    tokens = {
        scope: json.loads(
            festaf("registry", "token", "create", scope, "--scope", scope, "--database-url", registry, "--json")
        )["token"]
        for scope in ("lineage:write", "registry:read")
    }
    rows = folder / "tides.csv"
    place = Place(
        folder,
        HERE / "dags",
        Ports.free(),
        namespace="company",
        airflow_database=airflow,
        registry_database=registry,
        registry_token=tokens["lineage:write"],
        settings={"HARBOUR_ROWS": str(rows)},
    )
    with Cluster(place) as cluster:
        cluster.start(print)
        api = AirflowApi(place.airflow_url)
        api.log_in()
        api.wait_for_dag("tides_readers", seconds=READY_SECONDS)
        api.unpause("tides_readers")
        yield Company(cluster, api, rows, tokens["registry:read"])
