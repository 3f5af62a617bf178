"""Kill the server in the middle of an upload or a step: nothing is torn, and doing it again finishes it."""

from __future__ import annotations

import hashlib
import random
import signal
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from festaf.registry_api.dag_packages.blobs import open_blobs
from festaf.registry_api.dag_packages.cleaning import clean, damaged
from festaf.registry_api.database import Database
from tests.buckets import on_disk_and_s3
from tests.registry_api.dag_packages.conftest import digest_header
from tests.registry_api.test_cli import serving
from tests.sharing.packages import archive

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Kept

KILLS = 6


def go(url: str, data: bytes, version: str) -> None:
    """Stage and publish a version; both may have been done before."""
    path = f"/api/v1/dag-packages/acme/sales/{version}"
    headers = {"Content-Type": "application/zip", "Content-Digest": digest_header(data)}
    with httpx.Client(base_url=url, timeout=60) as http:
        sent = http.put(f"{path}/archive", content=data, headers=headers)
        assert sent.status_code in {200, 201}, sent.text
        done = http.post(f"{path}/publish", json={"digest": sent.json()["digest"]})
        assert (done.status_code, done.json()["state"]) == (200, "published"), done.text


@pytest.mark.slow
@on_disk_and_s3
def test_a_killed_server_leaves_no_torn_version_and_a_repeat_finishes(
    tmp_path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FESTAF_REGISTRY_BLOBS", kept.place)
    chance = random.Random(7)
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    versions = {f"1.{number}": archive(version=f"1.{number}") for number in range(KILLS)}
    for version, data in versions.items():
        with serving("--demo", "--database-url", url) as (address, process):
            kill = threading.Timer(chance.uniform(0, 1.2), process.send_signal, [signal.SIGKILL])
            kill.start()
            try:
                while process.poll() is None:
                    go(address, data, version)
            except httpx.TransportError:
                pass
            kill.join()
    database = Database(url)
    blobs = open_blobs(kept.place, database.url)
    assert damaged(database, blobs) == []
    with serving("--demo", "--database-url", url) as (address, _):
        for version, data in versions.items():
            go(address, data, version)
            got = httpx.get(f"{address}/api/v1/dag-packages/acme/sales/{version}/archive")
            assert got.content == data
        changes = httpx.get(f"{address}/api/v1/dag-packages/changes").json()["changes"]
    assert sorted(change["version"] for change in changes) == sorted(versions)
    assert damaged(database, blobs) == []
    clean(database, blobs, seconds=-1)
    assert kept.names() == sorted(hashlib.sha256(data).hexdigest() for data in versions.values())
    database.close()
