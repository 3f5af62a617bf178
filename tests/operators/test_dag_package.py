from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from festaf.contract.dag_package import Needs, PackageParameter
from festaf.operators.dag_package import ImportDagOperator
from festaf.provider.dag_packages.errors import TargetError
from festaf.provider.dag_packages.importing.lock import read_lock
from tests.dag_serialization import DagSerialization
from tests.provider.dag_packages.conftest import registry_url, workshop

if TYPE_CHECKING:
    from tests.provider.dag_packages.workshop import Workshop

__all__ = ["registry_url", "workshop"]


def taken(workshop: Workshop, wanted: str = "", **more: Any) -> dict[str, Any]:
    package = f"{workshop.package}@{wanted}" if wanted else workshop.package
    return ImportDagOperator(task_id="take", package=package, **more).execute({})


def test_a_task_imports_and_upgrades_and_repeats_without_a_change(workshop: Workshop) -> None:
    workshop.publish("1.0.0")
    digest = workshop.publish("1.1.0")
    first = taken(workshop, "1.0.0")
    assert (first["version"], first["changed"]) == ("1.0.0", True)
    second = taken(workshop)
    assert (second["version"], second["digest"], second["changed"]) == ("1.1.0", digest, True)
    assert taken(workshop)["changed"] is False
    locked = read_lock(workshop.lock).find(workshop.package)
    assert locked is not None
    assert (locked.version, [past.version for past in locked.history]) == ("1.1.0", ["1.0.0"])


def test_what_a_task_cannot_tell_is_said_and_stops_nothing(workshop: Workshop) -> None:
    workshop.publish(needs=Needs(pools=("heavy",)))
    told = " ".join(taken(workshop)["not_checked"])
    assert "pool 'heavy'" in told
    assert "DAG 'sales'" in told


def test_what_is_lacking_fails_the_task_and_writes_nothing(workshop: Workshop) -> None:
    workshop.publish(parameters=(PackageParameter(name="region", required=True),))
    with pytest.raises(TargetError, match="region has to be chosen"):
        taken(workshop)
    assert not workshop.lock.exists()
    assert taken(workshop, parameters={"region": "eu"})["changed"] is True


def test_templated_fields_are_rendered_and_the_dag_is_serialised() -> None:
    with DAG("dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
        made = ImportDagOperator(task_id="task", package="acme/{{ params.name }}")
    assert set(made.template_fields) <= set(inspect.signature(ImportDagOperator.__init__).parameters)
    again = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    assert again.get_task("task").task_type == "ImportDagOperator"
    made.render_template_fields({"params": {"name": "sales"}})
    assert made.package == "acme/sales"


def test_parsing_a_dag_with_it_imports_nothing_of_importing() -> None:
    program = (
        "import sys, festaf.operators.dag_package as _; "
        "print([name for name in ('httpx', 'cryptography', 'festaf.provider.dag_packages') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "festaf.provider.dag_packages" not in done.stdout.splitlines()[-1]
