"""What survives the end of the server, when it was given a directory."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as parquet
import pytest

from tests.local_aws.feature_groups import BUCKET, ONLINE, client, record, request, values
from tests.local_aws.server import LocalAws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LATER = "2013-01-01T01:00:00Z"


def kill(server: LocalAws) -> None:
    server.process.kill()
    server.process.wait(timeout=20)


def offline_identifiers(server: LocalAws) -> list[str]:
    s3 = server.client("s3")
    found: list[str] = []
    for one in s3.list_objects_v2(Bucket=BUCKET, Prefix="store/").get("Contents", []):
        content = s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
        found += parquet.read_table(io.BytesIO(content)).column("id").to_pylist()
    return sorted(found)


@dataclass(frozen=True)
class Life:
    """What a server was before it was killed, and the one that came back."""

    directory: str
    server: LocalAws
    moment: datetime
    description: dict[str, Any]
    access_key: str
    versions: list[str]

    def client(self, service: str) -> Any:
        return client(self.server, service)

    def value(self, group: str, identifier: str) -> dict[str, Any] | None:
        runtime = self.client("sagemaker-featurestore-runtime")
        return values(runtime.get_record(FeatureGroupName=group, RecordIdentifierValueAsString=identifier))


LARGE = os.urandom(9_000_000)


def fill(server: LocalAws) -> tuple[dict[str, Any], str, list[str]]:
    """Make one of everything."""
    sagemaker, runtime = client(server, "sagemaker"), client(server, "sagemaker-featurestore-runtime")
    s3, iam = server.client("s3"), server.client("iam")
    s3.create_bucket(Bucket=BUCKET)
    s3.upload_fileobj(io.BytesIO(LARGE), BUCKET, "large ü", ExtraArgs={"Metadata": {"who": "me"}})
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    for text in (b"one", b"two"):
        s3.put_object(Bucket="versions", Key="key", Body=text)
        s3.get_object(Bucket="versions", Key="key")
    iam.create_user(UserName="ops")
    ttl = {"Unit": "Hours", "Value": 1}
    sagemaker.create_feature_group(**request(Tags=[{"Key": "owner", "Value": "ops"}]))
    sagemaker.create_feature_group(**request("hourly", OnlineStoreConfig={**ONLINE, "TtlDuration": ttl}))
    sagemaker.update_feature_metadata(FeatureGroupName="weather", FeatureName="delay", Description="At departure")
    server.settings(create_seconds=1000)
    sagemaker.create_feature_group(**request("slow"))
    now = f"{server.now():%Y-%m-%dT%H:%M:%SZ}"
    entries = [
        {"FeatureGroupName": "weather", "Record": record("LGA")},
        {"FeatureGroupName": "weather", "Record": record("Zürich", LATER, delay="1")},
        {"FeatureGroupName": "weather", "Record": record("EWR")},
        {"FeatureGroupName": "weather", "Record": record("BOS")},
        {"FeatureGroupName": "hourly", "Record": record("JFK", now)},
    ]
    runtime.batch_write_record(Entries=entries)
    where = {"FeatureGroupName": "weather", "EventTime": LATER}
    runtime.delete_record(**where, RecordIdentifierValueAsString="EWR")
    runtime.delete_record(**where, RecordIdentifierValueAsString="BOS", DeletionMode="HardDelete")
    return (
        sagemaker.describe_feature_group(FeatureGroupName="weather"),
        iam.create_access_key(UserName="ops")["AccessKey"]["AccessKeyId"],
        versions(server),
    )


def versions(server: LocalAws) -> list[str]:
    return [one["VersionId"] for one in server.client("s3").list_object_versions(Bucket="versions")["Versions"]]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """A server that was filled, killed and started again."""
    directory = str(tmp_path_factory.mktemp("state") / "made" / "by the server")
    with LocalAws.started("--state", directory) as server:
        server.advance(1000)
        before = fill(server)
        moment = server.now()
        kill(server)
    with LocalAws.started("--state", directory) as server:
        yield Life(directory, server, moment, *before)


def test_the_clock_goes_on_where_it_was(life: Life) -> None:
    assert life.server.now() >= life.moment


def test_groups_come_back_with_tags_and_metadata(life: Life) -> None:
    sagemaker = life.client("sagemaker")
    found = sagemaker.describe_feature_group(FeatureGroupName="weather")
    assert {**found, "ResponseMetadata": None} == {**life.description, "ResponseMetadata": None}
    assert sagemaker.list_tags(ResourceArn=found["FeatureGroupArn"])["Tags"] == [{"Key": "owner", "Value": "ops"}]
    where = {"FeatureGroupName": "weather", "FeatureName": "delay"}
    assert sagemaker.describe_feature_metadata(**where)["Description"] == "At departure"
    catalog = found["OfflineStoreConfig"]["DataCatalogConfig"]
    life.client("glue").get_table(DatabaseName=catalog["Database"], Name=catalog["TableName"])


def test_a_creation_goes_on(life: Life) -> None:
    found = life.client("sagemaker").describe_feature_group(FeatureGroupName="slow")
    assert found["FeatureGroupStatus"] == "Creating"


def test_records_come_back_and_deleted_ones_stay_deleted(life: Life) -> None:
    listing = life.client("sagemaker-featurestore-runtime").list_records
    assert listing(FeatureGroupName="weather")["RecordIdentifiers"] == ["LGA", "Zürich"]
    also = listing(FeatureGroupName="weather", IncludeSoftDeletedRecords=True)
    assert also["RecordIdentifiers"] == ["EWR", "LGA", "Zürich"]


def test_an_older_record_still_does_not_replace_a_newer(life: Life) -> None:
    runtime = life.client("sagemaker-featurestore-runtime")
    runtime.put_record(FeatureGroupName="weather", Record=record("Zürich", delay="2"), TargetStores=["OnlineStore"])
    assert life.value("weather", "Zürich") == {"id": "Zürich", "at": LATER, "delay": "1"}


def test_records_still_expire(life: Life) -> None:
    assert life.value("hourly", "JFK") is not None
    life.server.advance(3601)
    assert life.value("hourly", "JFK") is None


def test_identifiers_that_moto_made_up_stay(life: Life) -> None:
    keys = life.server.client("iam").list_access_keys(UserName="ops")["AccessKeyMetadata"]
    assert [one["AccessKeyId"] for one in keys] == [life.access_key]
    assert versions(life.server) == life.versions


def test_an_upload_in_parts_comes_back_as_one_object(life: Life) -> None:
    found = life.server.client("s3").get_object(Bucket=BUCKET, Key="large ü")
    assert (found["Body"].read() == LARGE, found["Metadata"]) == (True, {"who": "me"})


def test_a_directory_serves_one_server_at_a_time(life: Life) -> None:
    second = serve("--state", life.directory)
    assert second.returncode == 1
    assert second.stderr == f"The state directory {life.directory} is in use by another local AWS.\n"


@pytest.mark.long
def test_every_row_reaches_the_offline_store_once_and_a_reset_is_kept(tmp_path: Path) -> None:
    directory = ("--state", str(tmp_path))
    with LocalAws.started(*directory, offline_delay_seconds=50) as server:
        server.client("s3").create_bucket(Bucket=BUCKET)
        client(server, "sagemaker").create_feature_group(**request())
        runtime = client(server, "sagemaker-featurestore-runtime")
        runtime.put_record(FeatureGroupName="weather", Record=record("JFK"))
        server.advance(100)
        assert offline_identifiers(server) == ["JFK"]
        entries = [{"FeatureGroupName": "weather", "Record": record(name)} for name in ("LGA", "EWR")]
        runtime.batch_write_record(Entries=entries)
        kill(server)
    with LocalAws.started(*directory, offline_delay_seconds=50) as server:
        assert offline_identifiers(server) == ["JFK"]
        server.advance(100)
        assert offline_identifiers(server) == ["EWR", "JFK", "LGA"]
        kill(server)
    with LocalAws.started(*directory) as server:
        assert offline_identifiers(server) == ["EWR", "JFK", "LGA"]
        server.reset()
        kill(server)
    with LocalAws.started(*directory) as server:
        assert abs(server.now() - datetime.now(UTC)) < timedelta(minutes=1)
        assert client(server, "sagemaker").list_feature_groups()["FeatureGroupSummaries"] == []
        assert server.client("s3").list_buckets()["Buckets"] == []


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "festaf.local_aws", "serve", "--port", "0", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["records.sqlite", "cloud.sqlite"])
def test_a_file_that_is_not_ours_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("no database, but long enough to be looked at" * 100)
    ended = serve("--state", str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == f"The state file {tmp_path / name} cannot be used: file is not a database.\n"


def test_a_server_without_a_directory_leaves_no_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "festaf.local_aws", "serve", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout is not None
    assert "ready on http://127.0.0.1:" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    process.stdout.close()
    assert list(tmp_path.iterdir()) == []
