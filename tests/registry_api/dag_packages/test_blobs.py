"""What a store of archives promises, on the disk and in S3."""

from __future__ import annotations

import hashlib
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from festaf.registry_api.dag_packages.blobs import PIECE, BlobStore, open_blobs
from tests.buckets import PREFIX, Bucket, Folder, on_disk_and_s3

if TYPE_CHECKING:
    from pathlib import Path

    from tests.buckets import Kept

pytestmark = on_disk_and_s3
DATA = bytes(range(256)) * 5_000
DIGEST = hashlib.sha256(DATA).hexdigest()
DATABASE = make_url("sqlite:///none.db")


@pytest.fixture
def blobs(kept: Kept) -> BlobStore:
    found = open_blobs(kept.place, DATABASE)
    found.check()
    return found


def test_what_is_put_is_had_and_given_whole_and_in_pieces(blobs: BlobStore, kept: Kept) -> None:
    blobs.put(DIGEST, DATA)
    blobs.put(DIGEST, DATA)
    assert blobs.has(DIGEST)
    assert blobs.read(DIGEST) == DATA
    found = blobs.stream(DIGEST)
    assert found is not None
    given = list(found)
    assert b"".join(given) == DATA
    assert max(map(len, given)) == PIECE
    assert kept.names() == [DIGEST]
    assert not blobs.failing()


def test_what_is_not_there_is_not_given(blobs: BlobStore) -> None:
    assert blobs.read(DIGEST) is None
    assert blobs.stream(DIGEST) is None
    assert not blobs.has(DIGEST)
    blobs.remove(DIGEST)
    blobs.put(DIGEST, DATA)
    blobs.remove(DIGEST)
    blobs.remove(DIGEST)
    assert not blobs.has(DIGEST)
    assert not blobs.failing()


@pytest.mark.parametrize("changed", [DATA[:-1] + b"x", DATA[:-1], b""])
def test_what_was_changed_is_told_and_not_given_until_it_is_put_again(
    blobs: BlobStore, kept: Kept, changed: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    blobs.put(DIGEST, DATA)
    kept.write(DIGEST, changed)
    assert blobs.read(DIGEST) is None
    assert blobs.stream(DIGEST) is None
    assert caplog.text.count(f"The archive {DIGEST} was changed in its store") == 2
    blobs.put(DIGEST, DATA)
    assert blobs.read(DIGEST) == DATA


def test_only_archives_that_are_old_enough_are_named(blobs: BlobStore, kept: Kept) -> None:
    blobs.put(DIGEST, DATA)
    if isinstance(kept, Bucket):
        for key in (f"{PREFIX}/notes.txt", f"{PREFIX}/ab/notes", f"{PREFIX}-other/{DIGEST[:2]}/{DIGEST}"):
            kept.put(key, b"of somebody else")
    assert list(blobs.old(3_600)) == []
    assert list(blobs.old(-1)) == [DIGEST]


def test_a_reader_never_sees_half_of_what_is_written(blobs: BlobStore) -> None:
    def write(_: int) -> None:
        blobs.put(DIGEST, DATA)

    def look(_: int) -> bytes | None:
        return blobs.read(DIGEST)

    with ThreadPoolExecutor(8) as pool:
        writing = pool.map(write, range(12))
        assert set(pool.map(look, range(12))) <= {None, DATA}
        list(writing)
    assert blobs.read(DIGEST) == DATA


def test_a_store_is_moved_by_copying_it(blobs: BlobStore, kept: Kept, tmp_path: Path) -> None:
    """``aws s3 sync`` and its like keep names; nothing else is needed."""
    blobs.put(DIGEST, DATA)
    copied = Folder(tmp_path / "copied")
    if isinstance(kept, Bucket):
        key = f"{PREFIX}/{DIGEST[:2]}/{DIGEST}"
        copied.write(DIGEST, kept.client.get_object(Bucket=kept.name, Key=key)["Body"].read())
    else:
        subprocess.run(["cp", "-r", kept.place, copied.place], check=True)
    assert open_blobs(copied.place, DATABASE).read(DIGEST) == DATA
