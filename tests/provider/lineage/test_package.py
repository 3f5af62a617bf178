from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from festaf.contract import facets
from festaf.contract.dag_package import RunningPackage
from festaf.provider.bundles.registry import RegistryDagBundle
from festaf.provider.lineage.package import package_of

if TYPE_CHECKING:
    from pathlib import Path

DIGEST_START = "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path))


def bundle(version: str | None) -> RegistryDagBundle:
    return RegistryDagBundle(name="theirs", package="acme/sales", version=version)


def test_the_package_of_a_pinned_bundle_is_told_with_its_bytes() -> None:
    found = package_of(bundle(f"1.4.0-{DIGEST_START}"))
    assert found == RunningPackage(namespace="acme", name="sales", version="1.4.0", digest_start=DIGEST_START)
    facet = facets.own("dag_package", "package", found)
    assert RunningPackage.model_validate(facet["package"]) == found


@pytest.mark.parametrize("version", [None, "main", "../1.4.0"])
def test_a_bundle_without_a_version_of_ours_says_nothing(version: str | None) -> None:
    assert package_of(bundle(version)) is None


@pytest.mark.parametrize("other", [None, SimpleNamespace(package="acme/sales", version=f"1.4.0-{DIGEST_START}")])
def test_another_bundle_says_nothing(other: object) -> None:
    assert package_of(other) is None
