from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from festaf.provider.bundles import news, registry
from festaf.provider.bundles.registry import RegistryDagBundle
from festaf.provider.dag_packages.errors import PackageError, QuarantinedError, StoreError, UntrustedPackageError
from festaf.provider.dag_packages.importing.importer import remove, roll_back
from festaf.provider.dag_packages.settings import open_registry
from tests.provider.dag_packages.workshop import KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.dag_packages.workshop import Workshop


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give Airflow a folder for bundles, and let each test ask the registry anew."""
    folder = tmp_path / "bundles"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(folder))
    monkeypatch.setattr(news, "_boards", {})
    monkeypatch.setattr(news, "SECONDS", 0.0)
    return folder


def bundle(workshop: Workshop, version: str | None = None, **more: Any) -> RegistryDagBundle:
    return RegistryDagBundle(name="theirs", package=workshop.package, version=version, **more)


def in_use(found: RegistryDagBundle) -> str:
    version = found.get_current_version()
    return str(version.version if hasattr(version, "version") else version)


def away(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody answer at the registry's address."""
    text = workshop.lock.read_text().replace(workshop.client.url, "http://127.0.0.1:9")
    workshop.lock.write_text(text)
    monkeypatch.setenv("AIRFLOW__FESTAF__REGISTRY_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(registry, "open_registry", partial(open_registry, patience=1.0))


def test_the_dag_processor_follows_the_lock_file(workshop: Workshop) -> None:
    workshop.publish("1.0.0")
    workshop.publish("1.1.0")
    workshop.take("1.0.0")
    found = bundle(workshop)
    found.initialize()
    first = found.path
    assert in_use(found).startswith("1.0.0-")
    assert (first / "sales.py").is_file()
    workshop.take()
    found.refresh()
    assert in_use(found).startswith("1.1.0-")
    assert (found.path / "version.txt").read_text() == "1.1.0"
    assert (first / "version.txt").read_text() == "1.0.0"
    roll_back(workshop.lock, workshop.package, None, workshop.moment)
    found.refresh()
    assert found.path == first


def test_a_worker_starts_from_its_disk_while_the_registry_is_away(
    workshop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workshop.publish()
    locked = workshop.take()
    bundle(workshop).initialize()
    away(workshop, monkeypatch)
    pinned = bundle(workshop, locked.bundle_version)
    pinned.initialize()
    assert pinned.path.name == locked.bundle_version
    processor = bundle(workshop)
    processor.initialize()
    processor.refresh()
    assert in_use(processor) == locked.bundle_version


def test_a_worker_without_a_copy_and_a_lock_file_gets_one_by_the_version_alone(workshop: Workshop) -> None:
    workshop.publish()
    locked = workshop.take()
    workshop.lock.unlink()
    pinned = bundle(workshop, locked.bundle_version, version_data={"from": "a newer Airflow"})
    pinned.initialize()
    assert (pinned.path / "sales.py").is_file()


def test_no_copy_and_no_registry_is_said(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.publish()
    locked = workshop.take()
    away(workshop, monkeypatch)
    with pytest.raises(PackageError, match=r"no copy of .* on this machine, and the registry gave none"):
        bundle(workshop, locked.bundle_version).initialize()


@pytest.mark.parametrize("version", ["../../../etc", "1.0.0/x", "1.0.0-" + "g" * 32, "", "1" * 5000, "1.0.0-\0"])
def test_a_version_that_leads_elsewhere_is_refused(workshop: Workshop, version: str) -> None:
    found = bundle(workshop, version or "x")
    with pytest.raises(StoreError, match="no package version has such a name"):
        found.initialize()


def test_other_bytes_than_the_version_names_are_refused(workshop: Workshop) -> None:
    workshop.publish()
    with pytest.raises(StoreError, match="has other bytes"):
        bundle(workshop, "1.4.0-" + "0" * 32).initialize()


@pytest.mark.parametrize("change", ["edit", "add", "remove", "link"])
def test_a_copy_that_was_changed_is_made_anew(workshop: Workshop, change: str) -> None:
    workshop.publish()
    locked = workshop.take()
    found = bundle(workshop, locked.bundle_version)
    found.initialize()
    genuine = (found.path / "sales.py").read_bytes()
    if change == "edit":
        (found.path / "sales.py").write_bytes(b"import os\n" + genuine[10:])
    elif change == "add":
        (found.path / "more.py").write_text("import os")
    elif change == "remove":
        (found.path / "README.md").unlink()
    else:
        (found.path / "sales.py").unlink()
        (found.path / "sales.py").symlink_to("/etc/hostname")
    again = bundle(workshop, locked.bundle_version)
    again.initialize()
    assert (again.path / "sales.py").read_bytes() == genuine
    assert not (again.path / "more.py").exists()
    assert (again.path / "README.md").exists()


def test_a_copy_without_its_seal_is_believed_by_its_digest(
    workshop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workshop.publish()
    locked = workshop.take()
    bundle(workshop).initialize()
    found = bundle(workshop, locked.bundle_version)
    shutil.rmtree(found.store.seals)
    away(workshop, monkeypatch)
    found.initialize()
    assert found.store.seals.exists()


def test_bytecode_that_python_writes_is_no_change(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.publish()
    locked = workshop.take()
    found = bundle(workshop, locked.bundle_version)
    found.initialize()
    (found.path / "acme_sales/__pycache__").mkdir()
    (found.path / "acme_sales/__pycache__/queries.cpython-311.pyc").touch()
    away(workshop, monkeypatch)
    bundle(workshop, locked.bundle_version).initialize()


def test_a_place_that_somebody_else_took_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    workshop.publish()
    locked = workshop.take()
    found = bundle(workshop, locked.bundle_version)
    found.versions_dir.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found.path.symlink_to(elsewhere)
    with pytest.raises(StoreError, match="somebody else put it there"):
        found.initialize()
    found.path.unlink()
    found.versions_dir.chmod(0o777)
    with pytest.raises(StoreError, match="Others may write to"):
        found.initialize()


def test_a_full_disk_leaves_nothing_torn(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.publish()
    locked = workshop.take()
    found = bundle(workshop, locked.bundle_version)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("festaf.provider.bundles.store.write_new", full)
        with pytest.raises(StoreError, match="No space left on device"):
            found.initialize()
    assert list(found.versions_dir.iterdir()) == []
    found.initialize()


def test_a_yanked_version_runs_on(workshop: Workshop) -> None:
    workshop.publish()
    locked = workshop.take()
    workshop.client.yank(workshop.namespace, "sales", "1.4.0", "wrong sums")
    found = bundle(workshop, locked.bundle_version)
    found.initialize()
    processor = bundle(workshop)
    processor.initialize()
    assert in_use(processor) == locked.bundle_version


def test_a_quarantined_version_stops_even_where_its_copy_is(
    workshop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workshop.publish()
    locked = workshop.take()
    processor = bundle(workshop)
    processor.initialize()
    workshop.client.quarantine(workshop.namespace, "sales", "1.4.0", "it sends data away")
    processor.refresh()
    assert processor.get_current_version() is None or in_use(processor) == "None"
    assert list(processor.path.iterdir()) == []
    with monkeypatch.context() as patch:
        away(workshop, patch)
        with pytest.raises(QuarantinedError, match="nobody may run it"):
            bundle(workshop, locked.bundle_version).initialize()
    workshop.client.release(workshop.namespace, "sales", "1.4.0")
    text = workshop.lock.read_text().replace("http://127.0.0.1:9", workshop.client.url)
    workshop.lock.write_text(text)
    processor.refresh()
    assert in_use(processor) == locked.bundle_version


def test_a_signature_that_was_taken_away_is_noticed(workshop: Workshop) -> None:
    workshop.publish("1.0.0", key=KEY)
    workshop.take()
    digest = workshop.publish("1.1.0")
    with pytest.raises(UntrustedPackageError, match="is not signed"):
        bundle(workshop, f"1.1.0-{digest[:32]}").initialize()


def test_a_package_that_was_removed_has_no_dags(workshop: Workshop) -> None:
    workshop.publish()
    workshop.take()
    found = bundle(workshop)
    found.initialize()
    remove(workshop.lock, workshop.package)
    found.refresh()
    assert list(found.path.iterdir()) == []


def test_what_the_importer_chose_stands_beside_the_versions(workshop: Workshop) -> None:
    from festaf.contract.dag_package import PackageParameter

    workshop.publish(parameters=(PackageParameter(name="region", required=True),))
    workshop.take(chosen={"region": "eu"})
    found = bundle(workshop)
    found.initialize()
    beside = found.base_dir / registry.PARAMETERS
    assert json.loads(beside.read_text()) == {"region": "eu"}
    assert beside.parent in found.path.parents


def test_a_worker_reads_a_lock_file_only_when_it_changed(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    from festaf.contract.dag_package import PackageParameter

    workshop.publish(parameters=(PackageParameter(name="region", required=True),))
    version = workshop.take(chosen={"region": "eu"}).bundle_version
    found = bundle(workshop, version)
    found.initialize()
    beside = found.base_dir / registry.PARAMETERS
    read: list[Path] = []
    current = registry.current_lock
    monkeypatch.setattr(registry, "current_lock", lambda path: read.append(path) or current(path))
    bundle(workshop, version).initialize()
    assert read == []
    beside.write_text("{}")
    bundle(workshop, version).initialize()
    assert json.loads(beside.read_text()) == {"region": "eu"}
    workshop.take(chosen={"region": "us"})
    bundle(workshop, version).initialize()
    assert json.loads(beside.read_text()) == {"region": "us"}


def test_nothing_new_is_one_conditional_request_for_all_bundles(
    workshop: Workshop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workshop.publish()
    workshop.take()
    clock = itertools.count()
    board = news.News(workshop.client.url, clock=lambda: next(clock) / 1000)
    monkeypatch.setattr(news, "SECONDS", 30.0)
    monkeypatch.setattr(news, "_boards", {workshop.client.url: board})
    asked: list[tuple[int, str | None]] = []
    changes = type(workshop.client).changes
    monkeypatch.setattr(
        type(workshop.client),
        "changes",
        lambda self, since=0, etag=None: asked.append((since, etag)) or changes(self, since, etag),
    )
    for number in range(5):
        RegistryDagBundle(name=f"theirs-{number}", package=workshop.package).initialize()
    assert len(asked) == 1
    board._asked = None
    bundle(workshop).initialize()
    assert len(asked) == 2
    assert asked[1][1] is not None


UNPACK = """
import os, sys
from unittest import mock
from festaf.provider.bundles import store
from festaf.provider.bundles.registry import RegistryDagBundle

steps = 0
def dying(real):
    def step(*arguments, **more):
        global steps
        steps += 1
        if steps == int(sys.argv[3]):
            os.kill(os.getpid(), 9)
        return real(*arguments, **more)
    return step

with mock.patch.object(os, "fsync", dying(os.fsync)), mock.patch("pathlib.Path.rename", dying(store.Path.rename)), \\
     mock.patch("pathlib.Path.replace", dying(store.Path.replace)), \\
     mock.patch("pathlib.Path.open", dying(store.Path.open)):
    RegistryDagBundle(name="theirs", package=sys.argv[1], version=sys.argv[2]).initialize()
print(steps, file=sys.stderr)
"""


@pytest.mark.long
def test_a_kill_at_any_step_leaves_no_torn_copy_and_a_repeat_finishes(workshop: Workshop) -> None:
    workshop.publish()
    locked = workshop.take()
    words = [sys.executable, "-c", UNPACK, workshop.package, locked.bundle_version]
    done = subprocess.run([*words, "0"], env=dict(os.environ), capture_output=True, text=True, check=True)
    steps = int(done.stderr.splitlines()[-1])
    assert steps >= 20
    for step in range(1, steps + 1, 7):
        found = bundle(workshop, locked.bundle_version)
        shutil.rmtree(found.base_dir)
        died = subprocess.run([*words, str(step)], env=dict(os.environ), capture_output=True, text=True, check=False)
        assert died.returncode == -9, died.stderr
        assert not found.path.exists() or found.store.holds(locked.bundle_version)
        found.initialize()
        assert found.store.holds(locked.bundle_version)
        assert [entry.name for entry in found.versions_dir.iterdir()] == [locked.bundle_version]
