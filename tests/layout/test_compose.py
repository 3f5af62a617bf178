"""docker-compose.yml runs the commands that the demo and the flow tests run, and nothing it names is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from festaf.provider.demo.cluster import Cluster
from festaf.provider.demo.place import Place, Ports

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROGRAMS = {"festaf.local_aws": ["festaf", "local-aws"], "festaf.registry_api": ["festaf", "registry"]}


def words(command: list[str]) -> list[str]:
    """Leave out the interpreter and what differs from place to place: options and their values."""
    module, *rest = command[2:]
    name = PROGRAMS.get(module, [module])
    return [*name, *rest[: next((i for i, word in enumerate(rest) if word.startswith("--")), len(rest))]]


def test_compose_runs_what_the_flow_tests_run(tmp_path: Path) -> None:
    cluster = Cluster(Place(tmp_path, ROOT / "dags", Ports()))
    ours = {" ".join(words(list(process.command))) for process in (*cluster.processes, cluster.migration)}
    theirs = {
        " ".join(command[: next((i for i, word in enumerate(command) if word.startswith("--")), len(command))])
        for service in SERVICES.values()
        if (command := service.get("command"))
    }
    assert theirs == ours | {"festaf registry migrate"}


def test_airflow_has_the_settings_of_the_flow_tests(tmp_path: Path) -> None:
    place = Place(tmp_path, ROOT / "dags", Ports(), airflow_database="postgresql://", registry_token="secret")
    ours = {name for name in place.airflow_environment() if name.startswith("AIRFLOW")}
    theirs = set(SERVICES["airflow-scheduler"]["environment"])
    local_only = {name for name in ours - theirs if "LOG_SERVER_PORT" in name or "__API__" in name}
    assert ours - theirs - local_only == {"AIRFLOW__FESTAF__SPOOL_DIR"}


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    for volume in service.get("volumes", ()):
        source = volume.partition(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:")
