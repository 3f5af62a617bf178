"""A registry of packages for the whole module, and a workshop for each test."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from festaf.client.dag_packages import DagPackageClient
from tests.provider.dag_packages.workshop import Workshop
from tests.served_registry import served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_numbers = itertools.count()


@pytest.fixture(scope="session")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served_registry(tmp_path_factory.mktemp("packages"), demo=True) as registry:
        yield registry.url


@pytest.fixture
def workshop(registry_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    monkeypatch.setenv("AIRFLOW__FESTAF__REGISTRY_URL", registry_url)
    monkeypatch.setenv("AIRFLOW__FESTAF__LOCK_FILE", str(tmp_path / "dags.lock"))
    with DagPackageClient(registry_url) as client:
        yield Workshop(client, f"team-{next(_numbers)}", tmp_path / "dags.lock")
