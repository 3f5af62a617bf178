"""Rows that were put become Parquet files in S3 and a table in Glue."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from festaf.local_aws.clock import Clock
from festaf.local_aws.cloud import Cloud
from festaf.local_aws.objects import Objects
from festaf.local_aws.offline_store import OfflineRow, OfflineStore

REGION = "us-east-1"
NAME = "Carrier-Delays"
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EPOCH = int(CREATED.timestamp())
DATA = f"pre/123456789012/sagemaker/{REGION}/offline-store/{NAME}-{EPOCH}/data"
TABLE = f"carrier_delays_{EPOCH}"


@pytest.fixture(scope="module")
def shared_cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Cloud:
    shared_cloud.reset()
    shared_cloud.client("s3", REGION).create_bucket(Bucket="bucket")
    return shared_cloud


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(cloud: Cloud, clock: Clock) -> OfflineStore:
    return OfflineStore(cloud, clock, delay_seconds=0.0)


def feature(name: str, kind: str, collection: str | None = None) -> dict[str, Any]:
    definition: dict[str, Any] = {"FeatureName": name, "FeatureType": kind}
    return definition | ({"CollectionType": collection} if collection else {})


def group(*features: dict[str, Any], event_time: str = "String", **offline: Any) -> dict[str, Any]:
    return {
        "FeatureGroupName": NAME,
        "FeatureGroupArn": f"arn:aws:sagemaker:{REGION}:123456789012:feature-group/carrier-delays",
        "CreationTime": CREATED,
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": [feature("id", "String"), feature("at", event_time), *features],
        "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://bucket/pre/"}, **offline},
    }


def row(identifier: str, at: str, deleted: bool = False, called: float = 100.0, **values: Any) -> OfflineRow:
    return OfflineRow({"id": identifier, "at": at, **values}, at, called, deleted)


def files(cloud: Cloud, prefix: str = "pre/") -> list[str]:
    return [found.key for found in Objects(cloud, REGION).under("bucket", prefix)]


def content(cloud: Cloud) -> pa.Table:
    objects = Objects(cloud, REGION)
    return pa.concat_tables(
        [parquet.ParquetFile(io.BytesIO(objects.get("bucket", key))).read() for key in files(cloud)]
    )


def partitions(cloud: Cloud) -> list[list[str]]:
    found = cloud.client("glue", REGION).get_partitions(DatabaseName="sagemaker_featurestore", TableName=TABLE)
    return sorted(partition["Values"] for partition in found["Partitions"])


def test_the_layout_is_that_of_aws(cloud: Cloud, store: OfflineStore) -> None:
    carriers = group()
    assert store.resolve(carriers) == f"s3://bucket/{DATA}"
    store.create_table(carriers)
    store.append(carriers, [row("AA", "2013-01-31T05:59:59Z"), row("UA", "2013-01-31T05:00:00Z")])
    store.append(carriers, [row("DL", "2013-01-31T06:00:00.123Z")])
    store.flush(200.0)
    first, second = files(cloud)
    assert re.fullmatch(f"{DATA}/year=2013/month=01/day=31/hour=05/20130131T055959Z_[A-Za-z0-9]{{16}}\\.parquet", first)
    assert second.startswith(f"{DATA}/year=2013/month=01/day=31/hour=06/20130131T060000Z_")
    assert partitions(cloud) == [["2013", "01", "31", "05"], ["2013", "01", "31", "06"]]


def test_the_table_has_the_features_and_what_the_store_adds(cloud: Cloud, store: OfflineStore) -> None:
    store.create_table(
        group(
            feature("Count", "Integral"),
            feature("mean", "Fractional"),
            feature("codes", "Integral", "Set"),
            feature("vector", "Fractional", "Vector"),
        )
    )
    table = cloud.client("glue", REGION).get_table(DatabaseName="sagemaker_featurestore", Name=TABLE)["Table"]
    assert {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]} == {
        "id": "string",
        "at": "string",
        "count": "bigint",
        "mean": "double",
        "codes": "array<bigint>",
        "vector": "array<double>",
        "write_time": "timestamp",
        "api_invocation_time": "timestamp",
        "is_deleted": "boolean",
    }
    assert [key["Name"] for key in table["PartitionKeys"]] == ["year", "month", "day", "hour"]
    assert table["StorageDescriptor"]["Location"] == f"s3://bucket/{DATA}"


def test_text_becomes_typed_columns_and_what_was_not_sent_is_null(cloud: Cloud, store: OfflineStore) -> None:
    carriers = group(
        feature("count", "Integral"),
        feature("mean", "Fractional"),
        feature("codes", "Integral", "List"),
        feature("vector", "Fractional", "Vector"),
        feature("names", "String", "Set"),
    )
    at = "2013-01-01T00:00:00Z"
    full = row("AA", at, count="-7", mean="1e3", codes=["1", "2"], vector=["0.5"], names=["a", "b"])
    store.append(carriers, [full, row("UA", at), row("DL", at, count="+5", codes=[])])
    store.flush(200.5)
    found = content(cloud)
    assert found.schema.field("count").type == pa.int64()
    assert found.schema.field("write_time").type == pa.timestamp("ms")
    kept = found.drop_columns(["at", "write_time", "api_invocation_time", "is_deleted"]).to_pylist()
    assert kept == [
        {"id": "AA", "count": -7, "mean": 1000.0, "codes": [1, 2], "vector": [0.5], "names": ["a", "b"]},
        {"id": "UA", "count": None, "mean": None, "codes": None, "vector": None, "names": None},
        {"id": "DL", "count": 5, "mean": None, "codes": [], "vector": None, "names": None},
    ]
    assert found["write_time"][0].as_py() == datetime.fromtimestamp(200.5, UTC).replace(tzinfo=None)
    assert found["api_invocation_time"][0].as_py() == datetime.fromtimestamp(100, UTC).replace(tzinfo=None)


def test_a_fractional_event_time_counts_seconds(cloud: Cloud, store: OfflineStore) -> None:
    store.append(group(event_time="Fractional"), [row("AA", "1357016400.5"), row("UA", "0"), row("DL", "-1")])
    store.flush(200.0)
    hours = sorted("/".join(key.split("/")[-5:-1]) for key in files(cloud))
    assert hours == [
        "year=1969/month=12/day=31/hour=23",
        "year=1970/month=01/day=01/hour=00",
        "year=2013/month=01/day=01/hour=05",
    ]


def test_late_rows_duplicates_and_deletes_are_all_kept(cloud: Cloud, store: OfflineStore) -> None:
    carriers = group(feature("count", "Integral"))
    new, old = "2013-02-01T00:00:00Z", "2013-01-01T00:00:00Z"
    store.append(carriers, [row("AA", new, count="2"), row("AA", old, count="1"), row("AA", new, count="2")])
    store.append(carriers, [row("AA", new, deleted=True, called=101.0)])
    store.flush(200.0)
    kept = [(found["at"], found["count"], found["is_deleted"]) for found in content(cloud).to_pylist()]
    assert kept == [(old, 1, False), (new, 2, False), (new, 2, False), (new, None, True)]


def test_rows_wait_for_the_delay_and_then_go_together(cloud: Cloud, clock: Clock) -> None:
    store = OfflineStore(cloud, clock, delay_seconds=60.0)
    at = "2013-01-01T00:00:00Z"
    store.append(group(), [row("AA", at, called=100.0)])
    store.append(group(), [row("UA", at, called=150.0)])
    store.flush(159.0)
    assert (store.waiting(group()), files(cloud)) == (2, [])
    store.flush(160.0)
    assert (store.waiting(group()), len(files(cloud)), content(cloud).num_rows) == (0, 1, 2)


def test_a_missing_bucket_blocks_and_loses_nothing(cloud: Cloud, store: OfflineStore) -> None:
    cloud.client("s3", REGION).delete_bucket(Bucket="bucket")
    store.append(group(), [row("AA", "2013-01-01T00:00:00Z")])
    store.flush(200.0)
    assert "bucket bucket does not exist" in (store.blocked(group()) or "")
    store.append(group(), [row("UA", "2013-01-01T00:00:00Z")])
    assert store.waiting(group()) == 2
    cloud.client("s3", REGION).create_bucket(Bucket="bucket")
    store.flush(201.0)
    assert store.blocked(group()) is None
    assert content(cloud)["id"].to_pylist() == ["AA", "UA"]


def test_a_database_that_is_not_there_blocks_until_it_is(cloud: Cloud, store: OfflineStore) -> None:
    catalog = {"Catalog": "AwsDataCatalog", "Database": "ours", "TableName": "carriers"}
    carriers = group(DataCatalogConfig=catalog)
    assert store.catalog(carriers) == catalog
    store.create_table(carriers)
    assert "ours.carriers" in (store.blocked(group()) or "")
    store.append(carriers, [row("AA", "2013-01-01T00:00:00Z")])
    store.flush(200.0)
    assert content(cloud).num_rows == 1
    assert store.blocked(group())
    glue = cloud.client("glue", REGION)
    glue.create_database(DatabaseInput={"Name": "ours"})
    store.flush(201.0)
    assert store.blocked(group()) is None
    assert len(glue.get_partitions(DatabaseName="ours", TableName="carriers")["Partitions"]) == 1


def test_partitions_written_before_the_table_are_registered_with_it(cloud: Cloud, store: OfflineStore) -> None:
    carriers = group()
    store.append(carriers, [row("AA", "2013-01-01T00:00:00Z")])
    store.flush(200.0)
    assert store.blocked(group()) is None
    store.create_table(carriers)
    assert partitions(cloud) == [["2013", "01", "01", "00"]]


def test_a_new_feature_becomes_a_new_column(cloud: Cloud, store: OfflineStore) -> None:
    store.create_table(group())
    store.append(group(), [row("AA", "2013-01-01T00:00:00Z")])
    wider = group(feature("count", "Integral"))
    store.create_table(wider)
    store.append(wider, [row("UA", "2013-01-01T00:00:00Z", count="3")])
    store.flush(200.0)
    table = cloud.client("glue", REGION).get_table(DatabaseName="sagemaker_featurestore", Name=TABLE)["Table"]
    assert "count" in [column["Name"] for column in table["StorageDescriptor"]["Columns"]]
    assert content(cloud)["count"].to_pylist() == [None, 3]


def test_a_group_without_glue_table_gets_none(cloud: Cloud, store: OfflineStore) -> None:
    plain = group(DisableGlueTableCreation=True)
    assert store.catalog(plain) is None
    store.create_table(plain)
    store.append(plain, [row("AA", "2013-01-01T00:00:00Z")])
    store.flush(200.0)
    assert (store.blocked(group()), content(cloud).num_rows) == (None, 1)
    assert cloud.client("glue", REGION).get_databases()["DatabaseList"] == []


def test_a_row_that_cannot_be_read_is_kept_and_holds_nobody_up(cloud: Cloud, store: OfflineStore) -> None:
    carriers = group(feature("count", "Integral"))
    at = "2013-01-01T00:00:00Z"
    store.append(carriers, [row(str(number), at, count="x" if number == 5 else "1") for number in range(9)])
    store.append(carriers, [row("AA", "yesterday", count="1")])
    store.flush(200.0)
    assert content(cloud).num_rows == 8
    assert store.waiting(group()) == 2
    assert "2 rows" in (store.blocked(group()) or "")


def test_an_iceberg_group_is_registered_as_iceberg(cloud: Cloud, store: OfflineStore) -> None:
    iceberg = group(TableFormat="Iceberg")
    store.create_table(iceberg)
    store.append(iceberg, [row("AA", "2013-01-01T00:00:00Z")])
    store.flush(200.0)
    table = cloud.client("glue", REGION).get_table(DatabaseName="sagemaker_featurestore", Name=TABLE)["Table"]
    assert (table["Parameters"]["table_type"], table["PartitionKeys"]) == ("ICEBERG", [])
    assert content(cloud).num_rows == 1


def test_a_group_of_the_same_name_in_another_region_waits_for_itself(cloud: Cloud, store: OfflineStore) -> None:
    elsewhere = {**group(), "FeatureGroupArn": group()["FeatureGroupArn"].replace(REGION, "eu-west-1")}
    store.append(group(), [row("AA", "2013-01-01T00:00:00Z")])
    assert (store.waiting(group()), store.waiting(elsewhere)) == (1, 0)


def test_a_reset_forgets_what_waits(cloud: Cloud, store: OfflineStore) -> None:
    store.append(group(), [row("AA", "2013-01-01T00:00:00Z")])
    store.reset()
    store.flush(200.0)
    assert (store.waiting(group()), files(cloud)) == (0, [])


def test_ten_thousand_rows_of_three_days_are_all_there_in_one_file_per_hour(cloud: Cloud, store: OfflineStore) -> None:
    start = 1356998400
    moments = [start + (number * 7919) % (3 * 24) * 3600 + number % 3600 for number in range(10_000)]
    texts = [datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for moment in moments]
    store.create_table(group())
    store.append(group(), [row(str(number), text) for number, text in enumerate(texts)])
    store.flush(200.0)
    found = content(cloud)
    assert sorted(zip(found["id"].to_pylist(), found["at"].to_pylist(), strict=True)) == sorted(
        (str(number), text) for number, text in enumerate(texts)
    )
    assert len(files(cloud)) == 3 * 24
