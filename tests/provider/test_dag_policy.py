from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from airflow.exceptions import AirflowClusterPolicyViolation
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import DAG

from festaf.provider.dag_packages.importing.lock import Lock, LockedPackage, editing
from festaf.provider.dag_policy import LONGEST_TAG, dag_policy, tag_of

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "ab" * 32
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / "bundles"))
    monkeypatch.setenv("AIRFLOW__FESTAF__LOCK_FILE", str(tmp_path / "dags.lock"))
    return tmp_path / "bundles"


@pytest.fixture
def locked(tmp_path: Path) -> LockedPackage:
    """Lock a package that has the DAG ``sales``."""
    package = LockedPackage(
        registry="https://registry.example",
        namespace="acme",
        name="sales",
        version="1.4.0",
        digest=DIGEST,
        bundle="acme-sales",
        dag_ids=("sales",),
        since=NOW,
    )
    with editing(tmp_path / "dags.lock") as edit:
        edit.write(Lock().with_package(package))
    return package


def parsed(dag_id: str, file: Path | str) -> DAG:
    dag = DAG(dag_id)
    dag.fileloc = str(file)
    dag_policy(dag)
    return dag


def test_a_dag_of_a_package_is_tagged_with_the_version_of_its_folder(store: Path, locked: LockedPackage) -> None:
    file = store / "acme-sales/versions" / locked.bundle_version / "sales.py"
    assert parsed("sales", file).tags == {"pkg:acme/sales@1.4.0"}
    old = store / "acme-sales/versions" / f"1.3.0-{'cd' * 16}" / "sales.py"
    assert parsed("sales", old).tags == {"pkg:acme/sales@1.3.0"}


@pytest.mark.parametrize("place", ["dags/sales.py", "bundles/evil/versions/1-x/sales.py", "bundles/evil/sales.py"])
@pytest.mark.usefixtures("locked")
def test_nobody_else_takes_the_dag_id_of_a_package(tmp_path: Path, place: str) -> None:
    with pytest.raises(AirflowClusterPolicyViolation, match="belongs to the package acme/sales"):
        parsed("sales", tmp_path / place)


def test_a_package_takes_no_dag_id_that_its_manifest_does_not_name(store: Path, locked: LockedPackage) -> None:
    with pytest.raises(AirflowClusterPolicyViolation, match="its manifest does not name it"):
        parsed("payroll", store / "acme-sales/versions" / locked.bundle_version / "sales.py")


def test_a_dag_that_an_older_version_had_ends_in_peace(tmp_path: Path, store: Path, locked: LockedPackage) -> None:
    after = locked.followed_by(locked.model_copy(update={"version": "2.0.0", "digest": "cd" * 32, "dag_ids": ("new",)}))
    with editing(tmp_path / "dags.lock") as edit:
        edit.write(Lock().with_package(after))
    parsed("sales", store / "acme-sales/versions" / locked.bundle_version / "sales.py")


@pytest.fixture
def renamed(tmp_path: Path, locked: LockedPackage) -> LockedPackage:
    """Upgrade the package, and call its DAG otherwise from then on."""
    changes = {"version": "2.0.0", "digest": "cd" * 32, "dag_ids": ("our_sales",), "renamed": {"sales": "our_sales"}}
    after = locked.followed_by(locked.model_copy(update=changes))
    with editing(tmp_path / "dags.lock") as edit:
        edit.write(Lock().with_package(after))
    return after


def test_a_dag_is_called_as_its_importer_calls_it(store: Path, renamed: LockedPackage) -> None:
    file = store / "acme-sales/versions" / renamed.bundle_version / "sales.py"
    dag = parsed("sales", file)
    assert (dag.dag_id, dag.dag_display_name) == ("our_sales", "our_sales")


def test_a_run_under_way_finds_its_dag_by_the_name_it_began_with(store: Path, renamed: LockedPackage) -> None:
    file = store / "acme-sales/versions" / renamed.history[0].bundle_version / "sales.py"
    assert parsed("sales", file).dag_id == "sales"


@pytest.mark.usefixtures("renamed")
def test_the_name_that_the_author_gave_is_free_for_others(tmp_path: Path) -> None:
    assert parsed("sales", tmp_path / "dags/sales.py").dag_id == "sales"


def test_tasks_that_name_a_renamed_dag_find_it(store: Path, renamed: LockedPackage) -> None:
    with DAG("sales") as dag:
        again = TriggerDagRunOperator(task_id="again", trigger_dag_id="sales")
        other = TriggerDagRunOperator(task_id="other", trigger_dag_id="payroll")
        wait = ExternalTaskSensor(task_id="wait", external_dag_id="sales")
        TriggerDagRunOperator.partial(task_id="each", trigger_dag_id="sales").expand(conf=[{}, {}])
    dag.fileloc = str(store / "acme-sales/versions" / renamed.bundle_version / "sales.py")
    dag_policy(dag)
    assert (again.trigger_dag_id, other.trigger_dag_id, wait.external_dag_id) == ("our_sales", "payroll", "our_sales")
    each = dag.get_task("each")
    assert each.is_mapped
    assert each.partial_kwargs["trigger_dag_id"] == "our_sales"


@pytest.mark.usefixtures("locked")
def test_other_dags_are_left_alone(tmp_path: Path) -> None:
    assert parsed("payroll", tmp_path / "dags/payroll.py").tags == set()


def test_without_a_lock_file_nothing_happens(tmp_path: Path) -> None:
    assert parsed("sales", tmp_path / "dags/sales.py").tags == set()


def test_a_long_tag_fits_into_airflow_and_stays_unique() -> None:
    first, second = (tag_of(f"{'n' * 60}/{'p' * 60}", version) for version in ("1.0.0", "1.0.1"))
    assert len(first) == len(second) == LONGEST_TAG
    assert first != second


def test_airflow_finds_the_policy() -> None:
    from importlib.metadata import entry_points

    [entry] = [found for found in entry_points(group="airflow.policy") if found.name == "festaf"]
    assert entry.load().dag_policy is dag_policy
