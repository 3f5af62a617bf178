"""The commands run in processes of their own beside an Airflow with a database, against a served registry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from festaf.contract.dag_inspection import ConnectionNeed
from festaf.contract.dag_package import Needs, PackageParameter
from festaf.provider.dag_packages.importing.bundle_config import OPTION
from tests.provider.dag_packages.conftest import registry_url, workshop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.dag_packages.workshop import Workshop

__all__ = ["registry_url", "workshop"]
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an Airflow with a database and a configuration file."""
    folder = tmp_path_factory.mktemp("airflow")
    environment = os.environ | {"AIRFLOW_HOME": str(folder), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, check=True, capture_output=True)
    return folder


def festaf(home: Path, *words: str, fails: bool = False, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "festaf.provider.cli", "dag", *words],
        env=os.environ | {"AIRFLOW_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr if fails else done.stdout


def airflow(home: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *words],
        env=os.environ
        | {"AIRFLOW_HOME": str(home), "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(said: str) -> list[dict[str, str]]:
    """Read what stands behind Airflow's own log lines."""
    found: list[dict[str, str]] = json.loads(said[said.index("[{") :])
    return found


def test_a_package_is_imported_listed_upgraded_rolled_back_and_removed(home: Path, workshop: Workshop) -> None:
    workshop.publish("1.0.0")
    workshop.publish("1.1.0")
    said = festaf(home, "import", f"{workshop.package}@1.0.0", "--write-config")
    assert "airflow.cfg names the bundle now" in said
    assert f"{OPTION} = " in (home / "airflow.cfg").read_text()
    [listed] = json.loads(festaf(home, "list", "--json"))
    assert (listed["version"], listed["latest"], listed["outdated"]) == ("1.0.0", "1.1.0", True)
    upgraded = festaf(home, "upgrade", workshop.package)
    assert "in place of 1.0.0" in upgraded
    assert "version.txt changed" in upgraded
    assert "nothing changes" in festaf(home, "import", workshop.package)
    assert "all is well" in festaf(home, "doctor")
    assert "goes back from 1.1.0 to 1.0.0" in festaf(home, "rollback", workshop.package)
    removed = json.loads(festaf(home, "remove", workshop.package, "--write-config", "--json"))
    assert removed["version"] == "1.0.0"
    assert removed["bundle"] not in (home / "airflow.cfg").read_text()
    assert "Nothing is imported" in festaf(home, "list")


def test_what_is_lacking_is_said_and_its_cure_works(home: Path, workshop: Workshop) -> None:
    workshop.publish(
        needs=Needs(connections=(ConnectionNeed(conn_id="warehouse", conn_type="generic"),)),
        parameters=(PackageParameter(name="region", required=True),),
    )
    said = festaf(home, "import", workshop.package, "--set", "region=eu", fails=True)
    assert "airflow connections add warehouse --conn-type generic" in said
    assert not workshop.lock.exists()
    lacking = json.loads(
        festaf(home, "import", workshop.package, "--set", "region=eu", "--json", fails=True).split("\n}")[0] + "}"
    )
    assert lacking["lacking"][0]["name"] == "warehouse"
    known = {"AIRFLOW_CONN_WAREHOUSE": "generic://"}
    done = json.loads(festaf(home, "import", workshop.package, "--set", "region=eu", "--json", **known))
    assert done["parameters"] == {"region": "eu"}
    assert json.loads(done["dag_bundle_config_list"])[-1]["kwargs"] == {"package": workshop.package}


def test_a_dry_run_changes_nothing(home: Path, workshop: Workshop) -> None:
    workshop.publish()
    assert "Nothing was changed" in festaf(home, "import", workshop.package, "--dry-run")
    assert not workshop.lock.exists()


def test_mistakes_end_with_a_sentence(home: Path, workshop: Workshop) -> None:
    assert "names no package" in festaf(home, "import", "sales", fails=True)
    assert "is not imported here" in festaf(home, "upgrade", "no/such", fails=True)
    assert "answered 404" in festaf(home, "import", f"{workshop.namespace}/nothing", fails=True)
    assert "cannot be reached" in festaf(
        home, "import", "acme/sales", fails=True, FESTAF_REGISTRY_URL="http://127.0.0.1:9"
    )


@pytest.mark.slow
def test_a_renamed_dag_is_parsed_and_runs_under_its_name_here(home: Path, workshop: Workshop) -> None:
    workshop.publish()
    locked = json.loads(
        festaf(home, "import", workshop.package, "--rename", "sales=our_sales", "--write-config", "--json")
    )
    assert (locked["dag_ids"], locked["renamed"]) == (["our_sales"], {"sales": "our_sales"})

    airflow(home, "dags", "reserialize", "--bundle-name", locked["bundle"])
    [listed] = rows(airflow(home, "dags", "list", "--output", "json"))
    assert (listed["dag_id"], listed["bundle_name"]) == ("our_sales", locked["bundle"])
    airflow(home, "dags", "test", "our_sales")
    [run] = rows(airflow(home, "dags", "list-runs", "our_sales", "--output", "json"))
    assert run["state"] == "success"
    festaf(home, "remove", workshop.package, "--write-config")
