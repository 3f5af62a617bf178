"""A package is published and imported by clients that do not know that its archive is in S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from festaf.client.dag_packages import DagPackageClient
from festaf.provider.dag_packages.importing.lock import read_lock
from festaf.sharing.archive import digest_of
from tests.buckets import PREFIX, Trouble
from tests.served_registry import served_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.buckets import Bucket
    from tests.provider.dag_packages.workshop import Workshop


@pytest.fixture
def registry_url(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve a registry of packages on S3, which was away when it started."""
    monkeypatch.setenv("FESTAF_REGISTRY_BLOBS", bucket.place)
    bucket.front.fail(Trouble())
    with served_registry(tmp_path / "served", demo=True) as registry:
        assert "starts without its archives" in (tmp_path / "served" / "registry.log").read_text()
        bucket.front.heal()
        yield registry.url


def test_a_package_is_imported_from_s3(workshop: Workshop, bucket: Bucket, registry_url: str) -> None:
    bucket.front.fail(Trouble(503, "SlowDown", method="PUT"), times=1)
    digest = workshop.publish()
    assert bucket.names() == [digest]
    bucket.front.fail(Trouble(method="GET", after=100), times=1)
    locked = workshop.take()
    assert read_lock(workshop.lock).find(workshop.package) == locked
    assert locked.digest == digest

    key = f"{PREFIX}/{digest[:2]}/{digest}"
    kept = bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
    with DagPackageClient(registry_url) as client:
        assert client.archive(workshop.namespace, "sales", "1.4.0", digest) == kept
    assert digest_of(kept) == digest
