"""A registry whose archives are in S3, and what is left of it while S3 fails."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from festaf.registry_api.cli import app as registry
from festaf.registry_api.dag_packages.cleaning import clean, damaged
from festaf.registry_api.dag_packages.s3_blobs import S3Blobs
from tests.buckets import PREFIX, Trouble
from tests.registry_api.dag_packages.conftest import open_house
from tests.registry_api.dag_packages.test_s3_faults import LONG, SHORT
from tests.registry_api.events import RICH, task_event, written
from tests.sharing.packages import archive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from festaf.registry_api.dag_packages.s3_blobs import Patience
    from tests.buckets import Bucket, Kept
    from tests.registry_api.dag_packages.conftest import House

ARCHIVE = "/dag-packages/acme/sales/1.4.0/archive"
SLOW_DOWN = Trouble(503, "SlowDown")
DENIED = Trouble(403, "AccessDenied")


@pytest.fixture
def kept(bucket: Bucket) -> Kept:
    return bucket


@pytest.fixture
def house(house_url: str, bucket: Bucket) -> Iterator[House]:
    """Give a registry that repeats soon what S3 fails."""
    with open_house(house_url, bucket) as found:
        wait(found, bucket, LONG)
        yield found


def wait(house: House, bucket: Bucket, patience: Patience) -> None:
    """Let a registry wait so long for S3."""
    house.app.state.blobs = S3Blobs(bucket.name, PREFIX, {"AWS_ENDPOINT_URL_S3": bucket.front.url}, patience)


def ready(house: House) -> Any:
    answer = house.http.get("/ready")
    assert answer.status_code == 200
    return answer.json()


def counted(house: House, kind: str) -> str:
    lines = house.http.get("/metrics").text.splitlines()
    return next(line for line in lines if line.startswith(f'festaf_registry_archive_store_errors_total{{kind="{kind}"'))


def test_an_upload_that_s3_does_not_take_is_sent_again_and_nothing_stands_before(house: House, bucket: Bucket) -> None:
    data = archive()
    for trouble, kind in ((SLOW_DOWN, "busy"), (Trouble(), "away"), (Trouble(hang=True), "slow")):
        bucket.front.fail(trouble)
        wait(house, bucket, SHORT if trouble.hang else LONG)
        answer = house.send(data)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), answer.text
        assert answer.json()["title"] == "Store of archives unavailable"
        assert counted(house, kind).endswith(" 1.0")
        bucket.front.heal()
    wait(house, bucket, LONG)
    assert house.ask("ian", "GET", "/dag-packages/acme/sales/1.4.0").status_code == 404
    assert bucket.names() == []
    assert house.send(data).status_code == 201
    assert house.ask("ian", "GET", ARCHIVE).content == data


def test_what_lasts_is_told_to_whoever_asks(house: House, bucket: Bucket) -> None:
    house.publish()
    bucket.front.fail(DENIED)
    answer = house.ask("ian", "GET", ARCHIVE)
    assert (answer.status_code, "Retry-After" in answer.headers) == (500, False)
    assert "s3:GetObject" in answer.json()["detail"]
    assert counted(house, "denied").endswith(" 1.0")


def test_the_rest_of_the_registry_works_while_s3_is_away(house: House, bucket: Bucket) -> None:
    house.publish()
    assert ready(house) == {"status": "ok", "archives": "ok"}
    bucket.front.fail(Trouble())
    assert house.ask("ian", "GET", ARCHIVE).status_code == 503
    assert ready(house) == {"status": "ok", "archives": "failing"}
    event = task_event(outputs=(written(RICH),))
    assert house.ask("root", "POST", "/lineage", json=event).status_code == 201
    assert house.get("/dag-packages/acme/sales")["latest"] == "1.4.0"
    bucket.front.heal()
    assert house.ask("ian", "GET", ARCHIVE).status_code == 200
    assert ready(house)["archives"] == "ok"


def test_lineage_is_taken_while_s3_hangs_under_the_lock_of_archives(house: House, bucket: Bucket) -> None:
    """On SQLite that lock is the one of all writers."""
    wait(house, bucket, replace(SHORT, whole=LONG.whole))
    bucket.front.fail(Trouble(method="HEAD", hang=True))
    event = task_event(outputs=(written(RICH),))
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(house.send, archive())
        while "HEAD" not in bucket.front.asked:
            assert not sent.done()
            time.sleep(0.01)
        assert house.ask("root", "POST", "/lineage", json=event).status_code == 201
        assert sent.result(60).status_code == 503


def test_a_deletion_does_not_wait_for_s3_and_what_is_left_is_cleaned(house: House, bucket: Bucket) -> None:
    house.stage()
    bucket.front.fail(Trouble(method="DELETE"))
    assert house.ask("ann", "DELETE", "/dag-packages/acme/sales/1.4.0").status_code == 204
    assert len(bucket.names()) == 1
    bucket.front.heal()
    assert clean(house.database, house.app.state.blobs, seconds=-1) == 1
    assert bucket.names() == []


def test_an_object_that_was_changed_is_told_and_the_same_upload_mends_it(house: House, bucket: Bucket) -> None:
    published = house.publish()
    bucket.write(published["digest"], b"of somebody else")
    answer = house.ask("ian", "GET", ARCHIVE)
    assert (answer.status_code, "missing or damaged" in answer.json()["detail"]) == (503, True)
    (named,) = damaged(house.database, house.app.state.blobs)
    assert (named["package"], named["digest"]) == ("acme/sales", published["digest"])
    assert house.send(archive()).status_code == 200
    assert house.ask("ian", "GET", ARCHIVE).content == archive()


def test_a_registry_does_not_start_with_a_bucket_that_is_none(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    assert CliRunner().invoke(registry, ["migrate", "--database-url", sqlite_url]).exit_code == 0
    monkeypatch.setenv("FESTAF_REGISTRY_BLOBS", f"s3://{bucket.name}-gone/x")
    done = CliRunner().invoke(registry, ["serve", "--demo", "--port", "0", "--database-url", sqlite_url])
    assert done.exit_code == 1
    assert f"festaf registry: there is no bucket '{bucket.name}-gone'" in done.stderr.splitlines()[-1]
