"""One Airflow's DAG is published; another imports it by bundle, upgrades it during a run, goes back, and removes it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from festaf.client import RegistryClient
from festaf.client.dag_packages import DagPackageClient
from festaf.provider.demo.airflow_api import AirflowApi
from festaf.provider.demo.cluster import Cluster
from festaf.provider.demo.place import Place, Ports
from tests import served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.provider.demo.airflow_api import DagRun
    from festaf.provider.demo.process import Process

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]
SHARED = Path(__file__).parent / "shared"
SECONDS = 120
PACKAGE = "harbour/gauges"
QUICK = {
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
    "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "2",
}


@dataclass
class Site:
    """One Airflow: its processes are started one after the other, as far as a test needs them."""

    cluster: Cluster
    airflow: AirflowApi
    gate: Path
    started: list[Process] = field(default_factory=list)

    def start(self, *processes: Process) -> None:
        for process in processes:
            process.start()
            self.started.append(process)
        for process in processes:
            process.wait_ready(seconds=SECONDS)

    def run(self, *, finished: bool = True) -> DagRun:
        run_id = self.airflow.start("gauges")
        assert run_id is not None
        return self.end(run_id) if finished else self.airflow.run("gauges", run_id)

    def end(self, run_id: str) -> DagRun:
        run = until(lambda: self.airflow.run("gauges", run_id), lambda run: run.finished)
        self.airflow.check(run)
        return run

    def measured(self, run: DagRun) -> Any:
        return self.airflow.xcom(run, "measure")

    def versions(self) -> list[str]:
        found = self.airflow.get("/api/v2/dags/gauges/dagVersions", limit=100)["dag_versions"]
        return [version["bundle_version"] for version in sorted(found, key=lambda version: version["version_number"])]

    def version_of(self, run: DagRun) -> str:
        version: str = self.airflow.get(f"/api/v2/dags/gauges/dagRuns/{run.run_id}")["bundle_version"]
        return version

    def is_gone(self) -> bool:
        return bool(self.airflow.get("/api/v2/dags/gauges")["is_stale"])

    def tags(self) -> set[str]:
        return {tag["name"] for tag in self.airflow.get("/api/v2/dags/gauges")["tags"]}

    def festaf(self, *words: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "festaf.provider.cli", "dag", *words, "--json"],
            env=self.cluster.place.airflow_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def until(look: Any, enough: Any) -> Any:
    deadline = time.monotonic() + SECONDS
    while not enough(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r} after {SECONDS} s"
        time.sleep(0.3)
    return seen


def site(folder: Path, dags: Path, registry: int | None = None) -> Site:
    ports = Ports.free()
    if registry is not None:
        ports = Ports(ports.airflow, registry, ports.local_aws)
    gate = folder / "gate"
    settings = {
        "GAUGES_GATE": str(gate),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(folder / "bundles"),
        **QUICK,
    }
    dags.mkdir(exist_ok=True, parents=True)
    place = Place(folder, dags, ports, namespace=folder.name, settings=settings)
    cluster = Cluster(place)
    cluster.registry.command = [served_registry.PYTHON, *cluster.registry.command[1:]]
    return Site(cluster, AirflowApi(place.airflow_url), gate)


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """Give a sender that has the DAG in its folder, with the registry, and a receiver that has no DAG."""
    code = tmp_path / "code"
    shutil.copytree(SHARED, code)
    sender = site(tmp_path / "sender", code)
    receiver = site(tmp_path / "receiver", tmp_path / "none", sender.cluster.place.ports.registry)
    try:
        yield sender, receiver
    finally:
        for process in (*reversed(receiver.started), *reversed(sender.started)):
            process.stop()


def publish(sender: Site, version: str) -> None:
    code = sender.cluster.place.dags
    (code / "gauge_tools/code.py").write_text(f'"""The part that each version has anew."""\n\nVERSION = "{version}"\n')
    words = ["--namespace", "harbour", "--name", "gauges", "--version", version]
    registry = sender.cluster.place.registry_url
    published = sender.festaf("publish", str(code / "gauges.py"), *words, "--registry", registry)
    assert published["state"] == "published"


def test_a_dag_travels_from_one_airflow_to_another(sites: tuple[Site, Site]) -> None:
    sender, receiver = sites
    for one in (sender, receiver):
        one.cluster.migration.start()
    sender.start(sender.cluster.registry)
    for one in (sender, receiver):
        one.cluster.migration.wait_done(seconds=SECONDS)

    # The sender runs its DAG as it lies in its folder.
    sender.start(sender.cluster.api_server, sender.cluster.dag_processor, sender.cluster.scheduler)
    sender.airflow.log_in()
    sender.airflow.wait_for_dag("gauges", seconds=SECONDS)
    sender.airflow.unpause("gauges")
    sender.gate.touch()
    assert sender.measured(sender.run()) == "north 1.0.0"
    publish(sender, "1.0.0")
    for process in sender.started[1:]:
        process.stop()

    # The receiver imports it and runs the same.
    imported = receiver.festaf("import", PACKAGE, "--write-config", "--allow-missing")
    assert imported["dag_ids"] == ["gauges"]
    receiver.start(receiver.cluster.api_server, receiver.cluster.dag_processor, receiver.cluster.scheduler)
    receiver.airflow.log_in()
    receiver.airflow.wait_for_dag("gauges", seconds=SECONDS)
    receiver.airflow.unpause("gauges")
    under_way = receiver.run(finished=False)
    until(lambda: receiver.airflow.run("gauges", under_way.run_id), lambda run: run.tasks.get("wait") == "running")

    # An upgrade while a run is under way: that run ends on the old code, the next one begins on the new.
    publish(sender, "1.1.0")
    upgraded = receiver.festaf("upgrade", PACKAGE)
    until(receiver.versions, lambda versions: f"1.1.0-{upgraded['digest'][:32]}" in versions)
    receiver.gate.touch()
    old = receiver.end(under_way.run_id)
    assert receiver.measured(old) == "north 1.0.0"
    new = receiver.run()
    assert receiver.measured(new) == "north 1.1.0"
    assert [receiver.version_of(run).split("-")[0] for run in (old, new)] == ["1.0.0", "1.1.0"]
    assert receiver.tags() >= {"harbour", f"pkg:{PACKAGE}@1.1.0"}
    told = until(lambda: answer(sender), lambda feature: feature is not None and feature.run.run_id == new.run_id)
    assert told.run.dag_version.bundle_version == f"1.1.0-{upgraded['digest'][:32]}"

    # A yanked version runs on, the list says so, and going back needs no registry.
    with DagPackageClient(sender.cluster.place.registry_url) as client:
        client.yank("harbour", "gauges", "1.1.0", "wrong sums")
    [listed] = receiver.festaf("list")
    assert listed["said"] == "yanked: wrong sums"
    sender.cluster.registry.stop()
    assert receiver.measured(receiver.run()) == "north 1.1.0"
    back = receiver.festaf("rollback", PACKAGE)
    assert back["version"] == "1.0.0"
    until(receiver.versions, lambda versions: versions[-1] == f"1.0.0-{back['digest'][:32]}")
    again = receiver.run()
    assert receiver.measured(again) == "north 1.0.0"
    assert receiver.version_of(again) == f"1.0.0-{back['digest'][:32]}"
    assert receiver.tags() >= {f"pkg:{PACKAGE}@1.0.0"}

    # What is removed is no longer scheduled.
    receiver.festaf("remove", PACKAGE, "--write-config")
    until(receiver.is_gone, bool)


def answer(sender: Site) -> Any:
    with RegistryClient(sender.cluster.place.registry_url) as registry:
        feature = registry.feature("harbour", "levels", "level_m")
    return feature if feature is not None and feature.run is not None else None
