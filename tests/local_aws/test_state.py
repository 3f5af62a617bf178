"""What survives the end of the server, when it was given a directory."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as parquet
import pytest

from tests.local_aws.feature_groups import BUCKET, ONLINE, client, record, request, values
from tests.local_aws.server import LocalAws

if TYPE_CHECKING:
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


def fill(server: LocalAws) -> dict[str, Any]:
    """Make one of everything, with rows offline and rows that still wait; give the group's description."""
    sagemaker, runtime = client(server, "sagemaker"), client(server, "sagemaker-featurestore-runtime")
    server.client("s3").create_bucket(Bucket=BUCKET)
    sagemaker.create_feature_group(**request(Tags=[{"Key": "owner", "Value": "ops"}]))
    sagemaker.update_feature_metadata(FeatureGroupName="weather", FeatureName="delay", Description="At departure")
    runtime.put_record(FeatureGroupName="weather", Record=record("JFK", delay="1"))
    server.advance(100)
    assert offline_identifiers(server) == ["JFK"]
    entries = [{"FeatureGroupName": "weather", "Record": record(name)} for name in ("LGA", "Zürich")]
    runtime.batch_write_record(Entries=entries)
    runtime.delete_record(FeatureGroupName="weather", RecordIdentifierValueAsString="JFK", EventTime=LATER)
    found: dict[str, Any] = sagemaker.describe_feature_group(FeatureGroupName="weather")
    return found


def without_metadata(description: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in description.items() if name != "ResponseMetadata"}


def test_a_killed_server_comes_back_with_all_that_it_acknowledged(tmp_path: Path) -> None:
    directory = ("--state", str(tmp_path / "state"))
    with LocalAws.started(*directory, offline_delay_seconds=50) as server:
        before = fill(server)
        moment = server.now()
        iam = server.client("iam")
        iam.create_user(UserName="ops")
        key = iam.create_access_key(UserName="ops")["AccessKey"]["AccessKeyId"]
        kill(server)
    with LocalAws.started(*directory, offline_delay_seconds=50) as server:
        assert server.now() >= moment
        sagemaker, runtime = client(server, "sagemaker"), client(server, "sagemaker-featurestore-runtime")
        after = sagemaker.describe_feature_group(FeatureGroupName="weather")
        assert without_metadata(after) == without_metadata(before)
        assert sagemaker.list_tags(ResourceArn=after["FeatureGroupArn"])["Tags"] == [{"Key": "owner", "Value": "ops"}]
        where = {"FeatureGroupName": "weather", "FeatureName": "delay"}
        assert sagemaker.describe_feature_metadata(**where)["Description"] == "At departure"
        assert runtime.list_records(FeatureGroupName="weather")["RecordIdentifiers"] == ["LGA", "Zürich"]
        deleted = runtime.get_record(FeatureGroupName="weather", RecordIdentifierValueAsString="JFK")
        assert values(deleted) is None
        keys = server.client("iam").list_access_keys(UserName="ops")["AccessKeyMetadata"]
        assert [one["AccessKeyId"] for one in keys] == [key]
        catalog = after["OfflineStoreConfig"]["DataCatalogConfig"]
        server.client("glue").get_table(DatabaseName=catalog["Database"], Name=catalog["TableName"])
        assert offline_identifiers(server) == ["JFK"]
        server.advance(100)
        assert offline_identifiers(server) == ["JFK", "JFK", "LGA", "Zürich"]
        kill(server)
    with LocalAws.started(*directory) as server:
        assert offline_identifiers(server) == ["JFK", "JFK", "LGA", "Zürich"]


def test_a_killed_server_keeps_the_order_of_event_times_and_the_ends_of_records(tmp_path: Path) -> None:
    directory = ("--state", str(tmp_path))
    with LocalAws.started(*directory) as server:
        ttl = {"Unit": "Hours", "Value": 1}
        sagemaker = client(server, "sagemaker")
        sagemaker.create_feature_group(**request())
        sagemaker.create_feature_group(**request("hourly", OnlineStoreConfig={**ONLINE, "TtlDuration": ttl}))
        runtime = client(server, "sagemaker-featurestore-runtime")
        runtime.put_record(FeatureGroupName="weather", Record=record("JFK", LATER, delay="1"))
        now = f"{server.now():%Y-%m-%dT%H:%M:%SZ}"
        runtime.put_record(FeatureGroupName="hourly", Record=record("JFK", now))
        kill(server)
    with LocalAws.started(*directory) as server:
        runtime = client(server, "sagemaker-featurestore-runtime")
        runtime.put_record(FeatureGroupName="weather", Record=record("JFK", delay="2"))
        where = {"RecordIdentifierValueAsString": "JFK"}
        found = runtime.get_record(FeatureGroupName="weather", **where)
        assert values(found) == {"id": "JFK", "at": LATER, "delay": "1"}
        assert values(runtime.get_record(FeatureGroupName="hourly", **where)) is not None
        server.advance(3601)
        assert values(runtime.get_record(FeatureGroupName="hourly", **where)) is None


def test_a_creation_goes_on_over_the_end_of_the_server(tmp_path: Path) -> None:
    directory = ("--state", str(tmp_path))
    with LocalAws.started(*directory, create_seconds=1000) as server:
        client(server, "sagemaker").create_feature_group(**request())
        kill(server)
    with LocalAws.started(*directory) as server:
        sagemaker = client(server, "sagemaker")
        assert sagemaker.describe_feature_group(FeatureGroupName="weather")["FeatureGroupStatus"] == "Creating"
        server.advance(1000)
        assert sagemaker.describe_feature_group(FeatureGroupName="weather")["FeatureGroupStatus"] == "Created"


def test_an_upload_in_parts_survives_as_one_object(tmp_path: Path) -> None:
    directory = ("--state", str(tmp_path))
    content = os.urandom(9_000_000)
    with LocalAws.started(*directory) as server:
        s3 = server.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.upload_fileobj(io.BytesIO(content), BUCKET, "large ü", ExtraArgs={"Metadata": {"who": "me"}})
        kill(server)
    with LocalAws.started(*directory) as server:
        found = server.client("s3").get_object(Bucket=BUCKET, Key="large ü")
        assert (found["Body"].read() == content, found["Metadata"]) == (True, {"who": "me"})


def test_versions_of_an_object_keep_their_ids(tmp_path: Path) -> None:
    directory = ("--state", str(tmp_path))

    def versions(server: LocalAws) -> list[str]:
        found = server.client("s3").list_object_versions(Bucket=BUCKET)["Versions"]
        return [one["VersionId"] for one in found]

    with LocalAws.started(*directory) as server:
        s3 = server.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for text in (b"one", b"two"):
            s3.put_object(Bucket=BUCKET, Key="key", Body=text)
            s3.get_object(Bucket=BUCKET, Key="key")
        before = versions(server)
        kill(server)
    with LocalAws.started(*directory) as server:
        assert versions(server) == before


def test_a_reset_is_kept_as_well(tmp_path: Path) -> None:
    directory = ("--state", str(tmp_path))
    with LocalAws.started(*directory) as server:
        fill(server)
        server.reset()
        kill(server)
    with LocalAws.started(*directory) as server:
        assert client(server, "sagemaker").list_feature_groups()["FeatureGroupSummaries"] == []
        assert server.client("s3").list_buckets()["Buckets"] == []


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "festaf.local_aws", "serve", "--port", "0", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_directory_serves_one_server_at_a_time(tmp_path: Path) -> None:
    with LocalAws.started("--state", str(tmp_path)):
        second = serve("--state", str(tmp_path))
    assert second.returncode == 1
    assert second.stderr == f"The state directory {tmp_path} is in use by another local AWS.\n"


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
