"""moto in this process, as our services and the gateway reach it."""

from __future__ import annotations

import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from festaf.local_aws.cloud import Asked, Changes, Cloud, Observer, Reply
from festaf.local_aws.objects import Objects, ObjectStoreError, split_uri

if TYPE_CHECKING:
    from collections.abc import Callable

REGION = "us-east-1"


@pytest.fixture(scope="module")
def shared_cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def cloud(shared_cloud: Cloud) -> Cloud:
    shared_cloud.reset()
    shared_cloud.observer = None
    return shared_cloud


def test_an_object_goes_in_and_out_without_a_socket(cloud: Cloud) -> None:
    s3 = cloud.client("s3", REGION)
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="a b/ü=1+2.txt", Body=io.BytesIO(b"text"))
    assert s3.get_object(Bucket="bucket", Key="a b/ü=1+2.txt")["Body"].read() == b"text"


def test_an_error_of_aws_is_the_error_that_boto3_knows(cloud: Cloud) -> None:
    with pytest.raises(ClientError) as raised:
        cloud.client("glue", REGION).get_table(DatabaseName="none", Name="none")
    assert raised.value.response["Error"]["Code"] == "EntityNotFoundException"


def test_regions_are_apart(cloud: Cloud) -> None:
    cloud.client("glue", "eu-west-1").create_database(DatabaseInput={"Name": "here"})
    assert cloud.client("glue", REGION).get_databases()["DatabaseList"] == []


def test_a_client_is_made_once(cloud: Cloud) -> None:
    assert cloud.client("s3", REGION) is cloud.client("s3", REGION)


def test_the_users_profile_does_not_reach_the_client(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert Cloud().client("sts", REGION).get_caller_identity()["Account"] == "123456789012"


def keep_into(seen: list[Asked]) -> Observer:
    def observer(asked: Asked, answer: Callable[[], Reply]) -> Reply:
        reply = answer()
        if reply.status < 400:
            seen.append(asked)
        return reply

    return observer


def test_the_observer_sees_every_request_and_can_repeat_it(cloud: Cloud) -> None:
    seen: list[Asked] = []
    cloud.observer = keep_into(seen)
    s3 = cloud.client("s3", REGION)
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k=1/ü", Body=b"text", Metadata={"who": "me"})
    with pytest.raises(ClientError):
        s3.get_object(Bucket="bucket", Key="none")
    cloud.observer = None
    cloud.reset()
    assert [(one.method, one.path) for one in seen] == [("PUT", "/bucket"), ("PUT", "/bucket/k%3D1/%C3%BC")]
    for one in seen:
        assert cloud.request(one.method, one.path, one.headers, one.body).status == 200
    found = s3.get_object(Bucket="bucket", Key="k=1/ü")
    assert (found["Body"].read(), found["Metadata"]) == (b"text", {"who": "me"})


def test_a_seed_repeats_the_identifiers_that_moto_makes_up(cloud: Cloud) -> None:
    s3 = cloud.client("s3", REGION)
    s3.create_bucket(Bucket="bucket")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    made = set()
    for _ in range(2):
        cloud.seed(7)
        made.add(s3.put_object(Bucket="bucket", Key="k", Body=b"text")["VersionId"])
    assert len(made) == 1


def test_a_wsgi_server_can_mount_it(cloud: Cloud) -> None:
    seen: list[Asked] = []
    cloud.observer = keep_into(seen)
    answered: list[str] = []
    environ = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/bucket",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:5000",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=k/20130101/{REGION}/s3/aws4_request, Signature=0",
        "CONTENT_LENGTH": "0",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }
    list(cloud.wsgi(environ, lambda status, *_: answered.append(status)))  # type: ignore[arg-type, return-value]
    assert answered == ["200 OK"]
    assert [(one.method, one.path) for one in seen] == [("PUT", "/bucket")]


def test_many_threads_can_call_it(cloud: Cloud) -> None:
    s3 = cloud.client("s3", REGION)
    s3.create_bucket(Bucket="bucket")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: s3.put_object(Bucket="bucket", Key=str(number), Body=b"x"), range(64)))
    assert len(s3.list_objects_v2(Bucket="bucket")["Contents"]) == 64


def test_importing_it_does_not_import_moto() -> None:
    code = "import sys, festaf.local_aws.cloud; sys.exit('moto' in sys.modules or 'botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_objects_by_plain_requests_are_the_objects_of_boto3(cloud: Cloud) -> None:
    cloud.client("s3", REGION).create_bucket(Bucket="bucket")
    objects = Objects(cloud, REGION)
    keys = ["a/year=2013/ü b+c.parquet", "a/x&y<z>.csv"]
    for key in keys:
        objects.put("bucket", key, key.encode())
    assert [found.key for found in objects.under("bucket", "a/")] == sorted(keys)
    assert objects.get("bucket", keys[0]) == keys[0].encode()
    read = cloud.client("s3", REGION).get_object(Bucket="bucket", Key=keys[0])
    assert read["Body"].read() == keys[0].encode()
    assert next(objects.under("bucket", keys[0])).etag == read["ETag"]


def test_a_listing_goes_over_its_pages(cloud: Cloud) -> None:
    cloud.client("s3", REGION).create_bucket(Bucket="bucket")
    objects = Objects(cloud, REGION)
    for number in range(1001):
        objects.put("bucket", f"k/{number:04}", b"")
    assert [found.key for found in objects.under("bucket", "k/")] == [f"k/{number:04}" for number in range(1001)]


def test_a_missing_bucket_is_named(cloud: Cloud) -> None:
    with pytest.raises(ObjectStoreError, match="NoSuchBucket"):
        Objects(cloud, REGION).put("none", "key", b"")
    with pytest.raises(ObjectStoreError, match="NoSuchBucket"):
        next(Objects(cloud, REGION).under("none", ""))


@pytest.mark.parametrize("uri", ["", "s3://", "file:///tmp/x", "bucket/key"])
def test_what_is_no_s3_uri_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="no S3 URI"):
        split_uri(uri)


def test_moto_lists_a_folder_for_every_request_and_we_do_not(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the first half fails, moto has become quicker, and the dispatcher in cloud.py can go."""
    from moto import backends
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    cloud.client("s3", REGION).list_buckets()
    listed: list[int] = []
    original = backends.list_of_moto_modules
    monkeypatch.setattr(backends, "list_of_moto_modules", lambda: listed.append(1) or original())
    signed = f"AWS4-HMAC-SHA256 Credential=k/20130101/{REGION}/s3/aws4_request, Signature=0"
    DomainDispatcherApplication(create_backend_app).get_application(
        {"PATH_INFO": "/", "HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": signed}
    )
    assert listed
    listed.clear()
    cloud.client("s3", REGION).list_buckets()
    assert not listed


def test_changes_are_told_since_a_mark_by_object_and_table(cloud: Cloud) -> None:
    s3, glue = cloud.client("s3", REGION), cloud.client("glue", REGION)
    mark = cloud.changes.mark()
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="a/ü=1", Body=b"")
    s3.get_object(Bucket="bucket", Key="a/ü=1")
    glue.create_database(DatabaseInput={"Name": "db"})
    glue.create_table(DatabaseName="db", TableInput={"Name": "t"})
    glue.get_table(DatabaseName="db", Name="t")
    assert cloud.changes.since(mark) == ["glue:db.t", "glue", "/bucket/a/ü=1", "/bucket"]
    assert cloud.changes.since(cloud.changes.mark()) == []


def test_changes_that_are_not_remembered_are_not_denied() -> None:
    changes = Changes(length=2)
    mark = changes.mark()
    for number in range(3):
        changes.note(f"/bucket/{number}")
    assert changes.since(mark) is None
    assert changes.since(changes.mark() - 1) == ["/bucket/2"]
