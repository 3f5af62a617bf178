"""Files that others wrote, and files that the offline store has just written."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from festaf.local_aws.cloud import Cloud
from festaf.local_aws.objects import Objects
from festaf.local_aws.offline_store import OfflineRow, OfflineStore
from festaf.local_aws.written_files import WrittenFiles
from tests.local_aws.athena import REGION, Athena, parquet_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUP: dict[str, Any] = {
    "FeatureGroupName": "g",
    "FeatureGroupArn": f"arn:aws:sagemaker:{REGION}:123456789012:feature-group/g",
    "CreationTime": 1e9,
    "RecordIdentifierFeatureName": "Id",
    "EventTimeFeatureName": "at",
    "FeatureDefinitions": [
        {"FeatureName": "Id", "FeatureType": "String"},
        {"FeatureName": "at", "FeatureType": "Fractional"},
        {"FeatureName": "Delay", "FeatureType": "Fractional"},
    ],
    "OfflineStoreConfig": {
        "S3StorageConfig": {"S3Uri": "s3://bucket/fs"},
        "DataCatalogConfig": {"TableName": "g", "Catalog": "AwsDataCatalog", "Database": "db"},
    },
}
SUM = "SELECT count(*), sum(delay) FROM g"
HOURS = 20


@pytest.fixture(scope="module")
def shared_cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def athena(shared_cloud: Cloud) -> Iterator[Athena]:
    made = Athena.on(shared_cloud)
    yield made
    made.service.close()


@pytest.fixture
def store(athena: Athena) -> OfflineStore:
    made = OfflineStore(athena.cloud, athena.clock, 0.0, athena.written)
    made.create_table(GROUP)
    return made


def ingest(athena: Athena, store: OfflineStore, delay: str = "1.5", hours: int = HOURS) -> None:
    now = athena.clock.now()
    rows = [
        OfflineRow({"Id": "a", "at": str(hour * 3600), "Delay": delay}, str(hour * 3600), now) for hour in range(hours)
    ]
    store.append(GROUP, rows)
    store.flush(now)


def keys(athena: Athena) -> list[str]:
    return [stat.key for stat in Objects(athena.cloud, REGION).under("bucket", "fs/")]


def reads(athena: Athena, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the keys of the objects that are read from now on."""
    found: list[str] = []
    get = Objects.get

    def noted(self: Objects, bucket: str, key: str) -> bytes:
        found.append(key)
        return get(self, bucket, key)

    monkeypatch.setattr(Objects, "get", noted)
    return found


def test_what_was_just_written_is_asked_without_reading_an_object(
    athena: Athena, store: OfflineStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(athena, store)
    found = reads(athena, monkeypatch)
    assert athena.rows(SUM) == [["20", "30.0"]]
    ingest(athena, store, delay="0.5")
    assert athena.rows(SUM) == [["40", "40.0"]]
    assert found == []


def test_the_rows_are_those_of_the_files(athena: Athena, store: OfflineStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(athena, store)
    sql = "SELECT * FROM g ORDER BY at"
    kept = athena.rows(sql)
    other = athena.another()
    found = reads(athena, monkeypatch)
    try:
        assert other.rows(sql) == kept
    finally:
        other.service.close()
    assert len(found) == HOURS


def test_an_object_that_another_overwrote_or_deleted_is_seen(athena: Athena, store: OfflineStore) -> None:
    ingest(athena, store)
    first, second, *_ = keys(athena)
    data = {"id": ["b"], "at": [1.0], "delay": [100.0]}
    athena.put(first, parquet_bytes(data))
    assert athena.rows(SUM) == [["20", "128.5"]]
    s3 = athena.cloud.client("s3", REGION)
    s3.delete_object(Bucket="bucket", Key=second)
    assert athena.rows(SUM) == [["19", "127.0"]]
    s3.copy_object(Bucket="bucket", Key=second, CopySource={"Bucket": "bucket", "Key": keys(athena)[5]})
    assert athena.rows(SUM) == [["20", "128.5"]]


def test_kept_rows_are_bounded_and_found_by_their_etag_alone() -> None:
    rows = pa.table({"n": list(range(1000))})
    files = WrittenFiles(most_bytes=2 * rows.nbytes)
    for name in "abc":
        files.keep("bucket", name, "1", rows)
    assert [files.find("bucket", name, "1") is not None for name in "abc"] == [False, True, True]
    assert files.find("bucket", "b", "2") is None
    files.keep("bucket", "b", "2", rows)
    assert files.find("bucket", "c", "1") is not None
    files.clear()
    assert files.find("bucket", "b", "2") is None


READABLE: dict[str, tuple[str, Any, str]] = {
    "a narrower integer": ("bigint", pa.array([7], pa.int32()), "7"),
    "a float": ("double", pa.array([0.5], pa.float32()), "0.5"),
    "a large string": ("string", pa.array(["x"], pa.large_string()), "x"),
    "a category": ("string", pa.array(["x"]).dictionary_encode(), "x"),
    "microseconds": ("timestamp", pa.array([1_500_000], pa.timestamp("us")), "1970-01-01 00:00:01.500"),
    "a moment in UTC": ("timestamp", pa.array([1_500], pa.timestamp("ms", "UTC")), "1970-01-01 00:00:01.500"),
    "a large list": ("array<bigint>", pa.array([[1]], pa.large_list(pa.int64())), "[1]"),
}


@pytest.mark.parametrize("what", READABLE)
def test_a_file_of_a_kindred_type_is_read(athena: Athena, what: str) -> None:
    kind, values, text = READABLE[what]
    athena.table("t", {"v": kind})
    athena.put("t/f.parquet", parquet_bytes({"v": values}))
    assert athena.rows("SELECT v FROM t") == [[text]]


UNREADABLE: dict[str, tuple[str, Any]] = {
    "a double as an integer": ("bigint", pa.array([1.0])),
    "an integer as a double": ("double", pa.array([1])),
    "text as a number": ("bigint", pa.array(["1"])),
    "a number as text": ("string", pa.array([1])),
    "a boolean as a number": ("bigint", pa.array([True])),
    "an integer that does not fit": ("int", pa.array([1 << 40])),
    "text as a time": ("timestamp", pa.array(["2013-01-01"])),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_of_another_type_fails_as_in_athena(athena: Athena, what: str) -> None:
    kind, values = UNREADABLE[what]
    athena.table("t", {"v": kind})
    athena.put("t/f.parquet", parquet_bytes({"v": values}))
    assert athena.reason("SELECT v FROM t").startswith("HIVE_BAD_DATA: Field v's type")


def test_a_file_with_none_of_the_columns_still_has_its_rows(athena: Athena) -> None:
    athena.table("t", {"v": "bigint"})
    athena.put("t/f.parquet", parquet_bytes({"other": [1, 2, 3]}))
    assert athena.rows("SELECT count(*), count(v) FROM t") == [["3", "0"]]


def test_a_query_that_is_stopped_reads_no_further_file(athena: Athena, monkeypatch: pytest.MonkeyPatch) -> None:
    athena.table("t", {"v": "bigint"})
    for number in range(40):
        athena.put(f"t/{number}.parquet", parquet_bytes({"v": [number]}))
    get, begun, stopped = Objects.get, threading.Event(), threading.Event()
    found: list[str] = []

    def slow(self: Objects, bucket: str, key: str) -> bytes:
        found.append(key)
        begun.set()
        assert stopped.wait(30)
        return get(self, bucket, key)

    with monkeypatch.context() as patch:
        patch.setattr(Objects, "get", slow)
        identity = athena.start("SELECT sum(v) FROM t")
        assert begun.wait(30)
        athena.call("StopQueryExecution", QueryExecutionId=identity)
        stopped.set()
        time.sleep(0.5)
        assert len(found) == 1
    assert athena.finished(identity)["Status"]["State"] == "CANCELLED"
    assert athena.rows("SELECT sum(v) FROM t") == [["780"]]
