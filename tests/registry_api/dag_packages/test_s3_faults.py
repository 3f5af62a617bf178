"""What S3 does to a store: passing faults are repeated and then said as such, lasting ones say what to do."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import make_url

from festaf.registry_api.dag_packages.blobs import open_blobs, require_usable
from festaf.registry_api.dag_packages.s3_blobs import Patience, S3Blobs
from festaf.registry_api.errors import (
    SetupError,
    StoreAwayError,
    StoreBusyError,
    StoreDeniedError,
    StoreFaultError,
    StoreMissingError,
    StoreSlowError,
)
from tests.buckets import PREFIX, Trouble, front_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.buckets import Bucket

DATABASE = make_url("sqlite:///none.db")
DATA = b"an archive" * 100_000
DIGEST = hashlib.sha256(DATA).hexdigest()
LONG = Patience(timedelta(seconds=60), timedelta(seconds=60), timedelta(milliseconds=5))
SHORT = Patience(timedelta(seconds=0.8), timedelta(seconds=0.8), timedelta(milliseconds=5))
"""For what hangs; anything else has time, however busy the machine is."""
OPERATIONS: dict[str, Callable[[S3Blobs], object]] = {
    "PUT": lambda blobs: blobs.put(DIGEST, DATA),
    "GET": lambda blobs: blobs.read(DIGEST),
    "HEAD": lambda blobs: blobs.has(DIGEST),
    "DELETE": lambda blobs: blobs.remove(DIGEST),
}


@pytest.fixture
def blobs(bucket: Bucket) -> S3Blobs:
    return S3Blobs(bucket.name, PREFIX, os.environ, LONG)


@pytest.mark.parametrize("method", OPERATIONS)
@pytest.mark.parametrize(
    ("trouble", "named", "said"),
    [
        (Trouble(503, "SlowDown"), StoreBusyError, "fewer requests"),
        (Trouble(500, "InternalError"), StoreAwayError, "500"),
        (Trouble(), StoreAwayError, "cut"),
        (Trouble(hang=True), StoreSlowError, "in time"),
    ],
    ids=["throttle", "error", "reset", "hang"],
)
def test_a_passing_fault_is_repeated_and_then_said(
    bucket: Bucket, method: str, trouble: Trouble, named: type[StoreAwayError], said: str
) -> None:
    blobs = S3Blobs(bucket.name, PREFIX, os.environ, SHORT if trouble.hang else LONG)
    bucket.write(DIGEST, DATA)
    bucket.front.fail(trouble)
    begun = time.monotonic()
    with pytest.raises(named, match=said) as caught:
        OPERATIONS[method](blobs)
    assert time.monotonic() - begun < 30
    assert (caught.value.status_code, caught.value.headers) == (503, {"Retry-After": "5"})
    assert blobs.failing()
    bucket.front.heal()
    OPERATIONS[method](blobs)
    assert not blobs.failing()


@pytest.mark.parametrize("method", OPERATIONS)
@pytest.mark.parametrize("trouble", [Trouble(503, "SlowDown"), Trouble(), Trouble(done=True)])
def test_a_fault_that_passes_at_once_is_not_seen(blobs: S3Blobs, bucket: Bucket, method: str, trouble: Trouble) -> None:
    blobs.put(DIGEST, DATA)
    bucket.front.fail(trouble, times=1)
    OPERATIONS[method](blobs)
    assert blobs.has(DIGEST) is (method != "DELETE")


@pytest.mark.parametrize("method", OPERATIONS)
@pytest.mark.parametrize(
    ("trouble", "named", "said"),
    [
        (Trouble(403, "AccessDenied"), StoreDeniedError, "s3:PutObject"),
        (Trouble(401, "Unauthorized"), StoreDeniedError, "s3:PutObject"),
        (Trouble(301, "PermanentRedirect"), StoreFaultError, "AWS_REGION"),
    ],
    ids=["denied", "unknown", "region"],
)
def test_a_lasting_fault_says_what_to_do(
    blobs: S3Blobs, bucket: Bucket, method: str, trouble: Trouble, named: type[StoreFaultError], said: str
) -> None:
    bucket.front.fail(trouble)
    with pytest.raises(named, match=said) as caught:
        OPERATIONS[method](blobs)
    assert bucket.name in caught.value.detail
    assert "local" not in caught.value.detail.replace("127.0.0.1", "")
    assert (caught.value.status_code, caught.value.headers) == (500, {})
    assert bucket.front.asked == [method], "it is asked once"


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("ExpiredToken", 400, "expired"),
        ("SignatureDoesNotMatch", 403, "AWS_SECRET_ACCESS_KEY"),
        ("RequestTimeTooSkewed", 403, "clock"),
        ("InvalidObjectState", 403, "Glacier"),
        ("KMS.DisabledException", 400, "KMS.DisabledException"),
    ],
)
def test_what_s3_says_is_said_on(blobs: S3Blobs, bucket: Bucket, code: str, status: int, said: str) -> None:
    bucket.front.fail(Trouble(status, code))
    with pytest.raises(StoreFaultError, match=said):
        blobs.read(DIGEST)


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_a_bucket_that_is_missing_is_no_archive_that_is_missing(bucket: Bucket, method: str) -> None:
    blobs = S3Blobs(f"{bucket.name}-gone", PREFIX, os.environ, LONG)
    with pytest.raises(StoreMissingError, match=r"no bucket .*-gone.*FESTAF_REGISTRY_BLOBS"):
        OPERATIONS[method](blobs)
    with pytest.raises(StoreMissingError):
        list(blobs.old(0))
    with pytest.raises(StoreMissingError):
        blobs.check()


def test_without_credentials_it_is_said_where_they_are_looked_for(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"{bucket.front.url}/169.254.169.254")
    bucket.front.fail(Trouble(403, "nobody"))
    with pytest.raises(StoreDeniedError, match=r"no credentials.*AWS_ACCESS_KEY_ID.*role.*profile"):
        S3Blobs(bucket.name, PREFIX, os.environ, LONG).check()


def test_an_answer_that_is_cut_is_continued(blobs: S3Blobs, bucket: Bucket) -> None:
    blobs.put(DIGEST, DATA)
    bucket.front.fail(Trouble(method="GET", after=300_000), times=1)
    found = blobs.stream(DIGEST)
    assert found is not None
    assert b"".join(found) == DATA


def test_nothing_is_given_of_an_answer_that_stays_cut(blobs: S3Blobs, bucket: Bucket) -> None:
    blobs.put(DIGEST, DATA)
    bucket.front.fail(Trouble(method="GET", after=10))
    with pytest.raises(StoreAwayError):
        blobs.stream(DIGEST)
    with pytest.raises(StoreAwayError):
        blobs.read(DIGEST)


@pytest.mark.parametrize("trouble", [Trouble(), Trouble(503, "SlowDown"), Trouble(hang=True)])
def test_a_broken_put_leaves_nothing(bucket: Bucket, trouble: Trouble) -> None:
    blobs = S3Blobs(bucket.name, PREFIX, os.environ, SHORT if trouble.hang else LONG)
    bucket.front.fail(trouble)
    with pytest.raises(StoreAwayError):
        blobs.put(DIGEST, DATA)
    bucket.front.heal()
    assert bucket.names() == []
    assert not bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads")
    assert blobs.read(DIGEST) is None
    blobs.put(DIGEST, DATA)
    assert blobs.read(DIGEST) == DATA


def test_the_last_failure_is_forgotten_without_anybody_asking(bucket: Bucket) -> None:
    blobs = S3Blobs(bucket.name, PREFIX, os.environ, dataclasses.replace(SHORT, known=0.05))
    bucket.front.fail(Trouble(hang=True))
    with pytest.raises(StoreSlowError):
        blobs.has(DIGEST)
    begun = time.monotonic()
    assert blobs.failing()
    assert time.monotonic() - begun < SHORT.small.total_seconds(), "nobody waits for the store"
    bucket.front.heal()
    while blobs.failing():
        assert time.monotonic() - begun < 60
        time.sleep(0.02)


def test_a_store_that_is_away_keeps_nobody_from_starting(blobs: S3Blobs, bucket: Bucket) -> None:
    require_usable(blobs)
    bucket.front.fail(Trouble())
    require_usable(blobs)
    bucket.front.heal()
    bucket.front.fail(Trouble(403, "AccessDenied"))
    with pytest.raises(StoreDeniedError):
        require_usable(blobs)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://", "s3://bucket/prefix"),
        ("s3://key:secret@bucket/x", "s3://bucket/prefix"),
        ("s3://bucket/a/../b", "s3://bucket/prefix"),
        ("s3://bucket/x?region=1", "s3://bucket/prefix"),
        ("s3://BUCKET/x", "s3://bucket/prefix"),
        ("gs://bucket/x", "'gs'"),
        ("https://key:secret@bucket", "'https'"),
    ],
)
def test_a_place_that_is_none_is_refused_without_repeating_it(place: str, said: str) -> None:
    with pytest.raises(SetupError, match=said) as caught:
        open_blobs(place, DATABASE)
    assert "secret" not in str(caught.value)


def test_without_obstore_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "festaf.registry_api.dag_packages.s3_blobs")
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(SetupError, match=r"festaf\[registry,s3\]"):
        open_blobs("s3://bucket/x", DATABASE)


def test_settings_that_cannot_be_used_are_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(SetupError, match=r"AWS_CA_BUNDLE.*none\.pem"):
        open_blobs("s3://bucket/x", DATABASE)
    monkeypatch.delenv("AWS_CA_BUNDLE")
    monkeypatch.setenv("AWS_CHECKSUM_ALGORITHM", "nonsense")
    monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "nonsense")
    with pytest.raises(SetupError, match="nonsense"):
        open_blobs("s3://bucket/x", DATABASE)


def test_a_server_of_ones_own_is_believed_by_the_certificates_of_aws_ca_bundle(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    believed, served = own_certificate(tmp_path)
    with front_of(bucket.front.url, served) as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", front.url)
        with pytest.raises(StoreFaultError, match="AWS_CA_BUNDLE"):
            S3Blobs(bucket.name, PREFIX, {}, LONG).check()
        blobs = S3Blobs(bucket.name, PREFIX, {"AWS_CA_BUNDLE": str(believed)}, LONG)
        blobs.put(DIGEST, DATA)
        assert blobs.read(DIGEST) == DATA


def own_certificate(folder: Path) -> tuple[Path, Path]:
    """Make an authority that no system knows, and a certificate of this machine by it, with its key behind it."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a company")])
    here = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    root = signed(name, authority, name, authority, x509.BasicConstraints(ca=True, path_length=None))
    leaf = signed(here, key, name, authority, address)
    believed, secret = folder / "believed.pem", folder / "served.pem"
    believed.write_bytes(root)
    secret.write_bytes(leaf + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return believed, secret


def signed(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    authority: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> bytes:
    today = datetime.now(UTC)
    made = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(today - timedelta(days=1)).not_valid_after(today + timedelta(days=1))
    return made.add_extension(extension, critical=False).sign(authority, hashes.SHA256()).public_bytes(Encoding.PEM)
